/** The timers of a session's lease: when they fire, the session's queue is told. Decides nothing. */
import type { Dataplane } from '../dataplane/port.js';
import type { AnnouncedLine } from '../model/access-line.js';
import type { Clock } from '../model/clock.js';
import type { SessionEvent } from './machine/types.js';
import type { SessionRecord } from './record.js';

/** How long an offer waits to be taken on a line that the access node does not vouch for. */
const UNBOUND_MS = 120_000;

export interface DeadlinesOptions {
  readonly clock: Clock;
  readonly dataplane: Pick<Dataplane, 'promisedUntilMs'>;
  /** As the access node has the line now; null for one that it does not have. */
  readonly announcementOf: (ontSerial: string) => AnnouncedLine | null;
  readonly push: (record: SessionRecord, event: SessionEvent) => void;
}

export class Deadlines {
  readonly #o: DeadlinesOptions;

  constructor(options: DeadlinesOptions) {
    this.#o = options;
  }

  /** Sets the deadline anew, in monotonic ms; null takes it away. */
  arm(record: SessionRecord, which: 'lease' | 'held', atMs: number | null): void {
    record.deadlines[which]?.cancel();
    record.deadlines[which] = null;
    if (atMs === null || atMs === Infinity) return;
    const { clock, push } = this.#o;
    const type = which === 'lease' ? 'lease-expired' : 'held-expired';
    const fire = (): void => {
      const nowMs = clock.monotonicMs();
      const laterMs = which === 'lease' ? this.#promisedUntilMs(record) : -Infinity;
      if (laterMs > nowMs) this.arm(record, which, laterMs);
      else push(record, { type, nowMs });
    };
    record.deadlines[which] = clock.after(atMs - clock.monotonicMs(), fire);
  }

  /** The dataplane may have renewed the lease, and we have not yet heard of it. */
  #promisedUntilMs({ promised }: SessionRecord): number {
    const untilMs = promised === null ? null : this.#o.dataplane.promisedUntilMs(promised.attachment);
    return untilMs ?? -Infinity;
  }

  /** Has the session looked at when nobody has taken its offer for a while. */
  watchUnbound(record: SessionRecord): void {
    record.deadlines.unbound?.cancel();
    const { clock, announcementOf, push } = this.#o;
    const { ontSerial } = record.identity;
    const fire = (): void => {
      const lineKnown = ontSerial !== null && announcementOf(ontSerial) !== null;
      push(record, { type: 'unbound-expired', lineKnown });
    };
    record.deadlines.unbound = clock.after(UNBOUND_MS, fire);
  }

  clear(record: SessionRecord): void {
    for (const which of ['lease', 'held', 'unbound'] as const) {
      record.deadlines[which]?.cancel();
      record.deadlines[which] = null;
    }
  }
}
