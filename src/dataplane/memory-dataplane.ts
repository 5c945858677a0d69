/**
 * The dataplane without a kernel, for tests of everything above it: remembers what is installed, carries counters that
 * a test sets, keeps transmitted frames, and hands up frames that a test punts.
 */
import { type Attachment, attachmentKey } from '../model/access-line.js';
import type { Ipv4 } from '../model/ipv4.js';
import type { Mac } from '../model/mac.js';
import { NO_TRAFFIC, type TrafficCounters } from '../model/traffic-counters.js';
import { BngDropReasonLabels, BngVerdictLabels } from './abi.js';
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
  Removed,
  RemoveOutcome,
  StandingPromise,
  SubscriberEntry,
} from './port.js';
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

const DEFAULT_CAPACITY = 131072;
const DEFAULT_ACCESS_MAC = 0x02_00_00_00_00_fe as Mac;

export class MemoryDataplane implements Dataplane, PuntPath, DataplaneInspection, Reconciliation {
  readonly #held = new Map<Ipv4, Held>();
  /** By slot: whose last counters nobody has kept yet. */
  readonly #removed = new Map<number, { readonly address: Ipv4; readonly traffic: TrafficCounters }>();
  readonly #lines = new Map<string, Ipv4>();
  readonly #slots: Slots;
  readonly #accessMac: Mac;
  readonly #accessInterface: string;
  readonly #promises = new Map<string, LeasePromise>();
  /** Where answers have moved the ends of those leases. */
  readonly #ends = new Map<string, number>();
  #answered: ((answered: AnsweredLease) => void) | null = null;
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
    if (attachmentKey(held.entry.attachment) !== attachmentKey(entry.attachment)) {
      this.withdraw(held.entry.attachment);
    }
    this.#held.set(entry.address, { ...held, entry });
    this.#lines.set(attachmentKey(entry.attachment), entry.address);
    return { ok: true };
  }

  async remove(address: Ipv4): Promise<RemoveOutcome> {
    this.calls.push({ verb: 'remove', address });
    const refusal = this.#takeRefusal();
    if (refusal !== null) return { ok: false, reason: refusal };
    const held = this.#held.get(address);
    if (held === undefined) return { ok: true, traffic: NO_TRAFFIC, receipt: null };
    this.#held.delete(address);
    this.withdraw(held.entry.attachment);
    this.#lines.delete(attachmentKey(held.entry.attachment));
    this.#removed.set(held.slot, { address, traffic: held.traffic });
    return { ok: true, traffic: held.traffic, receipt: held.slot };
  }

  forget(receipts: readonly RemovalReceipt[]): void {
    for (const slot of receipts) {
      if (!this.#removed.delete(slot)) throw new RangeError('no such removal is remembered');
      this.#slots.free(slot);
    }
  }

  promise(lease: LeasePromise): boolean {
    if (!this.#held.has(lease.address)) return false;
    this.#promises.set(attachmentKey(lease.attachment), lease);
    this.#ends.set(attachmentKey(lease.attachment), lease.expiresAtMs);
    return true;
  }

  withdraw(attachment: Attachment): void {
    this.#promises.delete(attachmentKey(attachment));
    this.#ends.delete(attachmentKey(attachment));
  }

  promisedUntilMs(attachment: Attachment): number | null {
    return this.#ends.get(attachmentKey(attachment)) ?? null;
  }

  standing(): readonly StandingPromise[] {
    return [...this.#promises].map(([key, { address, attachment, expiresAtMs }]) => ({
      address,
      attachment,
      expiresAtMs: this.#ends.get(key) ?? expiresAtMs,
    }));
  }

  promiseAnew(): void {
    this.#promises.clear();
    this.#ends.clear();
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

  async reconcile(wanted: readonly SubscriberEntry[]): Promise<ReconcileOutcome> {
    const byAddress = new Map(wanted.map((entry) => [entry.address, entry]));
    const removed = [...this.#removed].map(([receipt, last]) => ({ ...last, receipt }));
    const foreign: Removed[] = [];
    for (const address of [...this.#held.keys()].filter((one) => !byAddress.has(one))) {
      const outcome = await this.remove(address);
      if (!outcome.ok) return outcome;
      foreign.push({ address, traffic: outcome.traffic, receipt: outcome.receipt });
    }
    const missing = wanted.filter(({ address }) => !this.#held.has(address));
    const stale = wanted.filter((entry) => {
      const held = this.#held.get(entry.address);
      return held !== undefined && !isSame(held.entry, entry);
    });
    // All old lines first: two subscribers may have changed places.
    const changing = stale.flatMap((entry) => {
      const held = this.#held.get(entry.address);
      return held === undefined ? [] : [{ entry, held }];
    });
    for (const { held } of changing) this.#lines.delete(attachmentKey(held.entry.attachment));
    for (const { entry, held } of changing) {
      this.#held.set(entry.address, { ...held, entry });
      this.#lines.set(attachmentKey(entry.attachment), entry.address);
    }
    for (const entry of missing) {
      const outcome = await this.install(entry);
      if (!outcome.ok) return outcome;
    }
    const addressOf = ({ address }: SubscriberEntry): Ipv4 => address;
    const kept = wanted.length - missing.length - stale.length;
    return {
      ok: true,
      report: { kept, missing: missing.map(addressOf), stale: stale.map(addressOf), foreign, removed },
    };
  }

  onPunt(listener: (punted: PuntedFrame) => void): void {
    this.#listener = listener;
  }

  async backlogRead(): Promise<void> {
    // Nothing waits here.
  }

  onAnswered(listener: (answered: AnsweredLease) => void): void {
    this.#answered = listener;
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

  /** For tests: what may be answered at an attachment; null when nothing may. */
  promised(attachment: Attachment): LeasePromise | null {
    return this.#promises.get(attachmentKey(attachment)) ?? null;
  }

  /** For tests: an answer by itself, told of unless nobody listens or it is `untold`. */
  answer(answered: AnsweredLease, told: 'told' | 'untold' = 'told'): void {
    const { attachment, atMs, leaseSeconds } = answered;
    const key = attachmentKey(attachment);
    if (this.#promises.has(key) && answered.answer === 'ack') this.#ends.set(key, atMs + 1000 * leaseSeconds);
    if (told === 'told') this.#answered?.(answered);
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

function isSame(a: SubscriberEntry, b: SubscriberEntry): boolean {
  return (
    attachmentKey(a.attachment) === attachmentKey(b.attachment) &&
    a.walled === b.walled &&
    a.downloadBitsPerSecond === b.downloadBitsPerSecond &&
    a.uploadBitsPerSecond === b.uploadBitsPerSecond
  );
}

function zeroes(labels: ReadonlyMap<number, string>): Readonly<Record<string, bigint>> {
  return Object.fromEntries([...labels.values()].map((label) => [label, 0n]));
}
