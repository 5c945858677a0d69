/** The records of one accounting session that are not delivered yet, in their order. Values and bookkeeping; no timers. */
import type { TimerHandle } from '../model/clock.js';
import type { BacklogKey } from './accounting-backlog.js';
import type { AccountingRecord } from './accounting-record.js';
import type { Place } from './accounting-order.js';
import type { Saving } from './accounting-writer.js';

export interface QueuedRecord {
  readonly key: string;
  readonly parsed: BacklogKey;
  /** Among all that are not delivered. */
  readonly place: Place;
  /** Null when it is in the store only. */
  record: AccountingRecord | null;
  /** Null once the store has it. */
  saving: Saving | null;
  /** It may be sent: the store has it, or cannot take it now. */
  sendable: boolean;
  /** Delivered or dropped: it only waits for the store to know. */
  isGone: boolean;
}

export interface AccountingStream {
  readonly id: string;
  readonly records: QueuedRecord[];
  /** `busy`: its first record is on its way. `waiting`: until its own retry. `idle`: nothing that may be sent. */
  state: 'idle' | 'ready' | 'busy' | 'waiting';
  failures: number;
  retry: TimerHandle | null;
  /** How many answers the server had given when the present try began. */
  answersBefore: number;
}

export function newStream(id: string): AccountingStream {
  return { id, records: [], state: 'idle', failures: 0, retry: null, answersBefore: 0 };
}

/** Takes out the interims that a later record of the session makes redundant; never the first while it is on its way. */
export function takeSuperseded(stream: AccountingStream): readonly QueuedRecord[] {
  const from = stream.state === 'busy' ? 1 : 0;
  const older = stream.records.slice(from, -1).filter(({ parsed }) => parsed.kind === 'interim');
  if (older.length === 0) return older;
  const gone = new Set(older);
  const kept = stream.records.filter((queued) => !gone.has(queued));
  stream.records.splice(0, stream.records.length, ...kept);
  return older;
}
