/**
 * The IP core of the lab: addresses that stand for the internet, for what the garden allows and for resolvers, and the
 * servers behind them. Knows no subscriber.
 */
import type { Child } from './exec.js';
import { shell, startReadyChild } from './exec.js';
import type { LabPaths } from './lab-paths.js';
import { labProgram, oltObjectPath } from './lab-paths.js';

/** Addresses of the core; every one answers ping. */
export const CORE_ADDRESSES = {
  /** The core's end of the link to the BNG. */
  router: '198.51.100.1',
  /** The BNG's end. */
  bng: '198.51.100.2',
  linkLength: 30,
  /** A web server that stands for the internet. */
  internet: '192.0.2.80',
  /** A web server that the garden may allow. */
  gardenAllowed: '203.0.113.10',
  resolvers: ['8.8.8.8', '8.8.4.4', '1.1.1.1', '1.0.0.1'],
} as const;

export interface CoreNetworkOptions {
  readonly paths: LabPaths;
  readonly namespace: string;
  /** Networks that are reached through the BNG. */
  readonly subscriberNetworks: readonly string[];
  readonly readyTimeoutMs: number;
}

export class CoreNetwork {
  readonly #children: readonly Child[];

  private constructor(children: readonly Child[]) {
    this.#children = children;
  }

  /** Sets up `eth0`, which must exist, and starts the servers; resolves when they answer. */
  static async start(options: CoreNetworkOptions): Promise<CoreNetwork> {
    const { namespace, paths, readyTimeoutMs } = options;
    const { router, linkLength, bng, internet, gardenAllowed, resolvers } = CORE_ADDRESSES;
    const own = [internet, gardenAllowed, ...resolvers];
    await shell(
      [
        // Checksums are computed here, because nothing computes them behind an XDP redirect; and a veth takes frames by
        // XDP_REDIRECT only when its end runs an XDP program.
        'ethtool -K eth0 tx off >/dev/null',
        `ip link set dev eth0 xdpdrv obj ${oltObjectPath()} sec xdp`,
        'ip -batch - <<END',
        ...own.map((address) => `addr add ${address}/32 dev lo`),
        `addr add ${router}/${linkLength} dev eth0`,
        'link set eth0 up',
        ...options.subscriberNetworks.map((network) => `route add ${network} via ${bng} dev eth0 onlink`),
        'END',
      ].join('\n'),
      { namespace },
    );
    const start = (program: string, args: readonly string[]): Promise<Child> =>
      startReadyChild([process.execPath, labProgram(program), ...args], {
        namespace,
        logFile: paths.logFile(program.replace('-main.js', '')),
        readyTimeoutMs,
      });
    const started = await Promise.allSettled([
      start('web-server-main.js', [`internet=${internet}`, `garden-allowed=${gardenAllowed}`]),
      start('dns-server-main.js', [internet, ...resolvers]),
    ]);
    const core = new CoreNetwork(started.flatMap((s) => (s.status === 'fulfilled' ? [s.value] : [])));
    const failed = started.find((s) => s.status === 'rejected');
    if (failed !== undefined) {
      await core.close();
      throw failed.reason;
    }
    return core;
  }

  async close(): Promise<void> {
    await Promise.all(this.#children.map((child) => child.stop('SIGKILL')));
  }
}
