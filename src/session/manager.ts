/**
 * The session manager: puts the parts of this room together, and ends them in order. The desks are where inlets meet sessions;
 * here is decided nothing of any session.
 */
import type { Accounting, Authenticator, AuthorizationInlet } from '../aaa/port.js';
import type { Dataplane, RemovalReceipt } from '../dataplane/port.js';
import { auditSession } from '../model/audit.js';
import type { BootClock, Clock } from '../model/clock.js';
import type { ServiceProfile } from '../model/service-profile.js';
import type { AddressPools } from '../pool/port.js';
import type { Commits, Store, StoreFailure } from '../store/port.js';
import type { AccessNode } from './access-node.js';
import type { AddressProber } from './address-prober.js';
import { Admission } from './admission.js';
import type { GateLimits } from './admission-gate.js';
import { AuthorizationDesk } from './authorization.js';
import { DhcpDesk } from './dhcp-desk.js';
import type { LeaseInspection, OntInlet, OperatorInlet, StationInlet } from './inlet.js';
import { Instants } from './instants.js';
import { SessionJournal } from './journal.js';
import { LeaseLookup } from './lease-lookup.js';
import { AccountingLedger } from './ledger.js';
import { LineCensus, type LinePlace } from './line-census.js';
import { LineMacs } from './line-macs.js';
import type { LineOptions, LineSettings } from './line-options.js';
import { DEFAULT_LINES, needsCensus } from './line-options.js';
import { LineRules } from './line-rules.js';
import { LivenessWatch } from './liveness.js';
import type { LifecycleEvent, LifecycleListener, LifecycleSource } from './lifecycle.js';
import { holding, isServed } from './machine/build.js';
import type { SessionEvent } from './machine/types.js';
import { PoolDesk } from './pool-desk.js';
import { OperatorDesk } from './operator-desk.js';
import { Quarantines } from './quarantines.js';
import type { SessionRecord } from './record.js';
import type { UnkeptFigures } from './replies.js';
import { unkeptReason } from './replies.js';
import { Restoration } from './restore.js';
import { SessionRunner } from './runner.js';
import type { PortNames } from './row-parts.js';
import { ServiceOptions } from './service-options.js';
import { StaticSeeker } from './static-seeker.js';
import { StationDesk } from './station-desk.js';
import { SuspensionReasons } from './suspension-reasons.js';
import { SessionTable } from './table.js';
import type { AdmissionFigures, LineFigures, SessionView } from './view.js';
import { NO_LINE_FIGURES } from './view.js';

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
  /** What holds for lines; left out, nothing is limited and nobody looked after. */
  readonly lines?: LineOptions;
  /** What services add to the answers of their pools. */
  readonly services?: ServiceOptions;
  /** How many are let in at a time, where it differs. */
  readonly gateLimits?: Partial<GateLimits>;
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

export class SessionManager implements LifecycleSource {
  readonly #o: SessionManagerOptions;
  readonly #table: SessionTable;
  readonly #ledger: AccountingLedger;
  readonly #runner: SessionRunner;
  readonly #journal: SessionJournal | null;
  readonly #admission: Admission;
  readonly #rules: LineRules;
  readonly #liveness: LivenessWatch | null;
  readonly #seeker: StaticSeeker | null;
  #lineSettings: LineSettings;
  readonly #listeners = new Set<LifecycleListener>();
  #refusedOrders = 0;
  readonly dhcp: DhcpDesk;
  readonly stations: StationInlet;
  readonly onts: OntInlet;
  readonly operator: OperatorInlet;
  readonly pools: PoolDesk;
  /** Who holds which address, for access nodes that ask. */
  readonly leases: LeaseInspection;
  /** What the AAA server may order. */
  readonly authorization: AuthorizationInlet;
  /** The sessions of an earlier run, for whoever starts us; null where nothing outlives us. */
  readonly restoration: Restoration | null;

  constructor(options: SessionManagerOptions) {
    this.#o = options;
    const { clock, accounting, pools, dataplane, gardenProfile } = options;
    const { lines = DEFAULT_LINES, prober = null, onBug } = options;
    this.#lineSettings = lines.settings;
    const census = needsCensus(lines) ? new LineCensus() : null;
    const table = (this.#table = new SessionTable(census));
    const view = (record: SessionRecord): SessionView => this.#view(record);
    const tell = (event: LifecycleEvent): void => this.#tell(event);
    const refusal = (): string | null => this.#orderRefusal();
    const ledger = (this.#ledger = new AccountingLedger({
      accounting,
      dataplane,
      clock,
      onTimeout: (record, cause) => this.#runner.push(record, { event: { type: 'end', cause } }),
      onReported: (record) => this.#journal?.changed(record),
    }));
    this.leases = new LeaseLookup({ table, pools, clock });
    const suspensions = new SuspensionReasons();
    const durability = options.durability ?? null;
    const kept =
      durability === null ? null : { ...durability, instants: new Instants(clock, durability.boot) };
    const reasonOf = (subscriberId: string): string | null => suspensions.reasonOf(subscriberId);
    const forget = (receipts: readonly RemovalReceipt[]): void => options.dataplane.forget(receipts);
    const journal = (this.#journal =
      kept === null ? null : new SessionJournal({ ...kept, ledger, reasonOf, forget }));
    const quarantines = new Quarantines({ pools, clock, journal });
    const runner = (this.#runner = new SessionRunner({
      ...options,
      journal,
      suspensions,
      services: options.services ?? new ServiceOptions(),
      quarantines,
      prober,
      gardenPool: gardenProfile.poolName,
      table,
      ledger,
      tell,
      announcementOf: (ontSerial) => this.#admission.announcementOf(ontSerial),
      statics: lines.statics,
      onUnseen: (record) => this.#seeker?.seek(record),
      onLeaseBegan: (record, mac) => this.#rules.leaseBegan(record, mac),
      onTerminated: (record) => this.#admission.ended(record),
    }));
    const push: SessionRunner['push'] = (record, queued) => runner.push(record, queued);
    const trouble = (record: SessionRecord, reason: string): void =>
      tell({ type: 'trouble', wallMs: clock.wallMs(), session: view(record), reason });
    const hasLease = (key: string): boolean => table.byAttachment(key) !== null;
    const rules = (this.#rules = new LineRules({
      ...options,
      sessionLimit: lines.sessionLimit,
      macs: lines.macLimit === null ? null : new LineMacs({ limit: lines.macLimit, clock, hasLease }),
      census,
      movedMac: lines.movedMac,
      prober,
      settings: () => this.#lineSettings,
      push,
      trouble,
    }));
    // An ONT says which tags it has, and no interface.
    const placesOf = ({ identity: { ontSerial }, line }: SessionRecord): readonly LinePlace[] => {
      const tags = ontSerial === null ? undefined : this.#admission.announcementOf(ontSerial)?.tags;
      if (tags === undefined) return line === null ? [] : [line];
      return lines.accessPorts.map((ifindex) => ({ ifindex, ...tags }));
    };
    this.#seeker = prober === null ? null : new StaticSeeker({ prober, clock, placesOf });
    this.#liveness =
      prober === null ? null : new LivenessWatch({ table, dataplane, prober, clock, push, trouble, onBug });
    this.#liveness?.reconfigure(lines.settings.liveness);
    const storeFailure = (): StoreFailure | null => journal?.failure ?? null;
    const admission = new Admission({ ...options, table, runner, rules, storeFailure, tell, view });
    this.#admission = this.onts = admission;
    const { statics } = lines;
    this.stations = new StationDesk({ admission, rules, table, runner, clock, statics, onBug });
    this.dhcp = new DhcpDesk({ admission, table, runner, pools, clock });
    this.pools = new PoolDesk({ table, runner, pools });
    this.operator = new OperatorDesk({
      admission,
      table,
      ledger,
      runner,
      pools,
      gardenProfile,
      refusal,
      view,
    });
    const picture = (record: SessionRecord): ReturnType<typeof auditSession> => auditSession(view(record));
    this.authorization = new AuthorizationDesk({
      table,
      ledger,
      runner,
      pools,
      gardenProfile,
      picture,
      refusal,
    });
    this.restoration =
      kept === null || journal === null
        ? null
        : new Restoration({ ...options, ...kept, journal, table, ledger, runner, suspensions, quarantines });
  }

  /** What a reload may change of how lines are looked after. */
  useLines(settings: LineSettings): void {
    this.#lineSettings = settings;
    this.#liveness?.reconfigure(settings.liveness);
  }

  lineFigures(): LineFigures {
    const { refused, takeovers } = this.#rules;
    return { refused, takeovers, liveness: this.#liveness?.results ?? NO_LINE_FIGURES.liveness };
  }

  durabilityFigures(): DurabilityFigures {
    return {
      failure: this.#journal?.failure ?? null,
      refusedSessions: this.#admission.refusedSessions,
      refusedOrders: this.#refusedOrders,
      ...this.#runner.replies.figures(),
    };
  }

  /** Who waits to be let in, and what was dropped of it. */
  admissionFigures(): AdmissionFigures {
    const { gate, repeatedRequests } = this.#runner;
    const figures = gate.figures();
    return { ...figures, dropped: { full: figures.dropped, repeated: repeatedRequests } };
  }

  onLifecycle(listener: LifecycleListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Takes nothing new. `end`: every session ends in good order, out of the dataplane, final counters to accounting. `keep`:
   * what is under way is finished, and the store has every session with all that it has used. Idempotent.
   */
  async close(how: 'end' | 'keep' = 'end'): Promise<void> {
    this.#admission.close();
    this.#liveness?.close();
    this.#seeker?.close();
    this.restoration?.close();
    if (how === 'keep' && this.#journal !== null) return this.#keep(this.#journal);
    await this.#afterAll({ type: 'end', cause: 'NAS-Request' }, () => true);
  }

  async #keep(journal: SessionJournal): Promise<void> {
    // An event that changes nothing, behind all that was there before it.
    await this.#afterAll({ type: 'lease-expired', nowMs: -Infinity }, (record) => record.busy);
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

  /** Done when `event` is, in every session that is chosen now. */
  async #afterAll(event: SessionEvent, chosen: (record: SessionRecord) => boolean): Promise<void> {
    const records = [...this.#table.all()].filter(chosen);
    await Promise.all(
      records.map((record) => new Promise<void>((done) => this.#runner.push(record, { event, done }))),
    );
  }

  #orderRefusal(): string | null {
    const failure = this.#journal?.failure ?? null;
    if (failure === null) return null;
    this.#refusedOrders += 1;
    return unkeptReason(failure);
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
}
