/**
 * Option 90 (RFC 3118) as FORCERENEW uses it: the "reconfigure key" protocol with HMAC-MD5 (RFC 6704 §3.1.2). Bytes and
 * digests only; who gets which nonce is decided elsewhere.
 */
import { BngError } from '../model/bng-error.js';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import { OPTIONS_OFFSET, visitOptions } from './dhcpv4-option-area.js';
import { DhcpOption } from './dhcpv4-option-codes.js';
import { hmacKey, hmacMd5 } from './md5.js';

/** RFC 6704 §3.1.2. */
export const RECONFIGURE_KEY_PROTOCOL = 3;
export const HMAC_MD5_ALGORITHM = 1;
/** What the value of 16 bytes is. */
export const AuthenticationInformation = { Nonce: 1, Digest: 2 } as const;

export const NONCE_LENGTH = 16;
const HEAD_LENGTH = 11;
const VALUE_LENGTH = HEAD_LENGTH + 1 + NONCE_LENGTH;
const HOPS_OFFSET = 3;
const GIADDR_OFFSET = 24;

export interface DhcpAuthentication {
  readonly protocol: number;
  readonly algorithm: number;
  /** Replay detection method; 0 is a counter that only rises (RFC 3118 §2). */
  readonly method: number;
  readonly replay: bigint;
  readonly information: Uint8Array;
}

/** Throws `BNG_ERR_WIRE_TRUNCATED` when the fixed fields are not whole. */
export function decodeDhcpAuthentication(value: Uint8Array): DhcpAuthentication {
  const reader = new ByteReader(value);
  const [protocol, algorithm, method] = [reader.u8(), reader.u8(), reader.u8()];
  const replay = (BigInt(reader.u32()) << 32n) | BigInt(reader.u32());
  return { protocol, algorithm, method, replay, information: value.subarray(HEAD_LENGTH) };
}

/** The value of option 90 with a nonce, or with the place of a digest that is still to be computed. */
export function reconfigureKey(
  type: (typeof AuthenticationInformation)[keyof typeof AuthenticationInformation],
  replay: bigint,
  bytes: Uint8Array = new Uint8Array(NONCE_LENGTH),
): Uint8Array {
  const value = new Uint8Array(VALUE_LENGTH);
  const writer = new ByteWriter(value);
  writer.u8(RECONFIGURE_KEY_PROTOCOL);
  writer.u8(HMAC_MD5_ALGORITHM);
  writer.u8(0);
  writer.u32(Number((replay >> 32n) & 0xffffffffn));
  writer.u32(Number(replay & 0xffffffffn));
  writer.u8(type);
  writer.bytes(bytes);
  return value;
}

/** Fills in the digest of a whole BOOTP message, in place. `BNG_ERR_VALUE` where option 90 leaves no room for one. */
export function signReconfiguration(message: Uint8Array, nonce: Uint8Array): void {
  message.set(digestOf(message, nonce), digestOffset(message));
}

/** Over the message with `hops`, `giaddr` and the digest itself as zeros (RFC 3118 §5.2). */
function digestOf(message: Uint8Array, nonce: Uint8Array): Uint8Array {
  const at = digestOffset(message);
  const bare = Uint8Array.from(message);
  bare[HOPS_OFFSET] = 0;
  bare.fill(0, GIADDR_OFFSET, GIADDR_OFFSET + 4);
  bare.fill(0, at, at + NONCE_LENGTH);
  return hmacMd5(hmacKey(nonce), bare);
}

function digestOffset(message: Uint8Array): number {
  let found = -1;
  visitOptions(message, { start: OPTIONS_OFFSET, end: message.length }, (code, offset, length) => {
    if (code === DhcpOption.Authentication && length === VALUE_LENGTH) found = offset + HEAD_LENGTH + 1;
  });
  if (found < 0) {
    throw new BngError('BNG_ERR_VALUE', 'expected option 90 with room for a digest', {
      found: message.length,
    });
  }
  return found;
}
