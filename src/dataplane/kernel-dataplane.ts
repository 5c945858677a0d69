/**
 * The dataplane on a Linux kernel: subscribers in BPF maps and in the firewall's garden, punts, counters. Its parts do
 * the work; this file holds the order in which they must do it. No protocol, no session.
 *
 * **Invariant:** while a walled subscriber is in the maps its address is a member of the garden in nftables: it joins
 * before the maps say so and leaves after they stop saying so.
 */
import { attachmentKey } from '../model/access-line.js';
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
} from './kernel-parts.js';
import type { NativeFailure, NativeRingBuffer } from './native-binding.js';
import type {
  Dataplane,
  DataplaneInspection,
  DataplaneOutcome,
  DumpedSubscriber,
  PuntedFrame,
  PuntPath,
  RemoveOutcome,
  SubscriberEntry,
} from './port.js';
import { readPunts } from './punt-reader.js';
import { Slots } from './slots.js';
import { SubscriberMaps } from './subscriber-maps.js';

interface Held {
  readonly entry: SubscriberEntry;
  readonly slot: number;
}

const PUNT_SLAB_BYTES = 1 << 18;

/**
 * Deleting an entry does not wait for programs that have already found it: a frame on another CPU may still be counted
 * for a moment. A program runs to its end without being scheduled away, in microseconds, and keeps nothing between
 * frames; there is no system call at hand that waits for exactly that, so the final counters are read this much later.
 * The slot is given away afterwards only, so a straggler is never counted for somebody else.
 */
const IN_FLIGHT_MS = 5;

export class KernelDataplane implements Dataplane, PuntPath, DataplaneInspection {
  readonly #parts: KernelParts;
  readonly #clock: Clock;
  readonly #firewall: GardenFirewall;
  readonly #maps: SubscriberMaps;
  readonly #counters: Counters;
  readonly #slots: Slots;
  readonly #held = new Map<Ipv4, Held>();
  readonly #turns = new Map<Ipv4, Promise<unknown>>();
  #ring: NativeRingBuffer | null = null;
  #brokenPunts = 0;
  #closing: Promise<void> | null = null;

  private constructor(parts: KernelParts, options: KernelDataplaneOptions) {
    this.#parts = parts;
    this.#clock = options.clock;
    this.#firewall = parts.firewall;
    this.#maps = new SubscriberMaps({
      object: parts.object,
      sTpid: options.access.sTpid,
      cTpid: options.access.cTpid,
      burstMs: options.burstMs,
    });
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

  install(entry: SubscriberEntry): Promise<DataplaneOutcome> {
    return this.#inTurn(entry.address, () => this.#install(entry));
  }

  update(entry: SubscriberEntry): Promise<DataplaneOutcome> {
    return this.#inTurn(entry.address, () => this.#update(entry));
  }

  remove(address: Ipv4): Promise<RemoveOutcome> {
    return this.#inTurn(address, () => this.#remove(address));
  }

  traffic(address: Ipv4): TrafficCounters | null {
    const held = this.#held.get(address);
    return held === undefined ? null : this.#counters.traffic(held.slot);
  }

  allTraffic(): ReadonlyMap<Ipv4, TrafficCounters> {
    const of = this.#counters.allTraffic(this.#slots.highest);
    return new Map([...this.#held].map(([address, held]) => [address, of(held.slot)]));
  }

  onPunt(listener: (punted: PuntedFrame) => void): void {
    if (this.#ring !== null)
      throw new BngError('BNG_ERR_DATAPLANE', 'expected one listener of the punt path');
    this.#ring = this.#parts.binding.openRingBuffer(this.#parts.object.map('bng_punts'), {
      slabBytes: PUNT_SLAB_BYTES,
      onBatch: (slab, used) => {
        this.#brokenPunts += readPunts(slab, used, listener);
      },
    });
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

  /** Detaches the programs, removes the nftables table, takes back the interface settings. Once is enough. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#ring?.close();
    await Promise.allSettled(this.#turns.values());
    await this.#parts.close();
  }

  async #install(entry: SubscriberEntry): Promise<DataplaneOutcome> {
    if (this.#held.has(entry.address)) return { ok: false, reason: 'address already installed' };
    const slot = this.#slots.take();
    if (slot === null) return { ok: false, reason: 'no room for another subscriber' };
    const member: DataplaneOutcome = entry.walled
      ? await this.#firewall.addMember(entry.address)
      : { ok: true };
    const outcome = member.ok ? attempt(() => this.#writeNew(entry, slot)) : member;
    if (outcome.ok) {
      this.#held.set(entry.address, { entry, slot });
      return outcome;
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
    const outcome = attempt(() => this.#rewrite(entry, held));
    if (!outcome.ok) {
      if (closes) await this.#firewall.removeMember(entry.address);
      return outcome;
    }
    this.#held.set(entry.address, { entry, slot: held.slot });
    if (closes) await this.#firewall.cutFlows(entry.address);
    return entry.walled ? outcome : this.#firewall.removeMember(entry.address);
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
    if (moves) this.#maps.deleteLine(held.entry.attachment);
  }

  async #remove(address: Ipv4): Promise<RemoveOutcome> {
    const held = this.#held.get(address);
    if (held === undefined) return { ok: true, traffic: NO_TRAFFIC };
    const taken = attempt(() => {
      this.#maps.deleteLine(held.entry.attachment);
      this.#maps.delete(address);
    });
    if (!taken.ok) return taken;
    this.#held.delete(address);
    await new Promise<void>((resolve) => this.#clock.after(IN_FLIGHT_MS, resolve));
    const traffic = this.#counters.traffic(held.slot);
    this.#slots.free(held.slot);
    const left = await this.#firewall.removeMember(address);
    await this.#firewall.cutFlows(address);
    // The subscriber is gone and its traffic final; a membership left behind only ever forbids, and is said.
    if (!left.ok) this.#parts.warn(`garden membership of a removed subscriber remains: ${left.reason}`);
    return { ok: true, traffic };
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

/** The kernel refusing is a value; anything else that is thrown is a bug of ours. */
function attempt(change: () => void): DataplaneOutcome {
  try {
    change();
    return { ok: true };
  } catch (error) {
    if (isNativeFailure(error)) return { ok: false, reason: error.message };
    throw error;
  }
}

function isNativeFailure(error: unknown): error is Error & NativeFailure {
  return error instanceof Error && 'operation' in error && 'errno' in error;
}
