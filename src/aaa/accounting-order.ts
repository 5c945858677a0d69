/** Undelivered records in the order in which they came, so that the oldest is found at once among any number. No time in it. */

/** One record's place; its neighbours are the order's business. */
export interface Place {
  readonly queuedWallMs: number;
  older: Place | null;
  newer: Place | null;
}

/** Every call takes the same time, however many there are, and leaves nothing behind. */
export class ArrivalOrder {
  #oldest: Place | null = null;
  #newest: Place | null = null;

  /** Null when there is none. */
  get oldestWallMs(): number | null {
    return this.#oldest?.queuedWallMs ?? null;
  }

  add(queuedWallMs: number): Place {
    const place: Place = { queuedWallMs, older: this.#newest, newer: null };
    if (this.#newest === null) this.#oldest = place;
    else this.#newest.newer = place;
    this.#newest = place;
    return place;
  }

  /** Once for each place that `add` gave. */
  remove(place: Place): void {
    const { older, newer } = place;
    if (older === null) this.#oldest = newer;
    else older.newer = newer;
    if (newer === null) this.#newest = older;
    else newer.older = older;
    // What lived long must not hold the chain of those that came and went meanwhile.
    place.older = null;
    place.newer = null;
  }
}
