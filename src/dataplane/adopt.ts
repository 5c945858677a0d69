/**
 * Which maps a new process goes on with: those that are pinned and of this build's shape are used as they are; others are
 * replaced, and what they held is copied into the new ones before any program uses them. Attaches nothing.
 *
 * The order makes every crash harmless: copies are complete before the new maps are pinned, and pinned before the first
 * program uses them; the old maps stay pinned until their counters are moved (carry.ts) and no program uses them.
 */
import { BngAbiVersion } from './abi.js';
import { indexSubscribers, moveKeyedSubscribers } from './adopt-subscribers.js';
import { type AbiEnum, findEnum } from './abi-layout.js';
import { type BtfTable, readBtf } from './btf.js';
import { COUNTER_MAPS } from './carry.js';
import { isSameLayout, type Layout, layoutOf, layoutOfStruct, mover } from './map-layout.js';
import type { MapShape, NativeBinding, NativeMap, NativeObject } from './native-binding.js';
import { hasTypes, keepTypes, moveTypes, pruneTypes, typesOfPin } from './pinned-types.js';
import { movePin, OLD_SUFFIX, PinFolder, pinFolders, removePin } from './pins.js';

export interface AdoptionOptions {
  readonly binding: NativeBinding;
  /** Folder in bpffs, as `preparePinRoot` leaves it. */
  readonly root: string;
  /** Open, with its maps sized, not loaded. */
  readonly object: NativeObject;
  /** Told what was amiss and is repaired, or could not be kept. */
  readonly warn: (warning: string) => void;
}

/** A map of another build, whose counters are to be moved. */
export interface OldMap {
  readonly name: string;
  readonly map: NativeMap;
  /** What it was made with. */
  readonly types: BtfTable;
}

/** A pinned map that another one replaces. */
interface Replaced {
  readonly map: NativeMap;
  /** Null when nobody can say what it holds. */
  readonly types: BtfTable | null;
}

/** linux/bpf.h */
const MapType = { hash: 1, array: 2, ringBuffer: 27 } as const;
/** The kernel adds it to maps of devices. */
const READ_ONLY_TO_PROGRAMS = 0x80;

export class Adoption {
  readonly #options: AdoptionOptions;
  readonly #own: PinFolder;
  readonly #btf: BtfTable;
  readonly #names: readonly string[];
  readonly #source: PinFolder;
  readonly #others: readonly PinFolder[];
  readonly #reused = new Map<string, NativeMap>();
  readonly #replaced = new Map<string, Replaced>();

  /** Looks at what is pinned, repairs what a crash left half-done, and makes the object use what fits. */
  constructor(options: AdoptionOptions) {
    this.#options = options;
    const { object, root } = options;
    this.#own = new PinFolder(root, BngAbiVersion.version);
    this.#btf = readBtf(object.btf());
    // Names with a dot are libbpf's own: .rodata belongs to one load of the programs.
    this.#names = object.mapNames().filter((name) => !name.includes('.'));
    this.#others = pinFolders(root).filter((folder) => folder.version !== this.#own.version);
    this.#repair();
    pruneTypes(this.#own);
    this.#source = this.#own.maps().length > 0 ? this.#own : (this.#others.at(-1) ?? this.#own);
    for (const name of this.#names) this.#adopt(name);
  }

  /** The pins of this build's version. */
  get folder(): PinFolder {
    return this.#own;
  }

  /** Where links of earlier builds are pinned. */
  get others(): readonly PinFolder[] {
    return this.#others;
  }

  /** Whether an earlier process left anything. */
  get found(): boolean {
    return this.#reused.size + this.#replaced.size > 0;
  }

  /** The pinned ring of punts of another record layout, to be read out, with the types of who wrote it; null when it goes on. */
  get oldRing(): { readonly ring: NativeMap; readonly theirs: BtfTable; readonly ours: BtfTable } | null {
    const found = this.#replaced.get('bng_punts');
    return found === undefined || found.types === null
      ? null
      : { ring: found.map, theirs: found.types, ours: this.#btf };
  }

  /** With the object loaded: fills the maps that replace others. */
  fill(): void {
    const { object } = this.#options;
    for (const [name, old] of this.#replaced) this.#copy(name, old, object.map(name));
    if (this.found && !this.#reused.has('bng_addresses')) indexSubscribers(object);
  }

  /** With every map filled: pins those that are not pinned yet. */
  pin(): void {
    const { binding, object } = this.#options;
    this.#own.make();
    for (const name of this.#names) {
      const path = this.#own.mapPath(name);
      const isInPlace = this.#source === this.#own;
      const reused = this.#reused.get(name);
      const before = reused ?? this.#replaced.get(name)?.map;
      // A map that goes on has the types that it was made with, not ours; an older build may not have kept them.
      if (before !== undefined && (isInPlace || reused !== undefined) && !hasTypes(this.#own, name)) {
        const theirs = typesOfPin(binding, this.#source, name, before);
        if (theirs !== null) keepTypes(binding, this.#own, name, theirs);
      }
      if (reused !== undefined && isInPlace) continue;
      if (before !== undefined && isInPlace) {
        movePin(path, path + OLD_SUFFIX);
        moveTypes(this.#own, name, name + OLD_SUFFIX);
      }
      if (reused === undefined) keepTypes(binding, this.#own, name, object.btf());
      object.map(name).pin(path);
    }
  }

  /** Maps whose counters are still to be moved; every program uses the new ones by now. */
  oldCounters(): readonly OldMap[] {
    const found: OldMap[] = [];
    const seen = new Set<number>();
    for (const name of COUNTER_MAPS.keys()) {
      seen.add(this.#options.object.map(name).id());
      const places = [
        { folder: this.#own, pinned: name + OLD_SUFFIX },
        ...this.#others.map((folder) => ({ folder, pinned: name })),
      ];
      for (const { folder, pinned } of places) {
        const map = this.#open(folder.mapPath(pinned));
        if (map === null) continue;
        const id = map.id();
        if (seen.has(id)) map.close();
        else found.push({ name, map, types: this.#typesOf(folder, pinned, map) ?? [] });
        seen.add(id);
      }
    }
    return found;
  }

  /** With the counters moved: earlier builds' pins go, and with them their maps. */
  finish(): void {
    for (const map of this.#reused.values()) map.close();
    for (const { map } of this.#replaced.values()) map.close();
    for (const name of this.#own.maps()) {
      if (name.endsWith(OLD_SUFFIX)) removePin(this.#own.mapPath(name));
    }
    pruneTypes(this.#own);
    for (const folder of this.#others) folder.remove();
  }

  #repair(): void {
    const { warn } = this.#options;
    for (const name of this.#own.maps().filter((found) => found.endsWith(OLD_SUFFIX))) {
      const current = name.slice(0, -OLD_SUFFIX.length);
      if (this.#own.maps().includes(current)) continue;
      warn(`a start did not finish: pinned map ${current} is put back`);
      movePin(this.#own.mapPath(name), this.#own.mapPath(current));
      moveTypes(this.#own, name, current);
    }
    const pinned = new Set(this.#own.maps());
    const missing = this.#names.filter((name) => !pinned.has(name));
    if (pinned.size === 0 || missing.length === 0) return;
    if (this.#own.links().length === 0 && this.#others.length > 0) {
      warn(`a start did not finish: migration to ${this.#own.path} begins anew`);
      this.#own.remove();
    } else {
      warn(`pins in ${this.#own.path} are not complete: made anew and empty: ${missing.join(', ')}`);
    }
  }

  #adopt(name: string): void {
    const { object, warn } = this.#options;
    const path = this.#source.mapPath(name);
    const map = this.#open(path);
    if (map === null) return;
    const types = this.#typesOf(this.#source, name, map);
    const differs = this.#difference(name, object.mapShape(name), { map, types });
    if (differs === null) {
      object.reuseMap(name, map);
      this.#reused.set(name, map);
    } else {
      warn(`pinned map ${name} is of another build (${differs}): what it holds is moved`);
      this.#replaced.set(name, { map, types });
    }
  }

  /** Null when nothing is pinned there, or nothing that can be used; then it is said. */
  #open(path: string): NativeMap | null {
    try {
      return this.#options.binding.openPinnedMap(path);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      this.#options.warn(`pin removed, it holds no map: ${String(error)}`);
      removePin(path);
      return null;
    }
  }

  #typesOf(folder: PinFolder, name: string, map: NativeMap): BtfTable | null {
    const btf = typesOfPin(this.#options.binding, folder, name, map);
    return btf === null ? null : readBtf(btf);
  }

  #difference(name: string, own: MapShape, { map, types: table }: Replaced): string | null {
    for (const what of ['type', 'keySize', 'valueSize', 'maxEntries'] as const) {
      if (own[what] !== map[what]) return `${what} ${map[what]} instead of ${own[what]}`;
    }
    if (((own.flags ^ map.flags) & ~READ_ONLY_TO_PROGRAMS) !== 0) return 'other flags';
    if (own.type === MapType.ringBuffer) return this.#ringDifference(name, table);
    const types = map.types();
    if (types === null || table === null) return null;
    const same = (theirs: number, ours: number): boolean =>
      isSameLayout(layoutOf(table, theirs), layoutOf(this.#btf, ours));
    if (!same(types.keyTypeId, own.keyTypeId)) return 'other keys';
    if (!same(types.valueTypeId, own.valueTypeId)) return 'other values';
    const labels = COUNTER_MAPS.get(name)?.labels;
    if (labels !== undefined && !isSameEnum(findEnum(table, labels), findEnum(this.#btf, labels))) {
      return 'other meaning of its entries';
    }
    return null;
  }

  /** A ring has no types of its own: those that it was pinned with say what its records are. */
  #ringDifference(name: string, theirs: BtfTable | null): string | null {
    if (theirs === null) return 'of records that nothing tells';
    const differs = (RING_RECORDS.get(name) ?? []).find(
      (record) => !isSameLayout(layoutOfStruct(theirs, record), layoutOfStruct(this.#btf, record)),
    );
    return differs === undefined ? null : `other ${differs}`;
  }

  #copy(name: string, { map: old, types: table }: Replaced, target: NativeMap): void {
    const { warn } = this.#options;
    // Counted on in the old map until every program uses the new one: moved then (carry.ts).
    if (COUNTER_MAPS.has(name)) return;
    // Follows from the entries that it leads to (indexSubscribers).
    if (name === 'bng_addresses') return;
    if (name === 'bng_subscribers' && old.type === MapType.hash) {
      if (!moveKeyedSubscribers({ map: old, types: table }, target))
        warn('subscribers of an earlier build cannot be read: none is kept');
      return;
    }
    if (old.type !== target.type || (old.type !== MapType.hash && old.type !== MapType.array)) return;
    const types = old.types();
    const own = this.#options.object.mapShape(name);
    if (types === null || table === null) return;
    const keys = moverOf(layoutOf(table, types.keyTypeId), layoutOf(this.#btf, own.keyTypeId));
    const values = moverOf(layoutOf(table, types.valueTypeId), layoutOf(this.#btf, own.valueTypeId));
    if (keys === null || values === null) {
      warn(`entries of pinned map ${name} cannot be moved to its new layout: it starts empty`);
      return;
    }
    const found = old.readAll();
    const count = old.type === MapType.array ? Math.min(found.count, target.maxEntries) : found.count;
    const newKeys = new Uint8Array(count * target.keySize);
    const newValues = new Uint8Array(count * target.valueSize);
    for (let i = 0; i < count; i++) {
      keys(found.keys, i * old.keySize, newKeys, i * target.keySize);
      values(found.values, i * old.valueSize, newValues, i * target.valueSize);
    }
    target.updateBatch(newKeys, newValues, count);
  }
}

/** Structs that programs write into the rings. */
const RING_RECORDS: ReadonlyMap<string, readonly string[]> = new Map([
  ['bng_punts', ['bng_punt', 'bng_lease_answered']],
  ['bng_trace_records', ['bng_trace_record']],
]);

function moverOf(from: Layout | null, to: Layout | null): ReturnType<typeof mover> {
  return from === null || to === null ? null : mover(from, to);
}

function isSameEnum(a: AbiEnum | null, b: AbiEnum | null): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
