/**
 * The dataplane on a Linux kernel: subscribers, settings, punts, leases to be answered, counters. Its parts do the work; this
 * file holds together what they share. No protocol, no session.
 */
import type { Attachment } from '../model/access-line.js';
import { BngError } from '../model/bng-error.js';
import { BngLimit } from './abi.js';
import type { Ipv4 } from '../model/ipv4.js';
import type { Mac } from '../model/mac.js';
import type { TrafficCounters } from '../model/traffic-counters.js';
import { Counters } from './counters.js';
import { FrameTrace } from './frame-trace.js';
import type { GardenFirewall } from './garden-firewall.js';
import {
  type KernelDataplaneOptions,
  type KernelParts,
  type OpenAccessPort,
  openKernelParts,
  SUBSCRIBER_MTU,
} from './kernel-parts.js';
import type { MapInspection } from './map-inspection.js';
import { MapReader } from './map-reader.js';
import { attemptFor } from './attempt.js';
import { InstalledSubscribers } from './installed-subscribers.js';
import type { NativeRingBuffer } from './native-binding.js';
import { LinkWatch } from './link-watch.js';
import {
  ensureNetworks,
  type LinkSettings,
  type LiveSettings,
  type Networks,
  networksAreSet,
  type NetworksOutcome,
  reconfigureKernel,
} from './reconfigure-kernel.js';
import { RouteWatch } from './route-watch.js';
import type {
  AnsweredLease,
  Dataplane,
  DataplaneInspection,
  DataplaneOutcome,
  DumpedSubscriber,
  LeasePromise,
  PuntedFrame,
  PuntPath,
  Reconciliation,
  ReconcileOutcome,
  RemovalReceipt,
  RemoveOutcome,
  StandingPromise,
  SubscriberEntry,
} from './port.js';
import { type PuntListeners, readPunts } from './punt-reader.js';
import { SubscriberMaps } from './subscriber-maps.js';

const PUNT_SLAB_BYTES = 1 << 18;

export class KernelDataplane implements Dataplane, PuntPath, DataplaneInspection, Reconciliation {
  readonly #parts: KernelParts;
  readonly #links: LinkSettings;
  readonly #firewall: GardenFirewall;
  readonly #maps: SubscriberMaps;
  readonly #counters: Counters;
  /** The maps as the kernel holds them, decoded. */
  readonly maps: MapInspection;
  /** Single frames, for whoever follows a line. */
  readonly frames: FrameTrace;
  readonly #installed: InstalledSubscribers;
  #ring: NativeRingBuffer | null = null;
  #answered: (answered: AnsweredLease) => void = () => undefined;
  #brokenPunts = 0;
  #puntBytes = 0;
  #closing: Promise<void> | null = null;
  #settings: LiveSettings;
  readonly #watch: LinkWatch;
  readonly #routes: RouteWatch;
  /** What sets routes is done one after the other. */
  #settingRoutes: Promise<unknown> = Promise.resolve();

  private constructor(parts: KernelParts, options: KernelDataplaneOptions) {
    this.#parts = parts;
    const { policy, pools, burstMs, fastDhcp } = options;
    this.#settings = { policy, pools, burstMs, replies: fastDhcp?.replies ?? [] };
    this.#links = {
      accessInterfaces: options.access.interfaces,
      subscriberMtu: options.access.mtu ?? SUBSCRIBER_MTU,
    };
    this.#firewall = parts.firewall;
    this.#maps = new SubscriberMaps({
      object: parts.object,
      sTpid: options.access.sTpid,
      cTpid: options.access.cTpid,
      burstMs: options.burstMs,
    });
    this.maps = new MapReader((name) => parts.object.map(name));
    this.#counters = new Counters(parts.object);
    this.frames = new FrameTrace({ binding: options.binding, object: parts.object, clock: options.clock });
    this.#installed = new InstalledSubscribers({
      clock: options.clock,
      firewall: parts.firewall,
      maps: this.#maps,
      counters: this.#counters,
      withdraw: (attachment) => parts.leases.withdraw(attachment),
      warn: (text) => parts.warn(text),
    });
    this.#watch = new LinkWatch({
      interfaces: options.access.interfaces,
      clock: options.clock,
      onUp: (name) => void this.#restoreRoutes(name),
      onWarning: (text) => parts.warn(text),
    });
    this.#routes = new RouteWatch({
      clock: options.clock,
      areSet: () => this.#inRouteTurn(() => networksAreSet(this.#parts, this.#links, this.#networks)),
      restore: () => this.#ensureRoutes(),
      onWarning: (text) => parts.warn(text),
    });
  }

  get #networks(): Networks {
    const { policy, pools } = this.#settings;
    return { pools, localAddresses: policy.localAddresses };
  }

  /** The routes that the kernel took away when the link went down. */
  async #restoreRoutes(name: string): Promise<void> {
    const outcome = await this.#ensureRoutes();
    if (!outcome.ok) this.#parts.warn(`routes by ${name} are not set again: ${outcome.reason}`);
  }

  #ensureRoutes(): Promise<NetworksOutcome> {
    return this.#inRouteTurn(async () => {
      if (this.#closing !== null) return { ok: true, changes: [] };
      return ensureNetworks(this.#parts, this.#links, this.#networks);
    });
  }

  #inRouteTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#settingRoutes.then(act, act);
    this.#settingRoutes = turn;
    return turn;
  }

  /**
   * Loads and attaches everything; when a step fails, the steps before it are undone. Throws `BNG_ERR_ABI_MISMATCH`,
   * `BNG_ERR_NATIVE`, `BNG_ERR_NFT` or `BNG_ERR_DATAPLANE` (an interface is missing, a driver refuses the XDP mode).
   */
  static async open(options: KernelDataplaneOptions): Promise<KernelDataplane> {
    return new KernelDataplane(await openKernelParts(options), options);
  }

  /** What is not as it should be on this machine, in words for an operator. */
  get warnings(): readonly string[] {
    return this.#parts.warnings;
  }

  /** Records in the punt ring that were not whole; anything but 0 is a bug. */
  get brokenPunts(): number {
    return this.#brokenPunts;
  }

  /**
   * Makes maps and firewall hold exactly `wanted`, counters going on. Refused once anything is installed, and when the kernel
   * refuses; what was repaired until then stays so.
   */
  reconcile(wanted: readonly SubscriberEntry[]): Promise<ReconcileOutcome> {
    return this.#installed.reconcile(this.#parts.adoptedMembers, wanted);
  }

  /**
   * Other settings for a dataplane that runs, all or none. What was and is allowed passes all the time, and no packet of whoever
   * is installed is lost. Nobody has an address of a pool that goes.
   */
  async reconfigure(settings: LiveSettings): Promise<DataplaneOutcome> {
    if (this.#closing !== null) return { ok: false, reason: 'dataplane closed' };
    const change = { before: this.#settings, after: settings };
    const outcome = await this.#inRouteTurn(() => reconfigureKernel(this.#parts, this.#links, change));
    if (!outcome.ok) return outcome;
    this.#settings = settings;
    if (change.before.burstMs !== settings.burstMs) await this.#installed.useBurst(settings.burstMs);
    return outcome;
  }

  install(entry: SubscriberEntry): Promise<DataplaneOutcome> {
    return this.#installed.install(entry);
  }

  update(entry: SubscriberEntry): Promise<DataplaneOutcome> {
    return this.#installed.update(entry);
  }

  remove(address: Ipv4): Promise<RemoveOutcome> {
    return this.#installed.remove(address);
  }

  forget(receipts: readonly RemovalReceipt[]): void {
    this.#installed.forget(receipts);
  }

  traffic(address: Ipv4): TrafficCounters | null {
    return this.#installed.traffic(address);
  }

  allTraffic(): ReadonlyMap<Ipv4, TrafficCounters> {
    return this.#installed.allTraffic();
  }

  trafficInPortions(size: number): Iterable<ReadonlyMap<Ipv4, TrafficCounters>> {
    return this.#installed.trafficInPortions(size);
  }

  firewallDrops(): Promise<bigint | null> {
    return this.#firewall.drops();
  }

  async gardenMismatches(): Promise<number | null> {
    const members = await this.#firewall.members();
    return members === null ? null : this.#installed.mismatches(members);
  }

  onPunt(listener: (punted: PuntedFrame) => void): void {
    if (this.#ring !== null)
      throw new BngError('BNG_ERR_DATAPLANE', 'expected one listener of the punt path');
    const listeners: PuntListeners = {
      punted: listener,
      answered: ({ atNs, ...told }) => this.#answered({ ...told, atMs: this.#parts.leases.clockMs(atNs) }),
    };
    for (const batch of this.#parts.oldPunts) this.#brokenPunts += readPunts(batch, batch.length, listeners);
    this.#ring = this.#parts.binding.openRingBuffer(this.#parts.object.map('bng_punts'), {
      slabBytes: PUNT_SLAB_BYTES,
      onBatch: (slab, used) => {
        this.#puntBytes += used;
        this.#brokenPunts += readPunts(slab, used, listeners);
      },
    });
  }

  async backlogRead(): Promise<void> {
    // What waited is read when a turn of the loop brings nothing more, or as much was read as the ring can hold.
    for (let seen = -1; seen !== this.#puntBytes && this.#puntBytes < BngLimit.puntRingBytes; ) {
      seen = this.#puntBytes;
      // Between two there is certainly one look at the ring.
      await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  onAnswered(listener: (answered: AnsweredLease) => void): void {
    this.#answered = listener;
  }

  promise(lease: LeasePromise): boolean {
    const { leases } = this.#parts;
    if (this.#closing !== null || !this.#installed.has(lease.address)) return false;
    const outcome = attemptFor(() => leases.promise(lease));
    if (outcome.ok) return outcome.value;
    this.#parts.warn(`a lease is not answered in XDP: ${outcome.reason}`);
    return false;
  }

  withdraw(attachment: Attachment): void {
    if (this.#closing === null) this.#parts.leases.withdraw(attachment);
  }

  promisedUntilMs(attachment: Attachment): number | null {
    return this.#closing === null ? this.#parts.leases.untilMs(attachment) : null;
  }

  standing(): readonly StandingPromise[] {
    return this.#parts.leases.standing();
  }

  promiseAnew(): void {
    const { leases, object } = this.#parts;
    leases.clear();
    leases.useReplies(object, this.#settings.replies);
  }

  transmit(ifindex: number, frame: Uint8Array): boolean {
    return this.#accessPort(ifindex).socket.send(frame);
  }

  accessMac(ifindex: number): Mac {
    return this.#accessPort(ifindex).mac;
  }

  async dump(): Promise<readonly DumpedSubscriber[]> {
    const members = await this.#firewall.dumpMembers();
    const stored = this.#maps.readAll();
    const traffic = this.#counters.allTraffic(stored.reduce((most, { slot }) => Math.max(most, slot + 1), 0));
    return stored.map((entry) => ({
      ...entry,
      traffic: traffic(entry.slot),
      gardenMember: members.has(entry.address),
    }));
  }

  drops(): Readonly<Record<string, bigint>> {
    return this.#counters.drops();
  }

  verdicts(): Readonly<Record<string, bigint>> {
    return this.#counters.verdicts();
  }

  ports(): ReturnType<DataplaneInspection['ports']> {
    return this.#parts.ports;
  }

  /** The name of an access interface; null for any other. */
  accessInterface(ifindex: number): string | null {
    return this.#parts.access.get(ifindex)?.name ?? null;
  }

  #accessPort(ifindex: number): OpenAccessPort {
    const port = this.#parts.access.get(ifindex);
    if (port === undefined)
      throw new BngError('BNG_ERR_DATAPLANE', 'expected an access interface', { ifindex });
    return port;
  }

  /** The process id of the nft child, for operators and tests; null while there is none. */
  get nftPid(): number | null {
    return this.#firewall.childPid;
  }

  /**
   * Lets go: with a pin path what is in the kernel goes on forwarding, policing, counting and walling; without one everything is
   * taken away. Once is enough.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.frames.close();
    this.#ring?.close();
    await this.#watch.close();
    await this.#routes.close();
    await this.#installed.close();
    await this.#parts.close();
  }
}
