/**
 * A RADIUS client for one kind of server port (authentication or accounting): servers in order, as many requests in
 * flight as its source ports have identifiers, the others waiting in line. Knows no attribute and no session.
 */
import type { Clock } from '../model/clock.js';
import type { RadiusExchangeResult } from './radius-exchange.js';
import { RadiusExchange } from './radius-exchange.js';
import type { RadiusNotice } from './radius-link.js';
import { RadiusLink } from './radius-link.js';
import type { RadiusRequest } from './radius-request.js';
import { AuthenticatorSource } from './radius-request.js';
import type { RadiusLimits, RadiusServer, RadiusTimers } from './radius-settings.js';
import { DEFAULT_RADIUS_LIMITS, DEFAULT_RADIUS_TIMERS } from './radius-settings.js';
import type { RadiusServerStatistics } from './radius-statistics.js';

export interface RadiusClientOptions {
  /** In the order in which they are asked; at least one. */
  readonly servers: readonly RadiusServer[];
  readonly clock: Clock;
  readonly timers?: Partial<RadiusTimers>;
  readonly limits?: Partial<RadiusLimits>;
  /** What is worth a line in the log. */
  readonly notice?: (notice: RadiusNotice) => void;
  /** Called for every answer that was verified, whatever it says. */
  readonly answered?: () => void;
  /** In [0, 1), for the jitter of retransmissions only. */
  readonly random?: () => number;
}

export interface RadiusClientStatistics {
  readonly servers: readonly RadiusServerStatistics[];
  /** Exchanges that wait for a free identifier. */
  readonly queued: number;
  /** Exchanges that ended without having been sent. */
  readonly overloaded: number;
  /** Exchanges that ended without an answer from any server. */
  readonly timeouts: number;
}

export class RadiusClient {
  readonly #links: readonly RadiusLink[];
  readonly #maxQueued: number;
  readonly #clock: Clock;
  readonly #timers: RadiusTimers;
  readonly #random: () => number;
  readonly #authenticators = new AuthenticatorSource();
  readonly #running = new Map<RadiusExchange, (result: RadiusExchangeResult) => void>();
  /** In the order they came; a subset of those running. */
  readonly #queue = new Set<RadiusExchange>();
  #overloaded = 0;
  #timeouts = 0;
  #isClosed = false;

  constructor(options: RadiusClientOptions) {
    const { servers, clock, notice = () => {}, answered = () => {} } = options;
    const limits = { ...DEFAULT_RADIUS_LIMITS, ...options.limits };
    this.#clock = clock;
    this.#timers = { ...DEFAULT_RADIUS_TIMERS, ...options.timers };
    this.#random = options.random ?? Math.random;
    this.#maxQueued = limits.maxQueued;
    this.#links = servers.map((server) => {
      const { deadMs } = this.#timers;
      return new RadiusLink({ server, clock, notice, answered, deadMs, maxSockets: limits.maxSockets });
    });
  }

  /** Every outcome is a value. */
  async exchange(request: RadiusRequest): Promise<RadiusExchangeResult> {
    if (this.#isClosed) return { kind: 'closed' };
    return new Promise((resolve) => {
      const exchange = new RadiusExchange(request, {
        clock: this.#clock,
        timers: this.#timers,
        random: this.#random,
        authenticators: this.#authenticators,
        next: (visited) => this.#next(visited),
        nextOrDead: (visited) => this.#next(visited) ?? this.#left(visited)[0] ?? null,
        finished: (ended, result) => this.#finished(ended, result),
      });
      this.#running.set(exchange, resolve);
      this.#begin(exchange);
    });
  }

  statistics(): RadiusClientStatistics {
    return {
      servers: this.#links.map((link) => link.statistics()),
      queued: this.#queue.size,
      overloaded: this.#overloaded,
      timeouts: this.#timeouts,
    };
  }

  /** Exchanges that are not over end as `closed`. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const exchange of [...this.#running.keys()]) exchange.end({ kind: 'closed' });
    for (const link of this.#links) link.close();
  }

  #begin(exchange: RadiusExchange): void {
    // Who came first is sent first.
    if (this.#queue.size === 0 && exchange.start()) return;
    if (this.#queue.size >= this.#maxQueued) return exchange.end({ kind: 'overloaded' });
    this.#queue.add(exchange);
    exchange.awaitTurn();
  }

  #left(visited: ReadonlySet<RadiusLink>): readonly RadiusLink[] {
    return this.#links.filter((link) => !visited.has(link));
  }

  /** In order: a server that is alive or due for a try. */
  #next(visited: ReadonlySet<RadiusLink>): RadiusLink | null {
    return this.#left(visited).find((link) => link.isAlive || link.mayProbe) ?? null;
  }

  #finished(exchange: RadiusExchange, result: RadiusExchangeResult): void {
    if (result.kind === 'overloaded') this.#overloaded += 1;
    if (result.kind === 'timeout') this.#timeouts += 1;
    const resolve = this.#running.get(exchange);
    this.#running.delete(exchange);
    this.#queue.delete(exchange);
    resolve?.(result);
    this.#drain();
  }

  #drain(): void {
    if (this.#isClosed) return;
    for (const exchange of this.#queue) {
      if (!exchange.start()) return;
      this.#queue.delete(exchange);
    }
  }
}
