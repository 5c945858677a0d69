/**
 * Sessions of an earlier run: read from the store, given back their addresses, handed to the dataplane as what it should
 * hold, and then gone on with. What an earlier run was in the middle of becomes:
 *
 * | step at the crash                        | the session afterwards                                              |
 * |------------------------------------------|---------------------------------------------------------------------|
 * | probing, replacing                       | as before; a DISCOVER begins anew                                   |
 * | discovered, provisioning                 | is not there: nothing was promised; its next message begins it anew   |
 * | allocating, walling, reprofiling         | as before the order, whose giver heard nothing                       |
 * | reconfiguring, opening                   | the same, and the access node is told again what it should have      |
 * | binding                                  | has its offer; an install that nobody was told of is taken back       |
 * | reattaching                              | bound where it was                                                   |
 * | moving                                   | the old lease is ended; the client asks again for the new one         |
 * | releasing, dropping-held, declining, closing | goes on to its end, with what the dataplane counted last           |
 */
import type { Authenticator, EarlierBooks } from '../aaa/port.js';
import type {
  Dataplane,
  ReconcileReport,
  RemovalReceipt,
  Removed,
  StandingPromise,
  SubscriberEntry,
} from '../dataplane/port.js';
import type { Clock } from '../model/clock.js';
import type { Ipv4 } from '../model/ipv4.js';
import { addTraffic, NO_TRAFFIC } from '../model/traffic-counters.js';
import type { TrafficCounters } from '../model/traffic-counters.js';
import type { AddressPools } from '../pool/port.js';
import type { Store, StoredEntry, StoreResult } from '../store/port.js';
import { AccountingRestart } from './accounting-restart.js';
import type { Instants } from './instants.js';
import type { SessionJournal } from './journal.js';
import { ASSIGNMENT_TABLE, assignmentOf, QUARANTINE_TABLE, quarantineOf } from './kept-rows.js';
import type { AccountingLedger } from './ledger.js';
import { entryOf, holding, isServed, poolNameOf } from './machine/build.js';
import { prolongs } from './machine/dhcp.js';
import type { Served, Session } from './machine/types.js';
import type { Quarantines } from './quarantines.js';
import { durableGrant, SessionRecord } from './record.js';
import type { SessionRunner } from './runner.js';
import type { RemovalStep, SavedSession } from './session-row.js';
import { removedAddress, SESSION_TABLE } from './session-row.js';
import type { SuspensionReasons } from './suspension-reasons.js';
import type { SessionTable } from './table.js';

const PAGE = 1_000;
/** What the kernel's time of a lease and the stored one may differ by without a renewal: a boot's time is read in hundredths. */
const CLOCK_GRAIN_MS = 50;

export interface RestorationOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly instants: Instants;
  readonly journal: SessionJournal;
  readonly table: SessionTable;
  readonly dataplane: Pick<Dataplane, 'forget'>;
  readonly ledger: AccountingLedger;
  readonly runner: SessionRunner;
  readonly pools: AddressPools;
  readonly authenticator: Authenticator;
  readonly suspensions: SuspensionReasons;
  readonly quarantines: Quarantines;
}

/** A session that goes on, and the removal it was in the middle of. */
interface Restored {
  readonly record: SessionRecord;
  readonly removal: Ipv4 | null;
  traffic: TrafficCounters;
  receipts: readonly RemovalReceipt[];
}

export class Restoration {
  readonly #o: RestorationOptions;
  readonly #restored: Restored[] = [];
  /** Sessions that cannot be served as they were, and why; they are closed. */
  readonly #unserved: string[] = [];

  readonly #accounting: AccountingRestart;

  constructor(options: RestorationOptions) {
    this.#o = options;
    this.#accounting = new AccountingRestart(options);
  }

  get unserved(): readonly string[] {
    return this.#unserved;
  }

  /** Reads everything. Gives how many sessions there are. */
  async load(): Promise<StoreResult<number>> {
    for (const step of [
      () => this.#pages(ASSIGNMENT_TABLE.name, (entry) => this.#assign(entry)),
      () => this.#pages(SESSION_TABLE.name, (entry) => this.#add(entry)),
      () => this.#pages(QUARANTINE_TABLE.name, (entry) => this.#quarantine(entry)),
    ]) {
      const result = await step();
      if (!result.ok) return result;
    }
    return { ok: true, value: this.#restored.length };
  }

  /** What the dataplane should hold: every lease that goes on. */
  wanted(): SubscriberEntry[] {
    return this.#restored.flatMap(({ record, removal }) => {
      const { state } = record.session;
      const now = isServed(state) ? holding(state) : null;
      if (!isServed(state) || now === null || removal !== null) return [];
      // A suspended subscriber that still has its old address is walled there.
      const walled = state.name === 'suspended' || now.grant.profile.walled;
      return [entryOf(now.grant, now.attachment, walled)];
    });
  }

  /**
   * Takes in what became of the dataplane: whose counters go on, and what was counted last of those that were to go. Gives what
   * was there of no session.
   */
  reconciled({ missing, foreign, removed }: ReconcileReport): readonly Removed[] {
    for (const address of missing) this.#o.ledger.countsAnew(address);
    const owners = new Map(this.#restored.map((restored) => [restored.removal, restored]));
    const unowned = foreign.filter(({ address }) => !owners.has(address));
    for (const { address, traffic, receipt } of [...removed, ...foreign]) {
      const receipts = receipt === null ? [] : [receipt];
      const owner = owners.get(address);
      // Nobody's: what it counted is known already, or there is nobody to be told of it.
      if (owner === undefined) this.#o.dataplane.forget(receipts);
      else {
        owner.traffic = addTraffic(owner.traffic, traffic);
        owner.receipts = [...owner.receipts, ...receipts];
      }
    }
    return unowned;
  }

  /**
   * Takes in what the dataplane has promised while nobody listened, or to one who did not live to store it. Resolves when the
   * store has it, or takes nothing.
   */
  async promised(promises: readonly StandingPromise[]): Promise<void> {
    const { table, journal, ledger } = this.#o;
    let prolonged: SessionRecord | null = null;
    for (const promise of promises) {
      const record = table.byAddress(promise.address);
      if (record === null || record.session.step !== null) continue;
      const { state } = record.session;
      const now = isServed(state) ? holding(state) : null;
      if (!isServed(state) || now === null || !prolongs(promise, now)) continue;
      if (promise.expiresAtMs - now.expiresAtMs < CLOCK_GRAIN_MS) continue;
      record.session = { state: withLeaseUntil(state, promise.expiresAtMs), step: null };
      ledger.prolonged(promise.address, promise.expiresAtMs);
      journal.changed(record);
      prolonged = record;
    }
    // One commit has them all.
    if (prolonged !== null) await journal.stored(prolonged);
  }

  /** Goes on with every session: deadlines, and removals that were begun. */
  async resume(): Promise<void> {
    for (const [at, restored] of this.#restored.entries()) {
      this.#resume(restored);
      if (at % PAGE === PAGE - 1) await breath();
    }
  }

  /**
   * Lets the dataplane answer for the leases that go on. Not before all is read that it had handed up: a client may have given
   * up its lease there, and must not be told meanwhile that it has it.
   */
  async promise(): Promise<void> {
    for (const [at, { record }] of this.#restored.entries()) {
      this.#o.runner.promise(record);
      if (at % PAGE === PAGE - 1) await breath();
    }
  }

  /** What the ids of accounting sessions of this run begin with; and those that go on, of an earlier one. */
  get accountingPrefix(): string {
    return this.#o.ledger.prefix;
  }

  get accountingIds(): ReadonlySet<string> {
    return this.#o.ledger.ids();
  }

  /** Goes on with accounting, beside service; see AccountingRestart. Once, and the last that is done here. */
  account(earlier: EarlierBooks): Promise<StoreResult<boolean>> {
    const records = this.#restored.splice(0).map(({ record }) => record);
    return this.#accounting.run(records, earlier);
  }

  close(): void {
    this.#accounting.close();
  }

  #resume({ record, traffic, receipts }: Restored): void {
    const { runner } = this.#o;
    const { state } = record.session;
    if (!isServed(state)) return;
    runner.watch(record, state);
    if (record.session.step !== null) runner.push(record, { event: { type: 'removed', traffic, receipts } });
  }

  async #pages(table: string, each: (entry: StoredEntry) => boolean): Promise<StoreResult<null>> {
    const { store } = this.#o;
    let reading = store.scan(table, null, PAGE);
    for (;;) {
      const page: StoreResult<readonly StoredEntry[]> = await reading;
      if (!page.ok) return page;
      const last = page.value.at(-1);
      const isLast = last === undefined || page.value.length < PAGE;
      // The store reads on while this page is looked at.
      if (!isLast) reading = store.scan(table, last.key, PAGE);
      for (const entry of page.value) {
        // Whole, but not ours to understand: it stays for an operator, and one row must not keep all others from service.
        if (!each(entry)) this.#unserved.push(`row ${JSON.stringify(entry.key)} of ${table} cannot be read`);
      }
      if (isLast) return { ok: true, value: null };
    }
  }

  #add({ key, value }: StoredEntry): boolean {
    const saved = this.#o.journal.rows.decode(key, value);
    if (saved === null) return false;
    const { table, ledger } = this.#o;
    const { state } = saved;
    const trouble = this.#claim(saved);
    const step: RemovalStep | null =
      trouble === null ? saved.step : { kind: 'closing', cause: 'Service-Unavailable', ordered: false };
    if (trouble !== null) this.#unserved.push(`${saved.subscriberId}: ${trouble}`);
    const record = recordOf(saved, { state, step });
    const now = holding(state);
    table.add(record);
    table.moved(record, state.name);
    if (now !== null && saved.use !== null) ledger.adopt(record, now, saved.use);
    const removal = step === null ? null : removedAddress(state, step);
    this.#restored.push({ record, removal, traffic: NO_TRAFFIC, receipts: [] });
    return true;
  }

  /** Gives the session its addresses again; in words what keeps it from being served, or null. */
  #claim({ subscriberId, state, isPortGone }: SavedSession): string | null {
    if (isPortGone) return 'its access interface is not there';
    if (this.#o.table.bySubscriber(subscriberId) !== null) return 'there are two sessions of it';
    for (const grant of [state.grant, ...(state.held === null ? [] : [state.held.grant])]) {
      const claim = this.#o.pools.claim(grant.address, subscriberId);
      if (claim.kind === 'taken') return 'its address is held by another or excluded';
      if (claim.kind === 'no-pool' || claim.poolName !== poolNameOf(grant)) {
        return `its address is not in pool ${poolNameOf(grant)}`;
      }
    }
    return null;
  }

  #assign(entry: StoredEntry): boolean {
    const row = assignmentOf(entry);
    if (row === null) return false;
    this.#o.authenticator.assign(entry.key, row.profile, row.resumeTo);
    if (row.suspendedFor !== null) this.#o.suspensions.restore(entry.key, row.suspendedFor);
    return true;
  }

  #quarantine(entry: StoredEntry): boolean {
    const found = quarantineOf(entry, this.#o.instants);
    if (found === null) return false;
    this.#o.quarantines.goOn(found.address, found.quarantine);
    return true;
  }
}

function withLeaseUntil(state: Served, expiresAtMs: number): Served {
  const { lease, held } = state;
  if (lease.phase === 'bound') return { ...state, lease: { ...lease, expiresAtMs } };
  return { ...state, held: held === null ? null : { ...held, expiresAtMs } };
}

function recordOf(saved: SavedSession, session: Session & { readonly state: Served }): SessionRecord {
  const { subscriberId, ontSerial } = saved;
  const record = new SessionRecord({
    id: saved.id,
    identity: { subscriberId, ontSerial },
    line: saved.line,
    circuitId: saved.circuitId,
    mayHoldLostLease: saved.mayHoldLostLease,
    nowMs: saved.stateSinceMs,
    wallMs: saved.createdWallMs,
  });
  record.session = session;
  record.stateSinceWallMs = saved.stateSinceWallMs;
  record.suspendedFor = saved.suspendedFor;
  record.wasRestored = true;
  record.mustReprovision = saved.mustReprovision;
  record.writtenMs = saved.writtenMs;
  record.hasRow = true;
  record.durable = durableGrant(session.state);
  return record;
}

/** Lets whoever waits have a turn. */
function breath(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
