/** What the accounting queue is told and what it tells: limits, notices, figures. Values only. */
import type { Clock } from '../model/clock.js';
import type { Store, StoreChange, StoreFailure, StoreTable } from '../store/port.js';
import type { RecordKind } from './accounting-backlog.js';
import type { AccountingRecord } from './accounting-record.js';
import type { AccountingSender } from './accounting-sender.js';
import type { AccountingWriter } from './accounting-writer.js';

/** Records that can never be delivered: kept for an operator, not sent. */
export const ACCOUNTING_REFUSED_TABLE: StoreTable = { name: 'accounting_refused', schemaVersion: 1 };

/** The stream of records that concern every session. */
export const NAS_STREAM = 'nas';

export interface AccountingQueueLimits {
  /** Records on their way at a time. */
  readonly maxInFlight: number;
  /** Above so many records, interims that a later record of their session makes redundant are dropped. */
  readonly coalesceAbove: number;
  /** Records kept in memory as well; beyond it they are read back from the store when their turn comes. */
  readonly maxInMemory: number;
  /** Between two tries of a session: doubles from the first to the last. */
  readonly firstRetryMs: number;
  readonly lastRetryMs: number;
  /** Between two tries in an outage, when there is only one at a time for all sessions: doubles from the first to this. */
  readonly lastProbeMs: number;
}

export const DEFAULT_ACCOUNTING_QUEUE_LIMITS: AccountingQueueLimits = {
  maxInFlight: 1_024,
  coalesceAbove: 500_000,
  maxInMemory: 20_000,
  firstRetryMs: 1_000,
  lastRetryMs: 60_000,
  lastProbeMs: 5_000,
};

export type AccountingNotice =
  | { readonly kind: 'outage-began' | 'outage-ended'; readonly length: number }
  | { readonly kind: 'store-failed'; readonly failure: StoreFailure }
  | { readonly kind: 'refused'; readonly key: string; readonly reason: 'unsendable' | 'damaged' }
  | { readonly kind: 'recovered'; readonly length: number };

export interface AccountingQueueFigures {
  readonly length: number;
  /** Of those, not in the store: lost if we die now. Not 0 for long only while `store` is not null. */
  readonly unsaved: number;
  readonly inFlight: number;
  readonly oldestAgeMs: number;
  readonly delivered: number;
  /** Tries that brought no answer. */
  readonly retried: number;
  readonly dropped: {
    readonly supersededInterim: number;
    readonly unsendable: number;
    readonly damaged: number;
  };
  /** Nobody answers: one try at a time. */
  readonly outage: boolean;
  /** Why the store takes nothing at the moment: an alarm. */
  readonly store: StoreFailure | null;
}

export interface AccountingQueueOptions {
  readonly store: Store;
  readonly sender: AccountingSender;
  readonly clock: Clock;
  readonly limits?: Partial<AccountingQueueLimits>;
  readonly notice?: (notice: AccountingNotice) => void;
  /** Of the same store, when others share its commits; it is closed with the queue. */
  readonly writer?: AccountingWriter;
}

export interface NewRecord {
  readonly kind: RecordKind;
  readonly stream: string;
  readonly record: AccountingRecord;
  /** Stored together with the record, or not at all. */
  readonly changes: readonly StoreChange[];
}
