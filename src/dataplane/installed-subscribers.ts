/**
 * Who is installed: in the maps, and while walled in the firewall's garden; and the changes of each address, one after the
 * other. Knows nothing of ports, punts or leases' answers.
 *
 * **Invariant:** while a walled subscriber is in the maps its address is a member of the garden in nftables: it joins
 * before the maps say so and leaves after they stop saying so.
 */
import { type Attachment, attachmentKey } from '../model/access-line.js';
import type { Clock } from '../model/clock.js';
import { type Ipv4, ipv4FromNumber } from '../model/ipv4.js';
import { NO_TRAFFIC, type TrafficCounters } from '../model/traffic-counters.js';
import { attempt } from './attempt.js';
import type { Counters } from './counters.js';
import type { GardenFirewall } from './garden-firewall.js';
import { inFlightDone } from './in-flight.js';
import type {
  DataplaneOutcome,
  ReconcileOutcome,
  RemovalReceipt,
  RemoveOutcome,
  SubscriberEntry,
} from './port.js';
import type { Placed } from './reconcile.js';
import { reconcileKernel } from './reconcile-kernel.js';
import { Slots } from './slots.js';
import type { SubscriberMaps } from './subscriber-maps.js';

/** Entries written at once: about a millisecond. */
const BURST_PORTION = 1_000;

export interface InstalledParts {
  readonly clock: Clock;
  readonly firewall: GardenFirewall;
  readonly maps: SubscriberMaps;
  readonly counters: Counters;
  /** Nothing is answered in our place on an attachment that its subscriber has left. */
  readonly withdraw: (attachment: Attachment) => void;
  readonly warn: (text: string) => void;
}

export class InstalledSubscribers {
  readonly #parts: InstalledParts;
  readonly #slots: Slots;
  readonly #held = new Map<Ipv4, Placed>();
  /** 0, which is nobody's address, for a slot that nobody has. */
  readonly #addressOfSlot: Uint32Array;
  readonly #turns = new Map<Ipv4, Promise<unknown>>();
  #closed = false;

  constructor(parts: InstalledParts) {
    this.#parts = parts;
    this.#slots = new Slots(parts.maps.capacity);
    this.#addressOfSlot = new Uint32Array(parts.maps.capacity);
  }

  has(address: Ipv4): boolean {
    return this.#held.has(address);
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

  /** What the slots of these removals have counted is kept elsewhere: they are given away again. */
  forget(receipts: readonly RemovalReceipt[]): void {
    if (this.#closed) return;
    for (const slot of receipts) {
      // Not while the kernel says whose it was.
      const forgotten = attempt(() => this.#parts.maps.forgetRemoved(slot));
      if (forgotten.ok) this.#slots.free(slot);
      else this.#parts.warn(`the counters of a removed subscriber are not forgotten: ${forgotten.reason}`);
    }
  }

  /**
   * Makes maps and firewall hold exactly `wanted`, counters going on. `members`: who was in the firewall's garden when it was
   * adopted. Refused once anything is installed.
   */
  async reconcile(members: ReadonlySet<Ipv4>, wanted: readonly SubscriberEntry[]): Promise<ReconcileOutcome> {
    if (this.#closed) return { ok: false, reason: 'dataplane closed' };
    if (this.#held.size > 0 || this.#slots.highest > 0) {
      return { ok: false, reason: 'reconciled already, or subscribers installed' };
    }
    const { outcome, held } = await reconcileKernel({ ...this.#parts, members, slots: this.#slots }, wanted);
    for (const one of held) this.#hold(one);
    return outcome;
  }

  traffic(address: Ipv4): TrafficCounters | null {
    const held = this.#held.get(address);
    return held === undefined ? null : this.#parts.counters.traffic(held.slot);
  }

  allTraffic(): ReadonlyMap<Ipv4, TrafficCounters> {
    const of = this.#parts.counters.allTraffic(this.#slots.highest);
    return new Map([...this.#held].map(([address, held]) => [address, of(held.slot)]));
  }

  *trafficInPortions(size: number): Iterable<ReadonlyMap<Ipv4, TrafficCounters>> {
    for (let first = 0; first < this.#slots.highest; first += size) {
      const end = Math.min(first + size, this.#slots.highest);
      const of = this.#parts.counters.trafficFrom(first, end - first);
      const portion = new Map<Ipv4, TrafficCounters>();
      for (let slot = first; slot < end; slot++) {
        const address = this.#addressOfSlot[slot] ?? 0;
        if (address !== 0) portion.set(ipv4FromNumber(address), of(slot));
      }
      yield portion;
    }
  }

  /** How many addresses `members` and we do not agree about being walled. */
  mismatches(members: ReadonlySet<Ipv4>): number {
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

  /** Another burst for everyone; in portions, so that whoever waits for an answer does not wait for all of them. */
  async useBurst(burstMs: number): Promise<void> {
    this.#parts.maps.useBurst(burstMs);
    const addresses = [...this.#held.keys()];
    for (let first = 0; first < addresses.length; first += BURST_PORTION) {
      const portion = addresses.slice(first, first + BURST_PORTION).flatMap((address) => {
        const held = this.#held.get(address);
        return held === undefined ? [] : [held];
      });
      const written = attempt(() => this.#parts.maps.putAll(portion));
      // Whoever is written for another reason gets it too, and a restart repairs the others.
      if (!written.ok) this.#parts.warn(`some rates keep their burst: ${written.reason}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Nothing new; done when the changes under way are. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#turns.values());
  }

  #hold(placed: Placed): void {
    this.#held.set(placed.entry.address, placed);
    this.#addressOfSlot[placed.slot] = placed.entry.address;
  }

  async #install(entry: SubscriberEntry): Promise<DataplaneOutcome> {
    if (this.#held.has(entry.address)) return { ok: false, reason: 'address already installed' };
    const slot = this.#slots.take();
    if (slot === null) return { ok: false, reason: 'no room for another subscriber' };
    const member: DataplaneOutcome = entry.walled
      ? await this.#parts.firewall.addMember(entry.address)
      : { ok: true };
    const outcome = member.ok ? attempt(() => this.#writeNew(entry, slot)) : member;
    if (outcome.ok) {
      this.#hold({ entry, slot });
      return outcome;
    }
    this.#slots.free(slot);
    // What is in the firewall alone only ever forbids; the reason that matters is the first one.
    if (member.ok && entry.walled) await this.#parts.firewall.removeMember(entry.address);
    return outcome;
  }

  #writeNew(entry: SubscriberEntry, slot: number): void {
    this.#parts.counters.reset(slot);
    this.#parts.maps.create(entry, slot);
    try {
      this.#parts.maps.createLine(entry.attachment, entry.address);
    } catch (error) {
      this.#parts.maps.delete(entry.address);
      throw error;
    }
  }

  async #update(entry: SubscriberEntry): Promise<DataplaneOutcome> {
    const held = this.#held.get(entry.address);
    if (held === undefined) return { ok: false, reason: 'address not installed' };
    const closes = entry.walled && !held.entry.walled;
    const member: DataplaneOutcome = closes
      ? await this.#parts.firewall.addMember(entry.address)
      : { ok: true };
    if (!member.ok) return member;
    const outcome = attempt(() => this.#rewrite(entry, held));
    if (!outcome.ok) {
      if (closes) await this.#parts.firewall.removeMember(entry.address);
      return outcome;
    }
    this.#hold({ entry, slot: held.slot });
    if (closes) await this.#parts.firewall.cutFlows(entry.address);
    return entry.walled ? outcome : this.#parts.firewall.removeMember(entry.address);
  }

  #rewrite(entry: SubscriberEntry, held: Placed): void {
    const moves = attachmentKey(entry.attachment) !== attachmentKey(held.entry.attachment);
    if (moves) this.#parts.maps.createLine(entry.attachment, entry.address);
    try {
      this.#parts.maps.replace(entry, held.slot);
    } catch (error) {
      if (moves) this.#parts.maps.deleteLine(entry.attachment);
      throw error;
    }
    if (!moves) return;
    this.#parts.withdraw(held.entry.attachment);
    this.#parts.maps.deleteLine(held.entry.attachment);
  }

  async #remove(address: Ipv4): Promise<RemoveOutcome> {
    const held = this.#held.get(address);
    if (held === undefined) return { ok: true, traffic: NO_TRAFFIC, receipt: null };
    const taken = attempt(() => {
      this.#parts.withdraw(held.entry.attachment);
      this.#parts.maps.deleteLine(held.entry.attachment);
      this.#parts.maps.remove(address, held.slot);
    });
    if (!taken.ok) return taken;
    this.#held.delete(address);
    this.#addressOfSlot[held.slot] = 0;
    // The slot is given away when these are forgotten, so a straggler is never counted for somebody else.
    await inFlightDone(this.#parts.clock);
    const traffic = this.#parts.counters.traffic(held.slot);
    const left = await this.#parts.firewall.removeMember(address);
    await this.#parts.firewall.cutFlows(address);
    // The subscriber is gone and its traffic final; a membership left behind only ever forbids, and is said.
    if (!left.ok) this.#parts.warn(`garden membership of a removed subscriber remains: ${left.reason}`);
    return { ok: true, traffic, receipt: held.slot };
  }

  /** One change of an address after the other, in the order they were asked for. */
  async #inTurn<T extends { readonly ok: boolean }>(
    address: Ipv4,
    change: () => Promise<T>,
  ): Promise<T | { readonly ok: false; readonly reason: string }> {
    if (this.#closed) return { ok: false, reason: 'dataplane closed' };
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
