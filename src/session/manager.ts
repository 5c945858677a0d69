/**
 * The session manager: the one place where inlets meet the ports. Finds or creates the session that an event belongs to
 * and queues the event there; decides nothing that the machine decides.
 */
import { randomUUID } from 'node:crypto';
import type { Accounting, AccountingUsage, Authenticator, AuthorizationInlet } from '../aaa/port.js';
import type { AnsweredLease, Dataplane } from '../dataplane/port.js';
import type { AccessLine } from '../model/access-line.js';
import { attachmentKey } from '../model/access-line.js';
import { auditSession } from '../model/audit.js';
import type { BootClock, Clock } from '../model/clock.js';
import type { Ipv4 } from '../model/ipv4.js';
import type { Mac } from '../model/mac.js';
import type { ServiceProfile } from '../model/service-profile.js';
import type { AddressPools } from '../pool/port.js';
import type { Commits, Store, StoreFailure } from '../store/port.js';
import type { AccessNode } from './access-node.js';
import type { AddressProber } from './address-prober.js';
import type { Identity } from './identity.js';
import { accessNodeIdentity, lineIdentity, ontIdentity } from './identity.js';
import type {
  ActivationOrder,
  DhcpInlet,
  DhcpRequestKind,
  DhcpVerdict,
  LeaseInspection,
  OntInlet,
  OntSighting,
  OperatorInlet,
  OperatorResult,
  SessionQuery,
} from './inlet.js';
import { detailsOf, recordByCircuitId, recordByMac, recordsOf } from './inspection.js';
import { Instants } from './instants.js';
import { SessionJournal } from './journal.js';
import { LeaseLookup } from './lease-lookup.js';
import { AccountingLedger } from './ledger.js';
import type { LifecycleEvent, LifecycleListener, LifecycleSource } from './lifecycle.js';
import { holding, isServed } from './machine/build.js';
import type { DhcpEvent, OrderEvent } from './machine/types.js';
import { Quarantines } from './quarantines.js';
import { SessionRecord } from './record.js';
import type { UnkeptFigures } from './replies.js';
import { unkeptReason } from './replies.js';
import { Restoration } from './restore.js';
import { AuthorizationDesk } from './authorization.js';
import { SessionRunner } from './runner.js';
import type { PortNames } from './session-row.js';
import { ServiceOptions } from './service-options.js';
import { SuspensionReasons } from './suspension-reasons.js';
import { SessionTable } from './table.js';
import type { SessionDetails, SessionStateName, SessionView } from './view.js';

export interface SessionManagerOptions {
  readonly authenticator: Authenticator;
  readonly accounting: Accounting;
  readonly pools: AddressPools;
  readonly dataplane: Dataplane;
  readonly accessNode: AccessNode | null;
  readonly clock: Clock;
  /** What a suspended subscriber gets: the walled garden. */
  readonly gardenProfile: ServiceProfile;
  /** Believe option 82 of the access node. */
  readonly trustOption82: boolean;
  readonly maxSessions: number;
  /** Asked before an address is offered for the first time; null: nobody is. */
  readonly prober?: AddressProber | null;
  /** What services add to the answers of their pools. */
  readonly services?: ServiceOptions;
  /** Where sessions outlive the process; null where they do not. */
  readonly durability?: Durability | null;
  readonly onBug: (error: unknown) => void;
}

export interface Durability {
  readonly store: Store;
  /** Of that store. */
  readonly commits: Commits;
  readonly boot: BootClock;
  readonly ports: PortNames;
}

/** What the store's state means for sessions; all zero and null while it works. */
export interface DurabilityFigures extends UnkeptFigures {
  readonly failure: StoreFailure | null;
  readonly refusedSessions: number;
  readonly refusedOrders: number;
}

export class SessionManager implements DhcpInlet, OntInlet, OperatorInlet, LifecycleSource {
  readonly #o: SessionManagerOptions;
  readonly #table = new SessionTable();
  readonly #ledger: AccountingLedger;
  readonly #runner: SessionRunner;
  readonly #journal: SessionJournal | null;
  readonly #restoration: Restoration | null;
  #refusedSessions = 0;
  #refusedOrders = 0;
  /** What the AAA server may order. */
  readonly authorization: AuthorizationInlet;
  /** Who holds which address, for access nodes that ask. */
  readonly leases: LeaseInspection;
  readonly #listeners = new Set<LifecycleListener>();
  readonly #onts = new Map<string, OntSighting>();
  readonly #serverIds = new Set<Ipv4>();
  #closed = false;
  #draining = false;

  constructor(options: SessionManagerOptions) {
    this.#o = options;
    const { clock, accounting, pools, dataplane } = options;
    this.poolsChanged();
    this.leases = new LeaseLookup({ table: this.#table, pools, clock });
    this.#ledger = new AccountingLedger({
      accounting,
      dataplane,
      clock,
      onTimeout: (record, cause) => this.#runner.push(record, { event: { type: 'end', cause } }),
      onReported: (record) => this.#journal?.changed(record),
    });
    const suspensions = new SuspensionReasons();
    const durability = options.durability ?? null;
    const instants = durability === null ? null : new Instants(clock, durability.boot);
    const reasonOf = (subscriberId: string): string | null => suspensions.reasonOf(subscriberId);
    this.#journal =
      durability === null || instants === null
        ? null
        : new SessionJournal({ ...durability, instants, ledger: this.#ledger, reasonOf });
    const quarantines = new Quarantines({ pools, clock, journal: this.#journal });
    this.#runner = new SessionRunner({
      ...options,
      journal: this.#journal,
      suspensions,
      services: options.services ?? new ServiceOptions(),
      quarantines,
      prober: options.prober ?? null,
      gardenPool: options.gardenProfile.poolName,
      table: this.#table,
      ledger: this.#ledger,
      tell: (event) => this.#tell(event),
      isLineKnown: (ontSerial) => this.#onts.has(ontSerial),
      announcementOf: (ontSerial) => this.#onts.get(ontSerial) ?? null,
      onTerminated: (record) => this.#terminated(record),
    });
    this.authorization = new AuthorizationDesk({
      table: this.#table,
      ledger: this.#ledger,
      runner: this.#runner,
      pools,
      gardenProfile: options.gardenProfile,
      picture: (record) => auditSession(this.#view(record)),
      refusal: () => this.#orderRefusal(),
    });
    this.#restoration =
      durability === null || instants === null || this.#journal === null
        ? null
        : new Restoration({
            ...options,
            store: durability.store,
            instants,
            journal: this.#journal,
            table: this.#table,
            ledger: this.#ledger,
            runner: this.#runner,
            suspensions,
            quarantines,
          });
  }

  /** The sessions of an earlier run, for whoever starts us; null where nothing outlives us. */
  get restoration(): Restoration | null {
    return this.#restoration;
  }

  /** The accounting sessions that are open, and what each has used as far as is known. */
  openAccounting(): ReadonlyMap<string, AccountingUsage> {
    return new Map(this.#ledger.open());
  }

  durabilityFigures(): DurabilityFigures {
    return {
      failure: this.#journal?.failure ?? null,
      refusedSessions: this.#refusedSessions,
      refusedOrders: this.#refusedOrders,
      ...this.#runner.replies.figures(),
    };
  }

  #orderRefusal(): string | null {
    const failure = this.#journal?.failure ?? null;
    if (failure === null) return null;
    this.#refusedOrders += 1;
    return unkeptReason(failure);
  }

  // --- DHCP ---

  discover(line: AccessLine): Promise<DhcpVerdict> {
    const nowMs = this.#o.clock.monotonicMs();
    return this.#dhcp(line, { type: 'discover', attachment: line, nowMs }, true);
  }

  request(line: AccessLine, kind: DhcpRequestKind, address: Ipv4): Promise<DhcpVerdict> {
    const nowMs = this.#o.clock.monotonicMs();
    return this.#dhcp(line, { type: 'request', kind, address, attachment: line, nowMs }, true);
  }

  inform(line: AccessLine, address: Ipv4): Promise<DhcpVerdict> {
    return this.#dhcp(line, { type: 'inform', address, attachment: line }, false);
  }

  async release(line: AccessLine, address: Ipv4): Promise<void> {
    await this.#dhcp(line, { type: 'release', address, attachment: line }, false);
  }

  async decline(line: AccessLine, address: Ipv4): Promise<void> {
    await this.#dhcp(line, { type: 'decline', address, attachment: line }, false);
  }

  answered({ answer, address, attachment, leaseSeconds, atMs }: AnsweredLease): string | null {
    const record = this.#table.byAddress(address);
    if (record === null) return null;
    const event = { type: 'answered', address, attachment, leaseSeconds, atMs } as const;
    if (answer === 'ack') this.#runner.push(record, { event });
    return poolOf(record, address);
  }

  /** To be called when a pool was added. */
  poolsChanged(): void {
    const { pools } = this.#o;
    for (const { name } of pools.usage()) {
      const terms = pools.terms(name);
      if (terms !== null) this.#serverIds.add(terms.gateway);
    }
  }

  /** To be called when services have other options: what the dataplane would say without them it must not say. */
  servicesChanged(): void {
    for (const record of this.#table.all()) this.#runner.reviewPromise(record);
  }

  isServerId(address: Ipv4): boolean {
    return this.#serverIds.has(address);
  }

  #dhcp(line: AccessLine, event: DhcpEvent, mayCreate: boolean): Promise<DhcpVerdict> {
    const record = this.#recordOf(line, mayCreate);
    if (typeof record === 'string') return Promise.resolve({ kind: 'silence', reason: record });
    record.line = line;
    record.heard(this.#o.clock.monotonicMs());
    if (line.circuitId !== undefined) record.circuitId = line.circuitId;
    return new Promise((reply) => this.#runner.push(record, { event, reply }));
  }

  /**
   * The access node's word comes first. Without it (a renewal that an access node did not touch) a known attachment
   * still finds its session; only then is the line itself the identity.
   */
  #recordOf(line: AccessLine, mayCreate: boolean): SessionRecord | string {
    const told = this.#o.trustOption82 ? accessNodeIdentity(line) : null;
    const known =
      told === null
        ? this.#table.byAttachment(attachmentKey(line))
        : this.#table.bySubscriber(told.subscriberId);
    if (known !== null) return known;
    const identity = told ?? lineIdentity(line);
    const sameLine = this.#table.bySubscriber(identity.subscriberId);
    if (sameLine !== null) return sameLine;
    if (!mayCreate) return 'no session on this line';
    const failure = this.#journal?.failure ?? null;
    if (failure !== null) {
      this.#refusedSessions += 1;
      return unkeptReason(failure);
    }
    return this.#create(identity, { line, circuitId: line.circuitId ?? null, mayHoldLostLease: false });
  }

  #create(
    identity: Identity,
    seen: Pick<SessionRecord, 'line' | 'circuitId' | 'mayHoldLostLease'>,
  ): SessionRecord | string {
    if (this.#closed) return 'the BNG is stopping';
    if (this.#draining) return 'the BNG is draining';
    if (this.#table.size >= this.#o.maxSessions) return 'the session table is full';
    const { clock } = this.#o;
    const record = new SessionRecord({
      id: randomUUID(),
      identity,
      ...seen,
      nowMs: clock.monotonicMs(),
      wallMs: clock.wallMs(),
    });
    this.#table.add(record);
    this.#tell({ type: 'session-created', wallMs: record.createdWallMs, session: this.#view(record) });
    this.#runner.push(record, { event: { type: 'created' } });
    return record;
  }

  // --- access node ---

  ontDetected(ont: OntSighting): void {
    this.#onts.set(ont.ontSerial, ont);
    const identity = ontIdentity(ont.ontSerial);
    const known = this.#table.bySubscriber(identity.subscriberId);
    if (known !== null) {
      known.circuitId = ont.circuitId;
      if (known.mustReprovision) this.#runner.push(known, { event: { type: 'reprovision' } });
      return;
    }
    const mayHoldLostLease = ont.wasThere === true;
    this.#create(identity, { line: null, circuitId: ont.circuitId, mayHoldLostLease });
  }

  ontDisconnected(ontSerial: string): void {
    this.#onts.delete(ontSerial);
    const record = this.#table.bySubscriber(ontIdentity(ontSerial).subscriberId);
    if (record !== null) this.#runner.push(record, { event: { type: 'end', cause: 'Lost-Carrier' } });
  }

  // --- operator ---

  activate(order: ActivationOrder): Promise<OperatorResult> {
    const { ontSerial, poolName, ...rest } = order;
    const invalid = this.#invalidPool(poolName);
    if (invalid !== null) return Promise.resolve(invalid);
    const profile: ServiceProfile = { ...rest, poolName, walled: false };
    return this.#order(ontSerial, { type: 'activate', profile });
  }

  suspend(ontSerial: string, reason: string): Promise<OperatorResult> {
    return this.#order(ontSerial, { type: 'suspend', profile: this.#o.gardenProfile, reason });
  }

  resume(ontSerial: string): Promise<OperatorResult> {
    return this.#order(ontSerial, { type: 'resume' });
  }

  terminate(ontSerial: string): Promise<OperatorResult> {
    return this.#order(ontSerial, { type: 'terminate' });
  }

  #invalidPool(poolName: string): OperatorResult | null {
    if (this.#o.pools.terms(poolName) === null) {
      return { ok: false, kind: 'invalid', field: 'pool', reason: `there is no pool ${poolName}` };
    }
    if (poolName !== this.#o.gardenProfile.poolName) return null;
    return { ok: false, kind: 'invalid', field: 'pool', reason: `${poolName} is the walled garden's pool` };
  }

  #order(ontSerial: string, event: OrderEvent): Promise<OperatorResult> {
    const record = this.#table.bySubscriber(ontIdentity(ontSerial).subscriberId);
    if (record === null) return Promise.resolve({ ok: false, kind: 'unknown-ont' });
    const refusal = this.#orderRefusal();
    if (refusal !== null) return Promise.resolve({ ok: false, kind: 'failed', reason: refusal });
    return new Promise((order) => this.#runner.push(record, { event, order }));
  }

  *sessions(query: SessionQuery = {}): Iterable<SessionView> {
    for (const record of recordsOf(this.#table, query)) yield this.#view(record);
  }

  sessionDetails(id: string): SessionDetails | null {
    const record = this.#table.byId(id);
    return record === null ? null : detailsOf(record, this.#ledger);
  }

  get isDraining(): boolean {
    return this.#draining;
  }

  /** Lines that the access node reported meanwhile get their sessions when the draining ends. */
  setDraining(draining: boolean): void {
    this.#draining = draining;
    if (!draining) for (const ont of this.#onts.values()) this.ontDetected(ont);
  }

  sessionByOnt(ontSerial: string): SessionView | null {
    return this.#viewOrNull(this.#table.bySubscriber(ontIdentity(ontSerial).subscriberId));
  }

  sessionByAddress(address: Ipv4): SessionView | null {
    return this.#viewOrNull(this.#table.byAddress(address));
  }

  sessionById(id: string): SessionView | null {
    return this.#viewOrNull(this.#table.byId(id));
  }

  sessionByMac(mac: Mac): SessionView | null {
    return this.#viewOrNull(recordByMac(this.#table, mac));
  }

  sessionByCircuitId(circuitId: Uint8Array): SessionView | null {
    return this.#viewOrNull(recordByCircuitId(this.#table, circuitId));
  }

  stateCounts(): Readonly<Record<SessionStateName, number>> {
    return this.#table.counts();
  }

  // --- life ---

  onLifecycle(listener: LifecycleListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Takes nothing new. `end`: every session ends in good order, out of the dataplane, final counters to accounting. `keep`:
   * what is under way is finished, and the store has every session with all that it has used. Idempotent.
   */
  async close(how: 'end' | 'keep' = 'end'): Promise<void> {
    if (how === 'keep' && this.#journal !== null) return this.#keep(this.#journal);
    this.#closed = true;
    const ending = [...this.#table.all()].map(
      (record) =>
        new Promise<void>((done) => {
          this.#runner.push(record, { event: { type: 'end', cause: 'NAS-Request' }, done });
        }),
    );
    await Promise.all(ending);
  }

  async #keep(journal: SessionJournal): Promise<void> {
    this.#closed = true;
    const records = [...this.#table.all()];
    // An event that changes nothing, behind all that was there before it.
    const event = { type: 'lease-expired', nowMs: -Infinity } as const;
    const busy = records.filter((record) => record.busy);
    await Promise.all(
      busy.map((record) => new Promise<void>((done) => this.#runner.push(record, { event, done }))),
    );
    this.#ledger.close();
    for (const record of this.#table.all()) {
      this.#runner.unwatch(record);
      const { state } = record.session;
      const now = isServed(state) ? holding(state) : null;
      if (now !== null) this.#ledger.look(now.grant.address);
      journal.changed(record);
    }
    await this.#o.durability?.commits.settled();
  }

  /** An ONT that is still there begins anew: what ended was its session, not its fibre. */
  #terminated(record: SessionRecord): void {
    const { ontSerial } = record.identity;
    const ont = ontSerial === null ? undefined : this.#onts.get(ontSerial);
    if (ont !== undefined && !this.#closed) {
      const { line } = record;
      this.#create(record.identity, { line, circuitId: ont.circuitId, mayHoldLostLease: true });
    }
  }

  #tell(event: LifecycleEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#o.onBug(error);
      }
    }
  }

  #view(record: SessionRecord): SessionView {
    const { clock } = this.#o;
    return record.view({ nowMs: clock.monotonicMs(), wallMs: clock.wallMs() });
  }

  #viewOrNull(record: SessionRecord | null): SessionView | null {
    return record === null ? null : this.#view(record);
  }
}

function poolOf({ session: { state } }: SessionRecord, address: Ipv4): string | null {
  if (!isServed(state)) return null;
  const grant = state.held?.grant.address === address ? state.held.grant : state.grant;
  return grant.profile.poolName;
}
