/** What the session layer asks of authentication and accounting. Values only: no RADIUS, no sockets. */
import type { AccessLine } from '../model/access-line.js';
import type { Ipv4 } from '../model/ipv4.js';
import type { ServiceProfile } from '../model/service-profile.js';
import type { TrafficCounters } from '../model/traffic-counters.js';

export interface AuthenticationRequest {
  /** The session layer's stable name of the subscriber; equal for every session of the same access line. */
  readonly subscriberId: string;
  readonly ontSerial: string | null;
  /** Where it was first seen; null when an OLT event announced it before any frame came. */
  readonly line: AccessLine | null;
}

export type AuthenticationResult =
  /** `resumeTo` is null unless the subscriber is suspended: then it is the profile it comes back to. */
  | {
      readonly kind: 'accepted';
      readonly profile: ServiceProfile;
      readonly resumeTo: ServiceProfile | null;
    }
  | { readonly kind: 'rejected'; readonly reason: string }
  | { readonly kind: 'unreachable'; readonly reason: string };

export interface Authenticator {
  authenticate(request: AuthenticationRequest): Promise<AuthenticationResult>;
  /** Moves the subscriber's record: later authentications are accepted with just this. */
  assign(subscriberId: string, profile: ServiceProfile, resumeTo: ServiceProfile | null): void;
  /** Forgets what was assigned: later authentications grant the default. */
  forget(subscriberId: string): void;
}

/** Why accounting stops (RFC 2866 §5.10). */
export type TerminateCause =
  | 'User-Request'
  | 'Lost-Carrier'
  | 'Session-Timeout'
  | 'Admin-Reset'
  | 'Service-Unavailable'
  | 'NAS-Request';

/** One use of one address; `accountingId` is never used again for another. */
export interface AccountingSession {
  readonly accountingId: string;
  readonly subscriberId: string;
  readonly ontSerial: string | null;
  readonly line: AccessLine;
  readonly address: Ipv4;
  readonly profile: ServiceProfile;
  readonly startedWallMs: number;
}

export interface Accounting {
  start(session: AccountingSession): void;
  stop(
    session: AccountingSession,
    final: { readonly traffic: TrafficCounters; readonly cause: TerminateCause; readonly durationMs: number },
  ): void;
}
