/**
 * What operators are told of AAA, as plain values: the port through which the composition root hands it in. Counts run from
 * the start of the process. Holds no protocol and no rendering.
 */

export interface RadiusReport {
  readonly authMode: 'local' | 'radius';
  readonly accountingMode: 'radius' | 'log' | 'none';
  /** In the order in which they are asked, those for authentication first; empty where nothing speaks RADIUS. */
  readonly servers: readonly RadiusServerReport[];
  /** One for each kind of server port that is in use. */
  readonly clients: readonly RadiusClientReport[];
  /** Null in local mode. */
  readonly authenticator: RadiusAuthenticatorReport | null;
  /** Null where there is no durable queue: without a store, and with accounting switched off. */
  readonly accounting: AccountingQueueReport | null;
  /** Null where no CoA server listens. */
  readonly coa: CoaReport | null;
}

export type RadiusRole = 'auth' | 'acct';

export interface RadiusServerReport {
  /** `host:port`, from the configuration. */
  readonly name: string;
  readonly role: RadiusRole;
  /** `probing`: dead, and one request is trying it. */
  readonly state: 'alive' | 'dead' | 'probing';
  /** Requests that wait for their answer, by identifiers in use. */
  readonly inFlight: number;
  readonly sockets: number;
  readonly requests: number;
  /** How they ended, by a closed set of outcomes; those of the role's own requests only. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly retransmissions: number;
  readonly ignored: readonly IgnoredAnswers[];
  readonly socketErrors: number;
  readonly roundTrip: RoundTripReport;
}

/** Datagrams from the server's address that were not taken for an answer. */
export interface IgnoredAnswers {
  readonly reason: string;
  readonly count: number;
  readonly explanation: string;
}

export interface RoundTripReport {
  readonly count: number;
  readonly sumMs: number;
  readonly lastMs: number | null;
  readonly smoothedMs: number | null;
  /** Upper bounds in ascending order. */
  readonly boundsMs: readonly number[];
  /** One count for each bound and one above; not cumulative. */
  readonly buckets: readonly number[];
}

export interface RadiusClientReport {
  readonly role: RadiusRole;
  /** Requests that wait for a free identifier. */
  readonly queued: number;
  /** Requests that ended without having been sent. */
  readonly overloaded: number;
  /** Requests that no server answered. */
  readonly timeouts: number;
}

export interface RadiusAuthenticatorReport {
  readonly accepted: number;
  readonly rejected: number;
  readonly timeouts: number;
  readonly malformed: number;
  readonly unsupported: number;
  readonly unknownAttributes: number;
  readonly raisedInterims: number;
}

export interface AccountingQueueReport {
  readonly length: number;
  /** Of those, not in the store: lost if the process dies now. */
  readonly unsaved: number;
  readonly inFlight: number;
  readonly oldestAgeMs: number;
  readonly delivered: number;
  readonly retried: number;
  readonly dropped: Readonly<Record<'supersededInterim' | 'unsendable' | 'damaged', number>>;
  /** Nobody answers. */
  readonly outage: boolean;
  /** Why the store takes nothing at the moment. */
  readonly storeFailure: string | null;
}

export interface CoaReport {
  readonly unknownClients: number;
  readonly socketErrors: number;
  readonly clients: readonly CoaClientReport[];
}

export interface CoaClientReport {
  readonly address: string;
  readonly underWay: number;
  readonly duplicates: number;
  readonly sendErrors: number;
  readonly requests: readonly CoaRequestCounts[];
  /** By reason; a closed set. */
  readonly dropped: Readonly<Record<string, number>>;
}

export interface CoaRequestCounts {
  readonly code: 'CoA-Request' | 'Disconnect-Request';
  readonly received: number;
  /** `ack`, or the name of the Error-Cause of a NAK (RFC 5176 §3.5). */
  readonly answers: Readonly<Record<string, number>>;
}
