/** A clock that stands still until a test moves it. Timers fire in the order in which they are due. */
import type { Clock, TimerHandle } from '../../src/model/clock.js';

interface Timer {
  readonly dueMs: number;
  readonly fire: () => void;
}

const START = { nowMs: 1_000, wallMs: Date.UTC(2026, 0, 1) + 1_000 };

/** Lets everything run that waits for nothing but its turn; with in-memory peers that is everything. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export class FakeClock implements Clock {
  readonly #timers = new Set<Timer>();
  #nowMs: number;
  #wallOffsetMs: number;

  constructor(start: { readonly nowMs: number; readonly wallMs: number } = START) {
    this.#nowMs = start.nowMs;
    this.#wallOffsetMs = start.wallMs - start.nowMs;
  }

  /** Sets the wall clock, as an operator or a time server does. */
  stepWall(ms: number): void {
    this.#wallOffsetMs += ms;
  }

  get pendingTimers(): number {
    return this.#timers.size;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#wallOffsetMs + this.#nowMs;
  }

  after(delayMs: number, fire: () => void): TimerHandle {
    const timer = { dueMs: this.#nowMs + Math.max(delayMs, 0), fire };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  /** Moves on by `ms`, fires what falls due on the way, and lets what follows from each firing finish. */
  async advance(ms: number): Promise<void> {
    const end = this.#nowMs + ms;
    for (let next = this.#next(end); next !== null; next = this.#next(end)) {
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.fire();
      await settled();
    }
    this.#nowMs = end;
    await settled();
  }

  #next(endMs: number): Timer | null {
    let next: Timer | null = null;
    for (const timer of this.#timers) {
      if (timer.dueMs <= endMs && (next === null || timer.dueMs < next.dueMs)) next = timer;
    }
    return next;
  }
}
