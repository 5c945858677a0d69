/**
 * Accounting where there is neither server nor store: each record goes to a log at once, as the durable queue would store
 * and log it. Nothing here speaks RADIUS; a record is written once and never again.
 */
import type { AccountingRecord } from './accounting-record.js';
import { sessionAttributes, usageAttributes } from './accounting-record.js';
import type { Accounting, AccountingSession, AccountingUsage, TerminateCause } from './port.js';
import type { RadiusNas } from './radius-nas-attributes.js';

export interface LoggedAccountingOptions {
  readonly write: (record: AccountingRecord) => void;
  readonly nas: RadiusNas;
  readonly interimIntervalSeconds: number;
}

export class LoggedAccounting implements Accounting {
  readonly interimIntervalSeconds: number;
  readonly #o: LoggedAccountingOptions;

  constructor(options: LoggedAccountingOptions) {
    this.interimIntervalSeconds = options.interimIntervalSeconds;
    this.#o = options;
  }

  start(session: AccountingSession): void {
    this.#o.write({ 'Acct-Status-Type': 'Start', ...this.#common(session, 0) });
  }

  interim(session: AccountingSession, usage: AccountingUsage): void {
    this.#o.write({
      'Acct-Status-Type': 'Interim-Update',
      ...this.#common(session, usage.durationMs),
      ...usageAttributes(usage),
    });
  }

  stop(session: AccountingSession, final: AccountingUsage & { readonly cause: TerminateCause }): void {
    this.#o.write({
      'Acct-Status-Type': 'Stop',
      ...this.#common(session, final.durationMs),
      ...usageAttributes(final),
      'Acct-Terminate-Cause': final.cause,
    });
  }

  /** A log line is all there is to keep. */
  stored(): Promise<null> {
    return Promise.resolve(null);
  }

  #common(session: AccountingSession, afterMs: number) {
    const happened = Math.floor((session.startedWallMs + afterMs) / 1000);
    return { 'Event-Timestamp': happened, ...sessionAttributes(session, this.#o.nas) };
  }
}
