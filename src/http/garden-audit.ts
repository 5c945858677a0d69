/**
 * Whether the firewall and the maps agree about who is walled, looked at beside the scrapes: with many members a look takes
 * longer than a scrape may. Decides nothing and repairs nothing.
 */
import type { DataplaneInspection } from '../dataplane/port.js';
import type { Clock } from '../model/clock.js';

/** From the end of one look to the next at the soonest; longer where looks are long, so that they take a twentieth at most. */
const LEAST_PAUSE_MS = 5_000;
const PAUSE_OF_LOOK = 19;

export interface GardenAuditOptions {
  readonly dataplane: Pick<DataplaneInspection, 'gardenMismatches'>;
  readonly clock: Clock;
}

export class GardenAudit {
  readonly #o: GardenAuditOptions;
  #found: number | null = null;
  #looking = false;
  #nextMs = 0;

  constructor(options: GardenAuditOptions) {
    this.#o = options;
  }

  /** What the last look found (null: none yet, or it did not succeed), and begins another when one is due. */
  lastFound(): number | null {
    if (!this.#looking && this.#o.clock.monotonicMs() >= this.#nextMs) void this.#look();
    return this.#found;
  }

  async #look(): Promise<void> {
    const { dataplane, clock } = this.#o;
    this.#looking = true;
    const beganMs = clock.monotonicMs();
    this.#found = await dataplane.gardenMismatches();
    const endedMs = clock.monotonicMs();
    this.#nextMs = endedMs + Math.max(LEAST_PAUSE_MS, PAUSE_OF_LOOK * (endedMs - beganMs));
    this.#looking = false;
  }
}
