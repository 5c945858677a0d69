/**
 * The attributes of one RADIUS packet, in their order (RFC 2865 §5), with vendor attributes unpacked on demand (§5.26).
 * Values are views into the packet. Knows no attribute by name.
 */
import { BngError } from '../model/bng-error.js';
import type { RadiusAttribute } from './radius-kinds.js';

export const VENDOR_SPECIFIC = 26;
const VENDOR_ID_LENGTH = 4;

/** `offset` is where the value begins, counted from the start of the packet. */
export interface RawAttribute {
  readonly type: number;
  readonly value: Uint8Array;
  readonly offset: number;
}

function readTlvs(bytes: Uint8Array, start: number, offset: number): readonly RawAttribute[] {
  const found: RawAttribute[] = [];
  for (let at = start; at < bytes.length; ) {
    const type = bytes[at] ?? 0;
    const length = bytes[at + 1] ?? 0;
    if (length < 2 || at + length > bytes.length) {
      throw new BngError('BNG_ERR_WIRE_MALFORMED', 'expected an attribute that ends inside its packet', {
        offset: offset + at - start,
        length,
        remaining: bytes.length - at,
      });
    }
    found.push({ type, value: bytes.subarray(at + 2, at + length), offset: offset + at - start + 2 });
    at += length;
  }
  return found;
}

/** The vendor of a Vendor-Specific attribute; undefined when it is too short to name one. */
export function vendorIdOf({ value }: RawAttribute): number | undefined {
  const [a, b, c, d] = value;
  if (a === undefined || b === undefined || c === undefined || d === undefined) return undefined;
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

/** An ordered list of attributes; never changed once made. Those to be sent are kept as they are sent, and read when asked. */
export class RadiusAttributes {
  static readonly NONE = new RadiusAttributes(new Uint8Array(), []);
  /** As on the wire. */
  readonly packed: Uint8Array;
  #entries: readonly RawAttribute[] | null;

  private constructor(packed: Uint8Array, entries: readonly RawAttribute[] | null) {
    this.packed = packed;
    this.#entries = entries;
  }

  /** Reads attributes from `start` to the end of `packet`. Bad framing is `BNG_ERR_WIRE_MALFORMED`. */
  static decode(packet: Uint8Array, start: number): RadiusAttributes {
    return new RadiusAttributes(packet.subarray(start), readTlvs(packet, start, start));
  }

  /** Of attributes whose framing is known to be right; in no packet yet, so that offsets count from the first of them. */
  static ofPacked(packed: Uint8Array): RadiusAttributes {
    return new RadiusAttributes(packed, null);
  }

  /** Everything as it stands in the packet; a Vendor-Specific attribute is one entry, whatever it holds. */
  entries(): readonly RawAttribute[] {
    this.#entries ??= readTlvs(this.packed, 0, 0);
    return this.#entries;
  }

  /** Whether there is an attribute of that type, Vendor-Specific ones not looked into. */
  hasType(type: number): boolean {
    for (let at = 0; at < this.packed.length; at += this.packed[at + 1] ?? 0) {
      if (this.packed[at] === type) return true;
    }
    return false;
  }

  /**
   * What the vendor's attributes hold, in order; one Vendor-Specific attribute may hold several. Bad framing inside is
   * `BNG_ERR_WIRE_MALFORMED`: ask only for vendors that use the layout of RFC 2865 §5.26.
   */
  vendorEntries(vendorId: number): readonly RawAttribute[] {
    return this.entries()
      .filter((raw) => raw.type === VENDOR_SPECIFIC && vendorIdOf(raw) === vendorId)
      .flatMap(({ value, offset }) => readTlvs(value, VENDOR_ID_LENGTH, offset + VENDOR_ID_LENGTH));
  }

  /** Every value of the attribute, in order. One that does not fit its kind is `BNG_ERR_WIRE_MALFORMED`. */
  all<T>(attribute: RadiusAttribute<T>): readonly T[] {
    const { vendorId, type, kind } = attribute;
    const found: T[] = [];
    for (const raw of vendorId === 0 ? this.entries() : this.vendorEntries(vendorId)) {
      if (raw.type === type) found.push(kind.decode(raw.value, raw.offset));
    }
    return found;
  }

  /** The first value of the attribute, or undefined; errors as in `all`. */
  first<T>(attribute: RadiusAttribute<T>): T | undefined {
    const { vendorId, type, kind } = attribute;
    for (const raw of vendorId === 0 ? this.entries() : this.vendorEntries(vendorId)) {
      if (raw.type === type) return kind.decode(raw.value, raw.offset);
    }
    return undefined;
  }

  has({ vendorId, type }: Pick<RadiusAttribute<unknown>, 'vendorId' | 'type'>): boolean {
    if (vendorId === 0) return this.hasType(type);
    return this.vendorEntries(vendorId).some((raw) => raw.type === type);
  }

  /** 64 bits from an octet count and its Gigawords (RFC 2869 §5.1, §5.2); undefined without the count. */
  octets64(low: RadiusAttribute<number>, high: RadiusAttribute<number>): bigint | undefined {
    const count = this.first(low);
    return count === undefined ? undefined : (BigInt(this.first(high) ?? 0) << 32n) | BigInt(count);
  }
}
