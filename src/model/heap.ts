/**
 * Very many items of which the lowest is wanted next, and any may be taken out: a binary heap whose items know their places.
 */

export interface HeapItem {
  /** Its place; the heap's to write. */
  at: number;
}

export class Heap<T extends HeapItem> {
  readonly #items: T[] = [];
  readonly #rankOf: (item: T) => number;

  /** `rankOf` must say the same of an item for as long as it is in. */
  constructor(rankOf: (item: T) => number) {
    this.#rankOf = rankOf;
  }

  /** The lowest; it stays. Undefined when there is none. */
  get first(): T | undefined {
    return this.#items[0];
  }

  add(item: T): void {
    this.#items.push(item);
    this.#rise(this.#items.length - 1, item);
  }

  /** For an item that is in it. */
  remove(item: T): void {
    const last = this.#items.pop();
    if (last === undefined || last === item) return;
    if (!this.#rise(item.at, last)) this.#sink(item.at, last);
  }

  /** Whether it rose. */
  #rise(from: number, item: T): boolean {
    const rank = this.#rankOf(item);
    let at = from;
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = this.#items[parentAt];
      if (parent === undefined || this.#rankOf(parent) <= rank) break;
      this.#put(at, parent);
      at = parentAt;
    }
    this.#put(at, item);
    return at !== from;
  }

  #sink(from: number, item: T): void {
    const rank = this.#rankOf(item);
    let at = from;
    for (;;) {
      const left = this.#items[2 * at + 1];
      const right = this.#items[2 * at + 2];
      const isRight = right !== undefined && left !== undefined && this.#rankOf(right) < this.#rankOf(left);
      const child = isRight ? right : left;
      if (child === undefined || this.#rankOf(child) >= rank) break;
      const next = child.at;
      this.#put(at, child);
      at = next;
    }
    this.#put(at, item);
  }

  #put(at: number, item: T): void {
    this.#items[at] = item;
    item.at = at;
  }
}
