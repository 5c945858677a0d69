/**
 * RADIUS packets as they are sent: requests (RFC 2865 §3, RFC 2866 §3, RFC 5176 §2.3) and responses, each with its
 * authenticators. The Message-Authenticator goes first, so that an answer to a forged prefix cannot be completed
 * (BlastRADIUS, CVE-2024-3596).
 */
import { BngError } from '../model/bng-error.js';
import type { RadiusAttributes } from './radius-attributes.js';
import { RadiusAttributesBuilder } from './radius-attributes-builder.js';
import { Attribute } from './radius-dictionary.js';
import {
  AUTHENTICATOR_LENGTH,
  AUTHENTICATOR_OFFSET,
  HEADER_LENGTH,
  layOutRadiusPacket,
  RadiusCode,
} from './radius-packet.js';
import type { RadiusSecret } from './radius-secret.js';

/** Type, length, 16 bytes (RFC 3579 §3.2). */
const MESSAGE_AUTHENTICATOR_LENGTH = 18;
const VALUE_OFFSET = HEADER_LENGTH + 2;

interface Unsigned {
  readonly code: number;
  readonly identifier: number;
  readonly attributes: RadiusAttributes;
}

function layOut(unsigned: Unsigned, messageAuthenticator: boolean): Uint8Array {
  if (unsigned.attributes.hasType(Attribute.MessageAuthenticator.type)) {
    throw new BngError(
      'BNG_ERR_VALUE',
      'expected attributes without a Message-Authenticator: it is added here',
    );
  }
  const bytes = layOutRadiusPacket({
    ...unsigned,
    room: messageAuthenticator ? MESSAGE_AUTHENTICATOR_LENGTH : 0,
  });
  if (messageAuthenticator) {
    bytes[HEADER_LENGTH] = Attribute.MessageAuthenticator.type;
    bytes[HEADER_LENGTH + 1] = MESSAGE_AUTHENTICATOR_LENGTH;
  }
  return bytes;
}

export interface AccessRequest {
  readonly identifier: number;
  /** 16 bytes that nobody can guess and that are never used again with this secret (RFC 2865 §3). */
  readonly authenticator: Uint8Array;
  /** Without User-Password and Message-Authenticator. */
  readonly attributes: RadiusAttributes;
  /** In the clear; null sends no User-Password. */
  readonly password: Uint8Array | null;
  readonly secret: RadiusSecret;
}

/** An Access-Request, Message-Authenticator first. What does not fit is `BNG_ERR_VALUE`. */
export function encodeAccessRequest(request: AccessRequest): Uint8Array {
  const { identifier, authenticator, attributes, password, secret } = request;
  if (authenticator.length !== AUTHENTICATOR_LENGTH) {
    throw new BngError('BNG_ERR_VALUE', 'expected an authenticator of 16 bytes', {
      found: authenticator.length,
    });
  }
  const all =
    password === null
      ? attributes
      : new RadiusAttributesBuilder()
          .addAll(attributes)
          .add(Attribute.UserPassword, secret.hidePassword(password, authenticator))
          .build();
  const bytes = layOut({ code: RadiusCode['Access-Request'], identifier, attributes: all }, true);
  bytes.set(authenticator, AUTHENTICATOR_OFFSET);
  bytes.set(secret.hmac(bytes), VALUE_OFFSET);
  return bytes;
}

export interface SignedRequest {
  readonly code: (typeof RadiusCode)['Accounting-Request' | 'Disconnect-Request' | 'CoA-Request'];
  readonly identifier: number;
  readonly attributes: RadiusAttributes;
  readonly secret: RadiusSecret;
  readonly messageAuthenticator: boolean;
}

/**
 * A request whose authenticator is a digest of itself (RFC 2866 §3, RFC 5176 §2.3). The Message-Authenticator is made with
 * a zero authenticator (RFC 5176 §3.4) and is part of what the Request Authenticator covers.
 */
export function encodeSignedRequest(request: SignedRequest): Uint8Array {
  const { secret, messageAuthenticator } = request;
  const bytes = layOut(request, messageAuthenticator);
  if (messageAuthenticator) bytes.set(secret.hmac(bytes), VALUE_OFFSET);
  bytes.set(secret.md5After(bytes), AUTHENTICATOR_OFFSET);
  return bytes;
}

export interface RadiusResponse {
  readonly code: number;
  /** What is answered. */
  readonly request: { readonly identifier: number; readonly authenticator: Uint8Array };
  readonly attributes: RadiusAttributes;
  readonly secret: RadiusSecret;
  readonly messageAuthenticator: boolean;
}

/**
 * A response (RFC 2865 §3): its Message-Authenticator (RFC 3579 §3.2) and then its Response Authenticator are made with
 * the request's authenticator in place.
 */
export function encodeRadiusResponse(response: RadiusResponse): Uint8Array {
  const { code, request, attributes, secret, messageAuthenticator } = response;
  const bytes = layOut({ code, identifier: request.identifier, attributes }, messageAuthenticator);
  bytes.set(request.authenticator, AUTHENTICATOR_OFFSET);
  if (messageAuthenticator) bytes.set(secret.hmac(bytes), VALUE_OFFSET);
  bytes.set(secret.md5After(bytes), AUTHENTICATOR_OFFSET);
  return bytes;
}
