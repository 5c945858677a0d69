/**
 * Reads maps back and decodes them by the generated ABI: those of the loaded object, or pinned ones while no BNG runs. Writes
 * nothing; throws what the addon throws.
 */
import type { Ipv4 } from '../model/ipv4.js';
import { AbiMaps, BNG_LINE_KEY_SIZE, readBngSubscriber, writeBngLineKey } from './abi.js';
import { decodeAbi, type DecodedValue, enumLabel } from './abi-decode.js';
import type { AbiType } from './abi-layout.js';
import type { AbiMap } from './abi-maps.js';
import { slotInMap } from './address-index.js';
import { COUNTER_MAPS } from './carry.js';
import type { MapEntry, MapInspection, MapSummary } from './map-inspection.js';
import type { NativeMap } from './native-binding.js';
import { slotKey } from './subscriber-maps.js';

/** `enum bpf_map_type` of the kernel, as `bpftool map` names them. */
const TYPE_NAMES: Readonly<Record<number, string>> = {
  1: 'hash',
  2: 'array',
  5: 'percpu_hash',
  6: 'percpu_array',
  9: 'lru_hash',
  11: 'lpm_trie',
  14: 'devmap',
  25: 'devmap_hash',
  27: 'ringbuf',
};
const ARRAY = 2;
const READABLE = new Set([1, ARRAY, 9, 11, 14, 25]);
/** Summed entries read with one call. */
const CHUNK = 4096;

/** Gives a map by name; null when it is not there. */
export type MapSource = (name: string) => NativeMap | null;

export class MapReader implements MapInspection {
  readonly #source: MapSource;

  constructor(source: MapSource) {
    this.#source = source;
  }

  mapSummaries(): readonly MapSummary[] {
    return AbiMaps.flatMap((known) => {
      const map = this.#source(known.name);
      if (map === null) return [];
      return [
        {
          name: known.name,
          type: TYPE_NAMES[map.type] ?? `type ${map.type}`,
          key: typeName(known.key),
          value: typeName(known.value),
          maxEntries: map.maxEntries,
        },
      ];
    });
  }

  mapEntries(name: string): Iterable<MapEntry> | null {
    const known = AbiMaps.find((candidate) => candidate.name === name);
    const map = known === undefined ? null : this.#source(name);
    if (known === undefined || map === null) return null;
    const { key, value } = known;
    if (key === null || value === null) return [];
    if (COUNTER_MAPS.has(name) && map.summedEntries > 0) return sums(map, known, value);
    if (READABLE.has(map.type)) return stored(map, known, { key, value });
    return [];
  }

  subscriberInMaps(address: number): Readonly<Record<string, DecodedValue>> {
    const found: Record<string, DecodedValue> = {};
    const take = (name: string, key: Uint8Array): Uint8Array | null => {
      const bytes = this.#source(name)?.lookup(key) ?? null;
      const value = AbiMaps.find((map) => map.name === name)?.value ?? null;
      if (bytes !== null && value !== null) found[name] = decodeAbi(value, bytes);
      return bytes;
    };
    const index = this.#source('bng_addresses');
    const slot = index === null ? null : slotInMap(index, address as Ipv4);
    const entry = slot === null ? null : take('bng_subscribers', slotKey(slot));
    if (slot === null || entry === null) return found;
    found['bng_addresses'] = { slot };
    const subscriber = readBngSubscriber(new DataView(entry.buffer, entry.byteOffset, entry.byteLength), 0);
    const line = new Uint8Array(BNG_LINE_KEY_SIZE);
    writeBngLineKey(new DataView(line.buffer), 0, subscriber);
    take('bng_lines', line);
    const traffic = this.#source('bng_traffic');
    const value = AbiMaps.find((map) => map.name === 'bng_traffic')?.value ?? null;
    if (traffic !== null && value !== null) {
      found['bng_traffic'] = decodeAbi(value, bytesOf(traffic.readSums(slot, 1)));
    }
    return found;
  }
}

function typeName(type: AbiType | null): string | null {
  return type === null ? null : (type.element ?? type.kind);
}

function bytesOf(words: BigUint64Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

function indexLabel(known: AbiMap, index: number): DecodedValue {
  return (known.indices === null ? null : enumLabel(known.indices, index)) ?? index;
}

function* stored(
  map: NativeMap,
  known: AbiMap,
  types: { readonly key: AbiType; readonly value: AbiType },
): Iterable<MapEntry> {
  const { keys, values, count } = map.readAll();
  for (let index = 0; index < count; index++) {
    const keyAt = index * map.keySize;
    const valueAt = index * map.valueSize;
    const isUnused = map.type === ARRAY && known.indices === null;
    if (isUnused && isZero(values.subarray(valueAt, valueAt + map.valueSize))) continue;
    const key = decodeAbi(types.key, keys, keyAt);
    yield {
      key: typeof key === 'number' ? indexLabel(known, key) : key,
      value: decodeAbi(types.value, values, valueAt),
    };
  }
}

function* sums(map: NativeMap, known: AbiMap, value: AbiType): Iterable<MapEntry> {
  for (let first = 0; first < map.summedEntries; first += CHUNK) {
    const count = Math.min(CHUNK, map.summedEntries - first);
    const bytes = bytesOf(map.readSums(first, count));
    for (let index = 0; index < count; index++) {
      const at = index * map.valueSize;
      if (known.indices === null && isZero(bytes.subarray(at, at + map.valueSize))) continue;
      yield { key: indexLabel(known, first + index), value: decodeAbi(value, bytes, at) };
    }
  }
}
