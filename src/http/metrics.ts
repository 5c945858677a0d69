/** Metrics of the BNG: fed by lifecycle events, by the DHCP server and, at each scrape, by pools and dataplane. */
import { fastify, LogController } from 'fastify';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { Registry } from 'prom-client';
import type { Counter } from 'prom-client';
import type { DataplaneInspection } from '../dataplane/port.js';
import type { AddressPools } from '../pool/port.js';
import type { OperatorInlet } from '../session/inlet.js';
import type { LifecycleEvent, LifecycleSource } from '../session/lifecycle.js';
import { SESSION_STATES } from '../session/view.js';
import { answerBrokenHttp, answerError } from './error-answers.js';
import { defineFamilies } from './metric-families.js';
import type { MetricFamilies } from './metric-families.js';
import { availableAddresses, utilization } from './pool-figures.js';
import { sendProblem } from './problem.js';
import { RadiusMetrics } from './radius-metrics.js';
import type { RadiusReport } from './radius-report.js';
import { StoreMetrics } from './store-metrics.js';
import type { StoreReport } from './store-metrics.js';
import { TrafficLedger } from './traffic-ledger.js';
import type { LedgerPool } from './traffic-ledger.js';

/** Told by the DHCP server once for every request it has decided. */
export interface DhcpObserver {
  /** `poolName` is null where the decision named no pool. */
  answered(kind: string, poolName: string | null): void;
}

export interface MetricsSources {
  readonly operator: Pick<OperatorInlet, 'stateCounts'>;
  readonly lifecycle: LifecycleSource;
  readonly pools: AddressPools;
  readonly poolNames: readonly string[];
  readonly dataplane: DataplaneInspection;
  readonly radius: () => RadiusReport;
  readonly store: () => StoreReport;
}

const NO_POOL = 'none';
const ACTIVATION_RESULTS = ['success', 'failed', 'refused'] as const;
const isGardenReason = (reason: string): boolean => /garden/i.test(reason);

/** Sets a counter to what its source counted; the source, not prom-client, keeps the total. */
function mirror(counter: Counter, labels: Readonly<Record<string, string>>, total: bigint): void {
  counter.inc(labels, Number(total));
}

export class Metrics {
  readonly #sources: MetricsSources;
  readonly #registry = new Registry();
  readonly #families: MetricFamilies;
  readonly #radius: RadiusMetrics;
  readonly #store: StoreMetrics;
  readonly #ledger: TrafficLedger;
  readonly #stopListening: () => void;
  /** Ids of sessions that are activating because they were resumed. */
  readonly #resuming = new Set<string>();

  /** Give this to the DHCP server. */
  readonly dhcp: DhcpObserver = {
    answered: (_kind, poolName) => this.#families.dhcpRequests.inc({ pool: poolName ?? NO_POOL }),
  };

  constructor(sources: MetricsSources) {
    this.#sources = sources;
    this.#families = defineFamilies(this.#registry);
    this.#radius = new RadiusMetrics(this.#registry);
    this.#store = new StoreMetrics(this.#registry);
    this.#ledger = new TrafficLedger(
      sources.poolNames.flatMap((name): LedgerPool[] => {
        const terms = sources.pools.terms(name);
        return terms === null ? [] : [{ name, network: terms.network }];
      }),
    );
    // Series that exist from the start: a rate over a series that begins at 1 misses its first event.
    for (const pool of [...sources.poolNames, NO_POOL]) this.#families.dhcpRequests.inc({ pool }, 0);
    for (const result of ACTIVATION_RESULTS) this.#families.activations.inc({ result }, 0);
    for (const state of SESSION_STATES) this.#families.sessionDuration.zero({ state });
    this.#stopListening = sources.lifecycle.onLifecycle((event) => this.#count(event));
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  eventClientDropped(): void {
    this.#families.eventClientsDropped.inc();
  }

  /** Reads pools, dataplane and AAA once, then renders every family in the text format of Prometheus. */
  async render(): Promise<string> {
    this.#readSessionsAndPools();
    this.#readTraffic();
    this.#readFrames();
    this.#store.read(this.#sources.store());
    const roundTrips = this.#radius.read(this.#sources.radius());
    return `${await this.#registry.metrics()}\n${roundTrips}`;
  }

  close(): void {
    this.#stopListening();
  }

  #count(event: LifecycleEvent): void {
    const families = this.#families;
    switch (event.type) {
      case 'state-changed':
        families.sessionDuration.observe({ state: event.from }, event.durationMs / 1000);
        this.#countActivation(event);
        return;
      case 'lease-ended':
        this.#ledger.leaseEnded(event.address, event.poolName, event.traffic);
        return;
      case 'order-refused':
        if (event.order === 'activate') families.activations.inc({ result: 'refused' });
        return;
      case 'session-created':
      case 'lease-bound':
      case 'lease-renewed':
      case 'trouble':
        return;
    }
  }

  /** A line whose client already holds the granted address goes from the garden to active at once. */
  #countActivation(event: Extract<LifecycleEvent, { type: 'state-changed' }>): void {
    const { activations, activationDuration } = this.#families;
    const { from, to, session } = event;
    // Resumption walks through `activating` too, but is no activation.
    if (from === 'suspended' && to === 'activating') this.#resuming.add(session.id);
    else if (from === 'activating' && this.#resuming.delete(session.id)) return;
    else if (from === 'wgar' && to === 'active') activations.inc({ result: 'success' });
    else if (from === 'activating') {
      activations.inc({ result: to === 'active' ? 'success' : 'failed' });
      if (to === 'active') activationDuration.observe(event.durationMs / 1000);
    }
  }

  #readSessionsAndPools(): void {
    const families = this.#families;
    for (const [state, count] of Object.entries(this.#sources.operator.stateCounts())) {
      families.sessions.set({ state }, count);
    }
    for (const usage of this.#sources.pools.usage()) {
      families.poolUtilization.set({ pool: usage.name }, utilization(usage));
      families.poolAvailable.set({ pool: usage.name }, availableAddresses(usage));
    }
  }

  #readTraffic(): void {
    const { trafficBytes, trafficPackets } = this.#families;
    this.#ledger.observe(this.#sources.dataplane.allTraffic());
    trafficBytes.reset();
    trafficPackets.reset();
    for (const [pool, total] of this.#ledger.totals()) {
      mirror(trafficBytes, { direction: 'in', pool }, total.upstreamBytes);
      mirror(trafficBytes, { direction: 'out', pool }, total.downstreamBytes);
      mirror(trafficPackets, { direction: 'in', pool }, total.upstreamPackets);
      mirror(trafficPackets, { direction: 'out', pool }, total.downstreamPackets);
    }
  }

  #readFrames(): void {
    const { drops, gardenDrops, verdicts, xdpNative } = this.#families;
    drops.reset();
    gardenDrops.reset();
    for (const [reason, count] of Object.entries(this.#sources.dataplane.drops())) {
      mirror(drops, { reason }, count);
      if (isGardenReason(reason)) mirror(gardenDrops, { reason }, count);
    }
    verdicts.reset();
    for (const [verdict, count] of Object.entries(this.#sources.dataplane.verdicts())) {
      mirror(verdicts, { verdict }, count);
    }
    for (const port of this.#sources.dataplane.ports()) {
      xdpNative.set({ interface: port.interface }, port.xdpMode === 'native' ? 1 : 0);
    }
  }
}

/** Builds the app that serves `/metrics`; the caller listens and closes. */
export function buildMetrics(options: {
  readonly metrics: Metrics;
  readonly logger: FastifyBaseLogger;
}): FastifyInstance {
  const app: FastifyInstance = fastify({
    loggerInstance: options.logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: 1024,
    requestTimeout: 10_000,
    forceCloseConnections: true,
    frameworkErrors: (...failure) => void answerError(...failure),
    clientErrorHandler: answerBrokenHttp,
  });
  app.setErrorHandler(answerError);
  app.setNotFoundHandler((request, reply) =>
    sendProblem(reply, 'not-found', { detail: `Nothing is at ${request.url}; the metrics are at /metrics.` }),
  );
  app.get('/metrics', async (_request, reply) =>
    reply.type(options.metrics.contentType).send(await options.metrics.render()),
  );
  return app;
}
