/**
 * The BTF that pinned maps were made with, kept beside them: the kernel gives BTF by its number to CAP_SYS_ADMIN alone, which the
 * BNG does without. A map without a record is of a build that kept none. Knows files and bytes, no type.
 */
import { createHash } from 'node:crypto';
import { existsSync, readlinkSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { BngError } from '../model/bng-error.js';
import type { NativeBinding, NativeMap } from './native-binding.js';
import { movePin, type PinFolder, removePin } from './pins.js';

/** A record that has not taken its place yet. */
const NEW_SUFFIX = '~new';
const FIRST = new Uint8Array(4);

/** The BTF that `map`, pinned as `name`, was made with; null when it came without. Throws `BNG_ERR_DATAPLANE`. */
export function typesOfPin(
  binding: NativeBinding,
  folder: PinFolder,
  name: string,
  map: NativeMap,
): Uint8Array | null {
  if (hasTypes(folder, name)) {
    const kept = binding.openPinnedMap(folder.typesPath(name));
    const bytes = kept.lookup(FIRST);
    kept.close();
    return bytes;
  }
  try {
    return map.btf();
  } catch (error) {
    const expected =
      'expected the types of a pinned map beside it: it is of an older build. ' +
      'Run `bng run` once as root to take it over, or `bng run --teardown` to start anew';
    throw new BngError('BNG_ERR_DATAPLANE', expected, { path: folder.mapPath(name) }, error);
  }
}

/** Records what a map is, or is about to be, pinned with. */
export function keepTypes(binding: NativeBinding, folder: PinFolder, name: string, btf: Uint8Array): void {
  const hash = createHash('sha256').update(btf).digest('hex').slice(0, 32);
  if (!existsSync(folder.btfPath(hash))) {
    const made = binding.createArray('bng_btf', btf);
    made.pin(folder.btfPath(hash));
    made.close();
  }
  const path = folder.typesPath(name);
  removePin(path + NEW_SUFFIX);
  symlinkSync(join('..', 'btf', hash), path + NEW_SUFFIX);
  movePin(path + NEW_SUFFIX, path);
}

/** Whether there is a record, so that no privilege is needed to know its types. */
export function hasTypes(folder: PinFolder, name: string): boolean {
  return existsSync(folder.typesPath(name));
}

/** What was recorded of one name is of another from now on. */
export function moveTypes(folder: PinFolder, from: string, to: string): void {
  if (hasTypes(folder, from)) movePin(folder.typesPath(from), folder.typesPath(to));
}

/** Forgets maps that are not pinned, and BTF that no map is made with. */
export function pruneTypes(folder: PinFolder): void {
  const pinned = new Set(folder.maps());
  const used = new Set<string>();
  for (const name of folder.types()) {
    if (pinned.has(name)) used.add(basename(readlinkSync(folder.typesPath(name))));
    else removePin(folder.typesPath(name));
  }
  for (const hash of folder.btfs()) if (!used.has(hash)) removePin(folder.btfPath(hash));
}
