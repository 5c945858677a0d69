/**
 * Keeps the store's picture of the sessions: what changed is written with the next commit, each session once and as it is
 * then. One commit holds everything that changed, with the accounting records of the same moment, so that what is found
 * after a crash is one moment of the past. Decides nothing.
 */
import type { RemovalReceipt } from '../dataplane/port.js';
import type { Ipv4 } from '../model/ipv4.js';
import { formatIpv4 } from '../model/ipv4.js';
import type { ServiceProfile } from '../model/service-profile.js';
import type { Commits, RowSource, StoreChange, StoreFailure, StoreTable } from '../store/port.js';
import type { Instants } from './instants.js';
import type { AccountingLedger } from './ledger.js';
import { holding, isServed } from './machine/build.js';
import type { Quarantine } from './kept-rows.js';
import { ASSIGNMENT_TABLE, putAssignment, putQuarantine, QUARANTINE_TABLE } from './kept-rows.js';
import type { DurableGrant, SessionRecord } from './record.js';
import { durableGrant } from './record.js';
import type { PortNames } from './row-parts.js';
import { SESSION_TABLE, SessionRows } from './session-row.js';

/** What the store must be opened with. */
export const SESSION_TABLES: readonly StoreTable[] = [SESSION_TABLE, ASSIGNMENT_TABLE, QUARANTINE_TABLE];

export interface JournalOptions {
  readonly commits: Commits;
  readonly instants: Instants;
  readonly ports: PortNames;
  readonly ledger: AccountingLedger;
  /** Why a subscriber is suspended, as far as somebody said. */
  readonly reasonOf: (subscriberId: string) => string | null;
  /** What these removals counted last is durable. */
  readonly forget: (receipts: readonly RemovalReceipt[]) => void;
}

interface Taken {
  readonly record: SessionRecord;
  readonly grant: DurableGrant | null;
}

export class SessionJournal implements RowSource {
  readonly rows: SessionRows;
  readonly #o: JournalOptions;
  readonly #dirty = new Set<SessionRecord>();
  /** By table and key: the newest of each. */
  readonly #changes = new Map<string, () => StoreChange>();
  #taken: readonly Taken[] = [];
  #takenChanges: ReadonlyMap<string, () => StoreChange> = new Map();
  readonly #underWay = new Set<SessionRecord>();
  #receipts: RemovalReceipt[] = [];
  #takenReceipts: readonly RemovalReceipt[] = [];

  constructor(options: JournalOptions) {
    this.#o = options;
    this.rows = new SessionRows(options.instants, options.ports);
    options.commits.join(this);
  }

  /** Why nothing can be kept at the moment; null when it can. */
  get failure(): StoreFailure | null {
    return this.#o.commits.failure;
  }

  /** The session is not as its row says. */
  changed(record: SessionRecord): void {
    this.#dirty.add(record);
    this.#o.commits.touch();
  }

  assigned(subscriberId: string, profile: ServiceProfile, resumeTo: ServiceProfile | null): void {
    const { name } = ASSIGNMENT_TABLE;
    this.#change(name, subscriberId, () => {
      const suspendedFor = this.#o.reasonOf(subscriberId);
      return putAssignment(subscriberId, { profile, resumeTo, suspendedFor });
    });
  }

  forgotten(subscriberId: string): void {
    const { name } = ASSIGNMENT_TABLE;
    this.#change(name, subscriberId, () => ({ op: 'delete', table: name, key: subscriberId }));
  }

  quarantined(address: Ipv4, quarantine: Quarantine): void {
    const change = putQuarantine(address, quarantine, this.#o.instants);
    this.#change(change.table, change.key, () => change);
  }

  unquarantined(address: Ipv4): void {
    const { name } = QUARANTINE_TABLE;
    const key = formatIpv4(address);
    this.#change(name, key, () => ({ op: 'delete', table: name, key }));
  }

  /** What was removed, and accounting and the session know its last counters: they are forgotten once that is durable. */
  removed(receipts: readonly RemovalReceipt[]): void {
    if (receipts.length === 0) return;
    this.#receipts.push(...receipts);
    this.#o.commits.touch();
  }

  /** Resolves when the session is durable as it is now (null), or with what keeps it from being so. */
  async stored(record: SessionRecord): Promise<StoreFailure | null> {
    if (!this.#dirty.has(record) && !this.#underWay.has(record)) return null;
    return this.#o.commits.settled();
  }

  take(): readonly StoreChange[] {
    const at = this.#o.instants.now();
    const changes: StoreChange[] = [];
    const taken: Taken[] = [];
    for (const record of this.#dirty) {
      const { state } = record.session;
      const now = isServed(state) ? holding(state) : null;
      const use = now === null ? null : this.#o.ledger.useAt(now.grant.address, record);
      const value = this.rows.encode(record, use, at);
      taken.push({ record, grant: value === null || !isServed(state) ? null : durableGrant(state) });
      this.#underWay.add(record);
      const { id: key } = record;
      if (value !== null) {
        record.hasRow = true;
        changes.push({ op: 'put', table: SESSION_TABLE.name, key, value });
      } else if (record.hasRow) {
        changes.push({ op: 'delete', table: SESSION_TABLE.name, key });
      }
    }
    this.#dirty.clear();
    for (const change of this.#changes.values()) changes.push(change());
    this.#takenChanges = new Map(this.#changes);
    this.#changes.clear();
    this.#taken = taken;
    this.#takenReceipts = this.#receipts;
    this.#receipts = [];
    return changes;
  }

  settled(failure: StoreFailure | null): void {
    this.#underWay.clear();
    for (const { record, grant } of this.#taken) {
      if (failure === null) record.durable = grant;
      else this.#dirty.add(record);
    }
    if (failure !== null) {
      for (const [id, change] of this.#takenChanges) {
        if (!this.#changes.has(id)) this.#changes.set(id, change);
      }
    }
    if (failure === null) this.#o.forget(this.#takenReceipts);
    else this.#receipts = [...this.#takenReceipts, ...this.#receipts];
    this.#taken = [];
    this.#takenReceipts = [];
    this.#takenChanges = new Map();
  }

  #change(table: string, key: string, change: () => StoreChange): void {
    this.#changes.set(`${table}/${key}`, change);
    this.#o.commits.touch();
  }
}
