/**
 * Drives the machine: one event at a time per session, its effects in order, its questions put to the ports and their
 * answers fed back before the next event. Sessions run side by side.
 */
import type { AuthenticationResult, Authenticator } from '../aaa/port.js';
import type { Dataplane, RemovalReceipt } from '../dataplane/port.js';
import type { AnnouncedLine } from '../model/access-line.js';
import type { Clock } from '../model/clock.js';
import type { Ipv4Prefix } from '../model/ipv4.js';
import type { Mac } from '../model/mac.js';
import type { ServiceProfile } from '../model/service-profile.js';
import type { SessionTerms } from '../model/session-terms.js';
import { plainTerms } from '../model/session-terms.js';
import type { AddressPools } from '../pool/port.js';
import type { GrantAnswer } from './grants.js';
import { makeGrant } from './grants.js';
import type { AccessNode } from './access-node.js';
import type { AddressProber } from './address-prober.js';
import type { GateLimits } from './admission-gate.js';
import { AdmissionGate } from './admission-gate.js';
import { askDataplane } from './ask-dataplane.js';
import { Deadlines } from './deadlines.js';
import type { AccountingLedger } from './ledger.js';
import type { LifecycleEvent } from './lifecycle.js';
import { boundedLine } from './identity.js';
import { isServed, poolNameOf } from './machine/build.js';
import { transition } from './machine/machine.js';
import { intend } from './intent.js';
import type { SessionJournal } from './journal.js';
import type {
  AnswerEvent,
  Ask,
  DhcpEvent,
  Effect,
  Grant,
  Served,
  SessionEvent,
  State,
} from './machine/types.js';
import { Promises } from './promises.js';
import { ProvenAddresses } from './proven-addresses.js';
import type { Quarantines } from './quarantines.js';
import type { DhcpReply, QueuedEvent, SessionRecord } from './record.js';
import { Relocations } from './relocations.js';
import { Replies } from './replies.js';
import { isRowChanged } from './row-changes.js';
import type { ServiceOptions } from './service-options.js';
import type { SuspensionReasons } from './suspension-reasons.js';
import type { SessionTable } from './table.js';
import type { SessionStateName } from './view.js';
import { verdictOf } from './verdict.js';

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

type Accepted = Extract<AuthenticationResult, { kind: 'accepted' }>;

/** One item of a queue while it is handled. */
interface Turn {
  readonly item: QueuedEvent;
  /** What the item said when its turn came. */
  readonly first: SessionEvent;
  /** The session as it was before. */
  readonly before: State;
  /** Who was told already. */
  readonly seen: { answered: boolean; ordered: boolean; leaseStarted: boolean };
}

export class SessionRunner {
  readonly #o: RunnerOptions;
  readonly #deadlines: Deadlines;
  readonly #promises: Promises;
  readonly #relocations: Relocations;
  readonly #proven = new ProvenAddresses();
  readonly gate: AdmissionGate;
  readonly replies: Replies;
  #repeated = 0;

  constructor(options: RunnerOptions) {
    this.#o = options;
    this.#promises = new Promises(options);
    this.gate = new AdmissionGate(options.clock, options.gateLimits);
    this.#relocations = new Relocations(options.pools);
    this.replies = new Replies(options);
    this.#deadlines = new Deadlines({ ...options, push: (record, event) => this.push(record, { event }) });
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
    return this.#repeated;
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
      if (from !== record.session.state.name) this.#stateChanged(record, turn, from);
      for (const effect of next.effects) this.#perform(record, turn, effect);
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

  #perform(record: SessionRecord, { item, first, before, seen }: Turn, effect: Effect): void {
    const { pools, authenticator, ledger, journal } = this.#o;
    const { subscriberId } = record.identity;
    switch (effect.type) {
      case 'authenticate':
        this.#authenticate(record).catch(this.#o.onBug);
        return;
      case 'answer':
        if (item.reply !== undefined) seen.answered = true;
        this.#answer(record, { reply: item.reply, first, seen }, effect);
        return;
      case 'order-done':
        seen.ordered = true;
        if (item.order === undefined) return;
        this.replies.order(record, item.order, {
          ok: true,
          ontSerial: record.identity.ontSerial ?? subscriberId,
          oldState: before.name,
          newState: record.session.state.name,
          oldAddress: isServed(before) ? (before.held ?? before).grant.address : null,
          message: effect.message,
        });
        return;
      case 'order-refused':
        seen.ordered = true;
        item.order?.(
          effect.kind === 'conflict'
            ? { ok: false, kind: 'conflict', state: record.session.state.name, reason: effect.reason }
            : { ok: false, kind: 'failed', reason: effect.reason },
        );
        this.#tell(record, { type: 'order-refused', order: first.type, reason: effect.reason });
        return;
      case 'free':
        pools.free(poolNameOf(effect.grant), effect.grant.address, subscriberId);
        return;
      case 'quarantine':
        this.#quarantine(record, effect.grant);
        return;
      case 'assign':
        authenticator.assign(subscriberId, effect.profile, effect.resumeTo);
        journal?.assigned(subscriberId, effect.profile, effect.resumeTo);
        return;
      case 'forget':
        authenticator.forget(subscriberId);
        this.#o.suspensions.forget(subscriberId);
        journal?.forgotten(subscriberId);
        return;
      case 'lease-started':
        ledger.started(record, effect.grant, effect.attachment);
        this.#proven.prove(effect.grant.address);
        seen.leaseStarted = true;
        this.#tell(record, {
          type: 'lease-bound',
          ...placeOf(effect.grant),
          setupMs: record.leaseBegan(this.#o.clock.monotonicMs()),
        });
        this.#o.onLeaseBegan(record, effect.attachment.mac);
        return;
      case 'lease-renewed':
        if (journal !== null) ledger.look(effect.grant.address);
        this.#tell(record, { type: 'lease-renewed', ...placeOf(effect.grant) });
        return;
      case 'lease-reprofiled':
        ledger.reprofiled(effect.grant);
        return;
      case 'lease-ended':
        ledger.ended(effect);
        this.#tell(record, { type: 'lease-ended', ...placeOf(effect.grant), traffic: effect.traffic });
        return;
      case 'deadline':
        this.#deadlines.arm(record, effect.which, effect.atMs);
        return;
      case 'watch-unbound':
        this.#deadlines.watchUnbound(record);
        return;
      case 'trouble':
        this.#tell(record, { type: 'trouble', reason: effect.reason });
        return;
    }
  }

  #answer(
    record: SessionRecord,
    { reply, first, seen }: Pick<Turn, 'first' | 'seen'> & { readonly reply: DhcpReply | undefined },
    effect: Extract<Effect, { type: 'answer' }>,
  ): void {
    const asked = first.type === 'request' ? first.address : null;
    const own = reply === undefined ? null : { reply, asked };
    if (effect.answer.say === 'hold') {
      if (record.heldReply !== null) this.#repeated += 1;
      record.heldReply?.reply({ kind: 'silence', reason: 'superseded by a retransmission' });
      record.heldReply = own;
      return;
    }
    const client = own ?? record.heldReply;
    if (own === null) record.heldReply = null;
    if (client === null) return;
    const { pools, services } = this.#o;
    const verdict = verdictOf(effect.answer, { pools, services, asked: client.asked });
    this.replies.dhcp(record, { reply: client.reply, verdict, leaseStarted: seen.leaseStarted });
  }

  async #ask(record: SessionRecord, ask: Ask): Promise<AnswerEvent> {
    const { dataplane, accessNode, journal, ledger } = this.#o;
    const refusal = journal === null ? null : await intend(record, ask, { journal, ledger });
    if (refusal !== null) return refusal;
    switch (ask.ask) {
      case 'allocate':
        return this.#grant(record, ask.profile, termsOf(record, ask.terms));
      case 'install':
        this.gate.began();
        return askDataplane(dataplane, ask).finally(() => this.gate.left());
      case 'update':
      case 'remove':
        return askDataplane(dataplane, ask);
      case 'probe': {
        const isInUse = await this.#isInUse(ask);
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

  #grant(record: SessionRecord, profile: ServiceProfile, terms: SessionTerms): GrantAnswer {
    const holder = record.identity.subscriberId;
    const made = makeGrant(this.#o.pools, { ...this.#o, holder, profile, terms });
    const isKnown =
      made.type !== 'allocated' || this.#o.prober?.asks !== true || this.#proven.has(made.grant.address);
    return isKnown ? made : { ...made, grant: { ...made.grant, isUnproven: true } };
  }

  async #isInUse({ address, attachment }: Extract<Ask, { ask: 'probe' }>): Promise<boolean> {
    const isInUse = (await this.#o.prober?.isInUse(address, attachment)) ?? false;
    if (!isInUse) this.#proven.prove(address);
    return isInUse;
  }

  /** A line that has taken as much out of use as it may keeps its address, and is not asked about it again. */
  #quarantine(record: SessionRecord, grant: Grant): void {
    const { address } = grant;
    if (this.#o.quarantines.begin(poolNameOf(grant), address, boundedLine(record.identity, record.line))) {
      this.#proven.doubt(address);
      return;
    }
    this.#proven.prove(address);
    this.#tell(record, { type: 'trouble', reason: 'the line has taken too many addresses out of use' });
  }

  /** Runs beside the queue, so that a slow server holds up nobody; its result takes its turn like any event. */
  async #authenticate(record: SessionRecord): Promise<void> {
    const entered = this.gate.enter(record);
    const turn = entered instanceof Promise ? await entered : entered;
    if (turn !== 'in') {
      this.push(record, { event: { type: 'not-admitted', reason: 'too many sessions wait to begin' } });
      return;
    }
    const { subscriberId, ontSerial } = record.identity;
    const { line } = record;
    const announced = ontSerial === null ? null : this.#o.announcementOf(ontSerial);
    const { nowMs } = this.#now();
    const result = await this.#o.authenticator.authenticate({ subscriberId, ontSerial, line, announced });
    const answered = this.#now();
    this.gate.answered(record, { tookMs: answered.nowMs - nowMs, isAnswer: result.kind !== 'unreachable' });
    const done = (): void => this.gate.left();
    record.authentication = {
      wallMs: answered.wallMs,
      tookMs: answered.nowMs - nowMs,
      outcome: result.kind,
      reason: result.kind === 'accepted' ? null : result.reason,
    };
    // A session that ended meanwhile must not be left holding an address.
    if (record.session.state.name !== 'discovered') return done();
    if (result.kind !== 'accepted') {
      const reason = `${result.kind}: ${result.reason}`;
      this.push(record, { event: { type: 'not-authorised', reason }, done });
      return;
    }
    this.push(record, { event: () => this.#authorise(record, result), done });
  }

  /**
   * Allocates when the result's turn has come and not before: if an end was queued in front of it, the address may by
   * then belong to the next session of the same subscriber, which this one must not free.
   */
  #authorise(record: SessionRecord, result: Accepted): SessionEvent {
    if (record.session.state.name !== 'discovered') {
      return { type: 'not-authorised', reason: 'the session has ended' };
    }
    const allocated = this.#grant(record, result.profile, result.terms);
    return allocated.type === 'allocated'
      ? { type: 'authorised', grant: allocated.grant, resumeTo: result.resumeTo }
      : { type: 'not-authorised', reason: allocated.reason };
  }

  #stateChanged(record: SessionRecord, { first }: Turn, from: SessionStateName): void {
    record.suspendedFor = this.#o.suspensions.reasonAfter(record.identity.subscriberId, {
      from,
      to: record.session.state.name,
      said: first.type === 'suspend' ? first.reason : null,
    });
    const { nowMs, wallMs } = this.#now();
    const durationMs = nowMs - record.stateSinceMs;
    record.stateSinceMs = nowMs;
    record.stateSinceWallMs = wallMs;
    this.#tell(record, { type: 'state-changed', from, to: record.session.state.name, durationMs });
  }

  #ended(record: SessionRecord): void {
    this.#deadlines.clear(record);
    record.heldReply?.reply({ kind: 'silence', reason: 'the session has ended' });
    record.heldReply = null;
    this.#o.onTerminated(record);
  }

  #now(): { readonly nowMs: number; readonly wallMs: number } {
    return { nowMs: this.#o.clock.monotonicMs(), wallMs: this.#o.clock.wallMs() };
  }

  #tell(record: SessionRecord, event: Untold<LifecycleEvent>): void {
    const now = this.#now();
    this.#o.tell({ ...event, wallMs: now.wallMs, session: record.view(now) });
  }
}

type ClientRequest = QueuedEvent & { readonly event: DhcpEvent };

function isRepeated(before: QueuedEvent['event'], now: DhcpEvent): boolean {
  return typeof before === 'object' && before.type === now.type;
}

type Untold<E> = E extends LifecycleEvent ? Omit<E, 'wallMs' | 'session'> : never;

/** What AAA said of the session, its fixed address apart: that was for the pool the subscriber is moving out of. */
function termsOf(record: SessionRecord, changed: SessionTerms | null): SessionTerms {
  const { state } = record.session;
  const own = isServed(state) ? state.grant.terms : plainTerms(record.identity.subscriberId);
  const terms = changed ?? own;
  return { ...terms, fixedAddress: null };
}

function placeOf(grant: Grant): { address: Grant['address']; poolName: string } {
  return { address: grant.address, poolName: poolNameOf(grant) };
}
