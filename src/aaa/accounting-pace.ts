/** How many records may be on their way at a time: fewer with every failure, one in an outage, with growing pauses. */
import type { Clock } from '../model/clock.js';

export interface SendWindowOptions {
  readonly maxInFlight: number;
  readonly firstRetryMs: number;
  readonly lastProbeMs: number;
  readonly clock: Clock;
}

export class SendWindow {
  readonly #options: SendWindowOptions;
  #size: number;
  #pauses = 0;
  #pausedUntilMs = 0;
  #isStopped = false;

  constructor(options: SendWindowOptions) {
    this.#options = options;
    this.#size = options.maxInFlight;
  }

  get isOutage(): boolean {
    return this.#pauses > 0;
  }

  /** Until the next try of an outage; 0 when there is nothing to wait for. */
  get pauseMs(): number {
    return this.#isStopped ? 0 : Math.max(0, this.#pausedUntilMs - this.#options.clock.monotonicMs());
  }

  mayStart(inFlight: number): boolean {
    return !this.#isStopped && inFlight < this.#size && this.pauseMs === 0;
  }

  /** The server may be back: the next try of an outage need not wait. */
  resume(): void {
    this.#pausedUntilMs = 0;
  }

  /** True when this ends an outage. */
  succeeded(): boolean {
    const ended = this.isOutage;
    this.#size = Math.min(this.#size * 2, this.#options.maxInFlight);
    this.#pauses = 0;
    this.#pausedUntilMs = 0;
    return ended;
  }

  /** True when this begins an outage. One record that nobody ever answers does not: others succeed in between. */
  failed(): boolean {
    this.#size = Math.max(1, this.#size >> 1);
    // Those that were on their way when the pause began say nothing new.
    if (this.#size > 1 || this.pauseMs > 0) return false;
    const { clock, firstRetryMs, lastProbeMs } = this.#options;
    const delayMs = retryDelayMs(this.#pauses, { firstRetryMs, lastRetryMs: lastProbeMs });
    this.#pausedUntilMs = clock.monotonicMs() + delayMs;
    this.#pauses += 1;
    return this.#pauses === 1;
  }

  stop(): void {
    this.#isStopped = true;
  }
}

/** Doubles with every failure, from the first to the last. */
export function retryDelayMs(
  failures: number,
  { firstRetryMs, lastRetryMs }: { readonly firstRetryMs: number; readonly lastRetryMs: number },
): number {
  return Math.min(firstRetryMs * 2 ** failures, lastRetryMs);
}
