/**
 * Which positions of a ring are free: a bitmap with summaries above it, so that "the next free one" costs one look
 * per level (four for a million positions) however full the ring is. Knows neither holders nor addresses.
 */

const FULL = 0xffffffff;

/** A fixed number of positions, all free at first. */
export class FreeMap {
  /** Level 0 has a bit per position, set = taken. Each bit above says that the whole word below is taken. */
  readonly #levels: Uint32Array[] = [];

  constructor(size: number) {
    for (let bits = size; ; bits = Math.ceil(bits / 32)) {
      const words = new Uint32Array(Math.ceil(bits / 32));
      // Bits past the end of a level count as taken, so that a search never answers with one.
      if (bits % 32 !== 0) words[words.length - 1] = -1 << (bits % 32);
      this.#levels.push(words);
      if (words.length === 1) return;
    }
  }

  isTaken(position: number): boolean {
    return ((this.#word(0, position >>> 5) >>> (position & 31)) & 1) === 1;
  }

  take(position: number): void {
    let bit = position;
    for (const words of this.#levels) {
      const index = bit >>> 5;
      const word = ((words[index] ?? 0) | (1 << (bit & 31))) >>> 0;
      words[index] = word;
      if (word !== FULL) return;
      bit = index;
    }
  }

  release(position: number): void {
    let bit = position;
    for (const words of this.#levels) {
      const index = bit >>> 5;
      const word = words[index] ?? 0;
      words[index] = word & ~(1 << (bit & 31));
      if (word !== FULL) return;
      bit = index;
    }
  }

  /** The first free position at or after `from`, going round at the end; -1 when none is free. */
  nextFree(from: number): number {
    const ahead = this.#nextClear(0, from);
    return ahead >= 0 ? ahead : this.#nextClear(0, 0);
  }

  #word(level: number, index: number): number {
    return this.#levels[level]?.[index] ?? FULL;
  }

  #nextClear(level: number, from: number): number {
    if (level === this.#levels.length) return -1;
    const index = from >>> 5;
    const clear = ~this.#word(level, index) & (-1 << (from & 31));
    if (clear !== 0) return index * 32 + lowestBit(clear);
    const next = this.#nextClear(level + 1, index + 1);
    return next < 0 ? -1 : next * 32 + lowestBit(~this.#word(level, next));
  }
}

function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}
