/**
 * Whether a datagram is a request of the client that it says it is from, made just now (RFC 5176 §2.3, §6.3). Remembers
 * nothing and asks for nothing.
 */
import type { RadiusPacket } from '../wire/radius-packet.js';
import { decodeRadiusPacket, MAX_PACKET, RadiusCode } from '../wire/radius-packet.js';
import { Attribute } from '../wire/radius-dictionary.js';
import type { RadiusSecret } from '../wire/radius-secret.js';
import { refuseRequest } from '../wire/radius-verify.js';
import { isWireError } from '../model/bng-error.js';
import type { CoaKind } from './coa-request.js';
import type { CoaDrop } from './coa-statistics.js';

export interface AdmissionRules {
  /** Drops requests without a Message-Authenticator; one that is there is checked in any case. */
  readonly requireMessageAuthenticator: boolean;
  /** How far an Event-Timestamp may be from our clock, both ways; RFC 5176 §6.3 recommends 300. */
  readonly replayWindowSeconds: number;
}

export interface AdmittedRequest {
  readonly kind: CoaKind;
  readonly packet: RadiusPacket;
  /** Event-Timestamp, in seconds since 1970; null without one. */
  readonly timestamp: number | null;
}

const KIND_OF: Readonly<Record<number, CoaKind>> = {
  [RadiusCode['CoA-Request']]: 'CoA',
  [RadiusCode['Disconnect-Request']]: 'Disconnect',
};
/** An answer may hold this much more than it echoes: Message-Authenticator and Error-Cause. */
const ANSWER_ROOM = 24;
/** Without a timestamp the same bytes may soon be a new order; this covers the retransmissions of RFC 5080 §2.2.1. */
const UNDATED_MS = 30_000;

/** The request, or why it is dropped without an answer. `wallMs` is now, in ms since 1970. */
export function admit(
  datagram: Uint8Array,
  secret: RadiusSecret,
  rules: AdmissionRules & { readonly wallMs: number },
): AdmittedRequest | CoaDrop {
  try {
    const packet = decodeRadiusPacket(datagram);
    const kind = KIND_OF[packet.code];
    if (kind === undefined) return 'unexpected-code';
    if (packet.bytes.length > MAX_PACKET - ANSWER_ROOM) return 'malformed';
    const { requireMessageAuthenticator } = rules;
    const refusal = refuseRequest(packet, { secret, requireMessageAuthenticator });
    if (refusal !== null) return refusal;
    const timestamp = packet.attributes.first(Attribute.EventTimestamp) ?? null;
    const awaySeconds = timestamp === null ? 0 : Math.abs(rules.wallMs / 1000 - timestamp);
    return awaySeconds > rules.replayWindowSeconds ? 'stale-timestamp' : { kind, packet, timestamp };
  } catch (error) {
    if (isWireError(error)) return 'malformed';
    throw error;
  }
}

/** For how long, in ms, the same bytes would be admitted again. */
export function repeatableMs(
  { timestamp }: AdmittedRequest,
  { replayWindowSeconds, wallMs }: { readonly replayWindowSeconds: number; readonly wallMs: number },
): number {
  if (timestamp === null) return UNDATED_MS;
  // One second more: both ends of the window are current.
  return Math.max(UNDATED_MS, (timestamp + replayWindowSeconds + 1) * 1000 - wallMs);
}
