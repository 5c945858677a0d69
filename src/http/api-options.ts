/** What the operator API is built from. Types and default limits only. */
import type { FastifyBaseLogger } from 'fastify';
import type { Dataplane, DataplaneInspection } from '../dataplane/port.js';
import type { Clock } from '../model/clock.js';
import type { AddressPools } from '../pool/port.js';
import type { OperatorInlet } from '../session/inlet.js';
import type { LifecycleSource } from '../session/lifecycle.js';
import type { RadiusReport } from './radius-report.js';

export interface HealthCheck {
  readonly name: string;
  readonly ok: boolean;
  /** Ready all the same, but something that people should look at is out of order. */
  readonly degraded?: boolean;
  readonly detail: string;
}

/** The BNG is ready when every check is ok. */
export interface HealthReport {
  readonly checks: readonly HealthCheck[];
}

export interface ApiLimits {
  readonly bodyBytes: number;
  /** How long a client may take to send one request. */
  readonly requestTimeoutMs: number;
  /** How many clients may follow the events at once. */
  readonly eventClients: number;
  /** Bytes that may wait for one client of the events; one that falls further behind is disconnected. */
  readonly eventBufferBytes: number;
  readonly eventHeartbeatMs: number;
}

export const DEFAULT_API_LIMITS: ApiLimits = {
  bodyBytes: 65536,
  requestTimeoutMs: 10_000,
  eventClients: 64,
  eventBufferBytes: 1_048_576,
  eventHeartbeatMs: 15_000,
};

export interface ApiOptions {
  readonly operator: OperatorInlet;
  readonly lifecycle: LifecycleSource;
  readonly pools: AddressPools;
  readonly poolNames: readonly string[];
  readonly dataplane: Dataplane & DataplaneInspection;
  /** The bearer token; null opens the API to whoever reaches the socket by address or as `localhost`. */
  readonly token: string | null;
  readonly health: () => HealthReport;
  readonly radius: () => RadiusReport;
  readonly clock: Clock;
  readonly limits: ApiLimits;
  readonly logger: FastifyBaseLogger;
  /** Told when a client of the events was too slow and was disconnected. */
  readonly onEventClientDropped?: () => void;
}
