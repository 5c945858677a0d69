/**
 * The nonces that clients were given to know our FORCERENEW by (RFC 6704 §3.1). Kept while the process lives: after a
 * restart a client has none of ours until it selects an address again. Decides nothing about leases and sends nothing.
 */
import { randomBytes } from 'node:crypto';
import { attachmentKey } from '../model/access-line.js';
import type { Attachment } from '../model/access-line.js';
import type { Clock } from '../model/clock.js';
import type { DhcpVerdict } from '../session/inlet.js';
import {
  AuthenticationInformation,
  HMAC_MD5_ALGORITHM,
  NONCE_LENGTH,
  reconfigureKey,
} from '../wire/dhcpv4-authentication.js';
import type { DhcpMessage } from '../wire/dhcpv4-message.js';
import { DhcpOption } from '../wire/dhcpv4-option-codes.js';
import type { ClientMessage } from './classify.js';

/** As many as the dataplane holds subscribers; the oldest goes. */
const MOST_NONCES = 131_072;

export class Nonces {
  readonly #byStation = new Map<string, Uint8Array>();
  readonly #clock: Clock;
  #lastReplay = 0n;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What an answer says of nonces; undefined where the client has not offered to understand them. */
  optionFor(
    asked: DhcpMessage,
    { type, line, ...how }: ClientMessage,
    verdict: DhcpVerdict,
  ): readonly [code: number, value: Uint8Array] | undefined {
    const algorithms = asked.options.get(DhcpOption.ForceRenewNonceCapable);
    if (algorithms?.includes(HMAC_MD5_ALGORITHM) !== true) return undefined;
    if (verdict.kind === 'offer') {
      return [DhcpOption.ForceRenewNonceCapable, new Uint8Array(1).fill(HMAC_MD5_ALGORITHM)];
    }
    if (verdict.kind !== 'ack' || type !== 'request') return undefined;
    const key = attachmentKey(line);
    // RFC 6704 §3.1.3: a nonce goes over the wire as seldom as it can, and XDP gives none.
    if ('kind' in how && (how.kind === 'renewing' || how.kind === 'rebinding')) return undefined;
    const nonce = new Uint8Array(randomBytes(NONCE_LENGTH));
    this.#byStation.delete(key);
    this.#byStation.set(key, nonce);
    for (const oldest of this.#byStation.keys()) {
      if (this.#byStation.size <= MOST_NONCES) break;
      this.#byStation.delete(oldest);
    }
    const value = reconfigureKey(AuthenticationInformation.Nonce, this.nextReplay(), nonce);
    return [DhcpOption.Authentication, value];
  }

  of(station: Attachment): Uint8Array | null {
    return this.#byStation.get(attachmentKey(station)) ?? null;
  }

  /** Rises over restarts too: wall time, and at least one more than the last. */
  nextReplay(): bigint {
    const now = BigInt(Math.floor(this.#clock.wallMs() * 1000));
    this.#lastReplay = now > this.#lastReplay ? now : this.#lastReplay + 1n;
    return this.#lastReplay;
  }
}
