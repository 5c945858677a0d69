/** What the operator API is built from. Types and default limits only. */
import type { FastifyBaseLogger } from 'fastify';
import type { MapInspection } from '../dataplane/map-inspection.js';
import type { Dataplane, DataplaneInspection, FrameTracing } from '../dataplane/port.js';
import type { DhcpTraceSource } from '../dhcpv4/trace.js';
import type { Audit } from '../model/audit.js';
import type { Clock } from '../model/clock.js';
import type { AddressPools } from '../pool/port.js';
import type { OperatorInlet } from '../session/inlet.js';
import type { LifecycleSource } from '../session/lifecycle.js';
import type { LineFigures } from '../session/view.js';
import type { FirewallInspection } from './kernel-routes.js';
import type { Reload } from './operation-routes.js';
import type { PageFiles } from './page-file.js';
import type { ExchangeSource } from './radius-exchange-json.js';
import type { RadiusReport } from './radius-report.js';
import type { RateLimit } from './rate-limit.js';

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
  /** Of one address; none over a unix socket. */
  readonly requests: RateLimit;
}

export const DEFAULT_API_LIMITS: ApiLimits = {
  bodyBytes: 65536,
  requestTimeoutMs: 10_000,
  eventClients: 64,
  eventBufferBytes: 1_048_576,
  eventHeartbeatMs: 15_000,
  requests: { perSecond: 500, burst: 1_000 },
};

export interface ApiOptions {
  readonly operator: OperatorInlet;
  readonly lifecycle: LifecycleSource;
  readonly pools: AddressPools;
  readonly dataplane: Dataplane & DataplaneInspection;
  readonly maps: MapInspection;
  readonly firewall: FirewallInspection;
  readonly dhcp: DhcpTraceSource;
  readonly frames: FrameTracing;
  readonly exchanges: ExchangeSource;
  /** Where the daemon can read its configuration again. */
  readonly reload?: Reload;
  /** PEM texts; without them the API speaks plain HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Over a unix socket the permissions of the socket decide: no token, no rate limit. */
  readonly isLocal?: boolean;
  /** The bearer token; null opens the API to whoever reaches the socket by address or as `localhost`. */
  readonly token: string | null;
  /** By which the audit log names who uses the token. */
  readonly tokenName?: string;
  readonly audit: Audit;
  readonly health: () => HealthReport;
  readonly radius: () => RadiusReport;
  readonly lines: () => LineFigures;
  readonly clock: Clock;
  readonly limits: ApiLimits;
  readonly logger: FastifyBaseLogger;
  /** The operator page; without it there is neither page nor its stream. */
  readonly page?: { readonly files: PageFiles; readonly onBug: (error: unknown) => void };
  /** Told when a client of the events was too slow and was disconnected. */
  readonly onEventClientDropped?: () => void;
}
