/** Every living session, found by id, by subscriber, by line and by address; and how many are in each state. */
import type { AccessLine } from '../model/access-line.js';
import { attachmentKey } from '../model/access-line.js';
import type { Ipv4 } from '../model/ipv4.js';
import { holding, isServed } from './machine/build.js';
import type { LineCensus } from './line-census.js';
import type { SessionRecord } from './record.js';
import type { SessionStateName } from './view.js';

export class SessionTable {
  /** Null where nothing asks who is on a line. */
  readonly #census: LineCensus | null;
  readonly #bySubscriber = new Map<string, SessionRecord>();
  readonly #byId = new Map<string, SessionRecord>();
  readonly #byAttachment = new Map<string, SessionRecord>();
  readonly #byAddress = new Map<Ipv4, SessionRecord>();
  readonly #addresses = new Map<SessionRecord, readonly Ipv4[]>();
  readonly #counts: Record<SessionStateName, number> = {
    discovered: 0,
    wgar: 0,
    activating: 0,
    active: 0,
    suspended: 0,
    terminated: 0,
  };

  constructor(census: LineCensus | null = null) {
    this.#census = census;
  }

  get size(): number {
    return this.#byId.size;
  }

  add(record: SessionRecord): void {
    this.#bySubscriber.set(record.identity.subscriberId, record);
    this.#byId.set(record.id, record);
    this.#counts[record.session.state.name] += 1;
    this.#census?.moved(record);
  }

  /** A frame of the session has come from here. */
  heardFrom(record: SessionRecord, line: AccessLine): void {
    record.line = line;
    this.#census?.moved(record);
  }

  bySubscriber(subscriberId: string): SessionRecord | null {
    return this.#bySubscriber.get(subscriberId) ?? null;
  }

  byId(id: string): SessionRecord | null {
    return this.#byId.get(id) ?? null;
  }

  byAttachment(key: string): SessionRecord | null {
    return this.#byAttachment.get(key) ?? null;
  }

  /** By the granted address or the one still held. */
  byAddress(address: Ipv4): SessionRecord | null {
    return this.#byAddress.get(address) ?? null;
  }

  all(): Iterable<SessionRecord> {
    return this.#byId.values();
  }

  counts(): Readonly<Record<SessionStateName, number>> {
    return { ...this.#counts };
  }

  /** Brings the indexes and counts up to date after a transition from `before`; drops what has terminated. */
  moved(record: SessionRecord, before: SessionStateName): void {
    const { state } = record.session;
    this.#counts[before] -= 1;
    this.#counts[state.name] += 1;
    this.#reindex(record);
    if (state.name !== 'terminated') this.#census?.moved(record);
    if (before === 'terminated' || state.name !== 'terminated') return;
    this.#census?.left(record);
    this.#byId.delete(record.id);
    this.#bySubscriber.delete(record.identity.subscriberId);
  }

  #reindex(record: SessionRecord): void {
    const { state } = record.session;
    const now = isServed(state) ? holding(state) : null;
    const keys: string[] = [];
    const addresses: Ipv4[] = [];
    if (isServed(state)) {
      addresses.push(state.grant.address);
      if (state.lease.phase !== 'none') keys.push(attachmentKey(state.lease.attachment));
    }
    if (now !== null) {
      keys.push(attachmentKey(now.attachment));
      addresses.push(now.grant.address);
    }
    this.#replace(this.#byAttachment, record, record.attachmentKeys, keys);
    this.#replace(this.#byAddress, record, this.#addresses.get(record) ?? [], addresses);
    record.attachmentKeys = keys;
    if (addresses.length === 0) this.#addresses.delete(record);
    else this.#addresses.set(record, addresses);
  }

  /** Two sessions may meet at one key for a moment (a port move): the newer owns it, the older must not delete it. */
  #replace<K>(
    index: Map<K, SessionRecord>,
    record: SessionRecord,
    old: readonly K[],
    next: readonly K[],
  ): void {
    for (const key of old) if (!next.includes(key) && index.get(key) === record) index.delete(key);
    for (const key of next) index.set(key, record);
  }
}
