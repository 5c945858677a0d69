/**
 * A cursor that fills a buffer of known size in network order. Typed arrays drop writes past their end silently; this
 * one throws, since a short buffer is our own mistake. Knows no protocol.
 */
import { BngError } from '../model/bng-error.js';
import type { Ipv4 } from '../model/ipv4.js';
import type { Mac } from '../model/mac.js';

/** Writes into `bytes` from `offset` on; what is skipped keeps its value. Overflow throws `BNG_ERR_VALUE`. */
export class ByteWriter {
  readonly #bytes: Uint8Array;
  #offset: number;

  constructor(bytes: Uint8Array, offset = 0) {
    this.#bytes = bytes;
    this.#offset = offset;
  }

  get offset(): number {
    return this.#offset;
  }

  u8(value: number): void {
    this.#bytes[this.#advance(1)] = value;
  }

  u16(value: number): void {
    const at = this.#advance(2);
    this.#bytes[at] = value >>> 8;
    this.#bytes[at + 1] = value;
  }

  u32(value: number): void {
    const at = this.#advance(4);
    this.#bytes[at] = value >>> 24;
    this.#bytes[at + 1] = value >>> 16;
    this.#bytes[at + 2] = value >>> 8;
    this.#bytes[at + 3] = value;
  }

  ipv4(address: Ipv4): void {
    this.u32(address);
  }

  mac(mac: Mac): void {
    this.u16(Math.floor(mac / 2 ** 32));
    this.u32(mac >>> 0);
  }

  bytes(value: Uint8Array): void {
    this.#bytes.set(value, this.#advance(value.length));
  }

  skip(length: number): void {
    this.#advance(length);
  }

  #advance(length: number): number {
    const at = this.#offset;
    if (at + length > this.#bytes.length) {
      throw new BngError('BNG_ERR_VALUE', 'expected a buffer with room', {
        offset: at,
        expected: length,
        found: this.#bytes.length - at,
      });
    }
    this.#offset = at + length;
    return at;
  }
}
