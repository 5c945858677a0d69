/** What has waited longest, of many: a binary heap whose items may have lost their meaning meanwhile. Knows no session. */

export class SeniorityQueue<T extends { readonly sinceMs: number }> {
  /** Each is no younger than the two at twice its place and one or two more. */
  readonly #heap: T[] = [];

  get size(): number {
    return this.#heap.length;
  }

  add(item: T): void {
    const heap = this.#heap;
    let at = heap.push(item) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const other = heap[above];
      if (other === undefined || other.sinceMs <= item.sinceMs) break;
      heap[at] = other;
      at = above;
    }
    heap[at] = item;
  }

  /** The oldest that `isValid`; those before it are taken out for good, it is not. */
  first(isValid: (item: T) => boolean): T | null {
    for (let [oldest] = this.#heap; oldest !== undefined; [oldest] = this.#heap) {
      if (isValid(oldest)) return oldest;
      this.#removeFirst();
    }
    return null;
  }

  /** In the place of all that is there. */
  fill(items: Iterable<T>): void {
    this.#heap.length = 0;
    for (const item of items) this.add(item);
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const [one, two] = [heap[left], heap[left + 1]];
      const below = two !== undefined && one !== undefined && two.sinceMs < one.sinceMs ? left + 1 : left;
      const younger = heap[below];
      if (younger === undefined || younger.sinceMs >= last.sinceMs) break;
      heap[at] = younger;
      at = below;
    }
    heap[at] = last;
  }
}
