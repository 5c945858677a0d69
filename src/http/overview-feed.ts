/**
 * The picture of the whole BNG, once a second to whoever watches, and the last hour for whoever begins to. How much is sent
 * does not grow with the number of sessions or of their events. What must not be missed is asked for elsewhere.
 */
import type { ServerResponse } from 'node:http';
import type { DataplaneInspection } from '../dataplane/port.js';
import type { Clock, TimerHandle } from '../model/clock.js';
import type { AddressPools } from '../pool/port.js';
import type { OperatorInlet } from '../session/inlet.js';
import type { HealthReport } from './api-options.js';
import { EventClients } from './event-clients.js';
import type { EventClientsOptions } from './event-clients.js';
import type { EventHistory } from './event-history.js';
import type { Overview, OverviewEvents, OverviewSample } from './overview.js';
import { poolsJson } from './pool-routes.js';
import type { RadiusReport } from './radius-report.js';
import { counterTable } from './drop-routes.js';
import { ThroughputMeter } from './throughput.js';

const WATCHED_MS = 1_000;
/** Between two samples of the charts, watched or not. */
const SAMPLE_MS = 5_000;
const MOST_SAMPLES = 720;
const MOST_EVENTS = 50;

export interface OverviewFeedOptions extends EventClientsOptions {
  readonly operator: Pick<OperatorInlet, 'stateCounts'>;
  readonly pools: AddressPools;
  readonly dataplane: Pick<DataplaneInspection, 'drops' | 'ports' | 'trafficInPortions'>;
  readonly radius: () => RadiusReport;
  readonly health: () => HealthReport;
  readonly history: EventHistory;
  readonly clock: Clock;
  readonly onBug: (error: unknown) => void;
}

export class OverviewFeed {
  readonly #o: OverviewFeedOptions;
  readonly #clients: EventClients;
  readonly #meter: ThroughputMeter;
  readonly #samples: OverviewSample[] = [];
  #timer: TimerHandle | null = null;
  #sampledMs = -Infinity;
  #toldEvents = 0;
  #counted: { readonly atMs: number; readonly drops: bigint } | null = null;
  #dropsPerSecond: number | null = null;

  constructor(options: OverviewFeedOptions) {
    this.#o = options;
    this.#clients = new EventClients(options);
    this.#meter = new ThroughputMeter(options.dataplane, options.clock);
    this.#tick();
  }

  get isFull(): boolean {
    return this.#clients.isFull;
  }

  /** Takes over a response whose head is not yet written: history, last events, the picture, then whatever follows. */
  add(response: ServerResponse): void {
    const isFirst = this.#clients.count === 0;
    this.#clients.add(response, 'the overview from now on', () => {
      if (this.#clients.count === 0) this.#meter.forget();
    });
    const told = { events: this.#o.history.last(MOST_EVENTS), skipped: 0 } satisfies OverviewEvents;
    this.#clients.write(response, message('history', this.#samples));
    this.#clients.write(response, message('events', told));
    this.#clients.write(response, message('overview', this.#overview()));
    if (!isFirst) return;
    this.#toldEvents = this.#o.history.seen;
    this.#timer?.cancel();
    this.#tick();
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#clients.close();
  }

  #tick(): void {
    const isWatched = this.#clients.count > 0;
    if (isWatched) this.#meter.measure().catch(this.#o.onBug);
    this.#countDrops();
    const nowMs = this.#o.clock.monotonicMs();
    if (nowMs - this.#sampledMs >= SAMPLE_MS) {
      this.#sampledMs = nowMs;
      this.#samples.push(this.#sample());
      if (this.#samples.length > MOST_SAMPLES) this.#samples.shift();
    }
    if (isWatched) this.#tell();
    this.#timer = this.#o.clock.after(isWatched ? WATCHED_MS : SAMPLE_MS, () => this.#tick());
  }

  #tell(): void {
    const { history } = this.#o;
    const fresh = history.seen - this.#toldEvents;
    this.#toldEvents = history.seen;
    if (fresh > 0) {
      const events = history.last(Math.min(fresh, MOST_EVENTS));
      this.#clients.writeAll(
        message('events', { events, skipped: fresh - events.length } satisfies OverviewEvents),
      );
    }
    this.#clients.writeAll(message('overview', this.#overview()));
  }

  #countDrops(): void {
    const atMs = this.#o.clock.monotonicMs();
    const drops = Object.values(this.#o.dataplane.drops()).reduce((sum, count) => sum + count, 0n);
    const before = this.#counted;
    if (before !== null && atMs > before.atMs) {
      this.#dropsPerSecond = Math.round((Number(drops - before.drops) * 1000) / (atMs - before.atMs));
    }
    this.#counted = { atMs, drops };
  }

  #sample(): OverviewSample {
    const throughput = this.#meter.last;
    return {
      at_ms: this.#o.clock.wallMs(),
      sessions: this.#o.operator.stateCounts(),
      upstream_bps: throughput?.upstreamBitsPerSecond ?? null,
      downstream_bps: throughput?.downstreamBitsPerSecond ?? null,
      drops_per_second: this.#dropsPerSecond,
    };
  }

  #overview(): Overview {
    const { pools, dataplane, health } = this.#o;
    return {
      sample: this.#sample(),
      installed: this.#meter.last?.installed ?? null,
      drops: counterTable(dataplane.drops()),
      pools: poolsJson(pools),
      radius: radiusPart(this.#o.radius()),
      ports: dataplane.ports().map(({ xdpMode, ...port }) => ({ ...port, xdp_mode: xdpMode })),
      checks: health().checks.map(({ degraded = false, ...check }) => ({ ...check, degraded })),
    };
  }
}

function radiusPart({ authMode, accountingMode, servers, accounting }: RadiusReport): Overview['radius'] {
  return {
    auth_mode: authMode,
    accounting_mode: accountingMode,
    servers: servers.map(({ name, role, state, requests, inFlight, retransmissions, roundTrip }) => ({
      name,
      role,
      state,
      requests,
      in_flight: inFlight,
      retransmissions,
      smoothed_ms: roundTrip.smoothedMs,
    })),
    accounting:
      accounting === null
        ? null
        : {
            length: accounting.length,
            oldest_age_seconds: accounting.oldestAgeMs / 1000,
            outage: accounting.outage,
          },
  };
}

/** JSON text has no line breaks, so one data line carries it whole. */
function message(event: string, data: object): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
