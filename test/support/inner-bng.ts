/**
 * The BNG between its ports: the real DHCP inlet, session manager, pools and local authentication, with the in-memory
 * dataplane below, a recording accounting, an access node that answers as told, and a clock that tests move.
 */
import assert from 'node:assert/strict';
import { LocalAuthenticator } from '../../src/aaa/local-authenticator.js';
import type { Accounting, AccountingSession, Authenticator } from '../../src/aaa/port.js';
import type { Dataplane } from '../../src/dataplane/port.js';
import { MemoryDataplane } from '../../src/dataplane/memory-dataplane.js';
import { ArpProber } from '../../src/dhcpv4/arp-prober.js';
import type { DhcpRules } from '../../src/dhcpv4/classify.js';
import { ForceRenewer } from '../../src/dhcpv4/force-renew.js';
import { Nonces } from '../../src/dhcpv4/nonces.js';
import { DhcpServer } from '../../src/dhcpv4/server.js';
import type { Ipv4 } from '../../src/model/ipv4.js';
import { parseIpv4, parsePrefix } from '../../src/model/ipv4.js';
import type { ServiceProfile } from '../../src/model/service-profile.js';
import type { PoolDefinition } from '../../src/pool/address-pool.js';
import type { PoolGroups } from '../../src/pool/hash-ring-pools.js';
import { HashRingPools } from '../../src/pool/hash-ring-pools.js';
import type { ReconfigureOutcome } from '../../src/session/access-node.js';
import type { ActivationOrder, DhcpInlet, DhcpVerdict } from '../../src/session/inlet.js';
import type { GateLimits } from '../../src/session/admission-gate.js';
import type { LifecycleEvent } from '../../src/session/lifecycle.js';
import { DEFAULT_LINES, type LineOptions, type LineSettings } from '../../src/session/line-options.js';
import type { ServiceOptions } from '../../src/session/service-options.js';
import { SessionManager } from '../../src/session/manager.js';
import { DhcpClient } from './dhcp-client.js';
import type { DhcpClientOptions } from './dhcp-client.js';
import { FakeClock, settled } from './fake-clock.js';

export function poolOf(name: string, network: string, more: Partial<PoolDefinition> = {}): PoolDefinition {
  const prefix = parsePrefix(network);
  const gateway = parseIpv4(network.replace(/\.\d+\/.*$/, '.1'));
  const dns = [parseIpv4('198.51.100.53'), parseIpv4('198.51.100.54')];
  return { name, network: prefix, gateway, dns, leaseSeconds: 600, exclude: [], ...more };
}

export const GARDEN = poolOf('wgar', '10.255.0.0/24', {
  captivePortal: 'http://10.255.0.1/captive-portal/api',
});
export const HOME = poolOf('isp', '10.0.0.0/24', { leaseSeconds: 86_400, dns: [parseIpv4('1.1.1.1')] });
/** One usable address. */
export const TINY = poolOf('tiny', '10.16.0.0/30');

export const gardenProfile: ServiceProfile = {
  serviceId: 'wgar',
  poolName: 'wgar',
  walled: true,
  downloadBitsPerSecond: 0,
  uploadBitsPerSecond: 0,
};

export function orderFor(ontSerial: string, poolName = 'isp'): ActivationOrder {
  return { ontSerial, serviceId: 'home-100', poolName, downloadBitsPerSecond: 1e8, uploadBitsPerSecond: 2e7 };
}

/** One accounting message, and how the world stood when it was sent. */
export interface Accounted {
  readonly kind: 'start' | 'stop';
  readonly session: AccountingSession;
  readonly final: Parameters<Accounting['stop']>[1] | null;
  readonly installed: boolean;
  readonly allocated: number;
}

export interface InnerBngOptions {
  readonly pools?: readonly PoolDefinition[];
  readonly poolGroups?: PoolGroups;
  readonly authenticator?: Authenticator;
  readonly trustOption82?: boolean;
  readonly rules?: Partial<DhcpRules>;
  readonly services?: ServiceOptions;
  /** What holds for lines beside the defaults. */
  readonly lines?: Partial<Omit<LineOptions, 'settings'>> & { readonly settings?: Partial<LineSettings> };
  /** Asks by ARP before an address is offered for the first time, and waits so long. */
  readonly probeWaitMs?: number;
  /** As the access node has it after a move. */
  readonly sVlanOf?: (poolName: string) => number | null;
  readonly defaultPool?: string;
  readonly maxSessions?: number;
  readonly gateLimits?: Partial<GateLimits>;
  /** Puts something between the sessions and the dataplane. */
  readonly wrapDataplane?: (inner: MemoryDataplane) => Dataplane;
}

export class InnerBng {
  readonly clock = new FakeClock();
  readonly nonces = new Nonces(this.clock);
  readonly dataplane = new MemoryDataplane();
  readonly pools: HashRingPools;
  readonly manager: SessionManager;
  /** What the DHCP server asks: a test may listen in. */
  readonly inlet: { -readonly [K in keyof DhcpInlet]: DhcpInlet[K] };
  readonly server: DhcpServer;
  readonly accounted: Accounted[] = [];
  readonly lifecycle: LifecycleEvent[] = [];
  readonly decided: (readonly [DhcpVerdict['kind'], string | null])[] = [];
  readonly answered: (readonly [DhcpVerdict['kind'], number])[] = [];
  /** What `stored` of the accounting peer gives. */
  accountingStored: Promise<unknown> = Promise.resolve(null);
  readonly reconfigured: {
    readonly ontSerial: string;
    readonly profile: ServiceProfile;
    readonly bounce: boolean;
  }[] = [];
  readonly bugs: unknown[] = [];
  /** How the access node answers; a test may replace it. */
  accessNodeSays: (ontSerial: string) => ReconfigureOutcome | Promise<ReconfigureOutcome> = () => ({
    ok: true,
  });

  constructor(options: InnerBngOptions = {}) {
    const trustOption82 = options.trustOption82 ?? true;
    this.pools = new HashRingPools(options.pools ?? [GARDEN, HOME, TINY], options.poolGroups);
    const onBug = (error: unknown): void => void this.bugs.push(error);
    const { clock } = this;
    const tpids = { sTpid: 0x88a8, cTpid: 0x8100 };
    const prober = new ArpProber({ punts: this.dataplane, clock, tpids });
    prober.reconfigure(options.probeWaitMs ?? null);
    this.manager = new SessionManager({
      authenticator:
        options.authenticator ??
        new LocalAuthenticator({
          records: [],
          defaultPool: options.defaultPool ?? 'wgar',
          gardenPool: 'wgar',
        }),
      accounting: {
        interimIntervalSeconds: 300,
        stored: () => this.accountingStored,
        interim: () => undefined,
        start: (session) => this.#account('start', session, null),
        stop: (session, final) => this.#account('stop', session, final),
      },
      pools: this.pools,
      dataplane: options.wrapDataplane?.(this.dataplane) ?? this.dataplane,
      accessNode: {
        reconfigure: async (ontSerial, profile, { bounce }) => {
          this.reconfigured.push({ ontSerial, profile, bounce });
          return this.accessNodeSays(ontSerial);
        },
      },
      clock: this.clock,
      gardenProfile,
      trustOption82,
      maxSessions: options.maxSessions ?? 10_000,
      ...(options.gateLimits === undefined ? {} : { gateLimits: options.gateLimits }),
      ...(options.services === undefined ? {} : { services: options.services }),
      lines: {
        ...DEFAULT_LINES,
        ...options.lines,
        settings: { ...DEFAULT_LINES.settings, ...options.lines?.settings },
      },
      prober: options.probeWaitMs === undefined && options.lines === undefined ? null : prober,
      onBug,
    });
    const { dhcp: sessions } = this.manager;
    this.inlet = {
      discover: (line) => sessions.discover(line),
      request: (line, kind, address) => sessions.request(line, kind, address),
      inform: (line, address) => sessions.inform(line, address),
      release: (line, address) => sessions.release(line, address),
      decline: (line, address) => sessions.decline(line, address),
      answered: (answered) => sessions.answered(answered),
      isServerId: (address) => sessions.isServerId(address),
    };
    this.manager.onLifecycle((event) => this.lifecycle.push(event));
    this.server = new DhcpServer({
      inlet: this.inlet,
      leases: this.manager.leases,
      punts: this.dataplane,
      rules: { trustOption82, untrustedOption82: 'refuse', relays: null, forceRenew: true, ...options.rules },
      nonces: this.nonces,
      prober,
      stations: this.manager.stations,
      clock: this.clock,
      observer: {
        decided: (kind, poolName) => this.decided.push([kind, poolName]),
        answered: (kind, durationMs) => this.answered.push([kind, durationMs]),
        dropped: () => undefined,
      },
      onBug,
    });
    this.server.start();
    const { manager, dataplane: punts, nonces } = this;
    new ForceRenewer({
      ...{
        lifecycle: manager,
        sessions: manager.operator,
        leases: manager.leases,
        punts,
        nonces,
        clock,
        tpids,
      },
      sVlanOf: options.sVlanOf ?? (() => null),
    }).start();
  }

  /** The station behind an ONT; its option 82 carries the serial. */
  ont(ontSerial: string, more: Partial<DhcpClientOptions> = {}): DhcpClient {
    return new DhcpClient({
      dataplane: this.dataplane,
      circuitId: `agg-01|1/1/${ontSerial}`,
      remoteId: ontSerial,
      ...more,
    });
  }

  /** A station on a line that no access node speaks of. */
  station(more: Partial<DhcpClientOptions> = {}): DhcpClient {
    return new DhcpClient({ dataplane: this.dataplane, ...more });
  }

  async detect(ontSerial: string): Promise<void> {
    this.manager.onts.ontDetected({ ontSerial, circuitId: Buffer.from(`agg-01|1/1/${ontSerial}`) });
    await settled();
  }

  allocated(poolName: string): number {
    const usage = this.pools.usage().find((pool) => pool.name === poolName);
    assert.ok(usage !== undefined);
    return usage.allocated;
  }

  stateOf(ontSerial: string): string | null {
    return this.manager.operator.sessionByOnt(ontSerial)?.state ?? null;
  }

  #account(kind: 'start' | 'stop', session: AccountingSession, final: Accounted['final']): void {
    const installed = this.dataplane.installed(session.address) !== null;
    this.accounted.push({
      kind,
      session,
      final,
      installed,
      allocated: this.allocated(session.profile.poolName),
    });
  }
}

export function ip(text: string): Ipv4 {
  return parseIpv4(text);
}
