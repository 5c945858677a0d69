/**
 * A cursor over bytes in network order. It owns every bounds check of the decoders, so that none of them can read
 * past the end. Knows no protocol.
 */
import { BngError } from '../model/bng-error.js';
import type { Ipv4 } from '../model/ipv4.js';
import type { Mac } from '../model/mac.js';

/** Reads `bytes` from `offset` up to, not including, `end`; offsets in errors count from the start of `bytes`. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #offset: number;

  constructor(bytes: Uint8Array, offset = 0, end = bytes.length) {
    if (end > bytes.length || offset > end) {
      throw new BngError('BNG_ERR_WIRE_TRUNCATED', 'expected bytes up to the given end', { offset, end });
    }
    this.#bytes = bytes;
    this.#offset = offset;
    this.#end = end;
  }

  /** Where the next read begins, from the start of the bytes. */
  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#end - this.#offset;
  }

  u8(): number {
    return this.#at(this.#advance(1));
  }

  u16(): number {
    const at = this.#advance(2);
    return (this.#at(at) << 8) | this.#at(at + 1);
  }

  u32(): number {
    const at = this.#advance(4);
    return (
      ((this.#at(at) << 24) | (this.#at(at + 1) << 16) | (this.#at(at + 2) << 8) | this.#at(at + 3)) >>> 0
    );
  }

  ipv4(): Ipv4 {
    return this.u32() as Ipv4;
  }

  mac(): Mac {
    const high = this.u16();
    return (high * 2 ** 32 + this.u32()) as Mac;
  }

  /** The next `length` bytes as a view, not a copy. */
  take(length: number): Uint8Array {
    const at = this.#advance(length);
    return this.#bytes.subarray(at, at + length);
  }

  skip(length: number): void {
    this.#advance(length);
  }

  #advance(length: number): number {
    const at = this.#offset;
    if (length > this.#end - at) {
      throw new BngError('BNG_ERR_WIRE_TRUNCATED', 'expected more bytes', {
        offset: at,
        expected: length,
        found: this.#end - at,
      });
    }
    this.#offset = at + length;
    return at;
  }

  // #advance has shown that the index is inside.
  #at(index: number): number {
    return this.#bytes[index] as number;
  }
}
