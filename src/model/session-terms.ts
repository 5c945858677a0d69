/** What AAA says of one session beside its service profile: timers, a fixed address, and what accounting must echo. */
import type { Ipv4 } from './ipv4.js';
import type { Mac } from './mac.js';

export interface SessionTerms {
  /** As the subscriber is known to the AAA server (User-Name). */
  readonly userName: string;
  /** The one address the subscriber must have; null lets the pool place it. */
  readonly fixedAddress: Ipv4 | null;
  /** The one station that may have a static address; left out, the first that is sighted. */
  readonly fixedMac?: Mac;
  readonly sessionTimeoutSeconds: number | null;
  readonly idleTimeoutSeconds: number | null;
  /** Null leaves the interval to the accounting's own default. */
  readonly interimIntervalSeconds: number | null;
  /** Opaque Class attributes in their order (RFC 2865 §5.25). */
  readonly classes: readonly Uint8Array[];
}

/** The terms of a subscriber whose authenticator has nothing to say but a name. */
export function plainTerms(userName: string): SessionTerms {
  return {
    userName,
    fixedAddress: null,
    sessionTimeoutSeconds: null,
    idleTimeoutSeconds: null,
    interimIntervalSeconds: null,
    classes: [],
  };
}
