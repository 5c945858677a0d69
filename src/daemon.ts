/**
 * The composition root: builds every part, joins them, and starts and stops them in one written order. No domain rules.
 *
 * Start: dataplane (checks the ABI, attaches) → AAA and its store → sessions → HTTP and CoA inlets → access node → the punt
 * path last.
 * Stop: the same backwards: inlets first, answers under way, sessions with their final counters, dataplane.
 */
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { openAaa, openCoa } from './aaa-parts.js';
import { aaaReport } from './aaa-report.js';
import type { CoaServer } from './aaa/coa-server.js';
import type { Config, Endpoint } from './config/config.js';
import { readSecretFile } from './config/secret-file.js';
import { walledProfile } from './config/walled-profile.js';
import { BngLimit } from './dataplane/abi.js';
import { compileGardenPolicy } from './dataplane/garden-policy.js';
import { KernelDataplane } from './dataplane/kernel-dataplane.js';
import { loadNative } from './dataplane/load-native.js';
import { DhcpServer } from './dhcpv4/server.js';
import { buildApi } from './http/api.js';
import type { HealthReport } from './http/api-options.js';
import { DEFAULT_API_LIMITS } from './http/api-options.js';
import { Metrics, buildMetrics } from './http/metrics.js';
import { buildPortal } from './http/portal.js';
import { radiusHealth } from './http/radius-health.js';
import { systemClock } from './model/clock.js';
import { formatIpv4 } from './model/ipv4.js';
import { OltClient } from './olt/olt-client.js';
import { HashRingPools } from './pool/hash-ring-pools.js';
import type { AccessNode } from './session/access-node.js';
import { SessionManager } from './session/manager.js';
import { logLifecycle } from './lifecycle-log.js';

const OLT_REQUEST_TIMEOUT_MS = 3000;

export interface DaemonOptions {
  readonly config: Config;
  /** Path of the compiled BPF object. */
  readonly objectPath: string;
  readonly logger: Logger;
  /** A defect of ours was met; the caller stops the process. */
  readonly onBug: (error: unknown) => void;
}

type Stop = () => void | Promise<void>;

export class Daemon {
  readonly #stops: Stop[] = [];
  #closing: Promise<void> | null = null;

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

  async #stop(): Promise<void> {
    for (const stop of this.#stops.splice(0).reverse()) await stop();
  }

  async #start({ config, objectPath, logger, onBug }: DaemonOptions): Promise<void> {
    const token = readSecretFile(config.api.tokenFile);
    const dataplane = await openDataplane(config, objectPath, logger);
    this.#stops.push(() => dataplane.close());

    const aaa = await openAaa(
      config,
      logger,
      (ifindex) => dataplane.accessInterface(ifindex) ?? String(ifindex),
    );
    this.#stops.push(() => aaa.close());
    const pools = new HashRingPools(config.pools);
    const gardenProfile = walledProfile(config);
    const link: { accessNode: AccessNode | null; coa: CoaServer | null } = { accessNode: null, coa: null };
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
      onBug,
    });
    this.#stops.push(manager.onLifecycle(logLifecycle(logger)));
    this.#stops.push(() => manager.close());

    const poolNames = config.pools.map((pool) => pool.name);
    const shared = {
      operator: manager,
      lifecycle: manager,
      pools,
      poolNames,
      dataplane,
      logger: httpLogger(logger),
      radius: () => aaaReport(config, aaa.inspection, link.coa),
    };
    const metrics = new Metrics(shared);
    this.#stops.push(() => metrics.close());
    const olt = config.olt === null ? null : this.#connectOlt(config.olt, manager, logger);
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
        ...[radiusHealth(shared.radius())].filter((check) => check !== null),
      ],
    });
    await this.#listen(
      buildApi({
        ...shared,
        token,
        health,
        clock: systemClock,
        limits: DEFAULT_API_LIMITS,
        onEventClientDropped: () => {
          metrics.eventClientDropped();
          logger.warn({ event: 'event-client-dropped' });
        },
      }),
      config.api.listen,
    );
    await this.#listen(buildMetrics({ metrics, logger: shared.logger }), config.metrics.listen);
    await this.#listen(buildPortal({ operator: manager, logger: shared.logger }), config.walledGarden.portal);

    const coa = await openCoa(config, { nas: aaa.nas, inlet: manager.authorization, logger, onBug });
    if (coa !== null) this.#stops.push(() => coa.close());
    link.coa = coa;
    olt?.open();
    if (olt !== null) this.#stops.push(() => olt.close());
    const { trustOption82 } = config.access;
    const dhcp = new DhcpServer({
      inlet: manager,
      punts: dataplane,
      trustOption82,
      observer: metrics.dhcp,
      onBug,
    });
    this.#stops.push(() => dhcp.close());
    dhcp.start();
    logger.info({ event: 'started', ports: dataplane.ports() });
  }

  #connectOlt(olt: NonNullable<Config['olt']>, inlet: SessionManager, logger: Logger): OltClient {
    return new OltClient({
      path: olt.socket,
      clock: systemClock,
      inlet,
      sVlanOfPool: new Map(Object.entries(olt.vlans)),
      requestTimeoutMs: OLT_REQUEST_TIMEOUT_MS,
      onEvent: (event) => logger.info({ event: 'access-node-event', ...event }),
      onConnection: (state, reason) => logger.warn({ event: `access-node-${state}`, reason }),
    });
  }

  async #listen(app: FastifyInstance, { address, port }: Endpoint): Promise<void> {
    this.#stops.push(() => app.close());
    await app.listen({ host: formatIpv4(address), port });
  }
}

function openDataplane(config: Config, objectPath: string, logger: Logger): Promise<KernelDataplane> {
  const { access, walledGarden, pools, qos } = config;
  const garden = pools.find((pool) => pool.name === walledGarden.poolName);
  const policy = compileGardenPolicy(
    {
      allow: walledGarden.allow,
      resolvers: garden?.dns ?? [],
      portal: walledGarden.portal,
      gateways: pools.map((pool) => pool.gateway),
    },
    {
      maxPrefixes: BngLimit.maxGardenPrefixes,
      maxPortsOfPrefix: BngLimit.gardenPorts,
      maxLocalAddresses: BngLimit.maxLocalAddresses,
    },
  );
  return KernelDataplane.open({
    binding: loadNative(),
    objectPath,
    clock: systemClock,
    access: {
      interfaces: access.interfaces,
      mtu: access.mtu,
      xdpMode: access.xdpMode,
      sTpid: access.vlan.sVlanTpid,
      cTpid: access.vlan.cVlanTpid,
    },
    core: config.core,
    policy,
    pools,
    burstMs: qos.burstMs,
    localForwarding: access.localForwarding,
    forwardInStack: access.forwardInStack,
    nftTable: 'bng',
    onWarning: (warning) => logger.warn({ event: 'dataplane-warning', warning }),
  });
}

/** HTTP says little: what matters of a request is in the lifecycle it causes. */
function httpLogger(logger: Logger): FastifyBaseLogger {
  return logger.child({ room: 'http' }, { level: 'warn' });
}
