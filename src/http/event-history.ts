/** The last lifecycle events, so that operators see what was before they looked. Bounded; forgets the oldest. */
import type { LifecycleSource } from '../session/lifecycle.js';
import { eventMembers } from './event-json.js';
import type { OverviewEvent } from './overview.js';

/** Enough for the last minutes of 100,000 subscribers, in a few megabytes. */
const KEPT = 20_000;

/** Without its session's picture, which would live as long; most events nobody ever looks at. */
interface Kept {
  readonly type: string;
  readonly wallMs: number;
  readonly sessionId: string;
  readonly ontSerial: string | null;
  readonly members: Readonly<Record<string, unknown>>;
}

export class EventHistory {
  readonly #ring: Kept[] = [];
  readonly #stopListening: () => void;
  #next = 0;
  #seen = 0;

  constructor(lifecycle: LifecycleSource) {
    this.#stopListening = lifecycle.onLifecycle((event) => {
      const { type, wallMs, session } = event;
      const { id: sessionId, ontSerial } = session;
      this.#ring[this.#next] = { type, wallMs, sessionId, ontSerial, members: eventMembers(event) };
      this.#next = (this.#next + 1) % KEPT;
      this.#seen += 1;
    });
  }

  /** How many events there were since start. */
  get seen(): number {
    return this.#seen;
  }

  /** The last `limit` events, of one session where its id is given; oldest first. */
  last(limit: number, sessionId?: string): readonly OverviewEvent[] {
    const found: OverviewEvent[] = [];
    for (let back = 1; back <= this.#ring.length && found.length < limit; back++) {
      const event = this.#ring[(this.#next - back + KEPT) % KEPT];
      if (event === undefined) break;
      if (sessionId === undefined || event.sessionId === sessionId) found.push(overviewEvent(event));
    }
    return found.reverse();
  }

  close(): void {
    this.#stopListening();
  }
}

function overviewEvent({ type, wallMs, sessionId, ontSerial, members }: Kept): OverviewEvent {
  return {
    type,
    at: new Date(wallMs).toISOString(),
    ...members,
    session: { id: sessionId, ont_serial: ontSerial },
  };
}
