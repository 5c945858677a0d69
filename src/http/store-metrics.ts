/** The metric families of the store: whether it takes what sessions need kept, and what was refused where it does not. */
import { Counter, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

/** Totals since start. */
export interface StoreReport {
  readonly failure: unknown;
  readonly refusedSessions: number;
  readonly refusedOrders: number;
  readonly withheldAnswers: number;
  readonly unstoredRenewals: number;
}

export class StoreMetrics {
  readonly #failed: Gauge;
  readonly #refused: Counter<'what'>;
  readonly #unstored: Counter;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#failed = new Gauge({
      name: 'bng_store_failed',
      help: '1 while the store takes nothing (a full disk, for one): no new sessions, no orders. Alert on it',
      registers,
    });
    this.#refused = new Counter({
      name: 'bng_store_refused_total',
      help: 'What was refused because the store takes nothing: new sessions, orders, answers that promise something new',
      labelNames: ['what'],
      registers,
    });
    this.#unstored = new Counter({
      name: 'bng_store_unstored_renewals_total',
      help: 'Leases renewed although the store could not keep it: a crash would end them when the renewal before says',
      registers,
    });
  }

  /** Sets every family in the registry. */
  read(report: StoreReport): void {
    this.#failed.set(report.failure === null ? 0 : 1);
    this.#refused.reset();
    this.#refused.inc({ what: 'session' }, report.refusedSessions);
    this.#refused.inc({ what: 'order' }, report.refusedOrders);
    this.#refused.inc({ what: 'answer' }, report.withheldAnswers);
    this.#unstored.reset();
    this.#unstored.inc(report.unstoredRenewals);
  }
}
