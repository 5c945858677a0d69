/** The parts of the API's answers that bngctl shows, as types. The API's own schemas are the authority. */
import type { MapValue } from './map-view.js';

export interface SessionAnswer {
  readonly id: string;
  readonly ont_serial: string | null;
  readonly circuit_id: string | null;
  readonly circuit_id_hex: string | null;
  readonly state: string;
  readonly lease_phase: string;
  readonly attachment: {
    readonly interface_index: number;
    readonly s_vlan: number;
    readonly c_vlan: number;
    readonly mac: string;
  } | null;
  readonly service_id: string | null;
  readonly pool: string | null;
  /** The group it was granted from; null where the pool itself was granted. */
  readonly pool_group: string | null;
  readonly walled: boolean | null;
  readonly download_bps: number | null;
  readonly upload_bps: number | null;
  readonly address: string | null;
  readonly held_address: string | null;
  readonly created_at: string;
  readonly state_since: string;
  readonly lease_expires_at: string | null;
  readonly suspended_for: string | null;
}

export interface SessionDetailAnswer extends SessionAnswer {
  readonly traffic: {
    readonly address: string;
    readonly upstream_packets: string;
    readonly upstream_bytes: string;
    readonly downstream_packets: string;
    readonly downstream_bytes: string;
  } | null;
  readonly subscriber_id: string;
  readonly authentication: {
    readonly at: string;
    readonly took_ms: number;
    readonly outcome: string;
    readonly reason: string | null;
  } | null;
  readonly terms: {
    readonly user_name: string;
    readonly fixed_address: string | null;
    readonly session_timeout_seconds: number | null;
    readonly idle_timeout_seconds: number | null;
    readonly interim_interval_seconds: number | null;
    readonly classes: readonly string[];
  } | null;
  readonly accounting: { readonly session_id: string; readonly started_at: string } | null;
  readonly radius_exchanges: readonly RadiusExchangeAnswer[];
  readonly kernel: {
    readonly maps: Readonly<Record<string, MapValue>>;
    readonly garden_member: boolean | null;
  } | null;
  readonly events: readonly EventAnswer[];
}

export interface RadiusExchangeAnswer {
  readonly kind: string;
  readonly at: string;
  readonly took_ms: number;
  readonly peer: string | null;
  readonly request: RadiusPacketAnswer;
  readonly response: RadiusPacketAnswer | null;
}

export interface RadiusPacketAnswer {
  readonly code: string;
  readonly attributes: readonly { readonly name: string; readonly value: string }[];
}

export interface SessionsAnswer {
  readonly sessions: readonly SessionAnswer[];
  readonly next_cursor: string | null;
}

export interface PoolAnswer {
  readonly name: string;
  readonly network: string | null;
  readonly capacity: number;
  readonly allocated: number;
  readonly quarantined: number;
  readonly available: number;
  readonly utilization: number;
  readonly held: number;
  readonly drain: 'none' | 'keep' | 'move';
  readonly state: 'open' | 'draining' | 'drained';
  readonly groups: readonly string[];
}

export interface PoolsAnswer {
  readonly pools: readonly PoolAnswer[];
}

export interface DropsAnswer {
  readonly drops: Readonly<Record<string, string>>;
  readonly verdicts: Readonly<Record<string, string>>;
  /** Stations that were not let in on their line; not in the answer of `counters`. */
  readonly refusals?: Readonly<Record<string, string>>;
}

export interface CountersAnswer extends DropsAnswer {
  readonly sessions: Readonly<Record<string, number>>;
  readonly installed: number;
  readonly traffic: {
    readonly upstream_packets: string;
    readonly upstream_bytes: string;
    readonly downstream_packets: string;
    readonly downstream_bytes: string;
  };
}

export interface TalkerAnswer {
  readonly ont_serial: string | null;
  readonly address: string;
  readonly pool: string | null;
  readonly upstream_bps: number;
  readonly downstream_bps: number;
  readonly upstream_pps: number;
  readonly downstream_pps: number;
  readonly upstream_bytes: string;
  readonly downstream_bytes: string;
}

export interface TopAnswer {
  readonly talkers: readonly TalkerAnswer[];
}

export interface TraceAnswer {
  readonly at: string;
  readonly kind: string;
  readonly text: string;
}

export interface HistoryAnswer {
  readonly events: readonly EventAnswer[];
}

export interface DrainAnswer {
  readonly draining: boolean;
  readonly sessions: Readonly<Record<string, number>>;
}

export interface ReloadAnswer {
  readonly changes: readonly string[];
}

export interface CheckAnswer {
  readonly name: string;
  readonly ok: boolean;
  readonly degraded?: boolean;
  readonly detail: string;
}

export interface HealthAnswer {
  readonly checks: readonly CheckAnswer[];
}

export interface OrderAnswer {
  readonly session: {
    readonly ont_serial: string;
    readonly old_state: string;
    readonly new_state: string;
    readonly old_ip: string | null;
    readonly message: string;
  };
}

export interface EventAnswer {
  readonly type: string;
  readonly at: string;
  readonly from?: string;
  readonly to?: string;
  readonly address?: string;
  readonly pool?: string;
  readonly order?: string;
  readonly reason?: string;
  readonly session: Pick<SessionAnswer, 'id' | 'ont_serial'>;
}

export interface ProblemAnswer {
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly state?: string;
  readonly checks?: readonly CheckAnswer[];
}
