/**
 * Whether a RADIUS packet was made by somebody who has the secret: Request and Response Authenticator, and
 * Message-Authenticator (RFC 2865 §3, RFC 2866 §3, RFC 3579 §3.2, RFC 5176 §3.4). Digests are compared in constant time.
 */
import { timingSafeEqual } from 'node:crypto';
import { Attribute } from './radius-dictionary.js';
import type { RadiusPacket } from './radius-packet.js';
import { AUTHENTICATOR_LENGTH, AUTHENTICATOR_OFFSET, RadiusCode } from './radius-packet.js';
import type { RadiusSecret } from './radius-secret.js';

export const RADIUS_REFUSALS = [
  'wrong-response-authenticator',
  'wrong-request-authenticator',
  'wrong-message-authenticator',
  'malformed-message-authenticator',
  'missing-message-authenticator',
] as const;

/** Why a packet is not believed. */
export type RadiusRefusal = (typeof RADIUS_REFUSALS)[number];

const ZERO_AUTHENTICATOR = new Uint8Array(AUTHENTICATOR_LENGTH);

interface Expectation {
  readonly secret: RadiusSecret;
  /** The authenticator in whose place digests are made. */
  readonly authenticator: Uint8Array;
  readonly required: boolean;
}

function refuseMessageAuthenticator(packet: RadiusPacket, expected: Expectation): RadiusRefusal | null {
  const found = packet.attributes
    .entries()
    .filter(({ type }) => type === Attribute.MessageAuthenticator.type);
  const [only, second] = found;
  if (only === undefined) return expected.required ? 'missing-message-authenticator' : null;
  // At most one (RFC 3579 §3.3): of two, a receiver that checks either is fooled by the other.
  if (second !== undefined || only.value.length !== AUTHENTICATOR_LENGTH)
    return 'malformed-message-authenticator';
  const signed = new Uint8Array(packet.bytes);
  signed.set(expected.authenticator, AUTHENTICATOR_OFFSET);
  signed.fill(0, only.offset, only.offset + AUTHENTICATOR_LENGTH);
  return timingSafeEqual(expected.secret.hmac(signed), only.value) ? null : 'wrong-message-authenticator';
}

function matchesDigest(packet: RadiusPacket, secret: RadiusSecret, authenticator: Uint8Array): boolean {
  return timingSafeEqual(secret.md5After(packet.bytes, authenticator), packet.authenticator);
}

export interface ResponseExpectation {
  readonly secret: RadiusSecret;
  /** Of the request that the packet answers; 16 bytes. */
  readonly requestAuthenticator: Uint8Array;
  readonly requireMessageAuthenticator: boolean;
}

/** Null for a response made with the secret for that request, else why not. */
export function refuseResponse(packet: RadiusPacket, expected: ResponseExpectation): RadiusRefusal | null {
  const { secret, requestAuthenticator, requireMessageAuthenticator } = expected;
  if (!matchesDigest(packet, secret, requestAuthenticator)) return 'wrong-response-authenticator';
  return refuseMessageAuthenticator(packet, {
    secret,
    authenticator: requestAuthenticator,
    required: requireMessageAuthenticator,
  });
}

/**
 * Null for a request made with the secret, else why not. An Access-Request has a random authenticator: only its
 * Message-Authenticator can be checked.
 */
export function refuseRequest(
  packet: RadiusPacket,
  expected: Omit<ResponseExpectation, 'requestAuthenticator'>,
): RadiusRefusal | null {
  const { secret, requireMessageAuthenticator: required } = expected;
  if (packet.code === RadiusCode['Access-Request']) {
    return refuseMessageAuthenticator(packet, { secret, authenticator: packet.authenticator, required });
  }
  if (!matchesDigest(packet, secret, ZERO_AUTHENTICATOR)) return 'wrong-request-authenticator';
  return refuseMessageAuthenticator(packet, { secret, authenticator: ZERO_AUTHENTICATOR, required });
}
