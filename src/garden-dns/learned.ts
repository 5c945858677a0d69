/**
 * The addresses that allowed names have led to, each for as long as its answer is valid. Has the dataplane let them through
 * before an answer leaves. Knows no DNS.
 */
import type { Clock, TimerHandle } from '../model/clock.js';
import type { Ipv4 } from '../model/ipv4.js';

export interface Destination {
  readonly address: Ipv4;
  /** TCP and UDP to this port; null is every port and protocol. */
  readonly port: number | null;
}

export type ApplyOutcome = { readonly ok: true } | { readonly ok: false; readonly reason: string };

export interface LearnedOptions {
  readonly clock: Clock;
  /** Addresses at most; beyond them nothing is learned until some have gone. */
  readonly limit: number;
  /** Lets garden members reach just these beside what configuration says. */
  readonly apply: (destinations: readonly Destination[]) => Promise<ApplyOutcome>;
  readonly onFailure: (reason: string) => void;
}

/** A client may connect at the very end of what its answer's time to live says. */
const GRACE_MS = 30_000;

interface Learned extends Destination {
  untilMs: number;
}

export class LearnedDestinations {
  readonly #o: LearnedOptions;
  readonly #learned = new Map<string, Learned>();
  #turn: Promise<ApplyOutcome> = Promise.resolve({ ok: true });
  /** The turn that has not begun yet: whoever comes meanwhile shares it. */
  #next: Promise<ApplyOutcome> | null = null;
  #deadline: TimerHandle | null = null;
  #closed = false;

  constructor(options: LearnedOptions) {
    this.#o = options;
  }

  get size(): number {
    return this.#learned.size;
  }

  /** Resolves when the dataplane lets all of them through; false when it does not, or when there are too many. */
  async learn(destinations: readonly Destination[], ttlSeconds: number): Promise<boolean> {
    const untilMs = this.#o.clock.monotonicMs() + ttlSeconds * 1000 + GRACE_MS;
    const fresh: Learned[] = [];
    for (const { address, port } of destinations) {
      const known = this.#learned.get(`${address}:${port}`);
      if (known === undefined) fresh.push({ address, port, untilMs });
      else known.untilMs = Math.max(known.untilMs, untilMs);
    }
    if (this.#closed || this.#learned.size + fresh.length > this.#o.limit) return false;
    if (fresh.length === 0) return (await this.#turn).ok;
    for (const one of fresh) this.#learned.set(`${one.address}:${one.port}`, one);
    const { ok } = await this.#apply();
    // What is not let through must not look as if it were when it is asked for again.
    if (!ok) for (const one of fresh) this.#learned.delete(`${one.address}:${one.port}`);
    this.#watch();
    return ok;
  }

  close(): void {
    this.#closed = true;
    this.#deadline?.cancel();
  }

  /** One change at a time; all who wait for the next one share it. */
  #apply(): Promise<ApplyOutcome> {
    this.#next ??= this.#turn.then(async () => {
      this.#next = null;
      const outcome = await this.#o.apply([...this.#learned.values()]);
      if (!outcome.ok) this.#o.onFailure(outcome.reason);
      return outcome;
    });
    this.#turn = this.#next;
    return this.#turn;
  }

  #watch(): void {
    this.#deadline?.cancel();
    if (this.#closed || this.#learned.size === 0) return;
    const first = [...this.#learned.values()].reduce(
      (least, { untilMs }) => Math.min(least, untilMs),
      Infinity,
    );
    const { clock } = this.#o;
    this.#deadline = clock.after(Math.max(0, first - clock.monotonicMs()), () => void this.#forget());
  }

  async #forget(): Promise<void> {
    const nowMs = this.#o.clock.monotonicMs();
    const gone = [...this.#learned].filter(([, { untilMs }]) => untilMs <= nowMs);
    for (const [key] of gone) this.#learned.delete(key);
    const outcome = gone.length === 0 ? { ok: true } : await this.#apply();
    // Still let through: tried again when the next one ends, or with the next that is learned.
    if (!outcome.ok)
      for (const [key, one] of gone) this.#learned.set(key, { ...one, untilMs: nowMs + GRACE_MS });
    this.#watch();
  }
}
