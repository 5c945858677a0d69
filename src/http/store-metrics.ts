/** The metric families of what was refused because the store takes nothing. */
import type { Counter } from 'prom-client';
import type { MetricCatalogue } from './metric-catalogue.js';

/** Totals since start. */
export interface StoreReport {
  readonly refusedSessions: number;
  readonly refusedOrders: number;
  readonly withheldAnswers: number;
  readonly unstoredRenewals: number;
}

/** Where nothing is stored, nothing is refused. */
export const NOTHING_REFUSED: StoreReport = {
  refusedSessions: 0,
  refusedOrders: 0,
  withheldAnswers: 0,
  unstoredRenewals: 0,
};

export class StoreMetrics {
  readonly #refused: Counter<'what'>;
  readonly #unstored: Counter<never>;

  constructor(catalogue: MetricCatalogue) {
    this.#refused = catalogue.counter(
      'bng_store_refused_total',
      'What was refused because the store takes nothing (see bng_store_failing)',
      { what: '`session` (new ones), `order`, or `answer` (one that promises something new)' },
    );
    this.#unstored = catalogue.counter(
      'bng_store_unstored_renewals_total',
      'Leases renewed although the store could not keep it: a crash would end them when the renewal before says',
      {},
    );
  }

  /** Sets every family in the registry. */
  read(report: StoreReport): void {
    this.#refused.reset();
    this.#refused.inc({ what: 'session' }, report.refusedSessions);
    this.#refused.inc({ what: 'order' }, report.refusedOrders);
    this.#refused.inc({ what: 'answer' }, report.withheldAnswers);
    this.#unstored.reset();
    this.#unstored.inc(report.unstoredRenewals);
  }
}
