/**
 * The dataplane without a kernel, for tests of everything above it: remembers what is installed, carries counters that
 * a test sets, keeps transmitted frames, and hands up frames that a test punts.
 */
import { attachmentKey } from '../model/access-line.js';
import type { Ipv4 } from '../model/ipv4.js';
import type { Mac } from '../model/mac.js';
import { NO_TRAFFIC, type TrafficCounters } from '../model/traffic-counters.js';
import { BngDropReasonLabels, BngVerdictLabels } from './abi.js';
import type {
  Dataplane,
  DataplaneInspection,
  DataplaneOutcome,
  DumpedSubscriber,
  PuntedFrame,
  PuntPath,
  Reconciliation,
  ReconcileOutcome,
  RemoveOutcome,
  SubscriberEntry,
} from './port.js';
import { differencesOf, type FoundEntry } from './reconcile.js';
import { Slots } from './slots.js';

export interface MemoryDataplaneOptions {
  readonly capacity?: number;
  readonly accessMac?: Mac;
  readonly accessInterface?: string;
}

export type DataplaneCall =
  | { readonly verb: 'install' | 'update'; readonly entry: SubscriberEntry }
  | { readonly verb: 'remove'; readonly address: Ipv4 };

interface Held {
  readonly entry: SubscriberEntry;
  readonly slot: number;
  readonly traffic: TrafficCounters;
}

/** Left by an earlier control plane. */
interface Outlived extends FoundEntry {
  readonly entry: SubscriberEntry;
  readonly traffic: TrafficCounters;
}

const DEFAULT_CAPACITY = 131072;
const DEFAULT_ACCESS_MAC = 0x02_00_00_00_00_fe as Mac;

export class MemoryDataplane implements Dataplane, PuntPath, DataplaneInspection, Reconciliation {
  readonly #held = new Map<Ipv4, Held>();
  readonly #outlived = new Map<Ipv4, Outlived>();
  readonly #lines = new Map<string, Ipv4>();
  readonly #slots: Slots;
  readonly #accessMac: Mac;
  readonly #accessInterface: string;
  #listener: ((punted: PuntedFrame) => void) | null = null;
  #refusal: string | null = null;
  #queueFull = false;
  /** Every call in order, the refused ones too. */
  readonly calls: DataplaneCall[] = [];
  readonly transmitted: { readonly ifindex: number; readonly frame: Uint8Array }[] = [];

  constructor(options: MemoryDataplaneOptions = {}) {
    this.#slots = new Slots(options.capacity ?? DEFAULT_CAPACITY);
    this.#accessMac = options.accessMac ?? DEFAULT_ACCESS_MAC;
    this.#accessInterface = options.accessInterface ?? 'access0';
  }

  /** As the kernel's: makes it hold exactly `wanted`; refused once anything was asked of it. */
  async reconcile(wanted: readonly SubscriberEntry[]): Promise<ReconcileOutcome> {
    const refusal = this.#takeRefusal();
    if (refusal !== null) return { ok: false, reason: refusal };
    if (this.calls.length > 0 || this.#slots.highest > 0) {
      return { ok: false, reason: 'reconciled already, or subscribers installed' };
    }
    const found = {
      entries: [...this.#outlived.values()],
      lines: [...this.#outlived.values()].map(({ entry }) => entry),
      members: new Set(
        [...this.#outlived.values()].flatMap(({ entry }) => (entry.walled ? [entry.address] : [])),
      ),
      isAsWanted: (there: Outlived, entry: SubscriberEntry) => isSameEntry(there.entry, entry),
    };
    const differences = differencesOf(found, wanted, this.#slots);
    if (differences === null) return { ok: false, reason: 'no room for so many subscribers' };
    const { kept, missing, stale } = differences;
    for (const { entry, slot } of [...kept, ...missing, ...stale]) {
      const traffic = this.#outlived.get(entry.address)?.traffic ?? NO_TRAFFIC;
      this.#held.set(entry.address, { entry, slot, traffic });
      this.#lines.set(attachmentKey(entry.attachment), entry.address);
    }
    const foreign = differences.foreign.map(({ address, slot }) => {
      if (slot !== null) this.#slots.free(slot);
      return { address, traffic: this.#outlived.get(address)?.traffic ?? NO_TRAFFIC };
    });
    this.#outlived.clear();
    const addresses = (placed: readonly { readonly entry: SubscriberEntry }[]): Ipv4[] =>
      placed.map(({ entry }) => entry.address);
    const report = { kept: kept.length, missing: addresses(missing), stale: addresses(stale), foreign };
    return { ok: true, report };
  }

  async install(entry: SubscriberEntry): Promise<DataplaneOutcome> {
    this.calls.push({ verb: 'install', entry });
    const refusal = this.#takeRefusal() ?? this.#lineRefusal(entry);
    if (refusal !== null) return { ok: false, reason: refusal };
    if (this.#held.has(entry.address)) return { ok: false, reason: 'address already installed' };
    const slot = this.#slots.take();
    if (slot === null) return { ok: false, reason: 'no room for another subscriber' };
    this.#held.set(entry.address, { entry, slot, traffic: NO_TRAFFIC });
    this.#lines.set(attachmentKey(entry.attachment), entry.address);
    return { ok: true };
  }

  async update(entry: SubscriberEntry): Promise<DataplaneOutcome> {
    this.calls.push({ verb: 'update', entry });
    const refusal = this.#takeRefusal() ?? this.#lineRefusal(entry);
    if (refusal !== null) return { ok: false, reason: refusal };
    const held = this.#held.get(entry.address);
    if (held === undefined) return { ok: false, reason: 'address not installed' };
    this.#lines.delete(attachmentKey(held.entry.attachment));
    this.#held.set(entry.address, { ...held, entry });
    this.#lines.set(attachmentKey(entry.attachment), entry.address);
    return { ok: true };
  }

  async remove(address: Ipv4): Promise<RemoveOutcome> {
    this.calls.push({ verb: 'remove', address });
    const refusal = this.#takeRefusal();
    if (refusal !== null) return { ok: false, reason: refusal };
    const held = this.#held.get(address);
    if (held === undefined) return { ok: true, traffic: NO_TRAFFIC };
    this.#held.delete(address);
    this.#lines.delete(attachmentKey(held.entry.attachment));
    this.#slots.free(held.slot);
    return { ok: true, traffic: held.traffic };
  }

  traffic(address: Ipv4): TrafficCounters | null {
    return this.#held.get(address)?.traffic ?? null;
  }

  allTraffic(): ReadonlyMap<Ipv4, TrafficCounters> {
    return new Map([...this.#held].map(([address, held]) => [address, held.traffic]));
  }

  *trafficInPortions(size: number): Iterable<ReadonlyMap<Ipv4, TrafficCounters>> {
    const all = [...this.allTraffic()];
    for (let first = 0; first < all.length; first += size) yield new Map(all.slice(first, first + size));
  }

  async firewallDrops(): Promise<bigint | null> {
    return 0n;
  }

  async gardenMismatches(): Promise<number | null> {
    return 0;
  }

  onPunt(listener: (punted: PuntedFrame) => void): void {
    this.#listener = listener;
  }

  transmit(ifindex: number, frame: Uint8Array): boolean {
    if (this.#queueFull) return false;
    this.transmitted.push({ ifindex, frame: Uint8Array.from(frame) });
    return true;
  }

  accessMac(): Mac {
    return this.#accessMac;
  }

  async dump(): Promise<readonly DumpedSubscriber[]> {
    return [...this.#held.values()].map(({ entry, slot, traffic }) => ({
      ...entry,
      slot,
      traffic,
      gardenMember: entry.walled,
    }));
  }

  drops(): Readonly<Record<string, bigint>> {
    return zeroes(BngDropReasonLabels);
  }

  verdicts(): Readonly<Record<string, bigint>> {
    return zeroes(BngVerdictLabels);
  }

  ports(): ReturnType<DataplaneInspection['ports']> {
    return [{ interface: this.#accessInterface, role: 'access', xdpMode: 'native' }];
  }

  /** For tests: an entry that an earlier control plane left, before `reconcile`. */
  outlive(entry: SubscriberEntry, traffic: TrafficCounters = NO_TRAFFIC): void {
    this.#outlived.set(entry.address, { entry, traffic, address: entry.address, slot: this.#outlived.size });
  }

  /** For tests: what the entry says now; null when the address is not installed. */
  installed(address: Ipv4): SubscriberEntry | null {
    return this.#held.get(address)?.entry ?? null;
  }

  /** For tests: the counters that the next readers see. The address must be installed. */
  setTraffic(address: Ipv4, traffic: TrafficCounters): void {
    const held = this.#held.get(address);
    if (held === undefined) throw new RangeError('no such subscriber is installed');
    this.#held.set(address, { ...held, traffic });
  }

  /** For tests: hands a frame up; false while nobody listens. */
  punt(punted: PuntedFrame): boolean {
    this.#listener?.(punted);
    return this.#listener !== null;
  }

  /** For tests: the next install, update or remove is refused with this reason. */
  refuseNext(reason: string): void {
    this.#refusal = reason;
  }

  /** For tests: `transmit` answers false until this is called with false. */
  setQueueFull(full: boolean): void {
    this.#queueFull = full;
  }

  #takeRefusal(): string | null {
    const refusal = this.#refusal;
    this.#refusal = null;
    return refusal;
  }

  #lineRefusal(entry: SubscriberEntry): string | null {
    const holder = this.#lines.get(attachmentKey(entry.attachment));
    return holder === undefined || holder === entry.address ? null : 'line already in use by another address';
  }
}

function zeroes(labels: ReadonlyMap<number, string>): Readonly<Record<string, bigint>> {
  return Object.fromEntries([...labels.values()].map((label) => [label, 0n]));
}

function isSameEntry(a: SubscriberEntry, b: SubscriberEntry): boolean {
  return (
    attachmentKey(a.attachment) === attachmentKey(b.attachment) &&
    a.walled === b.walled &&
    a.downloadBitsPerSecond === b.downloadBitsPerSecond &&
    a.uploadBitsPerSecond === b.uploadBitsPerSecond
  );
}
