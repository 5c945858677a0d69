/** What a RADIUS client counts of one server. Plain values for metrics and operators; decides nothing. */
import type { RadiusRefusal } from '../wire/radius-verify.js';
import { RADIUS_REFUSALS } from '../wire/radius-verify.js';

export const RADIUS_IGNORED_REASONS = [
  ...RADIUS_REFUSALS,
  'malformed',
  'unknown-identifier',
  'unexpected-code',
] as const;

/** Why a datagram from the server's address was not taken for an answer. */
export type RadiusIgnoredReason = RadiusRefusal | 'malformed' | 'unknown-identifier' | 'unexpected-code';

/** What an operator can do about an ignored answer. */
export const RADIUS_IGNORED_EXPLANATION: Readonly<Record<RadiusIgnoredReason, string>> = {
  'wrong-response-authenticator':
    'the Response Authenticator does not match: a different secret, or a forgery',
  'wrong-request-authenticator': 'the Request Authenticator does not match: a different secret, or a forgery',
  'wrong-message-authenticator': 'the Message-Authenticator does not match: a different secret, or a forgery',
  'malformed-message-authenticator': 'more than one Message-Authenticator, or one that is not 16 bytes',
  'missing-message-authenticator':
    'no Message-Authenticator, without which answers can be forged (CVE-2024-3596); FreeRADIUS 3.2.1 adds one only ' +
    'when told: update reply { Message-Authenticator := 0x00 }; or set requireMessageAuthenticator: false',
  malformed: 'not a RADIUS packet',
  'unknown-identifier': 'no request waits for it: late, repeated, or not asked for',
  'unexpected-code': 'a code that does not answer the request',
};

/** Upper bounds of the round-trip histogram, in ms; one more bucket holds what is above. */
export const RTT_BOUNDS_MS = [
  1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000,
] as const;

export type RadiusOutcome =
  | 'access-accept'
  | 'access-reject'
  | 'access-challenge'
  | 'accounting-response'
  | 'no-answer';

export interface RadiusServerStatistics {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** `probing`: dead, and one exchange is trying it. */
  readonly state: 'alive' | 'dead' | 'probing';
  /** Exchanges that were sent to this server at all. */
  readonly requests: number;
  /** How they ended here; `no-answer` is an exchange that went elsewhere or ran out. */
  readonly outcomes: Readonly<Record<RadiusOutcome, number>>;
  readonly retransmissions: number;
  readonly ignored: Readonly<Record<RadiusIgnoredReason, number>>;
  /** Datagrams that the system would not send, and errors it reported of a socket. */
  readonly socketErrors: number;
  /** Identifiers in use. */
  readonly inFlight: number;
  readonly sockets: number;
  readonly rtt: {
    readonly count: number;
    readonly sumMs: number;
    readonly lastMs: number | null;
    /** Smoothed as in RFC 6298 §2 (alpha 1/8). */
    readonly smoothedMs: number | null;
    /** One count for each of `RTT_BOUNDS_MS` and one above; not cumulative. */
    readonly buckets: readonly number[];
  };
}

type Counts = Pick<
  RadiusServerStatistics,
  'requests' | 'outcomes' | 'retransmissions' | 'ignored' | 'socketErrors' | 'rtt'
>;

export class RadiusCounters {
  readonly #outcomes: Record<RadiusOutcome, number> = {
    'access-accept': 0,
    'access-reject': 0,
    'access-challenge': 0,
    'accounting-response': 0,
    'no-answer': 0,
  };
  readonly #ignored = Object.fromEntries(RADIUS_IGNORED_REASONS.map((reason) => [reason, 0])) as Record<
    RadiusIgnoredReason,
    number
  >;
  readonly #buckets: number[] = Array.from({ length: RTT_BOUNDS_MS.length + 1 }, () => 0);
  #rtt = { count: 0, sumMs: 0, lastMs: null as number | null, smoothedMs: null as number | null };
  requests = 0;
  retransmissions = 0;
  socketErrors = 0;

  outcome(outcome: RadiusOutcome): void {
    this.#outcomes[outcome] += 1;
  }

  /** True for the first of its reason. */
  ignored(reason: RadiusIgnoredReason): boolean {
    this.#ignored[reason] += 1;
    return this.#ignored[reason] === 1;
  }

  roundTrip(ms: number): void {
    const { count, sumMs, smoothedMs } = this.#rtt;
    this.#rtt = {
      count: count + 1,
      sumMs: sumMs + ms,
      lastMs: ms,
      smoothedMs: smoothedMs === null ? ms : smoothedMs + (ms - smoothedMs) / 8,
    };
    const above = RTT_BOUNDS_MS.findIndex((bound) => ms <= bound);
    const bucket = above === -1 ? RTT_BOUNDS_MS.length : above;
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
  }

  snapshot(): Counts {
    return {
      requests: this.requests,
      outcomes: { ...this.#outcomes },
      retransmissions: this.retransmissions,
      ignored: { ...this.#ignored },
      socketErrors: this.socketErrors,
      rtt: { ...this.#rtt, buckets: [...this.#buckets] },
    };
  }
}
