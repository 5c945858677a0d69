/** The RADIUS packet (RFC 2865 §3): header and attributes, read and laid out. Knows no secret: nothing here is verified. */
import { BngError } from '../model/bng-error.js';
import { RadiusAttributes } from './radius-attributes.js';

export const RadiusCode = {
  'Access-Request': 1,
  'Access-Accept': 2,
  'Access-Reject': 3,
  'Accounting-Request': 4,
  'Accounting-Response': 5,
  'Access-Challenge': 11,
  'Disconnect-Request': 40,
  'Disconnect-ACK': 41,
  'Disconnect-NAK': 42,
  'CoA-Request': 43,
  'CoA-ACK': 44,
  'CoA-NAK': 45,
} as const;

export const HEADER_LENGTH = 20;
export const AUTHENTICATOR_OFFSET = 4;
export const AUTHENTICATOR_LENGTH = 16;
/** RFC 2865 §3. */
export const MAX_PACKET = 4096;

export interface RadiusPacket {
  /** One of `RadiusCode`, or a number that we have no name for. */
  readonly code: number;
  readonly identifier: number;
  /** 16 bytes. */
  readonly authenticator: Uint8Array;
  readonly attributes: RadiusAttributes;
  /** The packet as it came, without what follows its Length: what digests are made of. */
  readonly bytes: Uint8Array;
}

/**
 * Reads a datagram; the result's bytes are views into it. Bytes beyond the Length field are padding (RFC 2865 §3). Errors:
 * `BNG_ERR_WIRE_TRUNCATED`, `BNG_ERR_WIRE_MALFORMED`.
 */
export function decodeRadiusPacket(datagram: Uint8Array): RadiusPacket {
  const [code, identifier, high, low] = datagram;
  if (
    code === undefined ||
    identifier === undefined ||
    high === undefined ||
    low === undefined ||
    datagram.length < HEADER_LENGTH
  ) {
    throw new BngError('BNG_ERR_WIRE_TRUNCATED', 'expected a RADIUS header of 20 bytes', {
      offset: 0,
      found: datagram.length,
    });
  }
  const length = high * 256 + low;
  if (length > datagram.length) {
    throw new BngError('BNG_ERR_WIRE_TRUNCATED', 'expected as many bytes as Length says', {
      offset: 2,
      expected: length,
      found: datagram.length,
    });
  }
  if (length < HEADER_LENGTH || length > MAX_PACKET) {
    throw new BngError('BNG_ERR_WIRE_MALFORMED', 'expected a Length from 20 to 4096', {
      offset: 2,
      found: length,
    });
  }
  const bytes = length === datagram.length ? datagram : datagram.subarray(0, length);
  return {
    code,
    identifier,
    authenticator: bytes.subarray(AUTHENTICATOR_OFFSET, HEADER_LENGTH),
    attributes: RadiusAttributes.decode(bytes, HEADER_LENGTH),
    bytes,
  };
}

export interface RadiusLayout {
  readonly code: number;
  /** 0 to 255. */
  readonly identifier: number;
  readonly attributes: RadiusAttributes;
  /** Bytes left zero between header and attributes. */
  readonly room: number;
}

/** Header with a zero authenticator, `room` zero bytes, attributes. More than 4096 bytes is `BNG_ERR_VALUE`. */
export function layOutRadiusPacket({ code, identifier, attributes, room }: RadiusLayout): Uint8Array {
  const { packed } = attributes;
  const length = HEADER_LENGTH + room + packed.length;
  if (length > MAX_PACKET || !Number.isInteger(identifier) || identifier < 0 || identifier > 255) {
    throw new BngError('BNG_ERR_VALUE', 'expected a packet of at most 4096 bytes, an identifier of 8 bits', {
      length,
      identifier,
    });
  }
  // Out of Node's pool: an array buffer of its own costs the collector several times as much.
  const pooled = Buffer.allocUnsafe(length);
  const bytes = new Uint8Array(pooled.buffer, pooled.byteOffset, length);
  bytes[0] = code;
  bytes[1] = identifier;
  bytes[2] = length >>> 8;
  bytes[3] = length;
  bytes.fill(0, AUTHENTICATOR_OFFSET, HEADER_LENGTH + room);
  bytes.set(packed, HEADER_LENGTH + room);
  return bytes;
}
