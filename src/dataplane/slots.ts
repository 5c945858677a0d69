/** Which indices into the per-subscriber arrays are free. Pure bookkeeping. */

export class Slots {
  readonly #capacity: number;
  readonly #freed: number[] = [];
  /** Claimed beyond `#next`, until taking gets there. */
  readonly #claimed = new Set<number>();
  #next = 0;
  #highest = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** One past the highest slot ever taken: what a reader of the whole array has to look at. */
  get highest(): number {
    return this.#highest;
  }

  /** Null when all are taken. Freed slots come first, so that the used part of the arrays stays short. */
  take(): number | null {
    const freed = this.#freed.pop();
    if (freed !== undefined) return freed;
    while (this.#claimed.delete(this.#next)) this.#next++;
    if (this.#next >= this.#capacity) return null;
    this.#highest = Math.max(this.#highest, this.#next + 1);
    return this.#next++;
  }

  /** Takes this very slot; false when it is taken or there is no such. For slots found taken, before any other is. */
  claim(slot: number): boolean {
    if (slot < this.#next || slot >= this.#capacity || this.#claimed.has(slot)) return false;
    this.#claimed.add(slot);
    this.#highest = Math.max(this.#highest, slot + 1);
    return true;
  }

  /** The caller frees what it took, once. */
  free(slot: number): void {
    this.#freed.push(slot);
  }
}
