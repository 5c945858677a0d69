/**
 * Times that outlive the process. Inside everything is monotonic; what is stored is the time of the boot, and beside it
 * when it was written on both clocks.
 *
 * - Read in the same boot, a time is what it was: no step of the wall clock moves it.
 * - Read after another boot, only the wall clock knows how long the machine was down. When it says less than nothing, no
 *   time has passed.
 */
import type { BootClock, Clock } from '../model/clock.js';

/** One moment on both clocks. */
export interface Instant {
  readonly bootId: string;
  readonly bootMs: number;
  readonly wallMs: number;
}

export class Instants {
  readonly #clock: Clock;
  readonly #bootId: string;
  readonly #offsetMs: number;

  constructor(clock: Clock, boot: BootClock) {
    this.#clock = clock;
    this.#bootId = boot.bootId;
    this.#offsetMs = boot.bootMs() - clock.monotonicMs();
  }

  now(): Instant {
    const bootMs = this.toBootMs(this.#clock.monotonicMs());
    return { bootId: this.#bootId, bootMs, wallMs: Math.round(this.#clock.wallMs()) };
  }

  /** A monotonic time as it is stored. */
  toBootMs(monotonicMs: number): number {
    return Math.round(monotonicMs + this.#offsetMs);
  }

  /** What turns the times of a row that was written at `at` into monotonic ones. */
  reader(at: Instant): (bootMs: number) => number {
    if (at.bootId === this.#bootId) return (bootMs) => bootMs - this.#offsetMs;
    const passedMs = Math.max(0, this.#clock.wallMs() - at.wallMs);
    const writtenMs = this.#clock.monotonicMs() - passedMs;
    return (bootMs) => writtenMs + (bootMs - at.bootMs);
  }
}
