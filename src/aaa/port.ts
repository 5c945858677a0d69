/** What the session layer asks of authentication and accounting. Values only: no RADIUS, no sockets. */
import type { AuditSession } from '../model/audit.js';
import type { AccessLine, AnnouncedLine } from '../model/access-line.js';
import type { Ipv4 } from '../model/ipv4.js';
import type { Mac } from '../model/mac.js';
import type { SessionTerms } from '../model/session-terms.js';
import type { ServiceProfile } from '../model/service-profile.js';
import type { TrafficCounters } from '../model/traffic-counters.js';
import type { StoreResult } from '../store/port.js';

export interface AuthenticationRequest {
  /** The session layer's stable name of the subscriber; equal for every session of the same access line. */
  readonly subscriberId: string;
  readonly ontSerial: string | null;
  /** Where it was first seen; null when an OLT event announced it before any frame came. */
  readonly line: AccessLine | null;
  /** As the access node has it: known before any frame, when `line` is not. */
  readonly announced?: AnnouncedLine | null;
}

export type AuthenticationResult =
  /** `resumeTo` is null unless the subscriber is suspended: then it is the profile it comes back to. */
  | {
      readonly kind: 'accepted';
      readonly profile: ServiceProfile;
      readonly resumeTo: ServiceProfile | null;
      readonly terms: SessionTerms;
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
  | 'Idle-Timeout'
  | 'User-Request'
  | 'Lost-Carrier'
  | 'Session-Timeout'
  | 'Admin-Reset'
  | 'Service-Unavailable'
  | 'NAS-Request';

/** One use of one address. */
export interface AccountingSession {
  /** Acct-Session-Id: never used again for another. */
  readonly accountingId: string;
  /** Acct-Multi-Session-Id: the same for all addresses that one session has in turn (RFC 2866 §5.11). */
  readonly multiSessionId: string;
  readonly subscriberId: string;
  readonly ontSerial: string | null;
  readonly line: AccessLine;
  readonly address: Ipv4;
  readonly profile: ServiceProfile;
  readonly terms: SessionTerms;
  readonly startedWallMs: number;
}

/** What a session has used so far; neither ever goes back. */
export interface AccountingUsage {
  readonly traffic: TrafficCounters;
  readonly durationMs: number;
}

/** A record given here is kept until it is delivered; none of these calls waits for a server. */
export interface Accounting {
  /** Between two interim records of a session whose terms name no interval. */
  readonly interimIntervalSeconds: number;
  start(session: AccountingSession): void;
  interim(session: AccountingSession, usage: AccountingUsage): void;
  stop(session: AccountingSession, final: AccountingUsage & { readonly cause: TerminateCause }): void;
  /** Resolves when every record given before would survive a crash, or when it is known that it would not. */
  stored(): Promise<unknown>;
}

/** What a start asks of the books that an earlier run has left. */
export interface EarlierBooks {
  /** Whether the server takes this accounting session for ended. */
  readonly isOver: (accountingId: string) => boolean;
  /** What closes one of these: a Stop with the last counters, those given if they are more. Nothing for one that is closed. */
  readonly closing: (
    accountingIds: readonly string[],
  ) => Promise<StoreResult<(accountingId: string, known: AccountingUsage) => void>>;
}

/** Names one session in a CoA or Disconnect; all that is given must agree (RFC 5176 §3). */
export interface SessionSelector {
  readonly accountingId?: string;
  readonly userName?: string;
  readonly framedAddress?: Ipv4;
  readonly mac?: Mac;
  readonly circuitId?: Uint8Array;
}

/** What a CoA changes; what is left out stays. */
export interface AuthorizationChange {
  readonly poolName?: string;
  readonly serviceId?: string;
  readonly downloadBitsPerSecond?: number;
  readonly uploadBitsPerSecond?: number;
  /** Null takes the limit away. */
  readonly sessionTimeoutSeconds?: number | null;
  readonly idleTimeoutSeconds?: number | null;
  /** Null goes back to the accounting's own. */
  readonly interimIntervalSeconds?: number | null;
}

/** The session that an order named, for the audit log. */
export interface AuthorizationSubject {
  readonly before: AuditSession;
  readonly after: AuditSession;
}

export type AuthorizationOutcome = { readonly subject?: AuthorizationSubject } & (
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly kind: 'no-session' | 'ambiguous' | 'invalid' | 'failed';
      readonly reason: string;
    }
);

/** What the AAA server may order of a session that is up. Resolves when the dataplane has it. */
export interface AuthorizationInlet {
  changeAuthorization(selector: SessionSelector, change: AuthorizationChange): Promise<AuthorizationOutcome>;
  disconnect(selector: SessionSelector): Promise<AuthorizationOutcome>;
}
