/** The maps of a dataplane by their pins, for who only looks while nobody holds it. Changes nothing by itself. */
import { BngError } from '../model/bng-error.js';
import type { NativeBinding, NativeMap } from './native-binding.js';
import { type PinFolder, pinFolders } from './pins.js';

export interface PinnedMaps {
  /** ABI version of the build that left them; its layouts are this build's only when the versions are equal. */
  readonly version: number;
  readonly names: readonly string[];
  /** `BNG_ERR_DATAPLANE` when nothing of that name is pinned. */
  map(name: string): NativeMap;
  /** Closes the maps that were asked for. */
  close(): void;
}

/** The newest build's pins below `path` (`DEFAULT_PIN_PATH`); null when there are none. */
export function openPinnedMaps(binding: NativeBinding, path: string): PinnedMaps | null {
  const folder = pinFolders(path).findLast((found) => found.maps().length > 0);
  return folder === undefined ? null : new Opened(binding, folder);
}

class Opened implements PinnedMaps {
  readonly #binding: NativeBinding;
  readonly #folder: PinFolder;
  readonly #open = new Map<string, NativeMap>();

  constructor(binding: NativeBinding, folder: PinFolder) {
    this.#binding = binding;
    this.#folder = folder;
  }

  get version(): number {
    return this.#folder.version;
  }

  get names(): readonly string[] {
    return this.#folder.maps();
  }

  map(name: string): NativeMap {
    const open = this.#open.get(name);
    if (open !== undefined) return open;
    try {
      const map = this.#binding.openPinnedMap(this.#folder.mapPath(name));
      this.#open.set(name, map);
      return map;
    } catch (error) {
      throw new BngError('BNG_ERR_DATAPLANE', 'expected a pinned map', { name }, error);
    }
  }

  close(): void {
    for (const map of this.#open.values()) map.close();
    this.#open.clear();
  }
}
