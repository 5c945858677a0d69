/** Puts a list of RADIUS attributes together for sending. Refuses what a packet cannot hold. */
import { BngError } from '../model/bng-error.js';
import { RadiusAttributes, VENDOR_SPECIFIC } from './radius-attributes.js';
import type { RadiusAttribute } from './radius-kinds.js';

/** One length byte counts itself and the type (RFC 2865 §5). */
export const MAX_VALUE = 253;
/** In a Vendor-Specific attribute: 4 bytes of vendor, 2 of the inner type and length (RFC 2865 §5.26). */
export const MAX_VENDOR_VALUE = MAX_VALUE - 6;

const VENDOR_HEADER_LENGTH = 6;
/** Most records fit; a pooled buffer, since one of its own costs the collector several times as much. */
const FIRST_ROOM = 512;

/** Attributes go out in the order of the calls, each vendor attribute in a Vendor-Specific of its own. */
export class RadiusAttributesBuilder {
  #bytes = Buffer.allocUnsafe(FIRST_ROOM);
  #length = 0;

  /** A value too long for the attribute is `BNG_ERR_VALUE`; so is a number out of range. */
  add<T>({ name, vendorId, type, kind }: RadiusAttribute<T>, value: T): this {
    const size = kind.sizeOf(value);
    const limit = vendorId === 0 ? MAX_VALUE : MAX_VENDOR_VALUE;
    if (size > limit) {
      throw new BngError('BNG_ERR_VALUE', `expected at most ${limit} bytes of ${name}`, { found: size });
    }
    if (vendorId === 0) {
      const at = this.#begin(type, size);
      kind.write(this.#bytes, at, value);
    } else {
      const at = this.#begin(VENDOR_SPECIFIC, VENDOR_HEADER_LENGTH + size);
      const bytes = this.#bytes;
      bytes.writeUInt32BE(vendorId, at);
      bytes[at + 4] = type;
      bytes[at + 5] = 2 + size;
      kind.write(bytes, at + VENDOR_HEADER_LENGTH, value);
    }
    return this;
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

  /** Any attribute by number, for what the dictionary does not hold. Over 253 bytes are `BNG_ERR_VALUE`. */
  raw(type: number, value: Uint8Array): this {
    if (value.length > MAX_VALUE) {
      throw new BngError('BNG_ERR_VALUE', `expected at most ${MAX_VALUE} bytes of an attribute`, {
        type,
        found: value.length,
      });
    }
    const at = this.#begin(type, value.length);
    this.#bytes.set(value, at);
    return this;
  }

  /** All that there are, in their order. */
  addAll(attributes: RadiusAttributes): this {
    const { packed } = attributes;
    this.#reserve(packed.length);
    this.#bytes.set(packed, this.#length);
    this.#length += packed.length;
    return this;
  }

  /** What was added so far. What is added later stands behind it and changes nothing of it. */
  build(): RadiusAttributes {
    const { buffer, byteOffset } = this.#bytes;
    return RadiusAttributes.ofPacked(new Uint8Array(buffer, byteOffset, this.#length));
  }

  /** Writes type and length, and gives the place of a value of that size. */
  #begin(type: number, size: number): number {
    this.#reserve(2 + size);
    const at = this.#length;
    this.#bytes[at] = type;
    this.#bytes[at + 1] = 2 + size;
    this.#length = at + 2 + size;
    return at + 2;
  }

  #reserve(size: number): void {
    const needed = this.#length + size;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
