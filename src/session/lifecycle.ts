/** What happened to sessions, told to onlookers (metrics, live events, logs). Nothing may depend on hearing it. */
import type { Ipv4 } from '../model/ipv4.js';
import type { SessionStateName, SessionView } from './view.js';

export type LifecycleEvent =
  | { readonly type: 'session-created'; readonly wallMs: number; readonly session: SessionView }
  | {
      readonly type: 'state-changed';
      readonly wallMs: number;
      readonly session: SessionView;
      readonly from: SessionStateName;
      readonly to: SessionStateName;
      /** How long the session was in `from`. */
      readonly durationMs: number;
    }
  | {
      readonly type: 'lease-bound' | 'lease-renewed' | 'lease-ended';
      readonly wallMs: number;
      readonly session: SessionView;
      readonly address: Ipv4;
    }
  | {
      readonly type: 'order-refused';
      readonly wallMs: number;
      readonly session: SessionView | null;
      readonly order: string;
      readonly reason: string;
    }
  | {
      readonly type: 'trouble';
      readonly wallMs: number;
      readonly session: SessionView;
      readonly reason: string;
    };

export type LifecycleListener = (event: LifecycleEvent) => void;

export interface LifecycleSource {
  /** Returns the function that stops listening. */
  onLifecycle(listener: LifecycleListener): () => void;
}
