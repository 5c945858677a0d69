/**
 * Very many timers behind one of the system's: a heap by due time. A system timer of its own for each of 300,000 would take
 * three times the memory. Knows no clock but the one it is given.
 */
import type { TimerHandle } from './clock.js';
import { Heap, type HeapItem } from './heap.js';

/** No longer than what one system timer holds. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

export class TimerQueue {
  readonly #nowMs: () => number;
  readonly #heap = new Heap<Timer>(({ due }) => due);
  #armed: NodeJS.Timeout | undefined;
  /** When the system's timer fires; Infinity without one. */
  #armedFor = Infinity;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Calls `fire` once at `due` or a little later. */
  add(due: number, fire: () => void): TimerHandle {
    const timer = new Timer(this, due, fire);
    this.#heap.add(timer);
    this.#arm();
    return timer;
  }

  /** For a timer that is in it. */
  remove(timer: Timer): void {
    this.#heap.remove(timer);
  }

  /** Its system timer does not keep the process alive. */
  #arm(): void {
    const due = this.#heap.first?.due ?? Infinity;
    if (due >= this.#armedFor) return;
    clearTimeout(this.#armed);
    this.#armedFor = due;
    const delayMs = Math.min(Math.max(Math.ceil(due - this.#nowMs()), 0), LONGEST_TIMEOUT_MS);
    this.#armed = setTimeout(() => this.#fire(), delayMs).unref();
  }

  /** A system timer may fire a fraction of a millisecond early; ours never do. */
  #fire(): void {
    this.#armedFor = Infinity;
    const now = this.#nowMs();
    try {
      for (let { first } = this.#heap; first !== undefined && first.due <= now; first = this.#heap.first) {
        const { fire } = first;
        first.cancel();
        fire?.();
      }
    } finally {
      this.#arm();
    }
  }
}

class Timer implements TimerHandle, HeapItem {
  readonly due: number;
  readonly #queue: TimerQueue;
  /** Null once it has fired or was cancelled. */
  fire: (() => void) | null;
  at = 0;

  constructor(queue: TimerQueue, due: number, fire: () => void) {
    this.#queue = queue;
    this.due = due;
    this.fire = fire;
  }

  cancel(): void {
    if (this.fire === null) return;
    this.fire = null;
    this.#queue.remove(this);
  }
}
