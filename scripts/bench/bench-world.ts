/**
 * Two namespaces without anybody between them: one plays all ONTs and the core, in the other is the BNG. For what the
 * simulated access node of a lab would hide. Claimed, cleaned and removed as a lab is.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Child, execOrThrow, shell } from '../../src/lab/exec.js';
import { LabPaths, labProgram } from '../../src/lab/lab-paths.js';
import { removeLab } from '../../src/lab/lab-removal.js';
import { NamespaceProbe } from '../../src/lab/namespace-probe.js';
import { createNamespaces } from '../../src/lab/namespaces.js';
import { claim, livingOwner } from '../../src/lab/ownership.js';
import { BngError } from '../../src/model/bng-error.js';
import { BENCH_VLANS } from './bench-access-node.js';
import type { BenchContext } from './bench-context.js';

const READY_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 15_000;
const POLL_MS = 50;

/** Pools large enough for every line that the bench plays. */
const POOLS = [
  { name: 'wgar', network: '10.240.0.0/12', gateway: '10.240.0.1', dns: ['8.8.8.8'], leaseTime: '600s' },
  {
    name: 'isp-residential',
    network: '10.0.0.0/12',
    gateway: '10.0.0.1',
    dns: ['1.1.1.1'],
    leaseTime: '24h',
  },
];

export interface WorldBngOptions {
  /** The pool that every ONT is granted: `wgar` or `isp-residential`. */
  readonly defaultPool: string;
  readonly logLevel: 'info' | 'warn';
  /** Socket where the delay of its event loop can be asked for; not measured without it. */
  readonly loopProbe?: string;
  /** Where its store is; in memory, with all else of the world, without it. */
  readonly storePath?: string;
  /** Who authenticates and takes accounting; local records and the log without it. */
  readonly radius?: { readonly authPort: number; readonly acctPort: number; readonly secretFile: string };
  /** Whether an access node tells of the ONTs, at the world's socket (see BenchAccessNode). */
  readonly hasAccessNode?: boolean;
}

export interface WorldStart {
  /** A command and its first arguments that the BNG's own command follows. */
  readonly within?: readonly string[];
}

export class BenchWorld {
  readonly paths: LabPaths;
  readonly namespaces: { readonly ont: string; readonly bng: string };
  /** The BNG's ports; the other ends are `trunk0` and `eth0` in the other namespace. */
  readonly accessInterface = 'access0';
  readonly coreInterface = 'core0';
  /** Of the BNG's API. */
  readonly token = 'only-for-this-bench';
  #command: readonly string[] = [];

  /** Where the BNG pins what outlives it. */
  get pinPath(): string {
    return `${this.paths.bpffsDirectory}/bng`;
  }

  private constructor(prefix: string) {
    this.paths = new LabPaths(prefix);
    this.namespaces = { ont: this.paths.namespace('ont'), bng: this.paths.namespace('bng') };
  }

  /** Removed when the bench ends. `BNG_ERR_LAB` when a living process owns the prefix or a step fails. */
  static async create(context: BenchContext, role: string): Promise<BenchWorld> {
    const prefix = `${context.prefix}${role}`;
    const world = new BenchWorld(prefix);
    context.onClose(() => world.close());
    const { ownerFile } = world.paths;
    if (!claim(ownerFile)) {
      const owner = livingOwner(ownerFile);
      if (owner === null) await removeLab(prefix);
      if (owner !== null || !claim(ownerFile)) {
        throw new BngError('BNG_ERR_LAB', 'expected a prefix that nobody uses', { prefix, pid: owner });
      }
    }
    try {
      await world.#build();
      return world;
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  /** Starts `bng run` with local authentication and nothing of an earlier one; resolves when it is ready. */
  async startBng(options: WorldBngOptions): Promise<WorldBng> {
    const configFile = join(this.paths.directory, 'bng.yaml');
    const tokenFile = join(this.paths.directory, 'api.token');
    writeFileSync(tokenFile, `${this.token}\n`, { mode: 0o600 });
    const config = {
      access: { interface: this.accessInterface, xdpMode: 'native', trustOption82: true },
      core: { interface: this.coreInterface },
      pools: POOLS,
      // The first offer of each address would otherwise measure its own waiting; the servers beside it do not ask either.
      dhcp: { probe: false },
      ...aaaOf(options),
      ...(options.hasAccessNode === true
        ? { olt: { socket: this.paths.oltSocket, vlans: BENCH_VLANS } }
        : {}),
      walledGarden: { pool: 'wgar', portal: '10.240.0.1:80', allow: ['203.0.113.10/32'] },
      api: { listen: '127.0.0.1:8080', tokenFile, socket: this.paths.apiSocket },
      metrics: { listen: '127.0.0.1:9090', subscribers: true },
      store: { path: options.storePath ?? join(this.paths.directory, 'store') },
      dataplane: { pinPath: this.pinPath },
      log: { level: options.logLevel },
    };
    // JSON is YAML.
    writeFileSync(configFile, JSON.stringify(config));
    const program = labProgram('../bin/bng.js');
    // What an earlier one has left in store and kernel would be half of what is measured.
    await execOrThrow([process.execPath, program, 'run', '--teardown', '-c', configFile], {
      namespace: this.namespaces.bng,
      timeoutMs: READY_TIMEOUT_MS,
    });
    const { loopProbe } = options;
    const probe =
      loopProbe === undefined ? [] : ['--import', fileURLToPath(new URL('loop-probe.js', import.meta.url))];
    const environment = loopProbe === undefined ? [] : ['env', `BNG_LOOP_PROBE=${loopProbe}`];
    this.#command = [...environment, process.execPath, ...probe, program, 'run', '-c', configFile];
    const bng = this.startAgain();
    await bng.ready();
    return bng;
  }

  /** Starts the same `bng run` once more, with what the one before has left; does not wait until it is ready. */
  startAgain({ within = [] }: WorldStart = {}): WorldBng {
    return new WorldBng(this, [...within, ...this.#command]);
  }

  /** Ends every process in it and removes everything. */
  async close(): Promise<void> {
    await removeLab(this.paths.prefix);
  }

  async #build(): Promise<void> {
    mkdirSync(this.paths.directory, { recursive: true });
    const { ont, bng } = this.namespaces;
    await createNamespaces([ont, bng]);
    await shell(
      `ip link add trunk0 mtu 1508 type veth peer name access0 mtu 1508 netns ${bng}
      ip link add eth0 type veth peer name core0 netns ${bng}
      ethtool -K trunk0 txvlan off tx-vlan-stag-hw-insert off tx off >/dev/null
      ethtool -K eth0 tx off >/dev/null
      ip addr add 198.51.100.1/30 dev eth0
      ip link set trunk0 up
      ip link set eth0 up`,
      { namespace: ont },
    );
    await shell(
      `ethtool -K access0 txvlan off tx-vlan-stag-hw-insert off >/dev/null
      ip link set access0 up
      ip addr add 198.51.100.2/30 dev core0
      ip link set core0 up
      ip route add default via 198.51.100.1 dev core0`,
      { namespace: bng },
    );
  }
}

function aaaOf({ radius, defaultPool }: WorldBngOptions): object {
  if (radius === undefined) return { auth: { mode: 'local', defaultPool } };
  const server = { host: '127.0.0.1', ...radius };
  return {
    auth: { mode: 'radius', defaultPool },
    accounting: { mode: 'radius' },
    radius: { servers: [server], nasIdentifier: 'bng-bench' },
  };
}

/** The BNG's process in such a world. */
export class WorldBng {
  readonly logFile: string;
  readonly #child: Child;
  readonly #probe: NamespaceProbe;

  constructor(world: BenchWorld, command: readonly string[]) {
    this.logFile = world.paths.logFile('bng');
    this.#probe = new NamespaceProbe(world.namespaces.bng);
    this.#child = new Child(command, { namespace: world.namespaces.bng, logFile: this.logFile });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** `BNG_ERR_LAB` when it ended, `BNG_ERR_DEADLINE` when it takes too long. */
  async ready(): Promise<void> {
    const deadline = performance.now() + READY_TIMEOUT_MS;
    for (;;) {
      const answer = await this.#probe.httpGet('http://127.0.0.1:8080/readyz', 1000);
      if (answer.ok && answer.status === 200) return;
      const log = readFileSync(this.logFile, 'utf8').slice(-1000);
      if (!this.#child.isRunning) throw new BngError('BNG_ERR_LAB', 'expected the BNG to run', { log });
      if (performance.now() > deadline) {
        throw new BngError('BNG_ERR_DEADLINE', 'expected the BNG to be ready', { log });
      }
      await sleep(POLL_MS);
    }
  }

  /** Resident memory in bytes (proc(5), statm). */
  residentBytes(): number {
    return Number(readFileSync(`/proc/${this.pid}/statm`, 'utf8').split(' ')[1]) * 4096;
  }

  /** Samples of `/metrics` whose names begin with `prefix`. */
  async metrics(prefix: string): Promise<ReadonlyMap<string, number>> {
    const answer = await this.#probe.httpGet('http://127.0.0.1:9090/metrics', 10_000);
    if (!answer.ok) throw new BngError('BNG_ERR_LAB', 'expected metrics', { reason: answer.reason });
    return new Map(
      answer.body
        .split('\n')
        .filter((line) => line.startsWith(prefix))
        .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
    );
  }

  async stop(): Promise<void> {
    await this.#child.stop('SIGTERM', STOP_TIMEOUT_MS);
  }

  /** Without a last word. */
  async crash(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#child.ended;
  }
}
