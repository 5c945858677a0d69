/** The DHCP inlet, built from the configuration at a start and given another by a reload. No rule of DHCP. */
import type { Config } from './config/config.js';
import type { PuntPath } from './dataplane/port.js';
import { ArpProber } from './dhcpv4/arp-prober.js';
import type { DhcpRules } from './dhcpv4/classify.js';
import { ForceRenewer } from './dhcpv4/force-renew.js';
import type { LineTpids } from './dhcpv4/line-tags.js';
import { Nonces } from './dhcpv4/nonces.js';
import type { DhcpServerObserver } from './dhcpv4/server.js';
import { DhcpServer } from './dhcpv4/server.js';
import type { DhcpTrace } from './dhcpv4/trace.js';
import { systemClock } from './model/system-clock.js';
import type { SessionManager } from './session/manager.js';

export interface DhcpPartsOptions {
  readonly config: Config;
  readonly sessions: SessionManager;
  readonly punts: PuntPath;
  readonly observer: DhcpServerObserver;
  readonly trace: DhcpTrace;
  readonly prober: ArpProber;
  readonly onBug: (error: unknown) => void;
}

export class DhcpParts {
  readonly #server: DhcpServer;
  readonly #forceRenewer: ForceRenewer;
  readonly #prober: ArpProber;
  #config: Config;

  constructor({ config, sessions, punts, observer, trace, prober, onBug }: DhcpPartsOptions) {
    this.#config = config;
    const clock = systemClock;
    const { leases } = sessions;
    const nonces = new Nonces(clock);
    this.#prober = prober;
    this.#server = new DhcpServer({
      inlet: sessions.dhcp,
      leases,
      punts,
      rules: rulesOf(config),
      nonces,
      prober,
      stations: sessions.stations,
      clock,
      observer,
      trace,
      onBug,
    });
    this.#forceRenewer = new ForceRenewer({
      lifecycle: sessions,
      sessions: sessions.operator,
      leases,
      punts,
      nonces,
      clock,
      sVlanOf: (poolName) => this.#config.olt?.vlans[poolName] ?? null,
      tpids: tpidsOf(config),
    });
    this.reconfigure(config);
  }

  /** Opens the punt path. */
  start(): void {
    this.#forceRenewer.start();
    this.#server.start();
  }

  reconfigure(config: Config): void {
    this.#config = config;
    this.#server.reconfigure(rulesOf(config));
    this.#forceRenewer.reconfigure(config.dhcp.forceRenew);
    this.#prober.reconfigure(config.dhcp.probe ? config.dhcp.probeWaitMs : null);
  }

  async close(): Promise<void> {
    this.#forceRenewer.close();
    await this.#server.close();
  }
}

/** Asks nobody until it is configured. Sessions need it before the inlet is there. */
export function arpProber(config: Config, punts: PuntPath): ArpProber {
  return new ArpProber({ punts, clock: systemClock, tpids: tpidsOf(config) });
}

function tpidsOf({ access }: Config): LineTpids {
  return { sTpid: access.vlan.sVlanTpid, cTpid: access.vlan.cVlanTpid };
}

function rulesOf({ access, dhcp }: Config): DhcpRules {
  const { untrustedOption82, relays, forceRenew } = dhcp;
  return {
    trustOption82: access.trustOption82,
    untrustedOption82,
    relays: relays && new Map(relays.map(({ address, ...relay }) => [address, relay])),
    forceRenew,
  };
}

/** Whether XDP may answer through any relay: where they are named, user space looks at each. */
export function answersAnyRelay({ access, dhcp }: Config): boolean {
  return access.trustOption82 && dhcp.relays === null;
}
