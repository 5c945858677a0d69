/**
 * Subscribers of another build's maps in those of this one: builds before ABI 5 kept them in a hash by address, with the slot in
 * the value; the index follows from the entries whatever the build. Called before any program uses the new maps.
 */
import { ipv4FromBytes } from '../model/ipv4.js';
import { BNG_SUBSCRIBER_SIZE, readBngSubscriber, writeBngSubscriber } from './abi.js';
import type { AbiField } from './abi-layout.js';
import { AddressIndex } from './address-index.js';
import { attemptFor } from './attempt.js';
import type { BtfTable } from './btf.js';
import { type Layout, layoutOf } from './map-layout.js';
import type { NativeMap, NativeObject } from './native-binding.js';
import { slotKey } from './subscriber-maps.js';
import { packRates } from './subscriber-value.js';

/** Reads the fields of one value of the old map. */
class OldValue {
  readonly #layout: Layout & { readonly kind: 'struct' };
  readonly #view: DataView;
  readonly #at: number;

  constructor(layout: Layout & { readonly kind: 'struct' }, values: Uint8Array, at: number) {
    this.#layout = layout;
    this.#view = new DataView(values.buffer, values.byteOffset, values.byteLength);
    this.#at = at;
  }

  bytes(name: string): Uint8Array {
    const { offset, size } = this.#field(name);
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + this.#at + offset, size);
  }

  /** A host word of at most 32 bits. */
  word(name: string): number {
    const { offset, size } = this.#field(name);
    const at = this.#at + offset;
    if (size === 1) return this.#view.getUint8(at);
    return size === 2 ? this.#view.getUint16(at, true) : this.#view.getUint32(at, true);
  }

  be16(name: string): number {
    return this.#view.getUint16(this.#at + this.#field(name).offset, false);
  }

  u64(name: string, inner = 0): bigint {
    return this.#view.getBigUint64(this.#at + this.#field(name).offset + inner, true);
  }

  #field(name: string): AbiField {
    const field = this.#layout.struct.fields.find((candidate) => candidate.name === name);
    if (field === undefined) throw new RangeError(name);
    return field;
  }
}

/** What `struct bng_subscriber` was made of in a map that was keyed by address; its rates were two words each. */
const KEYED_FIELDS: readonly (readonly [name: string, size: number])[] = [
  ['mac', 6],
  ['flags', 1],
  ['ifindex', 4],
  ['slot', 4],
  ['s_vlan', 2],
  ['c_vlan', 2],
  ['s_tpid', 2],
  ['c_tpid', 2],
  ['upstream', 16],
  ['downstream', 16],
  ['upstream_tat', 8],
  ['downstream_tat', 8],
];

/** Each subscriber into the slot that it had, whose counters move by slot too. False when nothing tells what the values hold. */
export function moveKeyedSubscribers(
  old: { readonly map: NativeMap; readonly types: BtfTable | null },
  target: NativeMap,
): boolean {
  const typeId = old.map.types()?.valueTypeId;
  const layout = old.types === null || typeId === undefined ? null : layoutOf(old.types, typeId);
  if (layout === null || layout.kind !== 'struct') return false;
  const has = ([name, size]: (typeof KEYED_FIELDS)[number]): boolean =>
    layout.struct.fields.some((field) => field.name === name && field.size === size);
  if (!KEYED_FIELDS.every(has)) return false;
  const { keys, values, count } = old.map.readAll();
  const bytes = new Uint8Array(BNG_SUBSCRIBER_SIZE);
  for (let i = 0; i < count; i++) {
    const from = new OldValue(layout, values, i * old.map.valueSize);
    const slot = from.word('slot');
    if (slot >= target.maxEntries) continue;
    writeBngSubscriber(new DataView(bytes.buffer), 0, {
      address: ipv4FromBytes(keys, i * 4),
      ifindex: from.word('ifindex'),
      mac: from.bytes('mac'),
      flags: from.word('flags'),
      sVlan: from.word('s_vlan'),
      cVlan: from.word('c_vlan'),
      sTpid: from.be16('s_tpid'),
      cTpid: from.be16('c_tpid'),
      ...packRates({
        upstream: { nsPerByte: from.u64('upstream'), burstNs: from.u64('upstream', 8) },
        downstream: { nsPerByte: from.u64('downstream'), burstNs: from.u64('downstream', 8) },
      }),
      upstreamTat: from.u64('upstream_tat'),
      downstreamTat: from.u64('downstream_tat'),
    });
    target.update(slotKey(slot), bytes);
  }
  return true;
}

/** An index of its own for entries that came without one. Of two entries of one address the first is kept. */
export function indexSubscribers(object: NativeObject): void {
  const index = new AddressIndex(object.map('bng_addresses'));
  const { values, count } = object.map('bng_subscribers').readAll();
  const view = new DataView(values.buffer, values.byteOffset, values.byteLength);
  for (let slot = 0; slot < count; slot++) {
    const { address } = readBngSubscriber(view, slot * BNG_SUBSCRIBER_SIZE);
    // What finds no place is as one that is not installed: SubscriberMaps clears it, and it is installed anew.
    if (address !== 0) attemptFor(() => index.add(ipv4FromBytes(values, slot * BNG_SUBSCRIBER_SIZE), slot));
  }
}
