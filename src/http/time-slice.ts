/** Long work in slices: whoever walks over every subscriber lets the event loop turn in between. Knows no work. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Well below the 20 ms for which the loop may be held up: other work of the same turn comes on top. */
const SLICE_MS = 3;

export class TimeSlices {
  #beganMs = performance.now();

  /** Call it often: resolves at once while the slice lasts, else when the event loop has turned. */
  async pause(): Promise<void> {
    if (this.isOver) await this.turn();
  }

  /** Resolves when the event loop has turned. */
  async turn(): Promise<void> {
    await nextTurn();
    this.#beganMs = performance.now();
  }

  /** Whether a pause is due: saves those who cannot wait for a promise each time. */
  get isOver(): boolean {
    return performance.now() - this.#beganMs >= SLICE_MS;
  }
}
