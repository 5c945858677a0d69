/**
 * A shared secret and the digests made with it (RFC 2865 §3, §5.2; RFC 3579 §3.2). The secret goes in and never comes out:
 * not as text, not as JSON, not in an error.
 */
import { timingSafeEqual } from 'node:crypto';
import { BngError } from '../model/bng-error.js';
import type { HmacKey } from './md5.js';
import { hmacKey, hmacMd5, MD5_LENGTH, md5 } from './md5.js';
import { AUTHENTICATOR_OFFSET, MAX_PACKET } from './radius-packet.js';

/** RFC 2865 §5.2. */
const MAX_PASSWORD = 128;

export class RadiusSecret {
  readonly #bytes: Uint8Array;
  readonly #hmacKey: HmacKey;
  /** Filled before it is read, in one call: each digest would otherwise copy its packet twice. */
  readonly #scratch: Uint8Array;

  /** An empty secret protects nothing (RFC 2865 §3) and is `BNG_ERR_VALUE`. */
  constructor(secret: Uint8Array | string) {
    const bytes = Uint8Array.from(Buffer.from(secret));
    if (bytes.length === 0) throw new BngError('BNG_ERR_VALUE', 'expected a RADIUS secret that is not empty');
    this.#bytes = bytes;
    this.#hmacKey = hmacKey(bytes);
    this.#scratch = new Uint8Array(MAX_PACKET + bytes.length);
  }

  /**
   * MD5 of a packet followed by the secret, with `authenticator` in the place of the packet's own: the Response and Request
   * Authenticators. 16 bytes. More than 4096 bytes are `BNG_ERR_VALUE`.
   */
  md5After(packet: Uint8Array, authenticator?: Uint8Array): Uint8Array {
    if (packet.length > MAX_PACKET) {
      throw new BngError('BNG_ERR_VALUE', 'expected a packet of at most 4096 bytes', {
        found: packet.length,
      });
    }
    const joined = this.#scratch.subarray(0, packet.length + this.#bytes.length);
    joined.set(packet);
    if (authenticator !== undefined) joined.set(authenticator, AUTHENTICATOR_OFFSET);
    joined.set(this.#bytes, packet.length);
    return md5(joined);
  }

  /** HMAC-MD5 of `bytes`: the Message-Authenticator. 16 bytes. */
  hmac(bytes: Uint8Array): Uint8Array {
    return hmacMd5(this.#hmacKey, bytes);
  }

  /** User-Password as it is sent (RFC 2865 §5.2); an empty password is 16 hidden bytes. Over 128 is `BNG_ERR_VALUE`. */
  hidePassword(password: Uint8Array, requestAuthenticator: Uint8Array): Uint8Array {
    if (password.length > MAX_PASSWORD) {
      throw new BngError('BNG_ERR_VALUE', 'expected a password of at most 128 bytes', {
        found: password.length,
      });
    }
    const hidden = new Uint8Array(Math.max(1, Math.ceil(password.length / MD5_LENGTH)) * MD5_LENGTH);
    hidden.set(password);
    return this.#chain(hidden, requestAuthenticator, (at) => hidden.subarray(at, at + MD5_LENGTH));
  }

  /** The password behind a User-Password, its padding taken off. Another length is `BNG_ERR_WIRE_MALFORMED`. */
  revealPassword(hidden: Uint8Array, requestAuthenticator: Uint8Array): Uint8Array {
    if (hidden.length === 0 || hidden.length > MAX_PASSWORD || hidden.length % MD5_LENGTH !== 0) {
      throw new BngError('BNG_ERR_WIRE_MALFORMED', 'expected 16 to 128 bytes of User-Password', {
        found: hidden.length,
      });
    }
    const cipher = (at: number): Uint8Array => hidden.subarray(at, at + MD5_LENGTH);
    const clear = this.#chain(Uint8Array.from(hidden), requestAuthenticator, cipher);
    let end = clear.length;
    while (end > 0 && clear[end - 1] === 0) end -= 1;
    return clear.subarray(0, end);
  }

  /** Whether both are the same secret; takes as long whatever they are. */
  equals(other: RadiusSecret): boolean {
    return timingSafeEqual(md5(this.#bytes), md5(other.#bytes)) && this.#bytes.length === other.#bytes.length;
  }

  toJSON(): string {
    return '[secret]';
  }

  /** Each block is combined with the digest of the secret and the hidden block before it; works on `text` in place. */
  #chain(text: Uint8Array, first: Uint8Array, cipherAt: (at: number) => Uint8Array): Uint8Array {
    let before = first;
    const joined = new Uint8Array(this.#bytes.length + MD5_LENGTH);
    joined.set(this.#bytes);
    for (let at = 0; at < text.length; at += MD5_LENGTH) {
      joined.set(before, this.#bytes.length);
      const mask = md5(joined);
      for (let i = 0; i < MD5_LENGTH; i++) text[at + i] = (text[at + i] ?? 0) ^ (mask[i] ?? 0);
      before = cipherAt(at);
    }
    return text;
  }
}
