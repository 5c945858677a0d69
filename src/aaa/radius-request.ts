/** What a RADIUS client is asked to send, and that request as one packet under one identifier. Sends nothing. */
import { randomFillSync } from 'node:crypto';
import type { RadiusAttributes } from '../wire/radius-attributes.js';
import { RadiusAttributesBuilder } from '../wire/radius-attributes-builder.js';
import { Attribute } from '../wire/radius-dictionary.js';
import { encodeAccessRequest, encodeSignedRequest } from '../wire/radius-encode.js';
import {
  AUTHENTICATOR_LENGTH,
  AUTHENTICATOR_OFFSET,
  HEADER_LENGTH,
  RadiusCode,
} from '../wire/radius-packet.js';
import type { RadiusSecret } from '../wire/radius-secret.js';

export type RadiusRequest =
  | {
      readonly kind: 'access';
      readonly attributes: RadiusAttributes;
      /** In the clear; null sends no User-Password. */
      readonly password: Uint8Array | null;
      /** For this exchange instead of the client's own. */
      readonly deadlineMs?: number;
    }
  | {
      readonly kind: 'accounting';
      /** Without Acct-Delay-Time: it is added, and true on every transmission. */
      readonly attributes: RadiusAttributes;
      /** When what is reported happened. Wall time: the record may come from a store, out of another run. */
      readonly happenedWallMs: number;
      /** Sent again at even intervals, without backoff: the only request of an outage, which finds its end. */
      readonly steady?: boolean;
      readonly deadlineMs?: number;
    };

export interface SealedRequest {
  readonly bytes: Uint8Array;
  readonly authenticator: Uint8Array;
}

export interface Seal {
  readonly identifier: number;
  readonly secret: RadiusSecret;
  /** Seconds for Acct-Delay-Time. */
  readonly delaySeconds: number;
}

/** Seconds since what the request reports; 0 for what has no Acct-Delay-Time. */
export function delaySecondsOf(request: RadiusRequest, wallMs: number): number {
  // A wall clock set back in between would make it negative.
  return request.kind === 'access' ? 0 : Math.max(0, Math.floor((wallMs - request.happenedWallMs) / 1000));
}

const POOL_LENGTH = 256 * AUTHENTICATOR_LENGTH;

/** Random authenticators out of one larger draw: a draw of 16 bytes costs nearly as much as one of 4096. */
export class AuthenticatorSource {
  #pool = new Uint8Array(POOL_LENGTH);
  #at = POOL_LENGTH;

  next(): Uint8Array {
    if (this.#at === POOL_LENGTH) {
      this.#pool = randomFillSync(new Uint8Array(POOL_LENGTH));
      this.#at = 0;
    }
    this.#at += AUTHENTICATOR_LENGTH;
    return this.#pool.subarray(this.#at - AUTHENTICATOR_LENGTH, this.#at);
  }
}

/** The packet for the wire. Attributes that fit no packet are `BNG_ERR_VALUE`. */
export function sealRequest(
  request: RadiusRequest,
  seal: Seal,
  authenticators: AuthenticatorSource,
): SealedRequest {
  const { identifier, secret, delaySeconds } = seal;
  if (request.kind === 'access') {
    const authenticator = authenticators.next();
    const { attributes, password } = request;
    return {
      bytes: encodeAccessRequest({ identifier, authenticator, attributes, password, secret }),
      authenticator,
    };
  }
  const attributes = new RadiusAttributesBuilder()
    .addAll(request.attributes)
    .add(Attribute.AcctDelayTime, delaySeconds)
    .build();
  const bytes = encodeSignedRequest({
    code: RadiusCode['Accounting-Request'],
    identifier,
    attributes,
    secret,
    // RFC 2866 §5.13 knows none here, and the Request Authenticator already covers the whole packet.
    messageAuthenticator: false,
  });
  return { bytes, authenticator: bytes.subarray(AUTHENTICATOR_OFFSET, HEADER_LENGTH) };
}
