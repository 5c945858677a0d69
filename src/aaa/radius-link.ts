/**
 * One RADIUS server as the client sees it: its sockets, whether it answers, what is counted of it. Verifies what comes in;
 * decides neither retransmission nor which server is asked.
 */
import type { Clock } from '../model/clock.js';
import { isWireError } from '../model/bng-error.js';
import type { RadiusPacket } from '../wire/radius-packet.js';
import { decodeRadiusPacket, RadiusCode } from '../wire/radius-packet.js';
import { refuseResponse } from '../wire/radius-verify.js';
import type { RadiusServer } from './radius-settings.js';
import { IDENTIFIERS, RadiusSocket } from './radius-socket.js';
import type { RadiusIgnoredReason, RadiusOutcome, RadiusServerStatistics } from './radius-statistics.js';
import { RADIUS_IGNORED_EXPLANATION, RadiusCounters } from './radius-statistics.js';

/** What is worth a line in the log. Ignored answers are told once for each reason; after that they are counted. */
export type RadiusNotice =
  | { readonly kind: 'dead' | 'alive'; readonly server: string }
  | {
      readonly kind: 'ignored';
      readonly server: string;
      readonly reason: RadiusIgnoredReason;
      readonly explanation: string;
    }
  | { readonly kind: 'socket-error'; readonly server: string; readonly error: Error };

/** One packet under one identifier that waits for its answer. */
export interface PendingAnswer {
  readonly requestAuthenticator: Uint8Array;
  /** What answers of each code mean; any other code is no answer. */
  readonly outcomes: ReadonlyMap<number, RadiusOutcome>;
  /** Only answers to Access-Requests can be made to carry a Message-Authenticator (RFC 2866 §5.13 has none). */
  readonly isAccess: boolean;
  answered(packet: RadiusPacket, outcome: RadiusOutcome): void;
}

export interface RadiusSlot {
  readonly socket: RadiusSocket<RadiusSlot>;
  readonly identifier: number;
  /** Set when the packet is made, which needs the identifier. */
  pending: PendingAnswer | null;
}

export interface RadiusLinkOptions {
  readonly server: RadiusServer;
  readonly clock: Clock;
  readonly maxSockets: number;
  readonly deadMs: number;
  readonly notice: (notice: RadiusNotice) => void;
  /** Called for every datagram, before it is looked at. */
  readonly received: () => void;
  /** Called for every answer that was verified. */
  readonly answered: () => void;
}

export class RadiusLink {
  readonly server: RadiusServer;
  readonly counters = new RadiusCounters();
  readonly #options: RadiusLinkOptions;
  #sockets: RadiusSocket<RadiusSlot>[] = [];
  #lastAnswerMs = Number.NEGATIVE_INFINITY;
  /** Null while alive. */
  #deadUntilMs: number | null = null;
  #probing = false;
  #isRetired = false;

  constructor(options: RadiusLinkOptions) {
    this.server = options.server;
    this.#options = options;
  }

  get isAlive(): boolean {
    return this.#deadUntilMs === null;
  }

  /** No longer configured: what it was asked may still be answered, nothing new is asked. */
  get isRetired(): boolean {
    return this.#isRetired;
  }

  /** Closes when what it was asked is over: see `closeWhenIdle`. */
  retire(): void {
    this.#isRetired = true;
  }

  /** True when nothing waits for an answer from here any more, and the sockets are closed. */
  closeWhenIdle(): boolean {
    if (this.#sockets.some((socket) => socket.used > 0)) return false;
    this.close();
    return true;
  }

  /** Dead for long enough, and nobody is trying it. */
  get mayProbe(): boolean {
    return (
      this.#deadUntilMs !== null && !this.#probing && this.#options.clock.monotonicMs() >= this.#deadUntilMs
    );
  }

  /** The caller's exchange is the one that tries the server; true when the server was waiting for one. */
  beginProbe(): boolean {
    if (!this.mayProbe) return false;
    this.#probing = true;
    return true;
  }

  /** A free identifier on a socket, opening one where all are full; null when there is none. */
  acquire(): RadiusSlot | null {
    for (const socket of this.#sockets) {
      if (socket.used === IDENTIFIERS) continue;
      const slot = this.#slotOn(socket);
      if (slot !== null) return slot;
    }
    if (this.#sockets.length >= this.#options.maxSockets) return null;
    const { host, port } = this.server;
    const socket = new RadiusSocket<RadiusSlot>({
      host,
      port,
      received: (datagram, from) => this.#received(datagram, from),
      failed: (error, from) => this.#failed(error, from),
    });
    this.#sockets.push(socket);
    return this.#slotOn(socket);
  }

  /**
   * An exchange got no answer here since `sinceMs` (monotonic). The server is dead if nobody got one: RADIUS servers drop single
   * requests on purpose, and a packet may be lost.
   */
  gaveUp({ sinceMs, isProbe }: { readonly sinceMs: number; readonly isProbe: boolean }): void {
    this.counters.outcome('no-answer');
    if (isProbe) this.#probing = false;
    if (this.#lastAnswerMs >= sinceMs) return;
    const wasAlive = this.isAlive;
    this.#deadUntilMs = this.#options.clock.monotonicMs() + this.#options.deadMs;
    if (wasAlive) this.#options.notice({ kind: 'dead', server: this.server.name });
  }

  statistics(): RadiusServerStatistics {
    const { name, host, port } = this.server;
    return {
      name,
      host,
      port,
      state: this.isAlive ? 'alive' : this.#probing ? 'probing' : 'dead',
      ...this.counters.snapshot(),
      inFlight: this.#sockets.reduce((sum, socket) => sum + socket.used, 0),
      sockets: this.#sockets.length,
    };
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
    this.#sockets = [];
  }

  #slotOn(socket: RadiusSocket<RadiusSlot>): RadiusSlot | null {
    const slot: { -readonly [K in keyof RadiusSlot]: RadiusSlot[K] } = {
      socket,
      identifier: 0,
      pending: null,
    };
    const identifier = socket.acquire(slot);
    if (identifier === null) return null;
    slot.identifier = identifier;
    return slot;
  }

  #received(datagram: Uint8Array, from: RadiusSocket<RadiusSlot>): void {
    this.#options.received();
    try {
      this.#take(decodeRadiusPacket(datagram), from);
    } catch (error) {
      if (!isWireError(error)) throw error;
      this.#ignore('malformed');
    }
  }

  #take(packet: RadiusPacket, from: RadiusSocket<RadiusSlot>): void {
    const pending = from.holderOf(packet.identifier)?.pending ?? null;
    if (pending === null) return this.#ignore('unknown-identifier');
    const { secret, requireMessageAuthenticator } = this.server;
    const refusal = refuseResponse(packet, {
      secret,
      requestAuthenticator: pending.requestAuthenticator,
      requireMessageAuthenticator: requireMessageAuthenticator && pending.isAccess,
    });
    if (refusal !== null) return this.#ignore(refusal);
    const outcome = pending.outcomes.get(packet.code);
    if (outcome === undefined) return this.#ignore('unexpected-code');
    this.#answered();
    this.counters.outcome(outcome);
    pending.answered(packet, outcome);
    this.#options.answered();
  }

  #answered(): void {
    this.#lastAnswerMs = this.#options.clock.monotonicMs();
    if (this.isAlive) return;
    this.#deadUntilMs = null;
    this.#probing = false;
    this.#options.notice({ kind: 'alive', server: this.server.name });
  }

  #ignore(reason: RadiusIgnoredReason): void {
    if (!this.counters.ignored(reason)) return;
    const explanation = RADIUS_IGNORED_EXPLANATION[reason];
    this.#options.notice({ kind: 'ignored', server: this.server.name, reason, explanation });
  }

  #failed(error: Error, from: RadiusSocket<RadiusSlot>): void {
    this.counters.socketErrors += 1;
    if (from.isClosed) this.#sockets = this.#sockets.filter((socket) => socket !== from);
    if (this.counters.socketErrors === 1) {
      this.#options.notice({ kind: 'socket-error', server: this.server.name, error });
    }
  }
}

/** What each answer to an Access-Request means. */
export const ACCESS_OUTCOMES: ReadonlyMap<number, RadiusOutcome> = new Map([
  [RadiusCode['Access-Accept'], 'access-accept'],
  [RadiusCode['Access-Reject'], 'access-reject'],
  [RadiusCode['Access-Challenge'], 'access-challenge'],
]);

export const ACCOUNTING_OUTCOMES: ReadonlyMap<number, RadiusOutcome> = new Map([
  [RadiusCode['Accounting-Response'], 'accounting-response'],
]);
