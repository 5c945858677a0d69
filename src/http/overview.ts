/** What the operator page is told of the whole BNG, as it goes over the wire. Types only, so that the page can share them. */
import type { SessionStateName } from '../model/session-state.js';

/** One moment of the charts. */
export interface OverviewSample {
  /** Milliseconds since 1970. */
  readonly at_ms: number;
  readonly sessions: Readonly<Record<SessionStateName, number>>;
  /** Null while nobody watched: the counters of every subscriber are read for watchers only. */
  readonly upstream_bps: number | null;
  readonly downstream_bps: number | null;
  /** Frames dropped a second since the sample before, all reasons together; null in the first. */
  readonly drops_per_second: number | null;
}

export interface OverviewPool {
  readonly name: string;
  readonly network: string | null;
  readonly capacity: number;
  readonly allocated: number;
  readonly quarantined: number;
  readonly available: number;
  readonly utilization: number;
  readonly state: 'open' | 'draining' | 'drained';
  readonly groups: readonly string[];
}

export interface OverviewServer {
  readonly name: string;
  readonly role: 'auth' | 'acct';
  readonly state: 'alive' | 'dead' | 'probing';
  readonly requests: number;
  readonly in_flight: number;
  readonly retransmissions: number;
  readonly smoothed_ms: number | null;
}

export interface OverviewPort {
  readonly interface: string;
  readonly role: 'access' | 'core';
  readonly xdp_mode: 'native' | 'generic';
}

export interface OverviewCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly degraded: boolean;
  readonly detail: string;
}

/** Everything but the sessions themselves. */
export interface Overview {
  readonly sample: OverviewSample;
  /** Subscribers in the dataplane; null before the first reading. */
  readonly installed: number | null;
  /** Frames dropped since start, by reason, as decimal strings. */
  readonly drops: Readonly<Record<string, string>>;
  readonly pools: readonly OverviewPool[];
  readonly radius: {
    readonly auth_mode: 'local' | 'radius';
    readonly accounting_mode: 'radius' | 'log' | 'none';
    readonly servers: readonly OverviewServer[];
    /** Null where there is no durable queue. */
    readonly accounting: {
      readonly length: number;
      readonly oldest_age_seconds: number;
      readonly outage: boolean;
    } | null;
  };
  readonly ports: readonly OverviewPort[];
  readonly checks: readonly OverviewCheck[];
}

/** An event of a session; what else it says depends on its type. */
export interface OverviewEvent {
  readonly type: string;
  readonly at: string;
  readonly session: { readonly id: string; readonly ont_serial: string | null };
  readonly [member: string]: unknown;
}

/** The newest events since the message before; `skipped` older ones are not told. */
export interface OverviewEvents {
  readonly events: readonly OverviewEvent[];
  readonly skipped: number;
}
