/**
 * The attributes of one RADIUS packet, in their order (RFC 2865 §5), with vendor attributes unpacked on demand (§5.26).
 * Values are views into the packet. Knows no attribute by name.
 */
import { BngError } from '../model/bng-error.js';
import type { RadiusAttribute } from './radius-kinds.js';
import { INTEGER } from './radius-kinds.js';

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

/** An ordered list of attributes; never changed once made. */
export class RadiusAttributes {
  readonly #raw: readonly RawAttribute[];

  constructor(raw: readonly RawAttribute[]) {
    this.#raw = raw;
  }

  /** Reads attributes from `start` to the end of `packet`. Bad framing is `BNG_ERR_WIRE_MALFORMED`. */
  static decode(packet: Uint8Array, start: number): RadiusAttributes {
    return new RadiusAttributes(readTlvs(packet, start, start));
  }

  /** Everything as it stands in the packet; a Vendor-Specific attribute is one entry, whatever it holds. */
  entries(): readonly RawAttribute[] {
    return this.#raw;
  }

  /**
   * What the vendor's attributes hold, in order; one Vendor-Specific attribute may hold several. Bad framing inside is
   * `BNG_ERR_WIRE_MALFORMED`: ask only for vendors that use the layout of RFC 2865 §5.26.
   */
  vendorEntries(vendorId: number): readonly RawAttribute[] {
    return this.#raw
      .filter((raw) => raw.type === VENDOR_SPECIFIC && vendorIdOf(raw) === vendorId)
      .flatMap(({ value, offset }) => readTlvs(value, VENDOR_ID_LENGTH, offset + VENDOR_ID_LENGTH));
  }

  /** Every value of the attribute, in order. One that does not fit its kind is `BNG_ERR_WIRE_MALFORMED`. */
  all<T>(attribute: RadiusAttribute<T>): readonly T[] {
    const { vendorId, type, kind } = attribute;
    const found: T[] = [];
    for (const raw of vendorId === 0 ? this.#raw : this.vendorEntries(vendorId)) {
      if (raw.type === type) found.push(kind.decode(raw.value, raw.offset));
    }
    return found;
  }

  /** The first value of the attribute, or undefined; errors as in `all`. */
  first<T>(attribute: RadiusAttribute<T>): T | undefined {
    const { vendorId, type, kind } = attribute;
    for (const raw of vendorId === 0 ? this.#raw : this.vendorEntries(vendorId)) {
      if (raw.type === type) return kind.decode(raw.value, raw.offset);
    }
    return undefined;
  }

  has(attribute: RadiusAttribute<unknown>): boolean {
    return this.first({ ...attribute, kind: PRESENT }) === true;
  }

  /** 64 bits from an octet count and its Gigawords (RFC 2869 §5.1, §5.2); undefined without the count. */
  octets64(low: RadiusAttribute<number>, high: RadiusAttribute<number>): bigint | undefined {
    const count = this.first(low);
    return count === undefined ? undefined : (BigInt(this.first(high) ?? 0) << 32n) | BigInt(count);
  }
}

const PRESENT = { ...INTEGER, decode: () => true as const, encode: () => new Uint8Array() };
