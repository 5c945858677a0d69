/**
 * A whole ISP on one machine: the namespaces of access node, BNG and core, wired with what veth and XDP need, and the
 * ONTs plugged into it. Runs no BNG by itself and asserts nothing.
 */
import { mkdirSync } from 'node:fs';
import { BngError } from '../model/bng-error.js';
import { systemClock } from '../model/system-clock.js';
import { OltConnection } from '../olt/olt-connection.js';
import type { OltEvent, OltMethod, OltParams, OltStats } from '../olt/protocol.js';
import { statsSchema } from '../olt/protocol.js';
import { CORE_ADDRESSES, CoreNetwork } from './core-network.js';
import type { Child } from './exec.js';
import { shell, startReadyChild } from './exec.js';
import { LabPaths, labProgram, oltObjectPath } from './lab-paths.js';
import { clearLab, removeLab } from './lab-removal.js';
import { createNamespaces } from './namespaces.js';
import type { OltSettings } from './olt-settings.js';
import type { OntHostOptions } from './ont-host.js';
import { OntHost } from './ont-host.js';
import { claim, disclaim, livingOwner, othersHaveRemoved } from './ownership.js';
import { Reaper } from './reaper.js';
import { patience } from './patience.js';

export interface LabOptions {
  /** 1 to 6 lower-case letters and digits; names everything. Default `bng`. */
  readonly prefix?: string;
  readonly onProgress?: (message: string) => void;
  readonly onOltEvent?: (event: OltEvent) => void;
  readonly aggregatorId?: string;
  /** S-VLAN that new ONTs are provisioned into. Default 4000. */
  readonly gardenSVlan?: number;
  /** Outer TPID of double-tagged lines. Default 0x88a8. */
  readonly sTagTpid?: number;
  /** How long a bounced UNI link stays down. Default 50. */
  readonly bounceMs?: number;
  /** Networks that the core reaches through the BNG. Default 10.0.0.0/8. */
  readonly subscriberNetworks?: readonly string[];
}

export type PlugOptions = Omit<OntHostOptions, 'paths' | 'index'>;

/** QinQ frames of 1500 bytes of payload must pass. */
const TRUNK_MTU = 1508;
const READY_TIMEOUT_MS = 15_000 * patience;
const REQUEST_TIMEOUT_MS = 5_000 * patience;

export class Lab {
  readonly paths: LabPaths;
  readonly namespaces: { readonly olt: string; readonly bng: string; readonly core: string };
  /** Interfaces in the BNG's namespace. */
  readonly accessInterface = 'access0';
  readonly coreInterface = 'core0';

  readonly #options: LabOptions;
  readonly #onts = new Map<string, OntHost>();
  readonly #closers: (() => Promise<void>)[] = [];
  #olt: OltConnection | null = null;
  #nextOnt = 1;
  #reaper: Reaper | null = null;
  #closing: Promise<void> | null = null;

  private constructor(options: LabOptions) {
    this.#options = options;
    this.paths = new LabPaths(options.prefix ?? 'bng');
    this.namespaces = {
      olt: this.paths.namespace('olt'),
      bng: this.paths.namespace('bng'),
      core: this.paths.namespace('core'),
    };
  }

  /**
   * Builds the lab; what a dead owner of the prefix left is removed first. Throws `BNG_ERR_LAB` when a living process
   * owns the prefix or a step fails; then nothing is left behind.
   */
  static async create(options: LabOptions = {}): Promise<Lab> {
    const lab = new Lab(options);
    const { paths } = lab;
    await othersHaveRemoved(paths.ownerFile);
    if (!claim(paths.ownerFile)) {
      const owner = livingOwner(paths.ownerFile);
      if (owner === null) await removeLab(paths.prefix);
      if (owner !== null || !claim(paths.ownerFile)) {
        throw new BngError('BNG_ERR_LAB', 'expected a lab prefix that nobody uses', {
          prefix: paths.prefix,
          pid: owner,
        });
      }
    }
    lab.#reaper = new Reaper(paths.prefix);
    try {
      await clearLab(paths);
      mkdirSync(paths.directory, { recursive: true });
      await lab.#build();
      return lab;
    } catch (error) {
      await lab.close();
      throw error;
    }
  }

  get onts(): readonly OntHost[] {
    return [...this.#onts.values()];
  }

  ont(ontSerial: string): OntHost {
    const host = this.#onts.get(ontSerial);
    if (host === undefined) throw new BngError('BNG_ERR_LAB', 'expected a plugged ONT', { ontSerial });
    return host;
  }

  /** Makes an ONT with its customer's equipment and plugs it in; its DHCP client, if any, is started last. */
  async plug(options: PlugOptions): Promise<OntHost> {
    if (this.#onts.has(options.ontSerial)) {
      throw new BngError('BNG_ERR_LAB', 'expected an ONT that is not plugged in yet', {
        ontSerial: options.ontSerial,
      });
    }
    const host = new OntHost({ ...options, paths: this.paths, index: this.#nextOnt++ });
    this.#onts.set(options.ontSerial, host);
    try {
      await host.build();
      await this.askOlt('plug', {
        ontSerial: options.ontSerial,
        port: options.port,
        interface: host.uniInterface,
        tagging: options.tagging,
        ...(options.cVlan === undefined ? {} : { cVlan: options.cVlan }),
      });
      await host.start();
      return host;
    } catch (error) {
      this.#onts.delete(options.ontSerial);
      await host.remove();
      throw error;
    }
  }

  /** Pulls the fibre and removes the customer's equipment. */
  async unplug(ontSerial: string): Promise<void> {
    const host = this.ont(ontSerial);
    this.#onts.delete(ontSerial);
    try {
      await this.askOlt('unplug', { ontSerial });
    } finally {
      await host.remove();
    }
  }

  /** Asks the access node; its refusal is `BNG_ERR_OLT`. */
  async askOlt<M extends OltMethod>(method: M, params: OltParams<M>): Promise<unknown> {
    const answer = (await this.#olt?.request(method, params)) ?? { ok: false, reason: 'the lab is closed' };
    if (answer.ok) return answer.result;
    throw new BngError('BNG_ERR_OLT', 'expected the access node to agree', { method, reason: answer.reason });
  }

  async oltStats(): Promise<OltStats> {
    return statsSchema.parse(await this.askOlt('stats', {}));
  }

  /** Has `close` called when the lab closes, before anything of the lab itself goes; last in, first out. */
  onClose(close: () => Promise<void>): void {
    this.#closers.push(close);
  }

  /** Ends every process, removes every namespace and file. Safe to call again. */
  close(): Promise<void> {
    this.#closing ??= this.#tearDown();
    return this.#closing;
  }

  async #build(): Promise<void> {
    const { olt, bng, core } = this.namespaces;
    this.#options.onProgress?.('namespaces');
    await createNamespaces([olt, bng, core]);
    // Made inside a namespace, because `ip link add NAME netns X` looks for NAME in the present namespace too (6.1).
    await shell(
      `ip link add trunk0 mtu ${TRUNK_MTU} type veth peer name access0 mtu ${TRUNK_MTU} netns ${bng}
      ethtool -K trunk0 txvlan off tx-vlan-stag-hw-insert off tx off >/dev/null
      ip link set trunk0 up`,
      { namespace: olt },
    );
    await shell(
      `ip link add core0 type veth peer name eth0 netns ${core}
      ethtool -K access0 txvlan off tx-vlan-stag-hw-insert off >/dev/null
      ip -batch - <<END
link set access0 up
addr add ${CORE_ADDRESSES.bng}/${CORE_ADDRESSES.linkLength} dev core0
link set core0 up
route add default via ${CORE_ADDRESSES.router} dev core0
END`,
      { namespace: bng },
    );
    this.#options.onProgress?.('core network and access node');
    await Promise.all([this.#startCore(), this.#startOlt()]);
    this.#options.onProgress?.('ready');
  }

  async #startCore(): Promise<void> {
    const core = await CoreNetwork.start({
      paths: this.paths,
      namespace: this.namespaces.core,
      subscriberNetworks: this.#options.subscriberNetworks ?? ['10.0.0.0/8'],
      readyTimeoutMs: READY_TIMEOUT_MS,
    });
    this.#closers.unshift(() => core.close());
  }

  async #startOlt(): Promise<void> {
    const settings: OltSettings = {
      socketPath: this.paths.oltSocket,
      objectPath: oltObjectPath(),
      trunk: 'trunk0',
      aggregatorId: this.#options.aggregatorId ?? 'agg-01',
      gardenSVlan: this.#options.gardenSVlan ?? 4000,
      sTagTpid: this.#options.sTagTpid ?? 0x88a8,
      bounceMs: this.#options.bounceMs ?? 50,
    };
    const process_: Child = await startReadyChild(
      [process.execPath, labProgram('olt-main.js'), JSON.stringify(settings)],
      {
        namespace: this.namespaces.olt,
        logFile: this.paths.logFile('olt'),
        readyTimeoutMs: READY_TIMEOUT_MS,
      },
    );
    this.#closers.unshift(() => process_.stop('SIGKILL'));
    await this.#connectOlt();
  }

  #connectOlt(): Promise<void> {
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => {
        reject(new BngError('BNG_ERR_DEADLINE', 'expected the access node to answer'));
      }, REQUEST_TIMEOUT_MS);
      const connection = new OltConnection({
        path: this.paths.oltSocket,
        clock: systemClock,
        requestTimeoutMs: REQUEST_TIMEOUT_MS,
        onUp: () => {
          clearTimeout(deadline);
          resolve();
        },
        onDown: () => undefined,
        onEvent: (event) => this.#options.onOltEvent?.(event),
      });
      this.#olt = connection;
      connection.open();
    });
  }

  async #tearDown(): Promise<void> {
    const failures: unknown[] = [];
    const attempt = async (step: () => Promise<void>): Promise<void> => {
      await step().catch((error: unknown) => failures.push(error));
    };
    for (const close of this.#closers.toReversed()) await attempt(close);
    this.#olt?.close();
    this.#olt = null;
    await Promise.all(this.onts.map((host) => attempt(() => host.stop())));
    this.#onts.clear();
    await attempt(() => clearLab(this.paths));
    // Where something could not be removed, the watchdog stays and tries again when this process ends.
    if (failures.length > 0) throw failures[0];
    disclaim(this.paths.ownerFile);
    await this.#reaper?.dismiss();
  }
}
