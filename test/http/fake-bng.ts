/** A BNG as the HTTP room sees it through the ports: values that a test sets, orders that follow a small table. */
import { parseIpv4, parsePrefix } from '../../src/model/ipv4.js';
import type { Ipv4 } from '../../src/model/ipv4.js';
import { parseMac } from '../../src/model/mac.js';
import type { Mac } from '../../src/model/mac.js';
import { plainTerms } from '../../src/model/session-terms.js';
import type { DecodedValue } from '../../src/dataplane/abi-decode.js';
import type { MapEntry, MapInspection } from '../../src/dataplane/map-inspection.js';
import type { NftListing } from '../../src/dataplane/nft-listing.js';
import { DhcpTrace } from '../../src/dhcpv4/trace.js';
import type { Clock } from '../../src/model/clock.js';
import type { TrafficCounters } from '../../src/model/traffic-counters.js';
import type {
  Dataplane,
  DataplaneInspection,
  DumpedSubscriber,
  FrameTracing,
  TracedFrame,
} from '../../src/dataplane/port.js';
import type { Attachment } from '../../src/model/access-line.js';
import { attachmentKey } from '../../src/model/access-line.js';
import type { AddressPools, PoolGroup, PoolTerms, PoolUsage } from '../../src/pool/port.js';
import type {
  ActivationOrder,
  OperatorInlet,
  OperatorResult,
  SessionQuery,
} from '../../src/session/inlet.js';
import type { LifecycleEvent, LifecycleListener, LifecycleSource } from '../../src/session/lifecycle.js';
import { NO_LINE_FIGURES, SESSION_STATES } from '../../src/session/view.js';
import type { SessionDetails, SessionStateName, SessionView } from '../../src/session/view.js';
import { fastify } from 'fastify';
import type { FastifyBaseLogger } from 'fastify';
import { DEFAULT_API_LIMITS } from '../../src/http/api-options.js';
import type { ApiOptions, HealthCheck } from '../../src/http/api-options.js';
import type { RadiusExchangeReport } from '../../src/http/radius-exchange-json.js';
import type { RadiusReport } from '../../src/http/radius-report.js';

export const START_WALL_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

const GARDEN_PROFILE: NonNullable<SessionView['profile']> = {
  serviceId: 'walled-garden',
  poolName: 'wgar',
  walled: true,
  downloadBitsPerSecond: 1_000_000,
  uploadBitsPerSecond: 0,
};

export function makeSession(overrides: Partial<SessionView> = {}): SessionView {
  const { profile = GARDEN_PROFILE } = overrides;
  return {
    id: 'session-1',
    ontSerial: 'SIMU00000001',
    circuitId: new TextEncoder().encode('agg-01|1/1/1'),
    state: 'wgar',
    leasePhase: 'bound',
    attachment: { ifindex: 3, sVlan: 100, cVlan: 7, mac: parseMac('02:00:00:00:00:01') },
    profile,
    poolName: profile?.poolName ?? null,
    address: parseIpv4('10.255.0.10'),
    heldAddress: null,
    createdWallMs: START_WALL_MS,
    stateSinceWallMs: START_WALL_MS,
    leaseExpiresWallMs: START_WALL_MS + 600_000,
    suspendedFor: null,
    ...overrides,
  };
}

export function makeUsage(name: string, overrides: Partial<PoolUsage> = {}): PoolUsage {
  return { name, capacity: 1000, allocated: 125, quarantined: 1, held: 125, drain: 'none', ...overrides };
}

export function traffic(upstreamBytes: bigint, downstreamBytes = 0n): TrafficCounters {
  return {
    upstreamBytes,
    upstreamPackets: upstreamBytes / 100n,
    downstreamBytes,
    downstreamPackets: downstreamBytes / 100n,
  };
}

/** A clock that stands still until `advance`. */
export class FakeClock implements Clock {
  #nowMs = 0;
  readonly #timers = new Map<object, { dueMs: number; fire: () => void }>();

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return START_WALL_MS + this.#nowMs;
  }

  after(delayMs: number, fire: () => void): { cancel(): void } {
    const key = {};
    this.#timers.set(key, { dueMs: this.#nowMs + delayMs, fire });
    return { cancel: () => this.#timers.delete(key) };
  }

  get armed(): number {
    return this.#timers.size;
  }

  advance(ms: number): void {
    this.#nowMs += ms;
    for (const [key, timer] of this.#timers) {
      if (timer.dueMs > this.#nowMs) continue;
      this.#timers.delete(key);
      timer.fire();
    }
  }
}

const TERMS: readonly PoolTerms[] = [
  {
    name: 'wgar',
    network: parsePrefix('10.255.0.0/16'),
    gateway: parseIpv4('10.255.0.1'),
    dns: [parseIpv4('8.8.8.8')],
    leaseSeconds: 600,
  },
  {
    name: 'isp-residential',
    network: parsePrefix('10.0.0.0/12'),
    gateway: parseIpv4('10.0.0.1'),
    dns: [parseIpv4('1.1.1.1'), parseIpv4('1.0.0.1')],
    leaseSeconds: 86400,
  },
];

const LOCAL_RADIUS: RadiusReport = {
  authMode: 'local',
  accountingMode: 'log',
  servers: [],
  clients: [],
  authenticator: null,
  accounting: null,
  coa: null,
};

export class FakeBng implements OperatorInlet, LifecycleSource {
  readonly list: SessionView[] = [];
  readonly orders: { name: string; order: unknown }[] = [];
  readonly installed = new Map<Ipv4, TrafficCounters>();
  readonly dropTable: Record<string, bigint> = { garden: 0n, garden_fragment: 0n, malformed: 0n };
  readonly verdictTable: Record<string, bigint> = { drop: 0n, 'forward-up': 0n };
  readonly checks: HealthCheck[] = [{ name: 'dataplane', ok: true, detail: 'native' }];
  readonly listeners = new Set<LifecycleListener>();
  usages: PoolUsage[] = TERMS.map(({ name }) => makeUsage(name));
  groupList: PoolGroup[] = [];
  radius: RadiusReport = LOCAL_RADIUS;
  /** What the next orders get instead of the table's answer; an error is thrown. */
  nextResult: OperatorResult | Error | null = null;
  trafficReads = 0;
  isDraining = false;
  details: SessionDetails = {
    subscriberId: 'ont:SIMU00000001',
    authentication: { wallMs: START_WALL_MS, tookMs: 4.25, outcome: 'accepted', reason: null },
    terms: { ...plainTerms('SIMU00000001'), sessionTimeoutSeconds: 3600 },
    accounting: { accountingId: 'boot-1', startedWallMs: START_WALL_MS },
  };
  exchanges: readonly RadiusExchangeReport[] = [];
  readonly trace = new DhcpTrace();
  /** What the maps hold, by name. */
  readonly mapEntries: Record<string, readonly MapEntry[]> = {
    bng_garden: [
      { key: { prefix_length: 32, address: '203.0.113.10' }, value: { flags: ['any'], ports: [] } },
    ],
  };
  dumped: readonly DumpedSubscriber[] = [];
  listing: NftListing = { ok: true, text: 'table inet bng {\n}' };

  readonly maps: MapInspection = {
    mapSummaries: () =>
      Object.keys(this.mapEntries).map((name) => ({
        name,
        type: 'lpm_trie',
        key: 'bng_garden_key',
        value: 'bng_garden',
        maxEntries: 4096,
      })),
    mapEntries: (name) => this.mapEntries[name] ?? null,
    subscriberInMaps: (address): Readonly<Record<string, DecodedValue>> =>
      this.installed.has(address as Ipv4) ? { bng_subscribers: { slot: 7, flags: ['walled'] } } : {},
  };

  readonly firewall = {
    listing: (members: boolean): Promise<NftListing> =>
      Promise.resolve(
        members && this.listing.ok ? { ok: true, text: `${this.listing.text} members` } : this.listing,
      ),
    isGardenMember: (address: Ipv4): Promise<boolean | null> => Promise.resolve(this.installed.has(address)),
  };
  /** Who follows which attachment. */
  readonly frameListeners = new Map<string, (frame: TracedFrame) => void>();
  frameRefusal: string | null = null;
  readonly frames: FrameTracing = {
    trace: (attachment, listener) => {
      if (this.frameRefusal !== null) return { ok: false, reason: this.frameRefusal };
      this.frameListeners.set(attachmentKey(attachment), listener);
      return { ok: true, stop: () => this.frameListeners.delete(attachmentKey(attachment)) };
    },
  };
  firewallDrops: bigint | null = 0n;
  gardenMismatches: number | null = 0;

  readonly pools: AddressPools = {
    allocate: () => ({ kind: 'exhausted' }),
    claim: () => ({ kind: 'no-pool' as const }),
    free: () => false,
    quarantine: () => undefined,
    unquarantine: () => undefined,
    terms: (name) => TERMS.find((terms) => terms.name === name) ?? null,
    termsAt: () => null,
    drainOf: () => 'none',
    isDraining: false,
    names: () => [...this.usages, ...this.groupList].map(({ name }) => name),
    means: (name, poolName) => name === poolName,
    usage: () => this.usages,
    groups: () => this.groupList,
  };

  readonly dataplane: Dataplane & DataplaneInspection = {
    install: () => Promise.resolve({ ok: true }),
    update: () => Promise.resolve({ ok: true }),
    remove: () => Promise.resolve({ ok: false, reason: 'not here' }),
    promise: () => false,
    promisedUntilMs: () => null,
    withdraw: () => undefined,
    forget: () => undefined,
    traffic: (address) => this.installed.get(address) ?? null,
    dump: () => Promise.resolve(this.dumped),
    drops: () => ({ ...this.dropTable }),
    verdicts: () => this.verdictTable,
    ports: () => [
      { interface: 'access0', role: 'access', xdpMode: 'native' },
      { interface: 'core0', role: 'core', xdpMode: 'generic' },
    ],
    allTraffic: () => new Map(this.installed),
    trafficInPortions: () => {
      this.trafficReads += 1;
      return [new Map(this.installed)];
    },
    firewallDrops: async () => this.firewallDrops,
    gardenMismatches: async () => this.gardenMismatches,
  };

  activate(order: ActivationOrder): Promise<OperatorResult> {
    return this.#order('activate', order, order.ontSerial, ['wgar', 'activating'], 'activating');
  }

  suspend(ontSerial: string, reason: string): Promise<OperatorResult> {
    return this.#order('suspend', { ontSerial, reason }, ontSerial, ['active', 'suspended'], 'suspended');
  }

  resume(ontSerial: string): Promise<OperatorResult> {
    return this.#order('resume', { ontSerial }, ontSerial, ['suspended', 'active'], 'active');
  }

  terminate(ontSerial: string): Promise<OperatorResult> {
    return this.#order('terminate', { ontSerial }, ontSerial, SESSION_STATES, 'terminated');
  }

  sessions({ state, after }: SessionQuery = {}): Iterable<SessionView> {
    const at = this.list.findIndex(({ id }) => id === after?.id);
    return this.list.filter(
      (session, index) =>
        session.state !== 'terminated' &&
        (state === undefined || session.state === state) &&
        (at >= 0 ? index > at : after === undefined || session.createdWallMs >= after.createdWallMs),
    );
  }

  sessionDetails(id: string): SessionDetails | null {
    return this.sessionById(id) === null ? null : this.details;
  }

  setDraining(draining: boolean): void {
    this.isDraining = draining;
  }

  sessionByMac(mac: Mac): SessionView | null {
    return this.list.find((session) => session.attachment?.mac === mac) ?? null;
  }

  sessionByCircuitId(circuitId: Uint8Array): SessionView | null {
    const isIt = (own: Uint8Array | null): boolean => own !== null && Buffer.compare(own, circuitId) === 0;
    return this.list.find((session) => isIt(session.circuitId)) ?? null;
  }

  sessionByOnt(ontSerial: string): SessionView | null {
    return this.list.find((session) => session.ontSerial === ontSerial) ?? null;
  }

  sessionByAddress(address: Ipv4): SessionView | null {
    return this.list.find((session) => session.address === address) ?? null;
  }

  sessionById(id: string): SessionView | null {
    return this.list.find((session) => session.id === id) ?? null;
  }

  stateCounts(): Readonly<Record<SessionStateName, number>> {
    const count = (state: SessionStateName): number => this.list.filter((s) => s.state === state).length;
    return {
      discovered: count('discovered'),
      wgar: count('wgar'),
      activating: count('activating'),
      active: count('active'),
      suspended: count('suspended'),
      terminated: count('terminated'),
    };
  }

  onLifecycle(listener: LifecycleListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  tell(event: LifecycleEvent): void {
    for (const listener of this.listeners) listener(event);
  }

  tellFrame(attachment: Attachment, frame: TracedFrame): void {
    this.frameListeners.get(attachmentKey(attachment))?.(frame);
  }

  tellStateChange(from: SessionStateName, to: SessionStateName, durationMs: number, id = 'session-1'): void {
    const session = makeSession({ id, state: to });
    this.tell({ type: 'state-changed', wallMs: START_WALL_MS, session, from, to, durationMs });
  }

  async #order(
    name: string,
    order: unknown,
    ontSerial: string,
    from: readonly SessionStateName[],
    newState: SessionStateName,
  ): Promise<OperatorResult> {
    this.orders.push({ name, order });
    if (this.nextResult instanceof Error) throw this.nextResult;
    if (this.nextResult !== null) return this.nextResult;
    const index = this.list.findIndex((session) => session.ontSerial === ontSerial);
    const session = this.list[index];
    if (session === undefined) return { ok: false, kind: 'unknown-ont' };
    if (!from.includes(session.state)) {
      return { ok: false, kind: 'conflict', state: session.state, reason: `${name} is not possible now` };
    }
    this.list[index] = { ...session, state: newState, suspendedFor: reasonOf(order) };
    return {
      ok: true,
      ontSerial,
      oldState: session.state,
      newState,
      oldAddress: session.address,
      message: 'done',
    };
  }
}

function reasonOf(order: unknown): string | null {
  const { reason } = order as { readonly reason?: string };
  return reason ?? null;
}

/** A logger that keeps what was logged as errors. */
export function makeLogger(): { readonly logger: FastifyBaseLogger; readonly errors: unknown[] } {
  const errors: unknown[] = [];
  // fastify without a logger gives one that writes nothing; only its error method matters here.
  const logger: FastifyBaseLogger = Object.create(fastify().log) as FastifyBaseLogger;
  logger.error = (...args: unknown[]) => void errors.push(args);
  logger.child = () => logger;
  return { logger, errors };
}

export function apiOptions(bng: FakeBng, overrides: Partial<ApiOptions> = {}): ApiOptions {
  return {
    operator: bng,
    lifecycle: bng,
    pools: bng.pools,
    dataplane: bng.dataplane,
    maps: bng.maps,
    firewall: bng.firewall,
    dhcp: bng.trace,
    frames: bng.frames,
    exchanges: () => bng.exchanges,
    lines: () => NO_LINE_FIGURES,
    token: null,
    audit: () => undefined,
    health: () => ({ checks: bng.checks }),
    radius: () => bng.radius,
    clock: new FakeClock(),
    limits: DEFAULT_API_LIMITS,
    logger: makeLogger().logger,
    ...overrides,
  };
}
