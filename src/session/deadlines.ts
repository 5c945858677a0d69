/** The timers of a session's lease: when they fire, the session's queue is told. Decides nothing. */
import type { Clock } from '../model/clock.js';
import type { SessionEvent } from './machine/types.js';
import type { SessionRecord } from './record.js';

/** How long an offer waits to be taken on a line that the access node does not vouch for. */
const UNBOUND_MS = 120_000;

export interface DeadlinesOptions {
  readonly clock: Clock;
  readonly isLineKnown: (ontSerial: string) => boolean;
  readonly push: (record: SessionRecord, event: SessionEvent) => void;
}

export class Deadlines {
  readonly #o: DeadlinesOptions;

  constructor(options: DeadlinesOptions) {
    this.#o = options;
  }

  /** Sets the deadline anew, in monotonic ms; null takes it away. */
  arm(record: SessionRecord, which: 'lease' | 'held', atMs: number | null): void {
    record.deadlines.get(which)?.cancel();
    record.deadlines.delete(which);
    if (atMs === null) return;
    const { clock, push } = this.#o;
    const type = which === 'lease' ? 'lease-expired' : 'held-expired';
    const fire = (): void => push(record, { type, nowMs: clock.monotonicMs() });
    record.deadlines.set(which, clock.after(atMs - clock.monotonicMs(), fire));
  }

  /** Has the session looked at when nobody has taken its offer for a while. */
  watchUnbound(record: SessionRecord): void {
    record.deadlines.get('unbound')?.cancel();
    const { clock, isLineKnown, push } = this.#o;
    const { ontSerial } = record.identity;
    const fire = (): void =>
      push(record, { type: 'unbound-expired', lineKnown: ontSerial !== null && isLineKnown(ontSerial) });
    record.deadlines.set('unbound', clock.after(UNBOUND_MS, fire));
  }

  clear(record: SessionRecord): void {
    for (const timer of record.deadlines.values()) timer.cancel();
    record.deadlines.clear();
  }
}
