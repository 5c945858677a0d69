/** Which indices into the per-subscriber arrays are free. Pure bookkeeping. */

export class Slots {
  readonly #capacity: number;
  readonly #freed: number[] = [];
  #next = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** One past the highest slot ever taken: what a reader of the whole array has to look at. */
  get highest(): number {
    return this.#next;
  }

  /** Null when all are taken. Freed slots come first, so that the used part of the arrays stays short. */
  take(): number | null {
    const freed = this.#freed.pop();
    if (freed !== undefined) return freed;
    return this.#next < this.#capacity ? this.#next++ : null;
  }

  /** The caller frees what it took, once. */
  free(slot: number): void {
    this.#freed.push(slot);
  }
}
