/** What operators may see of the kernel's maps, decoded: types only. */
import type { DecodedValue } from './abi-decode.js';

export interface MapSummary {
  readonly name: string;
  /** As the kernel names it: `hash`, `percpu_array`, … */
  readonly type: string;
  /** As in `bng_abi.h`: `be32`, `bng_subscriber`; null for a map without keys. */
  readonly key: string | null;
  readonly value: string | null;
  readonly maxEntries: number;
}

export interface MapEntry {
  readonly key: DecodedValue;
  readonly value: DecodedValue;
}

export interface MapInspection {
  /** Every map that this build knows and that can be opened. */
  mapSummaries(): readonly MapSummary[];
  /**
   * What the map holds, read at once and decoded one by one as the caller goes on; null for an unknown map. Entries of arrays that
   * are all zero are left out, unless their index has a name. Ring buffers have no entries.
   */
  mapEntries(name: string): Iterable<MapEntry> | null;
  /** Everything that the maps hold of the subscriber with this address, by name of the map. Empty when it is not there. */
  subscriberInMaps(address: number): Readonly<Record<string, DecodedValue>>;
}
