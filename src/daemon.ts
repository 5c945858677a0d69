/**
 * The composition root: builds every part, joins them, and starts and stops them in one written order. No domain rules.
 *
 * Start: store → dataplane (checks the ABI, attaches) → AAA → sessions of earlier runs, and the dataplane made as they are →
 * HTTP and CoA inlets → access node → the punt path last.
 * Stop: the same backwards: inlets first, answers under way, sessions (kept in the store, or ended with `teardown`),
 * dataplane, store.
 */
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { listenGardenDns, openGardenDns } from './garden-dns-parts.js';
import { SettingsInForce } from './settings-in-force.js';
import { logEvent } from './log-events.js';
import type { Logger } from 'pino';
import { openApi } from './api-parts.js';
import { openAaa } from './aaa-parts.js';
import { openCoa } from './coa-parts.js';
import { systemBootClock } from './boot-clock.js';
import { aaaReport } from './aaa-report.js';
import { openAuditLog } from './audit-log.js';
import type { CoaServer } from './aaa/coa-server.js';
import type { ConfigResult } from './config/parse-config.js';
import type { Config, Endpoint } from './config/config.js';
import { readSecretFile } from './config/secret-file.js';
import { readTemplateFiles } from './config/template-files.js';
import { readTlsFiles } from './config/tls-files.js';
import { walledProfile } from './config/walled-profile.js';
import { BngLimit } from './dataplane/abi.js';
import { KernelDataplane } from './dataplane/kernel-dataplane.js';
import { loadNative } from './dataplane/load-native.js';
import { tearDown } from './dataplane/tear-down.js';
import { answersAnyRelay, arpProber, DhcpParts } from './dhcp-parts.js';
import { DhcpTrace } from './dhcpv4/trace.js';
import type { HealthReport } from './http/api-options.js';
import type { ReloadOutcome } from './http/operation-routes.js';
import { DEFAULT_API_LIMITS } from './http/api-options.js';
import { buildMetrics } from './http/metrics-app.js';
import { Metrics } from './http/metrics.js';
import { radiusHealth } from './http/radius-health.js';
import { systemClock } from './model/system-clock.js';
import { formatIpv4 } from './model/ipv4.js';
import { OltClient } from './olt/olt-client.js';
import { HashRingPools } from './pool/hash-ring-pools.js';
import type { AccessNode } from './session/access-node.js';
import type { OntInlet } from './session/inlet.js';
import { SessionManager } from './session/manager.js';
import { ServiceOptions } from './session/service-options.js';
import { buildPortal } from './portal/portal.js';
import { lineOptions } from './line-settings.js';
import { logLifecycle } from './lifecycle-log.js';
import { liveSettings } from './live-settings.js';
import { Reloader } from './reload.js';
import { restore, storeHealth } from './restore-parts.js';
import { openStore, portNames } from './store-parts.js';
import { ObservedStore, type ObservedStoreOptions } from './store/observed-store.js';
import type { Store } from './store/port.js';

const NFT_TABLE = 'bng';

export interface DaemonOptions {
  readonly config: Config;
  /** Reads the configuration again, for a reload. */
  readonly readConfig: () => ConfigResult;
  /** Path of the compiled BPF object. */
  readonly objectPath: string;
  readonly logger: Logger;
  /** A defect of ours was met; the caller stops the process. */
  readonly onBug: (error: unknown) => void;
  /**
   * No inlet is opened, and closing ends every session: what is left of earlier runs is taken down. Without it sessions stay
   * in the store for the next start.
   */
  readonly teardown?: boolean;
}

/** Parts that others reach before they exist. */
interface Links {
  accessNode: AccessNode | null;
  coa: CoaServer | null;
  metrics: Metrics | null;
  dhcp: DhcpParts | null;
}

type Stop = () => void | Promise<void>;

export class Daemon {
  readonly #stops: Stop[] = [];
  #closing: Promise<void> | null = null;
  #reloader: Reloader | null = null;

  /**
   * Builds and starts everything; what was started is stopped again when a later part fails. Throws `BngError`s of the
   * part that could not start.
   */
  static async start(options: DaemonOptions): Promise<Daemon> {
    const daemon = new Daemon();
    try {
      await daemon.#start(options);
    } catch (error) {
      await daemon.close();
      throw error;
    }
    return daemon;
  }

  /** Stops everything in the opposite order of starting. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#stop();
    return this.#closing;
  }

  /** Reads the configuration again and applies what can change while running, all or nothing. Logs what came of it. */
  reload(): Promise<ReloadOutcome> {
    return this.#reloader?.reload() ?? Promise.resolve({ ok: false, reason: 'the BNG does not run' });
  }

  async #stop(): Promise<void> {
    for (const stop of this.#stops.splice(0).reverse()) await stop();
  }

  async #start({
    config,
    readConfig,
    objectPath,
    logger,
    onBug,
    teardown = false,
  }: DaemonOptions): Promise<void> {
    const token = readSecretFile(config.api.tokenFile);
    const link: Links = { accessNode: null, coa: null, metrics: null, dhcp: null };
    const store = config.store === null ? null : await this.#openStore(config.store.path, logger, link);
    if (store === null)
      logEvent(logger, 'nothing-outlives-this-process', { because: 'store.mode is memory' });
    // Without a store nobody would know whose the entries are.
    if (teardown || store === null) this.#stops.push(() => tearDownDataplane(config, logger));
    const dataplane = await openDataplane(config, objectPath, logger);
    this.#stops.push(() => dataplane.close());

    const boot = systemBootClock();
    const aaa = await openAaa(config, {
      logger,
      store,
      bootId: boot.bootId,
      interfaceName: (ifindex) => dataplane.accessInterface(ifindex) ?? String(ifindex),
    });
    this.#stops.push(() => aaa.close());
    const pools = new HashRingPools(config.pools, config.poolGroups);
    const prober = arpProber(config, dataplane);
    this.#stops.push(() => prober.close());
    const services = new ServiceOptions(config.dhcp.services);
    const gardenProfile = walledProfile(config);
    const manager = new SessionManager({
      authenticator: aaa.authenticator,
      accounting: aaa.accounting,
      pools,
      dataplane,
      accessNode: {
        reconfigure: async (ontSerial, profile, options) =>
          link.accessNode === null ? { ok: true } : link.accessNode.reconfigure(ontSerial, profile, options),
      },
      clock: systemClock,
      gardenProfile,
      trustOption82: config.access.trustOption82,
      maxSessions: BngLimit.maxSubscribers,
      services,
      prober,
      lines: lineOptions(
        config,
        config.access.interfaces.map((name) => loadNative().interfaceIndex(name)),
      ),
      durability:
        store === null || aaa.commits === null
          ? null
          : {
              store,
              commits: aaa.commits,
              boot,
              ports: portNames(config.access.interfaces, (name) => loadNative().interfaceIndex(name)),
            },
      onBug,
    });
    this.#stops.push(manager.onLifecycle(logLifecycle(logger)));
    const ends = teardown || store === null;
    this.#stops.push(async () => {
      await manager.close(ends ? 'end' : 'keep');
      if (ends) aaa.end();
    });
    const path = config.store?.path ?? '';
    const account = await restore({ manager, books: aaa.books, dataplane, logger, path });
    if (teardown) return account();
    // Whoever leaves a pool that was drained while nobody ran.
    manager.pools.changed();

    const audit = openAuditLog({
      to: config.audit.to,
      wallMs: () => systemClock.wallMs(),
      onFailure: (reason) => logEvent(logger, 'audit-not-written', { reason }),
    });
    const shared = {
      operator: manager.operator,
      lifecycle: manager,
      pools,
      dataplane,
      logger: httpLogger(logger),
      radius: () => aaaReport(config, aaa.inspection, link.coa),
      store: () => manager.durabilityFigures(),
      lines: () => manager.lineFigures(),
      admission: () => manager.admissionFigures(),
    };
    const metrics = new Metrics({
      ...shared,
      clock: systemClock,
      topTalkers: config.metrics.topTalkers,
    });
    link.metrics = metrics;
    this.#stops.push(() => metrics.close());
    const olt = config.olt === null ? null : this.#connectOlt(config.olt, manager.onts, logger);
    link.accessNode = olt;
    const health = (): HealthReport => ({
      checks: [
        {
          name: 'dataplane',
          ok: true,
          detail: dataplane
            .ports()
            .map((p) => `${p.interface}: ${p.xdpMode}`)
            .join(', '),
        },
        ...(olt === null
          ? []
          : [{ name: 'access-node', ok: olt.isConnected, detail: config.olt?.socket ?? '' }]),
        ...(manager.operator.isDraining
          ? [{ name: 'draining', ok: true, degraded: true, detail: 'no new session begins' }]
          : []),
        storeHealth(manager.durabilityFigures(), config.store?.path ?? null),
        ...[radiusHealth(shared.radius())].filter((check) => check !== null),
      ],
    });
    const settings = new SettingsInForce(dataplane, config);
    const gardenDns = openGardenDns({ config, settings, pools, logger, onOutcome: metrics.gardenDns, onBug });
    this.#reloader = new Reloader({
      config,
      readConfig,
      logger,
      pools,
      sessions: manager.dhcp,
      lines: manager,
      poolDesk: manager.pools,
      dataplane: settings,
      gardenDns,
      aaa,
      coa: () => link.coa,
      dhcp: () => link.dhcp,
      services,
      olt,
    });
    const trace = new DhcpTrace();
    await openApi({
      config: config.api,
      token,
      nftTable: NFT_TABLE,
      onBug,
      onOpened: (stop) => this.#stops.push(stop),
      options: {
        ...shared,
        audit,
        maps: dataplane.maps,
        frames: dataplane.frames,
        exchanges: (session) => aaa.journal?.last(session.subscriberId, session.id) ?? [],
        dhcp: trace,
        reload: () => this.reload(),
        health,
        clock: systemClock,
        limits: DEFAULT_API_LIMITS,
        onEventClientDropped: () => {
          metrics.eventClientDropped();
          logEvent(logger, 'event-client-dropped');
        },
      },
    });
    const subscribers = config.metrics.subscribers ? shared : null;
    await this.#listen(buildMetrics({ metrics, subscribers, logger: shared.logger }), config.metrics.listen);
    const endpoint = config.walledGarden.portal;
    const portal = buildPortal({
      ...config.portal,
      operator: manager.operator,
      clock: systemClock,
      logger: shared.logger,
      endpoint,
      tls:
        config.portal.tls === null
          ? null
          : { ...readTlsFiles(config.portal.tls), host: config.portal.tls.host },
      templates: readTemplateFiles(config.portal.templates),
      onBug,
    });
    await this.#listen(portal, endpoint);
    if (gardenDns !== null) this.#stops.push(await listenGardenDns(gardenDns, { config, onBug }));

    const coa = await openCoa(config, {
      nas: aaa.nas,
      inlet: manager.authorization,
      logger,
      audit,
      journal: aaa.journal,
      onBug,
    });
    if (coa !== null) this.#stops.push(() => coa.close());
    link.coa = coa;
    olt?.open();
    if (olt !== null) this.#stops.push(() => olt.close());
    const { dhcp: observer } = metrics;
    const parts = { sessions: manager, punts: dataplane, observer, trace, prober, onBug };
    const dhcp = new DhcpParts({ config, ...parts });
    link.dhcp = dhcp;
    this.#stops.push(() => dhcp.close());
    dhcp.start();
    logEvent(logger, 'started', { ports: dataplane.ports() });
    await dataplane.backlogRead();
    await manager.restoration?.promise();
    account().catch(onBug);
  }

  async #openStore(path: string, logger: Logger, link: Links): Promise<Store> {
    const store = await openStore(path, systemClock.wallMs());
    this.#stops.push(() => store.close());
    if (store.damage !== null) logEvent(logger, 'store-damaged', store.damage);
    const onWritten: ObservedStoreOptions['onWritten'] = (durationMs, failure) =>
      link.metrics?.store.written(durationMs, failure);
    return new ObservedStore({ store, clock: systemClock, onWritten });
  }

  #connectOlt(olt: NonNullable<Config['olt']>, inlet: OntInlet, logger: Logger): OltClient {
    return new OltClient({
      path: olt.socket,
      clock: systemClock,
      inlet,
      sVlanOfPool: new Map(Object.entries(olt.vlans)),
      requestTimeoutMs: olt.timeoutMs,
      onEvent: (event) => logEvent(logger, 'access-node-event', event),
      onConnection: (state, reason) => logEvent(logger, `access-node-${state}`, { reason }),
    });
  }

  async #listen(app: FastifyInstance, { address, port }: Endpoint): Promise<void> {
    this.#stops.push(() => app.close());
    await app.listen({ host: formatIpv4(address), port });
  }
}

async function tearDownDataplane({ dataplane }: Config, logger: Logger): Promise<void> {
  const { pinPath } = dataplane;
  const onWarning = (warning: string): void => logEvent(logger, 'dataplane-warning', { warning });
  const found = await tearDown({ binding: loadNative(), pinPath, onWarning });
  logEvent(logger, 'torn-down', { pinPath, found });
}

function openDataplane(config: Config, objectPath: string, logger: Logger): Promise<KernelDataplane> {
  const { access } = config;
  const { policy, pools, burstMs, replies } = liveSettings(config);
  return KernelDataplane.open({
    binding: loadNative(),
    objectPath,
    clock: systemClock,
    access: {
      interfaces: access.interfaces,
      mtu: access.mtu,
      tune: access.tune,
      xdpMode: access.xdpMode,
      sTpid: access.vlan.sVlanTpid,
      cTpid: access.vlan.cVlanTpid,
    },
    core: config.core,
    policy,
    pools,
    burstMs,
    localForwarding: access.localForwarding,
    forwardInStack: access.forwardInStack,
    fastDhcp: access.fastDhcp ? { trustOption82: answersAnyRelay(config), replies } : null,
    staticNetworks: config.lines.static,
    nftTable: NFT_TABLE,
    pinPath: config.dataplane.pinPath,
    onWarning: (warning) => logEvent(logger, 'dataplane-warning', { warning }),
    onChange: (change, undo) => logEvent(logger, 'machine-changed', { change, undo }),
  });
}

/** HTTP says little: what matters of a request is in the lifecycle it causes. */
function httpLogger(logger: Logger): FastifyBaseLogger {
  return logger.child({ room: 'http' }, { level: 'warn' });
}
