/**
 * A RADIUS client for one kind of server port (authentication or accounting): servers in order, as many requests in
 * flight as its source ports have identifiers, the others waiting in line. Knows no attribute and no session.
 */
import type { Clock } from '../model/clock.js';
import type { ExchangeHouse, RadiusExchangeResult } from './radius-exchange.js';
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
  readonly #options: RadiusClientOptions;
  #links: readonly RadiusLink[] = [];
  /** No longer configured, but with requests in flight. */
  #retired: readonly RadiusLink[] = [];
  #limits = DEFAULT_RADIUS_LIMITS;
  readonly #clock: Clock;
  #timers = DEFAULT_RADIUS_TIMERS;
  readonly #house: ExchangeHouse;
  readonly #running = new Map<RadiusExchange, (result: RadiusExchangeResult) => void>();
  /** In the order they came; a subset of those running. */
  readonly #queue = new Set<RadiusExchange>();
  #received = 0;
  #overloaded = 0;
  #timeouts = 0;
  #isClosed = false;

  constructor(options: RadiusClientOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#house = {
      clock: this.#clock,
      random: options.random ?? Math.random,
      authenticators: new AuthenticatorSource(),
      timers: () => this.#timers,
      answers: () => this.#received,
      next: (visited) => this.#next(visited),
      nextOrDead: (visited) => this.#next(visited) ?? this.#left(visited)[0] ?? null,
      finished: (ended, result) => this.#finished(ended, result),
    };
    this.reconfigure(options);
  }

  /**
   * Asks these servers from now on. Servers that are as they were keep their connection, health and counters; what others were
   * asked is still answered by them, or asked again of the new ones.
   */
  reconfigure({ servers, timers, limits }: Pick<RadiusClientOptions, 'servers' | 'timers' | 'limits'>): void {
    const before = { timers: this.#timers, limits: this.#limits };
    this.#timers = { ...DEFAULT_RADIUS_TIMERS, ...timers };
    this.#limits = { ...DEFAULT_RADIUS_LIMITS, ...limits };
    const { clock, notice = () => {}, answered = () => {} } = this.#options;
    const received = (): void => void (this.#received += 1);
    const { deadMs } = this.#timers;
    const { maxSockets } = this.#limits;
    const isAsBefore = before.timers.deadMs === deadMs && before.limits.maxSockets === maxSockets;
    const old = this.#links;
    this.#links = servers.map(
      (server) =>
        (isAsBefore ? old.find((link) => isSameServer(link.server, server)) : undefined) ??
        new RadiusLink({ server, clock, notice, received, answered, deadMs, maxSockets }),
    );
    const left = old.filter((link) => !this.#links.includes(link));
    for (const link of left) link.retire();
    this.#retired = [...this.#retired, ...left];
    this.#closeRetired();
    this.#drain();
  }

  /** Every outcome is a value. */
  async exchange(request: RadiusRequest): Promise<RadiusExchangeResult> {
    if (this.#isClosed) return { kind: 'closed' };
    return new Promise((resolve) => {
      const exchange = new RadiusExchange(request, this.#house);
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
    for (const link of [...this.#links, ...this.#retired]) link.close();
  }

  #begin(exchange: RadiusExchange): void {
    // Who came first is sent first.
    if (this.#queue.size === 0 && exchange.start()) return;
    if (this.#queue.size >= this.#limits.maxQueued) return exchange.end({ kind: 'overloaded' });
    this.#queue.add(exchange);
    exchange.awaitTurn();
  }

  #left(visited: readonly RadiusLink[]): readonly RadiusLink[] {
    return visited.length === 0 ? this.#links : this.#links.filter((link) => !visited.includes(link));
  }

  /** In order: a server that is alive or due for a try. */
  #next(visited: readonly RadiusLink[]): RadiusLink | null {
    return this.#left(visited).find((link) => link.isAlive || link.mayProbe) ?? null;
  }

  #finished(exchange: RadiusExchange, result: RadiusExchangeResult): void {
    if (result.kind === 'overloaded') this.#overloaded += 1;
    if (result.kind === 'timeout') this.#timeouts += 1;
    const resolve = this.#running.get(exchange);
    this.#running.delete(exchange);
    this.#queue.delete(exchange);
    resolve?.(result);
    this.#closeRetired();
    this.#drain();
  }

  #closeRetired(): void {
    if (this.#retired.length > 0) this.#retired = this.#retired.filter((link) => !link.closeWhenIdle());
  }

  #drain(): void {
    if (this.#isClosed) return;
    for (const exchange of this.#queue) {
      if (!exchange.start()) return;
      this.#queue.delete(exchange);
    }
  }
}

function isSameServer(a: RadiusServer, b: RadiusServer): boolean {
  return (
    a.name === b.name &&
    a.host === b.host &&
    a.port === b.port &&
    a.requireMessageAuthenticator === b.requireMessageAuthenticator &&
    a.secret.equals(b.secret)
  );
}
