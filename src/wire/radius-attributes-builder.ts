/** Puts a list of RADIUS attributes together for sending. Refuses what a packet cannot hold. */
import { BngError } from '../model/bng-error.js';
import type { RawAttribute } from './radius-attributes.js';
import { RadiusAttributes, VENDOR_SPECIFIC } from './radius-attributes.js';
import type { RadiusAttribute } from './radius-kinds.js';

/** One length byte counts itself and the type (RFC 2865 §5). */
export const MAX_VALUE = 253;
/** In a Vendor-Specific attribute: 4 bytes of vendor, 2 of the inner type and length (RFC 2865 §5.26). */
export const MAX_VENDOR_VALUE = MAX_VALUE - 6;

function inVendor(vendorId: number, type: number, value: Uint8Array): Uint8Array {
  const packed = new Uint8Array(6 + value.length);
  packed[0] = vendorId >>> 24;
  packed[1] = vendorId >>> 16;
  packed[2] = vendorId >>> 8;
  packed[3] = vendorId;
  packed[4] = type;
  packed[5] = 2 + value.length;
  packed.set(value, 6);
  return packed;
}

/** Attributes go out in the order of the calls, each vendor attribute in a Vendor-Specific of its own. */
export class RadiusAttributesBuilder {
  readonly #raw: RawAttribute[] = [];

  /** A value too long for the attribute is `BNG_ERR_VALUE`; so is a number out of range. */
  add<T>(attribute: RadiusAttribute<T>, value: T): this {
    const { name, vendorId, type, kind } = attribute;
    const bytes = kind.encode(value);
    const limit = vendorId === 0 ? MAX_VALUE : MAX_VENDOR_VALUE;
    if (bytes.length > limit) {
      throw new BngError('BNG_ERR_VALUE', `expected at most ${limit} bytes of ${name}`, {
        found: bytes.length,
      });
    }
    return vendorId === 0
      ? this.raw(type, bytes)
      : this.raw(VENDOR_SPECIFIC, inVendor(vendorId, type, bytes));
  }

  /** Leaves out what is undefined or null. */
  addIf<T>(attribute: RadiusAttribute<T>, value: T | undefined | null): this {
    return value === undefined || value === null ? this : this.add(attribute, value);
  }

  addEach<T>(attribute: RadiusAttribute<T>, values: readonly T[]): this {
    for (const value of values) this.add(attribute, value);
    return this;
  }

  /** A count of 64 bits as an octet count and its Gigawords; the latter only when not 0 (RFC 2869 §5.1). */
  octets64(low: RadiusAttribute<number>, high: RadiusAttribute<number>, value: bigint): this {
    this.add(low, Number(value & 0xffffffffn));
    const gigawords = Number(value >> 32n);
    return gigawords === 0 ? this : this.add(high, gigawords);
  }

  /** Any attribute by number, for what the dictionary does not hold. */
  raw(type: number, value: Uint8Array): this {
    this.#raw.push({ type, value, offset: 0 });
    return this;
  }

  build(): RadiusAttributes {
    return new RadiusAttributes([...this.#raw]);
  }
}
