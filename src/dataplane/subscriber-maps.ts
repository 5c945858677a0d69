/**
 * Subscribers as entries of the kernel's maps: who holds an address, with its policers' state, and who is at a line. A
 * value is replaced whole by one system call. Decides nothing; throws what the addon throws.
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
  writeBngSubscriber,
} from './abi.js';
import type { NativeMap, NativeObject } from './native-binding.js';
import type { PolicerRate } from './policer-rate.js';
import { bitsPerSecondOf, policerRate } from './policer-rate.js';
import type { SubscriberEntry } from './port.js';

export interface SubscriberMapsOptions {
  readonly object: NativeObject;
  /** TPIDs of the tags given to frames towards subscribers whose own are not known. */
  readonly sTpid: number;
  readonly cTpid: number;
  readonly burstMs: number;
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
const MOST_RATES = 1_000;
/** The last fields of the value, which XDP moves: two arrival times. */
const TATS_AT = BNG_SUBSCRIBER_SIZE - 16;

export class SubscriberMaps {
  #options: SubscriberMapsOptions;
  readonly #subscribers: NativeMap;
  readonly #lines: NativeMap;
  readonly #removed: NativeMap;
  /**
   * Written anew for each call, which only reads them: bytes made for one call and given to the addon cost more than the
   * system call does, since V8 has to move them off its heap first.
   */
  readonly #address = new Uint8Array(4);
  readonly #slot = new Uint8Array(4);
  readonly #line = new Uint8Array(BNG_LINE_KEY_SIZE);
  readonly #value = new Uint8Array(BNG_SUBSCRIBER_SIZE);
  readonly #view = new DataView(this.#value.buffer);
  readonly #mac = new Uint8Array(6);
  /** By bits a second: few differ. */
  readonly #rates = new Map<number, PolicerRate>();
  readonly #lineAddress = new Uint8Array(4);

  constructor(options: SubscriberMapsOptions) {
    this.#options = options;
    this.#subscribers = options.object.map('bng_subscribers');
    this.#lines = options.object.map('bng_lines');
    this.#removed = options.object.map('bng_removed');
  }

  get capacity(): number {
    return this.#subscribers.maxEntries;
  }

  /** For entries written from now on. */
  useBurst(burstMs: number): void {
    this.#options = { ...this.#options, burstMs };
    this.#rates.clear();
  }

  /** With full buckets. Throws EEXIST when the address is there already. */
  create(entry: SubscriberEntry, slot: number): void {
    this.#subscribers.update(be32(this.#address, entry.address), this.#encode(entry, slot), 'create');
  }

  /**
   * With the buckets as they are, but for frames of the microseconds in between. Throws ENOENT when the address is not
   * there.
   */
  replace(entry: SubscriberEntry, slot: number): void {
    const address = be32(this.#address, entry.address);
    const before = this.#subscribers.lookup(address);
    const value = this.#encode(entry, slot);
    if (before !== null) value.set(before.subarray(TATS_AT), TATS_AT);
    this.#subscribers.update(address, value, 'replace');
  }

  /** Deletes the entry; whose traffic its slot has counted stays known until `forgetRemoved`. */
  remove(address: Ipv4, slot: number): void {
    this.#removed.update(writeSlotKey(this.#slot, slot), be32(this.#address, address));
    this.delete(address);
  }

  delete(address: Ipv4): boolean {
    return this.#subscribers.delete(be32(this.#address, address));
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

  /** Writes many, whether or not they are there, with full buckets. */
  putAll(entries: readonly { readonly entry: SubscriberEntry; readonly slot: number }[]): void {
    const keys = new Uint8Array(entries.length * 4);
    const values = new Uint8Array(entries.length * BNG_SUBSCRIBER_SIZE);
    for (const [i, { entry, slot }] of entries.entries()) {
      keys.set(be32(this.#address, entry.address), i * 4);
      values.set(this.#encode(entry, slot), i * BNG_SUBSCRIBER_SIZE);
    }
    this.#subscribers.updateBatch(keys, values, entries.length);
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
    const { keys, values, count } = this.#subscribers.readAll();
    const view = new DataView(values.buffer, values.byteOffset, values.byteLength);
    const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    const entries = Array.from({ length: count }, (_, i): ComparedSubscriber => {
      const at = i * BNG_SUBSCRIBER_SIZE;
      const { slot, flags } = readBngSubscriber(view, at);
      const walled = (flags & BngSubscriberFlag.walled) !== 0;
      return { address: ipv4FromBytes(keys, i * 4), slot, walled, at };
    });
    const isAsWanted = ({ slot, at }: ComparedSubscriber, wanted: SubscriberEntry): boolean =>
      bytes.compare(this.#encode(wanted, slot), 0, TATS_AT, at, at + TATS_AT) === 0;
    return { entries, isAsWanted };
  }

  /** Every subscriber, read back. Rates are what the policers enforce, rounded to whole bits a second. */
  readAll(): readonly StoredSubscriber[] {
    const { keys, values, count } = this.#subscribers.readAll();
    const view = new DataView(values.buffer, values.byteOffset, values.byteLength);
    return Array.from({ length: count }, (_, i) => {
      const stored = readBngSubscriber(view, i * BNG_SUBSCRIBER_SIZE);
      return {
        address: ipv4FromBytes(keys, i * 4),
        attachment: {
          ifindex: stored.ifindex,
          sVlan: stored.sVlan,
          cVlan: stored.cVlan,
          mac: macFromBytes(stored.mac),
        },
        walled: (stored.flags & BngSubscriberFlag.walled) !== 0,
        downloadBitsPerSecond: bitsPerSecondOf(stored.downstream, FRACTION_BITS),
        uploadBitsPerSecond: bitsPerSecondOf(stored.upstream, FRACTION_BITS),
        slot: stored.slot,
      };
    });
  }

  #encode(entry: SubscriberEntry, slot: number): Uint8Array {
    const { attachment } = entry;
    const bytes = this.#value;
    writeBngSubscriber(this.#view, 0, {
      ifindex: attachment.ifindex,
      slot,
      sVlan: attachment.sVlan,
      cVlan: attachment.cVlan,
      sTpid: attachment.sVlan === 0 ? 0 : (attachment.sTpid ?? this.#options.sTpid),
      cTpid: attachment.cVlan === 0 ? 0 : (attachment.cTpid ?? this.#options.cTpid),
      mac: macToBytes(attachment.mac, this.#mac),
      flags: entry.walled ? BngSubscriberFlag.walled : 0,
      upstream: this.#rate(entry.uploadBitsPerSecond),
      downstream: this.#rate(entry.downloadBitsPerSecond),
      upstreamTat: 0n,
      downstreamTat: 0n,
    });
    return bytes;
  }

  #rate(bitsPerSecond: number): PolicerRate {
    const known = this.#rates.get(bitsPerSecond);
    if (known !== undefined) return known;
    const { burstMs } = this.#options;
    const rate = policerRate({ bitsPerSecond, burstMs, fractionBits: FRACTION_BITS });
    if (this.#rates.size >= MOST_RATES) this.#rates.clear();
    this.#rates.set(bitsPerSecond, rate);
    return rate;
  }
}

function be32(bytes: Uint8Array, address: Ipv4): Uint8Array {
  new DataView(bytes.buffer).setUint32(0, address, false);
  return bytes;
}

/** Who is walled according to a loaded object's map. */
export function walledAddresses(object: NativeObject): readonly Ipv4[] {
  const { keys, values, count } = object.map('bng_subscribers').readAll();
  const view = new DataView(values.buffer, values.byteOffset, values.byteLength);
  const walled: Ipv4[] = [];
  for (let i = 0; i < count; i++) {
    const { flags } = readBngSubscriber(view, i * BNG_SUBSCRIBER_SIZE);
    if ((flags & BngSubscriberFlag.walled) !== 0) walled.push(ipv4FromBytes(keys, i * 4));
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
