/**
 * Very many timers behind one of the system's: a binary heap by due time. A system timer of its own for each of 300,000 would take
 * three times the memory. Knows no clock but the one it is given.
 */
import type { TimerHandle } from './clock.js';

/** No longer than what one system timer holds. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

export class TimerQueue {
  readonly #nowMs: () => number;
  readonly #heap: Timer[] = [];
  #armed: NodeJS.Timeout | undefined;
  /** When the system's timer fires; Infinity without one. */
  #armedFor = Infinity;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Calls `fire` once at `due` or a little later. */
  add(due: number, fire: () => void): TimerHandle {
    const timer = new Timer(this, due, fire);
    this.#heap.push(timer);
    this.#rise(this.#heap.length - 1, timer);
    this.#arm();
    return timer;
  }

  /** For a timer that is in it. */
  remove(timer: Timer): void {
    const last = this.#heap.pop();
    if (last === undefined || last === timer) return;
    if (!this.#rise(timer.at, last)) this.#sink(timer.at, last);
  }

  /** Its system timer does not keep the process alive. */
  #arm(): void {
    const due = this.#heap[0]?.due ?? Infinity;
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
      for (let first = this.#heap[0]; first !== undefined && first.due <= now; first = this.#heap[0]) {
        const { fire } = first;
        first.cancel();
        fire?.();
      }
    } finally {
      this.#arm();
    }
  }

  /** Whether it rose. */
  #rise(from: number, timer: Timer): boolean {
    let at = from;
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = this.#heap[parentAt];
      if (parent === undefined || parent.due <= timer.due) break;
      this.#put(at, parent);
      at = parentAt;
    }
    this.#put(at, timer);
    return at !== from;
  }

  #sink(from: number, timer: Timer): void {
    let at = from;
    for (;;) {
      const left = this.#heap[2 * at + 1];
      const right = this.#heap[2 * at + 2];
      const child = right !== undefined && left !== undefined && right.due < left.due ? right : left;
      if (child === undefined || child.due >= timer.due) break;
      const next = child.at;
      this.#put(at, child);
      at = next;
    }
    this.#put(at, timer);
  }

  #put(at: number, timer: Timer): void {
    this.#heap[at] = timer;
    timer.at = at;
  }
}

class Timer implements TimerHandle {
  readonly due: number;
  readonly #queue: TimerQueue;
  /** Null once it has fired or was cancelled. */
  fire: (() => void) | null;
  /** Its place in the heap. */
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
