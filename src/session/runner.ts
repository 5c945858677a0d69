/**
 * Drives the machine: one event at a time per session, its effects in order, its questions put to the ports and their
 * answers fed back before the next event. Sessions run side by side.
 */
import type { Authenticator } from '../aaa/port.js';
import type { Dataplane, RemovalReceipt } from '../dataplane/port.js';
import type { AnnouncedLine } from '../model/access-line.js';
import type { Clock } from '../model/clock.js';
import type { Ipv4Prefix } from '../model/ipv4.js';
import type { Mac } from '../model/mac.js';
import type { AddressPools } from '../pool/port.js';
import type { AccessNode } from './access-node.js';
import type { AddressProber } from './address-prober.js';
import type { GateLimits } from './admission-gate.js';
import { AdmissionGate } from './admission-gate.js';
import { askDataplane } from './ask-dataplane.js';
import { Deadlines } from './deadlines.js';
import type { AccountingLedger } from './ledger.js';
import type { LifecycleEvent } from './lifecycle.js';
import { isServed } from './machine/build.js';
import { transition } from './machine/machine.js';
import { intend } from './intent.js';
import type { SessionJournal } from './journal.js';
import type { AnswerEvent, Ask, DhcpEvent, Served, SessionEvent } from './machine/types.js';
import { Authentications } from './authentication.js';
import type { Turn } from './effects.js';
import { Effects } from './effects.js';
import { Granting, termsOf } from './granting.js';
import { Promises } from './promises.js';
import type { Quarantines } from './quarantines.js';
import type { QueuedEvent, SessionRecord } from './record.js';
import { Relocations } from './relocations.js';
import { Replies } from './replies.js';
import { isRowChanged } from './row-changes.js';
import type { ServiceOptions } from './service-options.js';
import type { SuspensionReasons } from './suspension-reasons.js';
import type { SessionTable } from './table.js';

export interface RunnerOptions {
  readonly authenticator: Authenticator;
  readonly pools: AddressPools;
  readonly dataplane: Dataplane;
  /** Null where no access node is configured: every reconfiguration then succeeds at once. */
  readonly accessNode: AccessNode | null;
  readonly ledger: AccountingLedger;
  /** Null where nothing outlives us. */
  readonly journal: SessionJournal | null;
  readonly suspensions: SuspensionReasons;
  readonly services: ServiceOptions;
  readonly quarantines: Quarantines;
  /** Null where no address is asked for before it is offered. */
  readonly prober: AddressProber | null;
  readonly clock: Clock;
  readonly gardenPool: string;
  /** Addresses here are used without DHCP. */
  readonly statics: readonly Ipv4Prefix[];
  /** Where they differ from what a gate has by itself. */
  readonly gateLimits?: Partial<GateLimits>;
  readonly table: SessionTable;
  readonly tell: (event: LifecycleEvent) => void;
  /** As the access node has the line now; null for one that it does not have. */
  readonly announcementOf: (ontSerial: string) => AnnouncedLine | null;
  /** Its static address is granted, and where its station is is not known. */
  readonly onUnseen: (record: SessionRecord) => void;
  /** The client at this MAC has a lease that it did not have before. */
  readonly onLeaseBegan: (record: SessionRecord, mac: Mac) => void;
  readonly onTerminated: (record: SessionRecord) => void;
  /** A defect of ours; the caller stops the process. */
  readonly onBug: (error: unknown) => void;
}

export class SessionRunner {
  readonly #o: RunnerOptions;
  readonly #deadlines: Deadlines;
  readonly #promises: Promises;
  readonly #relocations: Relocations;
  readonly #granting: Granting;
  readonly #effects: Effects;
  readonly gate: AdmissionGate;
  readonly replies: Replies;
  #repeated = 0;

  constructor(options: RunnerOptions) {
    this.#o = options;
    this.#promises = new Promises(options);
    this.gate = new AdmissionGate(options.clock, options.gateLimits);
    this.#relocations = new Relocations(options.pools);
    this.replies = new Replies(options);
    const deadlines = new Deadlines({ ...options, push: (record, event) => this.push(record, { event }) });
    this.#deadlines = deadlines;
    this.#granting = new Granting(options);
    const { gate, replies } = this;
    const shared = { ...options, gate, replies, deadlines, granting: this.#granting };
    const push = (record: SessionRecord, queued: QueuedEvent): void => this.push(record, queued);
    this.#effects = new Effects({ ...shared, authentications: new Authentications({ ...shared, push }) });
  }

  /** Puts an event at the end of the session's queue. */
  push(record: SessionRecord, queued: QueuedEvent): void {
    (record.queue ??= []).push(queued);
    if (record.busy) return;
    record.busy = true;
    this.#drain(record).catch(this.#o.onBug);
  }

  /** A client's message; of several of one kind that follow each other and wait only the last has its turn. */
  pushRequest(record: SessionRecord, queued: ClientRequest): void {
    const { queue } = record;
    const last = queue?.at(-1);
    if (last?.reply === undefined || !isRepeated(last.event, queued.event)) return this.push(record, queued);
    this.#repeated += 1;
    queue?.splice(-1, 1, queued);
    last.reply({ kind: 'silence', reason: 'superseded by a retransmission' });
  }

  /** Sets the deadlines that a session of an earlier run had. */
  watch(record: SessionRecord, { lease, held }: Served): void {
    const leaseAtMs = lease.phase === 'bound' ? lease.expiresAtMs : null;
    this.#deadlines.arm(record, 'lease', leaseAtMs);
    this.#deadlines.arm(record, 'held', held?.expiresAtMs ?? null);
    if (leaseAtMs === null && held === null) this.#deadlines.watchUnbound(record);
    this.#lookOut(record);
  }

  /** Lets the dataplane answer for the lease of a session of an earlier run again. */
  promise(record: SessionRecord): void {
    this.#promises.keep(record, false);
  }

  /** Takes back what the dataplane may say of the session and the session would not. */
  reviewPromise(record: SessionRecord): void {
    this.#promises.review(record);
  }

  /** What was left of a drained pool's address is left now; the client that asks for its own (`asks`) may be moved, too. */
  relocate(record: SessionRecord, asks: boolean): void {
    if (this.#relocations.isDue(record, asks)) this.push(record, { event: { type: 'relocate' } });
  }

  /** Client's messages that a later one of the same client has taken the place of. */
  get repeatedRequests(): number {
    return this.#repeated + this.#effects.supersededReplies;
  }

  /** Takes the session's deadlines away. */
  unwatch(record: SessionRecord): void {
    this.#deadlines.clear(record);
  }

  async #drain(record: SessionRecord): Promise<void> {
    for (let next = record.queue?.shift(); next !== undefined; next = record.queue?.shift()) {
      await this.#handle(record, next);
      if (next.done !== undefined) this.replies.settled(record, next.done);
    }
    record.queue = null;
    record.busy = false;
  }

  async #handle(record: SessionRecord, item: QueuedEvent): Promise<void> {
    const before = record.session.state;
    const seen = { answered: false, ordered: false, leaseStarted: false };
    const first = typeof item.event === 'function' ? item.event() : item.event;
    const turn: Turn = { item, first, before, seen };
    let event: SessionEvent | null = first;
    while (event !== null) {
      const from = record.session.state.name;
      const { session } = record;
      const next = transition(session, event);
      record.session = next.session;
      if (isRowChanged(session, next.session, record.hasRow)) this.#o.journal?.changed(record);
      if (next.session.state !== session.state) this.#o.table.moved(record, from);
      this.#promises.review(record);
      if (from !== record.session.state.name) this.#effects.stateChanged(record, turn, from);
      for (const effect of next.effects) this.#effects.perform(record, turn, effect);
      if (event.type === 'removed') this.#told(event.receipts ?? []);
      event = next.ask === null ? null : await this.#ask(record, next.ask);
    }
    if (seen.leaseStarted) {
      this.#promises.keepAfter(record, this.#o.ledger.stored()).catch(this.#o.onBug);
    } else this.#promises.keep(record, first.type === 'answered');
    if (!seen.answered) item.reply?.({ kind: 'silence', reason: 'no answer for this message' });
    if (!seen.ordered)
      item.order?.({ ok: false, kind: 'failed', reason: 'the session could not take the order' });
    this.#lookOut(record);
    if (before.name !== 'terminated' && record.session.state.name === 'terminated') this.#ended(record);
    if (first.type !== 'relocate') this.relocate(record, false);
  }

  #lookOut(record: SessionRecord): void {
    const { state } = record.session;
    if (isServed(state) && state.grant.isStatic === true && state.lease.phase === 'none') {
      this.#o.onUnseen(record);
    }
  }

  /** Accounting and session know these last counters, in one and the same commit. */
  #told(receipts: readonly RemovalReceipt[]): void {
    const { journal, dataplane } = this.#o;
    if (journal === null) dataplane.forget(receipts);
    else journal.removed(receipts);
  }

  async #ask(record: SessionRecord, ask: Ask): Promise<AnswerEvent> {
    const { dataplane, accessNode, journal, ledger } = this.#o;
    const refusal = journal === null ? null : await intend(record, ask, { journal, ledger });
    if (refusal !== null) return refusal;
    switch (ask.ask) {
      case 'allocate':
        return this.#granting.grant(record, ask.profile, termsOf(record, ask.terms));
      case 'install':
        this.gate.began();
        return askDataplane(dataplane, ask).finally(() => this.gate.left());
      case 'update':
      case 'remove':
        return askDataplane(dataplane, ask);
      case 'probe': {
        const isInUse = await this.#granting.isInUse(ask);
        return { type: 'probed', isInUse };
      }
      case 'reconfigure': {
        const { ontSerial } = record.identity;
        if (ontSerial === null || accessNode === null || this.#o.announcementOf(ontSerial) === null) {
          // After a restart the access node may just not have said yet that the line is there.
          if (record.wasRestored) record.mustReprovision = true;
          return { type: 'reconfigured' };
        }
        const bounce = record.mayHoldLostLease;
        record.mayHoldLostLease = false;
        const outcome = await accessNode.reconfigure(ontSerial, ask.profile, { bounce });
        if (outcome.ok) record.mustReprovision = false;
        return outcome.ok ? { type: 'reconfigured' } : { type: 'reconfigure-failed', reason: outcome.reason };
      }
    }
  }

  #ended(record: SessionRecord): void {
    this.#deadlines.clear(record);
    record.heldReply?.reply({ kind: 'silence', reason: 'the session has ended' });
    record.heldReply = null;
    this.#o.onTerminated(record);
  }
}

type ClientRequest = QueuedEvent & { readonly event: DhcpEvent };

function isRepeated(before: QueuedEvent['event'], now: DhcpEvent): boolean {
  return typeof before === 'object' && before.type === now.type;
}
