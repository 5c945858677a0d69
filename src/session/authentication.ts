/**
 * Asks AAA who a session is and what it may have, as the gate admits it. Runs beside the session's queue, so that a slow
 * server holds up nobody; the result takes its turn like any event.
 */
import type { AuthenticationResult, Authenticator } from '../aaa/port.js';
import type { AnnouncedLine } from '../model/access-line.js';
import type { Clock } from '../model/clock.js';
import type { AdmissionGate } from './admission-gate.js';
import type { Granting } from './granting.js';
import type { SessionEvent } from './machine/types.js';
import type { QueuedEvent, SessionRecord } from './record.js';

export interface AuthenticationsOptions {
  readonly authenticator: Authenticator;
  readonly clock: Clock;
  readonly gate: AdmissionGate;
  readonly granting: Granting;
  /** As the access node has the line now; null for one that it does not have. */
  readonly announcementOf: (ontSerial: string) => AnnouncedLine | null;
  readonly push: (record: SessionRecord, queued: QueuedEvent) => void;
}

type Accepted = Extract<AuthenticationResult, { kind: 'accepted' }>;

export class Authentications {
  readonly #o: AuthenticationsOptions;

  constructor(options: AuthenticationsOptions) {
    this.#o = options;
  }

  /** Runs beside the queue, so that a slow server holds up nobody; its result takes its turn like any event. */
  async begin(record: SessionRecord): Promise<void> {
    const { authenticator, clock, gate } = this.#o;
    const entered = gate.enter(record);
    const turn = entered instanceof Promise ? await entered : entered;
    if (turn !== 'in') {
      this.#o.push(record, { event: { type: 'not-admitted', reason: 'too many sessions wait to begin' } });
      return;
    }
    const { subscriberId, ontSerial } = record.identity;
    const { line } = record;
    const announced = ontSerial === null ? null : this.#o.announcementOf(ontSerial);
    const nowMs = clock.monotonicMs();
    const result = await authenticator.authenticate({ subscriberId, ontSerial, line, announced });
    const tookMs = clock.monotonicMs() - nowMs;
    gate.answered(record, { tookMs, isAnswer: result.kind !== 'unreachable' });
    const done = (): void => gate.left();
    record.authentication = {
      wallMs: clock.wallMs(),
      tookMs,
      outcome: result.kind,
      reason: result.kind === 'accepted' ? null : result.reason,
    };
    // A session that ended meanwhile must not be left holding an address.
    if (record.session.state.name !== 'discovered') return done();
    if (result.kind !== 'accepted') {
      const reason = `${result.kind}: ${result.reason}`;
      this.#o.push(record, { event: { type: 'not-authorised', reason }, done });
      return;
    }
    this.#o.push(record, { event: () => this.#authorise(record, result), done });
  }

  /**
   * Allocates when the result's turn has come and not before: if an end was queued in front of it, the address may by
   * then belong to the next session of the same subscriber, which this one must not free.
   */
  #authorise(record: SessionRecord, result: Accepted): SessionEvent {
    if (record.session.state.name !== 'discovered') {
      return { type: 'not-authorised', reason: 'the session has ended' };
    }
    const allocated = this.#o.granting.grant(record, result.profile, result.terms);
    return allocated.type === 'allocated'
      ? { type: 'authorised', grant: allocated.grant, resumeTo: result.resumeTo }
      : { type: 'not-authorised', reason: allocated.reason };
  }
}
