/** What happened to sessions, told to onlookers (metrics, live events, logs). Nothing may depend on hearing it. */
import type { Ipv4 } from '../model/ipv4.js';
import type { TrafficCounters } from '../model/traffic-counters.js';
import type { SessionStateName, SessionView } from './view.js';

interface Told {
  readonly wallMs: number;
  readonly session: SessionView;
}

export type LifecycleEvent =
  | (Told & { readonly type: 'session-created' })
  | (Told & {
      readonly type: 'state-changed';
      readonly from: SessionStateName;
      readonly to: SessionStateName;
      /** How long the session was in `from`. */
      readonly durationMs: number;
    })
  | (Told & {
      readonly type: 'lease-bound';
      readonly address: Ipv4;
      readonly poolName: string;
      /** From the session's first DHCP message to this, its first lease; null for every later one. */
      readonly setupMs: number | null;
    })
  | (Told & { readonly type: 'lease-renewed'; readonly address: Ipv4; readonly poolName: string })
  /** `traffic` is what the lease carried in all; the dataplane no longer counts it. */
  | (Told & {
      readonly type: 'lease-ended';
      readonly address: Ipv4;
      readonly poolName: string;
      readonly traffic: TrafficCounters;
    })
  | (Told & { readonly type: 'order-refused'; readonly order: string; readonly reason: string })
  | (Told & { readonly type: 'trouble'; readonly reason: string });

export type LifecycleListener = (event: LifecycleEvent) => void;

export interface LifecycleSource {
  /** Returns the function that stops listening. */
  onLifecycle(listener: LifecycleListener): () => void;
}
