/**
 * One ONT with the customer's equipment behind it: a namespace whose `eth0` is the far end of an ONT port, and a real
 * DHCP client in it that asks again whenever its link comes back. Asserts nothing.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { BngError } from '../model/bng-error.js';
import type { Mac } from '../model/mac.js';
import { formatMac } from '../model/mac.js';
import type { Tagging } from '../olt/protocol.js';
import type { DhcpClientKind } from './dhcp-client.js';
import { DhcpClient } from './dhcp-client.js';
import { Child, shell } from './exec.js';
import type { LabPaths } from './lab-paths.js';
import type { LeaseEvent } from './lease-log.js';
import { LeaseLog } from './lease-log.js';
import { NamespaceProbe } from './namespace-probe.js';
import { createNamespaces, deleteNamespaces, emptyNamespaces } from './namespaces.js';

export interface OntHostOptions {
  readonly paths: LabPaths;
  /** Number of the ONT in its lab, from 1: names its interface, namespace and, by default, MAC address. */
  readonly index: number;
  readonly ontSerial: string;
  /** Shelf, slot and port as in `1/1/1`. */
  readonly port: string;
  readonly tagging: Tagging;
  readonly cVlan?: number;
  /** `none`: the equipment is there, but asks for nothing. */
  readonly client: DhcpClientKind | 'none';
  readonly mac?: Mac;
}

const FIRST_MAC = 0x02_00_5e_00_00_00;
/** Long enough for ARP; whether the gateway answers the ping itself does not matter. */
const RESOLVE_MS = 500;
const ANY_LEASE = (): boolean => true;

export class OntHost extends NamespaceProbe {
  readonly ontSerial: string;
  readonly port: string;
  readonly tagging: Tagging;
  readonly mac: Mac;
  /** The ONT's UNI in the access node's namespace. */
  readonly uniInterface: string;

  readonly #paths: LabPaths;
  readonly #directory: string;
  readonly #client: DhcpClient | null;
  #log: LeaseLog | null = null;
  #monitor: Child | null = null;
  #carrier = true;
  #carrierLosses = 0;
  readonly #carrierListeners = new Set<() => void>();

  constructor(options: OntHostOptions) {
    super(options.paths.namespace(`ont${options.index}`));
    this.ontSerial = options.ontSerial;
    this.port = options.port;
    this.tagging = options.tagging;
    this.mac = options.mac ?? ((FIRST_MAC + options.index) as Mac);
    this.uniInterface = `ont${options.index}`;
    this.#paths = options.paths;
    this.#directory = join(options.paths.directory, `ont${options.index}`);
    const { client: kind } = options;
    this.#client =
      kind === 'none'
        ? null
        : new DhcpClient({
            kind,
            namespace: this.namespace,
            directory: this.#directory,
            leaseLog: this.#leaseLogFile,
          });
  }

  /** Makes namespace and link. */
  async build(): Promise<void> {
    await createNamespaces([this.namespace]);
    await shell(
      `ip link add ${this.uniInterface} type veth peer name eth0 address ${formatMac(this.mac)} netns ${this.namespace}
      ip link set ${this.uniInterface} up
      nsenter --net=/run/netns/${this.namespace} ip link set eth0 up`,
      { namespace: this.#paths.namespace('olt') },
    );
  }

  /** Switches the equipment on. */
  async start(): Promise<void> {
    await shell(`mkdir -p '${this.#directory}'`);
    this.#log = new LeaseLog(this.#leaseLogFile);
    this.#monitor = new Child(['ip', '-o', 'monitor', 'link', 'dev', 'eth0'], {
      namespace: this.namespace,
      logFile: join(this.#directory, 'monitor.log'),
      onStdoutLine: (line) => this.#observeLink(line),
    });
    this.#client?.start();
  }

  /** What the client told of its leases, oldest first. */
  get leaseEvents(): readonly LeaseEvent[] {
    return this.#log?.events ?? [];
  }

  /** The lease that the client says it has. */
  get lease(): LeaseEvent | null {
    return this.#log?.lease ?? null;
  }

  /** False while the UNI link is down. */
  get hasCarrier(): boolean {
    return this.#carrier;
  }

  /** How often the UNI link was lost. */
  get carrierLosses(): number {
    return this.#carrierLosses;
  }

  /** Resolves with the client's lease once it satisfies `predicate`, which may be now; null at the deadline. */
  async waitForLease(
    deadlineMs: number,
    predicate: (lease: LeaseEvent) => boolean = ANY_LEASE,
  ): Promise<LeaseEvent | null> {
    return this.#started().waitFor(deadlineMs, () => {
      const lease = this.lease;
      return lease !== null && predicate(lease) ? lease : null;
    });
  }

  /** Resolves with the first lease event at or after index `from` that satisfies `predicate`; null at the deadline. */
  async waitForLeaseEvent(
    deadlineMs: number,
    predicate: (event: LeaseEvent) => boolean,
    from = 0,
  ): Promise<LeaseEvent | null> {
    return this.#started().waitFor(deadlineMs, () => this.leaseEvents.slice(from).find(predicate) ?? null);
  }

  /** Resolves with true once the link was lost `losses` times and is back; false at the deadline. */
  async waitForCarrierLosses(losses: number, deadlineMs: number): Promise<boolean> {
    const reached = (): boolean => this.#carrierLosses >= losses && this.#carrier;
    if (reached()) return true;
    return new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.#carrierListeners.delete(listener);
        resolve(reached());
      };
      const listener = (): void => {
        if (reached()) finish();
      };
      const timer = setTimeout(finish, deadlineMs);
      this.#carrierListeners.add(listener);
    });
  }

  /** Gives the lease back with a DHCPRELEASE. */
  async release(): Promise<void> {
    // A line in use knows its gateway's MAC address. Without it the client's one message waits for ARP, and is dropped
    // when the client takes the address off the interface in the next moment.
    const router = this.lease?.router;
    if (router !== undefined && router !== '') await this.ping(router, { timeoutMs: RESOLVE_MS });
    await this.#client?.release();
  }

  /** Has the client ask again now, as it does when its link comes back. */
  async askAgain(): Promise<void> {
    await this.#client?.linkReturned();
  }

  /** Switches the equipment off without a word; the namespace stays. */
  async stop(): Promise<void> {
    await Promise.all([this.#monitor?.stop('SIGKILL'), this.#client?.stop()]);
    this.#monitor = null;
    this.#log?.close();
  }

  /** Stops, and removes everything of this ONT. */
  async remove(): Promise<void> {
    await this.stop();
    await emptyNamespaces([this.namespace]);
    await deleteNamespaces([this.namespace]);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  get #leaseLogFile(): string {
    return join(this.#directory, 'leases.jsonl');
  }

  #started(): LeaseLog {
    if (this.#log === null) {
      throw new BngError('BNG_ERR_LAB', 'expected equipment that is switched on', {
        ontSerial: this.ontSerial,
      });
    }
    return this.#log;
  }

  #observeLink(line: string): void {
    const flags = /eth0[^<]*<([^>]*)>/.exec(line)?.[1]?.split(',');
    if (flags === undefined) return;
    const carrier = flags.includes('LOWER_UP');
    if (carrier === this.#carrier) return;
    this.#carrier = carrier;
    if (carrier) void this.#client?.linkReturned();
    else this.#carrierLosses += 1;
    for (const listener of [...this.#carrierListeners]) listener();
  }
}
