/**
 * Subscribers as entries of the kernel's maps: who holds an address, with its policers' state, and who is at a line. An entry is
 * written before the index leads to it, and cleared after it no longer does. Decides nothing; throws what the addon throws, and
 * refusals like its own.
 */
import type { Attachment } from '../model/access-line.js';
import { type Ipv4, ipv4FromBytes } from '../model/ipv4.js';
import { macFromBytes, macToBytes } from '../model/mac.js';
import {
  BNG_LINE_KEY_SIZE,
  BNG_SUBSCRIBER_SIZE,
  BngLimit,
  BngSubscriberFlag,
  readBngLineKey,
  readBngSubscriber,
  writeBngLineKey,
} from './abi.js';
import type { NativeMap, NativeObject } from './native-binding.js';
import { AddressIndex, refusal } from './address-index.js';
import { bitsPerSecondOf } from './policer-rate.js';
import type { SubscriberEntry } from './port.js';
import { type EncoderOptions, SubscriberEncoder } from './subscriber-encoder.js';
import { unpackRates } from './subscriber-value.js';

export interface SubscriberMapsOptions extends EncoderOptions {
  readonly object: NativeObject;
}

export interface StoredSubscriber extends SubscriberEntry {
  readonly slot: number;
}

/** What a comparison with what is wanted needs of an entry. */
export interface ComparedSubscriber extends Pick<StoredSubscriber, 'address' | 'slot' | 'walled'> {
  /** Where its value is among all that were read. */
  readonly at: number;
}

/** Every subscriber of one moment. */
export interface ComparedSubscribers {
  readonly entries: readonly ComparedSubscriber[];
  /** Whether the value read back is what the entry is written as, wherever its buckets are. */
  readonly isAsWanted: (found: ComparedSubscriber, wanted: SubscriberEntry) => boolean;
}

const FRACTION_BITS = BngLimit.rateFractionBits;
const NOBODY = new Uint8Array(4);
/** The last fields of the value, which XDP moves: two arrival times. */
const TATS_AT = BNG_SUBSCRIBER_SIZE - 16;
/** The value's first word, which says whose it is. */
const WORD = 8;
const CLEARED = new Uint8Array(BNG_SUBSCRIBER_SIZE);

export class SubscriberMaps {
  readonly #encoder: SubscriberEncoder;
  readonly #subscribers: NativeMap;
  readonly #index: AddressIndex;
  readonly #lines: NativeMap;
  readonly #removed: NativeMap;
  /**
   * Written anew for each call, which only reads them: bytes made for one call and given to the addon cost more than the
   * system call does, since V8 has to move them off its heap first.
   */
  readonly #address = new Uint8Array(4);
  readonly #slot = new Uint8Array(4);
  readonly #line = new Uint8Array(BNG_LINE_KEY_SIZE);
  readonly #lineAddress = new Uint8Array(4);

  constructor(options: SubscriberMapsOptions) {
    this.#encoder = new SubscriberEncoder(options);
    this.#subscribers = options.object.map('bng_subscribers');
    this.#index = new AddressIndex(options.object.map('bng_addresses'));
    this.#repair();
    this.#lines = options.object.map('bng_lines');
    this.#removed = options.object.map('bng_removed');
  }

  get capacity(): number {
    return this.#subscribers.maxEntries;
  }

  /** For entries written from now on. */
  useBurst(burstMs: number): void {
    this.#encoder.useBurst(burstMs);
  }

  /** With full buckets, in a slot that nobody has. Throws EEXIST when the address is there already. */
  create(entry: SubscriberEntry, slot: number): void {
    if (this.#index.find(entry.address) !== null)
      throw refusal('EEXIST', 'expected an address that is in no slot');
    this.#publish(entry, slot);
    try {
      this.#index.add(entry.address, slot);
    } catch (error) {
      this.#clear(slot);
      throw error;
    }
  }

  /** With the buckets as they are. Throws ENOENT when the address is not in this slot. */
  replace(entry: SubscriberEntry, slot: number): void {
    if (this.#index.find(entry.address) !== slot)
      throw refusal('ENOENT', 'expected an address that is in its slot');
    this.#subscribers.store(slot, 0, this.#encoder.encode(entry).subarray(0, TATS_AT));
  }

  /** Deletes the entry; whose traffic its slot has counted stays known until `forgetRemoved`. */
  remove(address: Ipv4, slot: number): void {
    this.#removed.update(writeSlotKey(this.#slot, slot), be32(this.#address, address));
    this.delete(address);
  }

  delete(address: Ipv4): boolean {
    const slot = this.#index.delete(address);
    if (slot !== null) this.#clear(slot);
    return slot !== null;
  }

  forgetRemoved(slot: number): void {
    this.#removed.update(writeSlotKey(this.#slot, slot), NOBODY);
  }

  /** Slots whose last traffic nobody has kept, and the address that it was counted for. */
  readRemoved(): readonly { readonly address: Ipv4; readonly slot: number }[] {
    const { keys, values, count } = this.#removed.readAll();
    const view = new DataView(keys.buffer, keys.byteOffset, keys.byteLength);
    const words = new Uint32Array(values.buffer, values.byteOffset, count);
    const found: { address: Ipv4; slot: number }[] = [];
    for (let i = 0; i < count; i++) {
      if (words[i] !== 0)
        found.push({ address: ipv4FromBytes(values, i * 4), slot: view.getUint32(i * 4, true) });
    }
    return found;
  }

  /** Throws EEXIST when someone else is at the line. */
  createLine(attachment: Attachment, address: Ipv4): void {
    this.#lines.update(encodeLine(attachment, this.#line), be32(this.#lineAddress, address), 'create');
  }

  deleteLine(attachment: Attachment): boolean {
    return this.#lines.delete(encodeLine(attachment, this.#line));
  }

  /** Who is at the line; null when nobody is. */
  atLine(attachment: Attachment): Ipv4 | null {
    const found = this.#lines.lookup(encodeLine(attachment, this.#line));
    return found === null ? null : ipv4FromBytes(found);
  }

  /** Writes many, whether or not they are there: with full buckets those that are not in this slot. */
  putAll(entries: readonly { readonly entry: SubscriberEntry; readonly slot: number }[]): void {
    for (const { entry, slot } of entries) {
      const before = this.#index.find(entry.address);
      if (before === slot) this.replace(entry, slot);
      else if (before === null) this.create(entry, slot);
      else this.#move(entry, before, slot);
    }
  }

  /** Writes many lines, whoever was there. */
  putLines(lines: readonly { readonly attachment: Attachment; readonly address: Ipv4 }[]): void {
    const keys = new Uint8Array(lines.length * BNG_LINE_KEY_SIZE);
    const values = new Uint8Array(lines.length * 4);
    for (const [i, { attachment, address }] of lines.entries()) {
      keys.set(encodeLine(attachment, this.#line), i * BNG_LINE_KEY_SIZE);
      values.set(be32(this.#lineAddress, address), i * 4);
    }
    this.#lines.updateBatch(keys, values, lines.length);
  }

  /** Every line, read back. */
  readLines(): readonly { readonly attachment: Attachment; readonly address: Ipv4 }[] {
    const { keys, values, count } = this.#lines.readAll();
    const view = new DataView(keys.buffer, keys.byteOffset, keys.byteLength);
    return Array.from({ length: count }, (_, i) => {
      const { ifindex, sVlan, cVlan, mac } = readBngLineKey(view, i * BNG_LINE_KEY_SIZE);
      return {
        attachment: { ifindex, sVlan, cVlan, mac: macFromBytes(mac) },
        address: ipv4FromBytes(values, i * 4),
      };
    });
  }

  /** Every subscriber, for a comparison: what goes without decoding is not decoded. */
  readToCompare(): ComparedSubscribers {
    const { values } = this.#subscribers.readAll();
    const view = new DataView(values.buffer, values.byteOffset, values.byteLength);
    const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    const entries = Array.from(this.#index.entries(), ({ address, slot }): ComparedSubscriber => {
      const at = slot * BNG_SUBSCRIBER_SIZE;
      const { flags } = readBngSubscriber(view, at);
      return { address, slot, walled: (flags & BngSubscriberFlag.walled) !== 0, at };
    });
    const isAsWanted = ({ at }: ComparedSubscriber, wanted: SubscriberEntry): boolean =>
      bytes.compare(this.#encoder.encode(wanted), 0, TATS_AT, at, at + TATS_AT) === 0;
    return { entries, isAsWanted };
  }

  /** Every subscriber, read back. Rates are what the policers enforce, rounded to whole bits a second. */
  readAll(): readonly StoredSubscriber[] {
    const { values } = this.#subscribers.readAll();
    const view = new DataView(values.buffer, values.byteOffset, values.byteLength);
    return Array.from(this.#index.entries(), ({ address, slot }) => {
      const at = slot * BNG_SUBSCRIBER_SIZE;
      const stored = readBngSubscriber(view, at);
      const { upstream, downstream } = unpackRates(stored);
      return {
        address,
        attachment: {
          ifindex: stored.ifindex,
          sVlan: stored.sVlan,
          cVlan: stored.cVlan,
          mac: macFromBytes(stored.mac),
        },
        walled: (stored.flags & BngSubscriberFlag.walled) !== 0,
        downloadBitsPerSecond: bitsPerSecondOf(downstream, FRACTION_BITS),
        uploadBitsPerSecond: bitsPerSecondOf(upstream, FRACTION_BITS),
        slot,
      };
    });
  }

  /** What a crash, or a map that was lost, left on one side only: index and entries agree from now on. */
  #repair(): void {
    const { values } = this.#subscribers.readAll();
    const addresses = new Map<number, Ipv4>();
    for (let slot = 0; slot < this.capacity; slot++) {
      const address = ipv4FromBytes(values, slot * BNG_SUBSCRIBER_SIZE);
      if (address !== 0) addresses.set(slot, address);
    }
    for (const { address, slot } of [...this.#index.entries()])
      if (addresses.get(slot) !== address) this.#index.delete(address);
    for (const [slot, address] of addresses) if (this.#index.find(address) !== slot) this.#clear(slot);
  }

  /** Into a slot of its own; the entry before may be another's by now. */
  #move(entry: SubscriberEntry, before: number, slot: number): void {
    this.#clear(slot);
    this.#publish(entry, slot);
    this.#index.move(entry.address, slot);
    const left = this.#subscribers.lookup(writeSlotKey(this.#slot, before));
    if (left !== null && ipv4FromBytes(left) === entry.address) this.#clear(before);
  }

  /** Into a slot that says that it is nobody's, and says whose it is last: a program that comes by an old index sees no half. */
  #publish(entry: SubscriberEntry, slot: number): void {
    const bytes = this.#encoder.encode(entry);
    this.#subscribers.store(slot, 1, bytes.subarray(WORD));
    this.#subscribers.store(slot, 0, bytes.subarray(0, WORD));
  }

  #clear(slot: number): void {
    this.#subscribers.store(slot, 0, CLEARED);
  }
}

function be32(bytes: Uint8Array, address: Ipv4): Uint8Array {
  new DataView(bytes.buffer).setUint32(0, address, false);
  return bytes;
}

/** Who is walled according to a loaded object's map. */
export function walledAddresses(object: NativeObject): readonly Ipv4[] {
  const { values, count } = object.map('bng_subscribers').readAll();
  const view = new DataView(values.buffer, values.byteOffset, values.byteLength);
  const walled: Ipv4[] = [];
  for (let slot = 0; slot < count; slot++) {
    const { address, flags } = readBngSubscriber(view, slot * BNG_SUBSCRIBER_SIZE);
    if (address !== 0 && (flags & BngSubscriberFlag.walled) !== 0) walled.push(address as Ipv4);
  }
  return walled;
}

/** Keys of arrays are u32 in the machine's order, and every machine with these programs is little-endian. */
export function slotKey(slot: number): Uint8Array {
  return writeSlotKey(new Uint8Array(4), slot);
}

/** The same into `key`, for callers that write many. */
export function writeSlotKey(key: Uint8Array, slot: number): Uint8Array {
  new DataView(key.buffer).setUint32(0, slot, true);
  return key;
}

/** The key of the maps that are keyed by station, into `key`. */
export function encodeLine(attachment: Attachment, key = new Uint8Array(BNG_LINE_KEY_SIZE)): Uint8Array {
  const { ifindex, sVlan, cVlan, mac } = attachment;
  writeBngLineKey(new DataView(key.buffer), 0, { ifindex, sVlan, cVlan, mac: macToBytes(mac) });
  return key;
}
