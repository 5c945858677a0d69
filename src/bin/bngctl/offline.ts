/** Reads the kernel without a BNG: maps that outlived it, by their pins, and its nftables table. Changes nothing. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { BngAbiVersion } from '../../dataplane/abi.js';
import { loadNative } from '../../dataplane/load-native.js';
import { MapReader } from '../../dataplane/map-reader.js';
import type { NativeMap } from '../../dataplane/native-binding.js';
import { DEFAULT_PIN_PATH } from '../../dataplane/pins.js';
import type { NftListing } from '../../dataplane/nft-listing.js';
import { listTable } from '../../dataplane/nft-listing.js';

/** Maps of another ABI are not read: their bytes would be decoded as what they are not. */
export const DEFAULT_PINS = join(DEFAULT_PIN_PATH, `v${BngAbiVersion.version}`, 'maps');
const NFT = { table: 'bng', deadlineMs: 10_000 };

export type OfflineMaps =
  | { readonly ok: true; readonly maps: MapReader }
  | { readonly ok: false; readonly reason: string };

/** The maps pinned below `folder`, one file a map by its name. */
export function openPinnedMaps(folder: string): OfflineMaps {
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    return { ok: false, reason: `no maps are pinned below ${folder} (${reasonOf(error)})` };
  }
  const opened = new Map<string, NativeMap>();
  const source = (name: string): NativeMap | null => {
    const known = opened.get(name);
    if (known !== undefined) return known;
    if (!names.includes(name)) return null;
    const map = loadNative().openPinnedMap(join(folder, name));
    opened.set(name, map);
    return map;
  };
  return { ok: true, maps: new MapReader(source) };
}

export function listNft(members: boolean): Promise<NftListing> {
  return listTable(NFT, members);
}

function reasonOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
