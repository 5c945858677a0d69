/**
 * The dataplane on a Linux kernel: subscribers in BPF maps and in the firewall's garden, punts, counters. Its parts do
 * the work; this file holds the order in which they must do it. No protocol, no session.
 *
 * **Invariant:** while a walled subscriber is in the maps its address is a member of the garden in nftables: it joins
 * before the maps say so and leaves after they stop saying so.
 */
import { type Attachment, attachmentKey } from '../model/access-line.js';
import { BngError } from '../model/bng-error.js';
import type { Clock } from '../model/clock.js';
import type { Ipv4 } from '../model/ipv4.js';
import type { Mac } from '../model/mac.js';
import { NO_TRAFFIC, type TrafficCounters } from '../model/traffic-counters.js';
import { Counters } from './counters.js';
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
import { attempt, attemptFor } from './attempt.js';
import { inFlightDone } from './in-flight.js';
import type { NativeRingBuffer } from './native-binding.js';
import { reconcileKernel } from './reconcile-kernel.js';
import { type LinkSettings, type LiveSettings, reconfigureKernel } from './reconfigure-kernel.js';
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
import { Slots } from './slots.js';
import { SubscriberMaps } from './subscriber-maps.js';

interface Held {
  readonly entry: SubscriberEntry;
  readonly slot: number;
}

const PUNT_SLAB_BYTES = 1 << 18;
/** Entries written at once: about a millisecond. */
const BURST_PORTION = 1_000;

export class KernelDataplane implements Dataplane, PuntPath, DataplaneInspection, Reconciliation {
  readonly #parts: KernelParts;
  readonly #links: LinkSettings;
  readonly #clock: Clock;
  readonly #firewall: GardenFirewall;
  readonly #maps: SubscriberMaps;
  readonly #counters: Counters;
  /** The maps as the kernel holds them, decoded. */
  readonly maps: MapInspection;
  readonly #slots: Slots;
  readonly #held = new Map<Ipv4, Held>();
  readonly #addressOfSlot = new Map<number, Ipv4>();
  readonly #turns = new Map<Ipv4, Promise<unknown>>();
  #ring: NativeRingBuffer | null = null;
  #answered: (answered: AnsweredLease) => void = () => undefined;
  #brokenPunts = 0;
  #closing: Promise<void> | null = null;
  #settings: LiveSettings;

  private constructor(parts: KernelParts, options: KernelDataplaneOptions) {
    this.#parts = parts;
    this.#clock = options.clock;
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
    this.#counters = new Counters(parts.object, options.binding.possibleCpus());
    this.#slots = new Slots(this.#maps.capacity);
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
  async reconcile(wanted: readonly SubscriberEntry[]): Promise<ReconcileOutcome> {
    if (this.#closing !== null) return { ok: false, reason: 'dataplane closed' };
    if (this.#held.size > 0 || this.#slots.highest > 0) {
      return { ok: false, reason: 'reconciled already, or subscribers installed' };
    }
    const { outcome, held } = await reconcileKernel(
      {
        clock: this.#clock,
        firewall: this.#firewall,
        members: this.#parts.adoptedMembers,
        maps: this.#maps,
        counters: this.#counters,
        slots: this.#slots,
      },
      wanted,
    );
    for (const one of held) {
      this.#held.set(one.entry.address, one);
      this.#addressOfSlot.set(one.slot, one.entry.address);
    }
    return outcome;
  }

  /**
   * Other settings for a dataplane that runs, all or none. What was and is allowed passes all the time, and no packet of whoever
   * is installed is lost. Pools are only ever added.
   */
  async reconfigure(settings: LiveSettings): Promise<DataplaneOutcome> {
    if (this.#closing !== null) return { ok: false, reason: 'dataplane closed' };
    const change = { before: this.#settings, after: settings };
    const outcome = await reconfigureKernel(this.#parts, this.#links, change);
    if (!outcome.ok) return outcome;
    this.#settings = settings;
    if (change.before.burstMs === settings.burstMs) return outcome;
    return this.#useBurst(settings.burstMs);
  }

  install(entry: SubscriberEntry): Promise<DataplaneOutcome> {
    return this.#inTurn(entry.address, () => this.#install(entry));
  }

  update(entry: SubscriberEntry): Promise<DataplaneOutcome> {
    return this.#inTurn(entry.address, () => this.#update(entry));
  }

  remove(address: Ipv4): Promise<RemoveOutcome> {
    return this.#inTurn(address, () => this.#remove(address));
  }

  forget(receipts: readonly RemovalReceipt[]): void {
    if (this.#closing !== null) return;
    for (const slot of receipts) {
      // The number is not given away while the kernel says whose it was.
      const forgotten = attempt(() => this.#maps.forgetRemoved(slot));
      if (forgotten.ok) this.#slots.free(slot);
      else this.#parts.warn(`the counters of a removed subscriber are not forgotten: ${forgotten.reason}`);
    }
  }

  /** The maps of a dataplane that was just loaded are empty: all that is wanted is missing. */
  traffic(address: Ipv4): TrafficCounters | null {
    const held = this.#held.get(address);
    return held === undefined ? null : this.#counters.traffic(held.slot);
  }

  allTraffic(): ReadonlyMap<Ipv4, TrafficCounters> {
    const of = this.#counters.allTraffic(this.#slots.highest);
    return new Map([...this.#held].map(([address, held]) => [address, of(held.slot)]));
  }

  *trafficInPortions(size: number): Iterable<ReadonlyMap<Ipv4, TrafficCounters>> {
    for (let first = 0; first < this.#slots.highest; first += size) {
      const end = Math.min(first + size, this.#slots.highest);
      const of = this.#counters.trafficFrom(first, end - first);
      const portion = new Map<Ipv4, TrafficCounters>();
      for (let slot = first; slot < end; slot++) {
        const address = this.#addressOfSlot.get(slot);
        if (address !== undefined) portion.set(address, of(slot));
      }
      yield portion;
    }
  }

  firewallDrops(): Promise<bigint | null> {
    return this.#firewall.drops();
  }

  async gardenMismatches(): Promise<number | null> {
    const members = await this.#firewall.members();
    if (members === null) return null;
    let wanted = 0;
    let found = 0;
    for (const [address, { entry }] of this.#held) {
      if (!entry.walled) continue;
      wanted += 1;
      if (members.has(address)) found += 1;
    }
    // Wanted and not there, and there without being wanted.
    return wanted - found + (members.size - found);
  }

  onPunt(listener: (punted: PuntedFrame) => void): void {
    if (this.#ring !== null)
      throw new BngError('BNG_ERR_DATAPLANE', 'expected one listener of the punt path');
    const listeners = {
      punted: listener,
      answered: ({ atNs, ...told }: Parameters<PuntListeners['answered']>[0]): void =>
        this.#tellAnswered(told, atNs),
    };
    for (const batch of this.#parts.oldPunts) this.#brokenPunts += readPunts(batch, batch.length, listeners);
    this.#ring = this.#parts.binding.openRingBuffer(this.#parts.object.map('bng_punts'), {
      slabBytes: PUNT_SLAB_BYTES,
      onBatch: (slab, used) => {
        this.#brokenPunts += readPunts(slab, used, listeners);
      },
    });
  }

  onAnswered(listener: (answered: AnsweredLease) => void): void {
    this.#answered = listener;
  }

  promise(lease: LeasePromise): boolean {
    const { leases } = this.#parts;
    if (this.#closing !== null || !this.#held.has(lease.address)) return false;
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
    leases.addReplies(object, this.#settings.replies);
  }

  #tellAnswered(told: Omit<AnsweredLease, 'atMs'>, atNs: bigint): void {
    this.#answered({ ...told, atMs: this.#parts.leases.clockMs(atNs) });
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
    return stored.map(({ bytes: _, ...entry }) => ({
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
    this.#ring?.close();
    await Promise.allSettled(this.#turns.values());
    await this.#parts.close();
  }

  /** In portions, so that whoever waits for an answer does not wait for all of them. */
  async #useBurst(burstMs: number): Promise<DataplaneOutcome> {
    this.#maps.useBurst(burstMs);
    const addresses = [...this.#held.keys()];
    for (let first = 0; first < addresses.length; first += BURST_PORTION) {
      const portion = addresses.slice(first, first + BURST_PORTION).flatMap((address) => {
        const held = this.#held.get(address);
        return held === undefined ? [] : [held];
      });
      const written = attempt(() => this.#maps.putAll(portion));
      // Whoever is written for another reason gets it too, and a restart repairs the others.
      if (!written.ok) this.#parts.warn(`some rates keep their burst: ${written.reason}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return { ok: true };
  }

  async #install(entry: SubscriberEntry): Promise<DataplaneOutcome> {
    if (this.#held.has(entry.address)) return { ok: false, reason: 'address already installed' };
    const slot = this.#slots.take();
    if (slot === null) return { ok: false, reason: 'no room for another subscriber' };
    const member: DataplaneOutcome = entry.walled
      ? await this.#firewall.addMember(entry.address)
      : { ok: true };
    const outcome: DataplaneOutcome = member.ok ? attempt(() => this.#writeNew(entry, slot)) : member;
    if (outcome.ok) {
      this.#held.set(entry.address, { entry, slot });
      this.#addressOfSlot.set(slot, entry.address);
      return { ok: true };
    }
    this.#slots.free(slot);
    // What is in the firewall alone only ever forbids; the reason that matters is the first one.
    if (member.ok && entry.walled) await this.#firewall.removeMember(entry.address);
    return outcome;
  }

  #writeNew(entry: SubscriberEntry, slot: number): void {
    this.#counters.reset(slot);
    this.#maps.resetPolicer(slot);
    this.#maps.create(entry, slot);
    try {
      this.#maps.createLine(entry.attachment, entry.address);
    } catch (error) {
      this.#maps.delete(entry.address);
      throw error;
    }
  }

  async #update(entry: SubscriberEntry): Promise<DataplaneOutcome> {
    const held = this.#held.get(entry.address);
    if (held === undefined) return { ok: false, reason: 'address not installed' };
    const closes = entry.walled && !held.entry.walled;
    const member: DataplaneOutcome = closes ? await this.#firewall.addMember(entry.address) : { ok: true };
    if (!member.ok) return member;
    const outcome: DataplaneOutcome = attempt(() => this.#rewrite(entry, held));
    if (!outcome.ok) {
      if (closes) await this.#firewall.removeMember(entry.address);
      return outcome;
    }
    this.#held.set(entry.address, { entry, slot: held.slot });
    if (closes) await this.#firewall.cutFlows(entry.address);
    return entry.walled ? { ok: true } : this.#firewall.removeMember(entry.address);
  }

  #rewrite(entry: SubscriberEntry, held: Held): void {
    const moves = attachmentKey(entry.attachment) !== attachmentKey(held.entry.attachment);
    if (moves) this.#maps.createLine(entry.attachment, entry.address);
    try {
      this.#maps.replace(entry, held.slot);
    } catch (error) {
      if (moves) this.#maps.deleteLine(entry.attachment);
      throw error;
    }
    if (!moves) return;
    this.#parts.leases.withdraw(held.entry.attachment);
    this.#maps.deleteLine(held.entry.attachment);
  }

  async #remove(address: Ipv4): Promise<RemoveOutcome> {
    const held = this.#held.get(address);
    if (held === undefined) return { ok: true, traffic: NO_TRAFFIC, receipt: null };
    const taken = attempt(() => {
      this.#parts.leases.withdraw(held.entry.attachment);
      this.#maps.deleteLine(held.entry.attachment);
      this.#maps.remove(address, held.slot);
    });
    if (!taken.ok) return taken;
    this.#held.delete(address);
    this.#addressOfSlot.delete(held.slot);
    // The slot is given away long afterwards, so a straggler is never counted for somebody else.
    await inFlightDone(this.#clock);
    const traffic = this.#counters.traffic(held.slot);
    const left = await this.#firewall.removeMember(address);
    await this.#firewall.cutFlows(address);
    // The subscriber is gone and its traffic final; a membership left behind only ever forbids, and is said.
    if (!left.ok) this.#parts.warn(`garden membership of a removed subscriber remains: ${left.reason}`);
    return { ok: true, traffic, receipt: held.slot };
  }

  /** One change of an address after the other, in the order they were asked for. */
  async #inTurn<T extends { readonly ok: boolean }>(
    address: Ipv4,
    change: () => Promise<T>,
  ): Promise<T | { readonly ok: false; readonly reason: string }> {
    if (this.#closing !== null) return { ok: false, reason: 'dataplane closed' };
    const before = this.#turns.get(address) ?? Promise.resolve();
    const turn = before.then(change, change);
    this.#turns.set(address, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(address) === turn) this.#turns.delete(address);
    }
  }
}
