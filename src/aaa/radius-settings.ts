/** What a RADIUS client is told: servers, times, bounds. Values only. */
import type { RadiusSecret } from '../wire/radius-secret.js';

export interface RadiusServer {
  /** How operators know it: in metrics, logs and `bngctl radius`. */
  readonly name: string;
  /** An IPv4 address or a name; answers must come from just there, the kernel drops others unseen. */
  readonly host: string;
  readonly port: number;
  readonly secret: RadiusSecret;
  /**
   * Refuses answers to Access-Requests that carry no Message-Authenticator: without one they can be forged
   * (CVE-2024-3596). One that is there is checked in any case. Answers to accounting carry none and need none.
   */
  readonly requireMessageAuthenticator: boolean;
}

/** RFC 5080 §2.2.1, in ms; the deadline is its MRD. */
export interface RadiusTimers {
  readonly initialRetransmitMs: number;
  readonly maxRetransmitMs: number;
  /** To one server, the first included. */
  readonly maxTransmissions: number;
  /** Of a whole exchange over all servers, waiting for a free identifier included. */
  readonly deadlineMs: number;
  /** Transmissions to one server before the next in order is tried, where there is one. */
  readonly failoverAfter: number;
  /** How long a server that did not answer is left alone before one exchange tries it again. */
  readonly deadMs: number;
}

export const DEFAULT_RADIUS_TIMERS: RadiusTimers = {
  initialRetransmitMs: 2_000,
  maxRetransmitMs: 16_000,
  maxTransmissions: 5,
  deadlineMs: 30_000,
  failoverAfter: 2,
  deadMs: 30_000,
};

export interface RadiusLimits {
  /** Source ports to one server; each carries 256 requests at a time (RFC 2865 §3). */
  readonly maxSockets: number;
  /** Exchanges that wait for a free identifier; beyond it they end as `overloaded` at once. */
  readonly maxQueued: number;
}

export const DEFAULT_RADIUS_LIMITS: RadiusLimits = { maxSockets: 64, maxQueued: 10_000 };
