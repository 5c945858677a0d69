/**
 * What instrumented code reports, and what of it is new: branches by how often they were taken, as powers of two, and the values that
 * were compared last. One for each thread; knows no input.
 */

/** Room for the branches of the largest bundle. */
export const MOST_LOCATIONS = 1 << 16;
/** Comparisons that are remembered. */
const REMEMBERED = 64;

export type Compared = number | bigint | string;

interface Fuzzing {
  readonly hits: Uint8Array;
  readonly equal: (left: unknown, right: unknown) => boolean;
  readonly chosen: (value: unknown) => unknown;
  readonly label: (value: unknown) => unknown;
}

function isCompared(value: unknown): value is Compared {
  return (
    (typeof value === 'number' && Number.isInteger(value)) ||
    typeof value === 'bigint' ||
    (typeof value === 'string' && value !== '' && value.length <= 64)
  );
}

/** The bit of a count: 1, 2, 3, 4–7, 8–15, 16–31, 32–127, more. */
const BUCKETS = Uint8Array.from({ length: 256 }, (_, count) => {
  const bounds = [1, 2, 3, 4, 8, 16, 32, 128];
  return count === 0 ? 0 : 1 << (bounds.filter((bound) => bound <= count).length - 1);
});

export class Coverage {
  readonly #hits = new Uint8Array(MOST_LOCATIONS);
  readonly #words = new BigUint64Array(this.#hits.buffer);
  readonly #seen = new Uint8Array(MOST_LOCATIONS);
  readonly #compared: (readonly [Compared, Compared])[] = [];
  #at = 0;
  #chosen: unknown;

  /** Branches taken by any input so far. */
  branches = 0;
  /** The same, told apart by how often. */
  features = 0;

  /** Makes what is loaded from now on report here. */
  install(): void {
    const fuzzing: Fuzzing = {
      hits: this.#hits,
      equal: (left, right) => {
        if (left === right) return true;
        this.#remember(left, right);
        return false;
      },
      chosen: (value) => (this.#chosen = value),
      label: (value) => {
        if (value !== this.#chosen) this.#remember(this.#chosen, value);
        return value;
      },
    };
    Object.assign(globalThis, { bngFuzzing: fuzzing });
  }

  begin(): void {
    this.#hits.fill(0);
  }

  /** How many features the run since `begin` has that none before it had; `locations` are counters in use. */
  novel(locations: number): number {
    let found = 0;
    for (let word = 0; word << 3 < locations; word++) {
      if (this.#words[word] !== 0n) found += this.#novelIn(word << 3);
    }
    return found;
  }

  /** Pairs of values that were compared lately and found unequal. */
  get compared(): readonly (readonly [Compared, Compared])[] {
    return this.#compared;
  }

  #novelIn(start: number): number {
    let found = 0;
    for (let at = start; at < start + 8; at++) {
      const bucket = BUCKETS[this.#hits[at] ?? 0] ?? 0;
      const seen = this.#seen[at] ?? 0;
      if ((bucket & ~seen) === 0) continue;
      if (seen === 0) this.branches++;
      this.#seen[at] = seen | bucket;
      found++;
    }
    this.features += found;
    return found;
  }

  #remember(left: unknown, right: unknown): void {
    if (!isCompared(left) || !isCompared(right)) return;
    this.#compared[this.#at++ % REMEMBERED] = [left, right];
  }
}
