/** Metrics of the BNG: fed by lifecycle events, by the DHCP server and, at each scrape, by pools and dataplane. */
import type { DataplaneInspection } from '../dataplane/port.js';
import type { Clock } from '../model/clock.js';
import { formatIpv4 } from '../model/ipv4.js';
import type { AddressPools } from '../pool/port.js';
import type { OperatorInlet } from '../session/inlet.js';
import type { LifecycleEvent, LifecycleSource } from '../session/lifecycle.js';
import { type AdmissionFigures, type LineFigures, SESSION_STATES } from '../session/view.js';
import type { ExpositionFormat } from './exposition.js';
import { renderFamilies } from './exposition.js';
import { GardenAudit } from './garden-audit.js';
import { readLines } from './line-metrics.js';
import { MetricCatalogue } from './metric-catalogue.js';
import type { FamilyDescription } from './metric-catalogue.js';
import { defineFamilies } from './metric-families.js';
import type { MetricFamilies } from './metric-families.js';
import { mirror, mirrorEach } from './mirror.js';
import { availableAddresses, groupFigures, utilization } from './pool-figures.js';
import { ProcessMetrics } from './process-metrics.js';
import { RadiusMetrics } from './radius-metrics.js';
import type { RadiusReport } from './radius-report.js';
import { TimeSlices } from './time-slice.js';
import { StoreMetrics } from './store-metrics.js';
import type { StoreReport } from './store-metrics.js';
import { TrafficLedger } from './traffic-ledger.js';
import { TrafficScores } from './traffic-scores.js';

/** Told by the DHCP server of every message that reached it. */
export interface DhcpObserver {
  /** `poolName` is null where the decision named no pool. */
  decided(kind: string, poolName: string | null): void;
  /** The answer was transmitted so long after the message had come. */
  answered(kind: string, durationMs: number): void;
  dropped(reason: string): void;
}

/** Told of every write to the store; `failure` is the kind of it, or null. */
export interface StoreObserver {
  written(durationMs: number, failure: string | null): void;
}

export interface MetricsSources {
  readonly operator: Pick<OperatorInlet, 'stateCounts' | 'sessionByAddress' | 'isDraining'>;
  readonly lifecycle: LifecycleSource;
  readonly pools: AddressPools;
  readonly dataplane: Omit<DataplaneInspection, 'dump' | 'allTraffic'>;
  readonly radius: () => RadiusReport;
  readonly store: () => StoreReport;
  readonly lines: () => LineFigures;
  readonly admission: () => AdmissionFigures;
  readonly clock: Clock;
  readonly topTalkers: number;
}

const NO_POOL = 'none';
const FIREWALL = 'firewall';
const DHCP_ANSWERS = ['offer', 'ack', 'nak', 'inform'] as const;
const ACTIVATION_RESULTS = ['success', 'failed', 'refused'] as const;
/** What is read of the kernel at once: about a millisecond. */
const TRAFFIC_PORTION = 500;
const isGardenReason = (reason: string): boolean => /garden/i.test(reason);

export class Metrics {
  readonly #sources: MetricsSources;
  readonly #catalogue = new MetricCatalogue();
  readonly #families: MetricFamilies;
  readonly #radius: RadiusMetrics;
  readonly #process: ProcessMetrics;
  readonly #store: StoreMetrics;
  readonly #ledger: TrafficLedger;
  readonly #scores = new TrafficScores();
  readonly #audit: GardenAudit;
  readonly #stopListening: () => void;
  /** Ids of sessions that are activating because they were resumed. */
  readonly #resuming = new Set<string>();

  /** Give this to the DHCP server. */
  readonly dhcp: DhcpObserver = {
    decided: (_kind, poolName) => this.#families.dhcpRequests.inc({ pool: poolName ?? NO_POOL }),
    answered: (kind, durationMs) => this.#families.dhcpAnswer.observe({ answer: kind }, durationMs / 1000),
    dropped: (reason) => this.#families.dhcpDropped.inc({ reason }),
  };

  /** Give this to the DNS of the garden. */
  readonly gardenDns = (outcome: string): void => this.#families.gardenDns.inc({ outcome });

  /** Give this to the store. */
  readonly store: StoreObserver = {
    written: (durationMs, failure) => {
      const { storeWrites, storeWriteDuration, storeFailing } = this.#families;
      storeWrites.inc({ result: failure ?? 'ok' });
      storeWriteDuration.observe(durationMs / 1000);
      storeFailing.set(failure === null ? 0 : 1);
    },
  };

  constructor(sources: MetricsSources) {
    this.#sources = sources;
    this.#families = defineFamilies(this.#catalogue);
    this.#radius = new RadiusMetrics(this.#catalogue);
    this.#process = new ProcessMetrics(this.#catalogue);
    this.#store = new StoreMetrics(this.#catalogue);
    this.#audit = new GardenAudit(sources);
    this.#ledger = new TrafficLedger({
      onMoved: (address, bytes) => this.#scores.moved(address, bytes, sources.clock.monotonicMs()),
    });
    this.#beginSeries();
    this.#stopListening = sources.lifecycle.onLifecycle((event) => this.#count(event));
  }

  /** Series that exist from the start: a rate over a series that begins at 1 misses its first event. */
  #beginSeries(): void {
    const { dhcpAnswer, activations, sessionDuration, storeWrites, storeFailing } = this.#families;
    this.#families.dhcpRequests.inc({ pool: NO_POOL }, 0);
    this.#beginPools();
    for (const answer of DHCP_ANSWERS) dhcpAnswer.zero({ answer });
    for (const result of ACTIVATION_RESULTS) activations.inc({ result }, 0);
    for (const state of SESSION_STATES) sessionDuration.zero({ state });
    storeWrites.inc({ result: 'ok' }, 0);
    storeFailing.set(0);
  }

  /** Pools come and go while we run. */
  #beginPools(): void {
    const { pools } = this.#sources;
    const terms = pools.usage().flatMap(({ name }) => pools.terms(name) ?? []);
    this.#ledger.usePools(terms);
    for (const { name } of terms) this.#families.dhcpRequests.inc({ pool: name }, 0);
  }

  /** Of every family, in the order in which they are rendered. */
  get descriptions(): readonly FamilyDescription[] {
    return this.#catalogue.descriptions;
  }

  eventClientDropped(): void {
    this.#families.eventClientsDropped.inc();
  }

  /** Reads pools, dataplane and AAA once, then renders every family. Lets the event loop turn while it reads subscribers. */
  async render(format: ExpositionFormat): Promise<string> {
    this.#beginPools();
    const [firewallDrops] = await Promise.all([this.#sources.dataplane.firewallDrops(), this.#readTraffic()]);
    // From here to the rendering nothing waits: another scrape must not find families half read.
    this.#readSessionsAndPools();
    this.#readTopTalkers();
    this.#readFrames(firewallDrops);
    this.#readAudit();
    this.#readAdmission();
    this.#process.read();
    this.#store.read(this.#sources.store());
    readLines(this.#families, this.#sources.lines());
    const roundTrips = this.#radius.read(this.#sources.radius());
    return renderFamilies([...(await this.#catalogue.families()), roundTrips], format);
  }

  close(): void {
    this.#stopListening();
    this.#process.close();
  }

  #count(event: LifecycleEvent): void {
    const families = this.#families;
    switch (event.type) {
      case 'session-created':
        families.detected.inc();
        return;
      case 'state-changed':
        families.sessionDuration.observe({ state: event.from }, event.durationMs / 1000);
        this.#countActivation(event);
        return;
      case 'lease-bound':
        // Null but for a session's first lease.
        if (event.setupMs === null) return;
        families.provisioned.inc();
        families.sessionSetup.observe(event.setupMs / 1000);
        return;
      case 'lease-ended':
        this.#ledger.leaseEnded(event.address, event.poolName, event.traffic);
        this.#scores.forget(event.address);
        return;
      case 'order-refused':
        if (event.order === 'activate') families.activations.inc({ result: 'refused' });
        return;
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
    this.#families.draining.set(this.#sources.operator.isDraining ? 1 : 0);
    for (const [state, count] of Object.entries(this.#sources.operator.stateCounts())) {
      families.sessions.set({ state }, count);
    }
    this.#readPools();
    const { trafficBytes, trafficPackets } = families;
    trafficBytes.reset();
    trafficPackets.reset();
    for (const [pool, total] of this.#ledger.totals()) {
      mirror(trafficBytes, { direction: 'in', pool }, total.upstreamBytes);
      mirror(trafficBytes, { direction: 'out', pool }, total.downstreamBytes);
      mirror(trafficPackets, { direction: 'in', pool }, total.upstreamPackets);
      mirror(trafficPackets, { direction: 'out', pool }, total.downstreamPackets);
    }
  }

  #readPools(): void {
    const { poolUtilization, poolAvailable, poolDraining, groupMember, groupUtilization, groupAvailable } =
      this.#families;
    const gauges = [
      poolUtilization,
      poolAvailable,
      poolDraining,
      groupMember,
      groupUtilization,
      groupAvailable,
    ];
    for (const gauge of gauges) gauge.reset();
    const pools = this.#sources.pools.usage();
    for (const usage of pools) {
      const labels = { pool: usage.name };
      poolUtilization.set(labels, utilization(usage));
      poolAvailable.set(labels, availableAddresses(usage));
      poolDraining.set(labels, usage.drain === 'none' ? 0 : 1);
    }
    for (const group of this.#sources.pools.groups()) {
      const figures = groupFigures(group, pools);
      groupUtilization.set({ group: group.name }, figures.utilization);
      groupAvailable.set({ group: group.name }, figures.available);
      group.pools.forEach((pool, at) => groupMember.set({ group: group.name, pool }, at + 1));
    }
  }

  async #readTraffic(): Promise<void> {
    const slices = new TimeSlices();
    for (const portion of this.#sources.dataplane.trafficInPortions(TRAFFIC_PORTION)) {
      this.#ledger.observe(portion);
      await slices.pause();
    }
    // What comes next looks at all of them once more, and renders.
    await slices.turn();
  }

  #readTopTalkers(): void {
    const { topTalkers } = this.#families;
    topTalkers.reset();
    for (const address of this.#scores.top(this.#sources.topTalkers)) {
      const session = this.#sources.operator.sessionByAddress(address);
      const traffic = this.#ledger.lastOf(address);
      if (session === null || traffic === null) continue;
      const who = { ont_serial: session.ontSerial ?? '', ip: formatIpv4(address) };
      mirror(topTalkers, { ...who, direction: 'in' }, traffic.upstreamBytes);
      mirror(topTalkers, { ...who, direction: 'out' }, traffic.downstreamBytes);
    }
  }

  #readFrames(firewallDrops: bigint | null): void {
    const { drops, gardenDrops, verdicts, xdpNative } = this.#families;
    drops.reset();
    gardenDrops.reset();
    for (const [reason, count] of Object.entries(this.#sources.dataplane.drops())) {
      mirror(drops, { reason }, count);
      if (isGardenReason(reason)) mirror(gardenDrops, { reason }, count);
    }
    if (firewallDrops !== null) {
      mirror(drops, { reason: FIREWALL }, firewallDrops);
      mirror(gardenDrops, { reason: FIREWALL }, firewallDrops);
    }
    mirrorEach(verdicts, 'verdict', this.#sources.dataplane.verdicts());
    for (const port of this.#sources.dataplane.ports()) {
      xdpNative.set({ interface: port.interface }, port.xdpMode === 'native' ? 1 : 0);
    }
  }

  #readAdmission(): void {
    const { admissionWindow, admissionInProgress, admissionWaiting, admissionDropped } = this.#families;
    const { window, inProgress, waiting, dropped } = this.#sources.admission();
    admissionWindow.set(window);
    admissionInProgress.set(inProgress);
    admissionWaiting.set(waiting);
    admissionDropped.reset();
    for (const [reason, count] of Object.entries(dropped)) {
      mirror(admissionDropped, { reason }, BigInt(count));
    }
  }

  #readAudit(): void {
    const { gardenMismatches } = this.#families;
    const found = this.#audit.lastFound();
    if (found === null) gardenMismatches.remove();
    else gardenMismatches.set(found);
  }
}
