/** The metric families of access lines: who was refused, who took whose place, who is still there. */
import type { Counter } from 'prom-client';
import type { LineFigures } from '../session/view.js';
import type { MetricCatalogue } from './metric-catalogue.js';

export class LineMetrics {
  readonly #refused: Counter<'reason'>;
  readonly #takeovers: Counter<'why'>;
  readonly #liveness: Counter<'result'>;

  constructor(catalogue: MetricCatalogue) {
    this.#refused = catalogue.counter(
      'bng_line_refusals_total',
      'Messages of stations that were not let in on their line (see lines in bng.yaml)',
      {
        reason:
          '`line-sessions`, `line-macs` (as many as the line may have), or `new-mac` (another has the line)',
      },
    );
    this.#takeovers = catalogue.counter(
      'bng_line_takeovers_total',
      'Sessions ended because another station has come in their place',
      {
        why: '`new-mac` (to the same line), or `moved-mac` (the same MAC, to another line)',
      },
    );
    this.#liveness = catalogue.counter(
      'bng_liveness_checks_total',
      'Looks whether the station of a lease is still there',
      {
        result: '`active` (it has sent something), `answered` (ARP), or `silent`',
      },
    );
  }

  /** Sets every family in the registry. */
  read({ refused, takeovers, liveness }: LineFigures): void {
    this.#refused.reset();
    for (const [reason, count] of Object.entries(refused)) this.#refused.inc({ reason }, count);
    this.#takeovers.reset();
    for (const [why, count] of Object.entries(takeovers)) this.#takeovers.inc({ why }, count);
    this.#liveness.reset();
    for (const [result, count] of Object.entries(liveness)) this.#liveness.inc({ result }, count);
  }
}
