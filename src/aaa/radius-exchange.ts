/**
 * One request from its first transmission to its answer: retransmission with backoff (RFC 5080 §2.2.1), the next server
 * where one does not answer, the deadline. Opens no socket and verifies nothing.
 */
import { isBngError } from '../model/bng-error.js';
import type { Clock, TimerHandle } from '../model/clock.js';
import type { RadiusPacket } from '../wire/radius-packet.js';
import type { RadiusLink, RadiusSlot } from './radius-link.js';
import { ACCESS_OUTCOMES, ACCOUNTING_OUTCOMES } from './radius-link.js';
import type { AuthenticatorSource, RadiusRequest } from './radius-request.js';
import { delaySecondsOf, sealRequest } from './radius-request.js';
import type { RadiusTimers } from './radius-settings.js';
import type { RadiusOutcome } from './radius-statistics.js';

export type RadiusExchangeResult =
  /** Verified, and of a code that answers the request. */
  | {
      readonly kind: 'response';
      readonly packet: RadiusPacket;
      readonly outcome: RadiusOutcome;
      readonly server: string;
    }
  /** No server gave an answer to believe before the deadline or the last transmission's wait was over. */
  | { readonly kind: 'timeout'; readonly transmissions: number }
  /** Never sent: every identifier was in use, and the queue full or the deadline over. */
  | { readonly kind: 'overloaded' }
  /** Its attributes fit no packet: more than 4096 bytes together (RFC 2865 §3). Trying again does not help. */
  | { readonly kind: 'unsendable'; readonly reason: string }
  | { readonly kind: 'closed' };

/** A turn of the event loop reads at most 32 datagrams of a socket: so many turns read all that its identifiers can hold. */
const MAX_READING_ROUNDS = 16;

/** What all exchanges of a client share. */
export interface ExchangeHouse {
  readonly clock: Clock;
  /** As configured now: an exchange keeps those that it began with. */
  readonly timers: () => RadiusTimers;
  /** In [0, 1). */
  readonly random: () => number;
  readonly authenticators: AuthenticatorSource;
  /** How many datagrams came in so far. */
  answers(): number;
  /** The server to ask next, none of those `visited`; null when no other is left that may answer. */
  next(visited: readonly RadiusLink[]): RadiusLink | null;
  /** The same, but rather a dead server than none. */
  nextOrDead(visited: readonly RadiusLink[]): RadiusLink | null;
  /** The exchange is over, and has given back its identifiers. */
  finished(exchange: RadiusExchange, result: RadiusExchangeResult): void;
}

/** A packet as it was last sent. */
interface Transmission {
  readonly slot: RadiusSlot;
  readonly bytes: Uint8Array;
  readonly delaySeconds: number;
}

/** The present server and how often it was asked. */
interface Visit {
  readonly link: RadiusLink;
  readonly sinceMs: number;
  readonly isProbe: boolean;
  transmissions: number;
  waitMs: number;
  latest: Transmission;
}

export class RadiusExchange {
  readonly #house: ExchangeHouse;
  readonly #request: RadiusRequest;
  readonly #deadlineMs: number;
  readonly #timers: RadiusTimers;
  readonly #visited: RadiusLink[] = [];
  /** Every packet whose answer still counts: an answer to an earlier one proves as much as one to the latest. */
  readonly #slots: RadiusSlot[] = [];
  #visit: Visit | null = null;
  #timer: TimerHandle | null = null;
  #transmissions = 0;
  #isOver = false;

  constructor(request: RadiusRequest, house: ExchangeHouse) {
    this.#request = request;
    this.#house = house;
    this.#timers = house.timers();
    this.#deadlineMs = house.clock.monotonicMs() + (request.deadlineMs ?? this.#timers.deadlineMs);
  }

  /** To be called when it cannot start at once: also who waits in line has a deadline. */
  awaitTurn(): void {
    this.#wakeAfter(this.#deadlineMs - this.#house.clock.monotonicMs());
  }

  /** Sends for the first time; false when no identifier is free, and then it may be tried again. */
  start(): boolean {
    const link = this.#house.nextOrDead(this.#visited);
    return link !== null && this.#turnTo(link);
  }

  end(result: RadiusExchangeResult): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer?.cancel();
    for (const { socket, identifier } of this.#slots) socket.release(identifier);
    this.#house.finished(this, result);
  }

  /** False when no identifier is free there. */
  #turnTo(link: RadiusLink): boolean {
    let latest: Transmission | null;
    try {
      latest = this.#seal(link);
    } catch (error) {
      if (!isBngError(error, 'BNG_ERR_VALUE')) throw error;
      this.end({ kind: 'unsendable', reason: error.message });
      return true;
    }
    if (latest === null) return false;
    this.#visited.push(link);
    link.counters.requests += 1;
    const { clock } = this.#house;
    this.#visit = {
      link,
      sinceMs: clock.monotonicMs(),
      isProbe: link.beginProbe(),
      transmissions: 0,
      waitMs: this.#jittered(this.#timers.initialRetransmitMs),
      latest,
    };
    this.#transmit(this.#visit);
    return true;
  }

  /** The request as a packet under an identifier of its own. */
  #seal(link: RadiusLink): Transmission | null {
    const slot = link.acquire();
    if (slot === null) return null;
    // Given back at the end in any case, also when the request turns out not to fit a packet.
    this.#slots.push(slot);
    const { clock, authenticators } = this.#house;
    const delaySeconds = delaySecondsOf(this.#request, clock.wallMs());
    const seal = { identifier: slot.identifier, secret: link.server.secret, delaySeconds };
    const { bytes, authenticator } = sealRequest(this.#request, seal, authenticators);
    const isAccess = this.#request.kind === 'access';
    const sealedMs = clock.monotonicMs();
    slot.pending = {
      requestAuthenticator: authenticator,
      outcomes: isAccess ? ACCESS_OUTCOMES : ACCOUNTING_OUTCOMES,
      isAccess,
      answered: (packet, outcome) => {
        // Of a request that was sent twice nobody knows which one was answered (Karn's rule).
        if (this.#transmissions === 1) link.counters.roundTrip(clock.monotonicMs() - sealedMs);
        this.end({ kind: 'response', packet, outcome, server: link.server.name });
      },
    };
    return { slot, bytes, delaySeconds };
  }

  #transmit(visit: Visit): void {
    const { slot, bytes } = visit.latest;
    // What waits for its socket to open is not sent yet: once is enough.
    if (visit.transmissions === 0 || !slot.socket.isOpening) slot.socket.send(bytes);
    visit.transmissions += 1;
    this.#transmissions += 1;
    const leftMs = this.#deadlineMs - this.#house.clock.monotonicMs();
    this.#wakeAfter(Math.min(visit.waitMs, leftMs));
  }

  #wakeAfter(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#house.clock.after(Math.max(0, delayMs), () => this.#wakeAfterReading());
  }

  /**
   * Timers come before sockets in a turn of the event loop: where it stood still, the answer may lie there, and a record sent
   * again with another Acct-Delay-Time is a second record to the server. As long as answers come in they are read first.
   */
  #wakeAfterReading(rounds = MAX_READING_ROUNDS): void {
    const before = this.#house.answers();
    setImmediate(() => {
      if (this.#isOver) return;
      if (rounds > 1 && this.#house.answers() !== before) this.#wakeAfterReading(rounds - 1);
      else this.#wake();
    });
  }

  #wake(): void {
    const visit = this.#visit;
    if (visit === null) return this.end({ kind: 'overloaded' });
    if (this.#house.clock.monotonicMs() >= this.#deadlineMs) return this.#giveUp(visit);
    if (this.#isDoneWith(visit)) {
      const next =
        visit.link.isAlive && !visit.link.isRetired
          ? this.#house.next(this.#visited)
          : this.#house.nextOrDead(this.#visited);
      if (next !== null && this.#turnTo(next)) return visit.link.gaveUp(visit);
    }
    if (visit.transmissions >= this.#timers.maxTransmissions) return this.#giveUp(visit);
    this.#retransmit(visit);
  }

  /** A server that others found dead, one that was only being tried, and one that is no longer configured are not waited for. */
  #isDoneWith({ link, transmissions, isProbe }: Visit): boolean {
    return isProbe || !link.isAlive || link.isRetired || transmissions >= this.#timers.failoverAfter;
  }

  #retransmit(visit: Visit): void {
    const timers = this.#timers;
    const { clock } = this.#house;
    visit.link.counters.retransmissions += 1;
    const isSteady = this.#request.kind === 'accounting' && this.#request.steady === true;
    const longer = isSteady ? timers.initialRetransmitMs : visit.waitMs + this.#jittered(visit.waitMs);
    visit.waitMs = longer > timers.maxRetransmitMs ? this.#jittered(timers.maxRetransmitMs) : longer;
    const { latest } = visit;
    // Another Acct-Delay-Time makes another packet, and another packet another identifier (RFC 2866 §5.2).
    const isStale = delaySecondsOf(this.#request, clock.wallMs()) !== latest.delaySeconds;
    // Without a free identifier the old packet goes out again: its delay is that of its first transmission.
    if ((isStale && !latest.slot.socket.isOpening) || latest.slot.socket.isClosed)
      visit.latest = this.#seal(visit.link) ?? latest;
    this.#transmit(visit);
  }

  #giveUp(visit: Visit): void {
    visit.link.gaveUp(visit);
    this.end({ kind: 'timeout', transmissions: this.#transmissions });
  }

  /** RAND of RFC 5080 §2.2.1: up to a tenth more or less. */
  #jittered(ms: number): number {
    return ms * (0.9 + 0.2 * this.#house.random());
  }
}
