/**
 * Performs what a transition asks for and nobody waits for: answers, ledgers, deadlines, and what the world is told. Feeds
 * nothing back into the session by itself.
 */
import type { Authenticator } from '../aaa/port.js';
import type { Clock } from '../model/clock.js';
import type { Mac } from '../model/mac.js';
import type { AddressPools } from '../pool/port.js';
import type { Authentications } from './authentication.js';
import type { Deadlines } from './deadlines.js';
import type { Granting } from './granting.js';
import type { SessionJournal } from './journal.js';
import type { AccountingLedger } from './ledger.js';
import type { LifecycleEvent } from './lifecycle.js';
import { isServed, poolNameOf } from './machine/build.js';
import type { Effect, Grant, SessionEvent, State } from './machine/types.js';
import type { DhcpReply, QueuedEvent, SessionRecord } from './record.js';
import type { Replies } from './replies.js';
import type { ServiceOptions } from './service-options.js';
import type { SuspensionReasons } from './suspension-reasons.js';
import { verdictOf } from './verdict.js';
import type { SessionStateName } from './view.js';

export interface EffectsOptions {
  readonly authenticator: Authenticator;
  readonly authentications: Authentications;
  readonly pools: AddressPools;
  readonly granting: Granting;
  readonly services: ServiceOptions;
  readonly ledger: AccountingLedger;
  /** Null where nothing outlives us. */
  readonly journal: SessionJournal | null;
  readonly suspensions: SuspensionReasons;
  readonly deadlines: Deadlines;
  readonly replies: Replies;
  readonly clock: Clock;
  readonly tell: (event: LifecycleEvent) => void;
  /** The client at this MAC has a lease that it did not have before. */
  readonly onLeaseBegan: (record: SessionRecord, mac: Mac) => void;
  /** A defect of ours; the caller stops the process. */
  readonly onBug: (error: unknown) => void;
}

/** One item of a queue while it is handled. */
export interface Turn {
  readonly item: QueuedEvent;
  /** What the item said when its turn came. */
  readonly first: SessionEvent;
  /** The session as it was before. */
  readonly before: State;
  /** Who was told already. */
  readonly seen: { answered: boolean; ordered: boolean; leaseStarted: boolean };
}

export class Effects {
  readonly #o: EffectsOptions;
  #supersededReplies = 0;

  constructor(options: EffectsOptions) {
    this.#o = options;
  }

  /** Clients' messages whose answer was held until a later one of the same client took their place. */
  get supersededReplies(): number {
    return this.#supersededReplies;
  }

  /** Does what a transition asks for and nobody waits for. */
  perform(record: SessionRecord, { item, first, before, seen }: Turn, effect: Effect): void {
    const { pools, authenticator, ledger, journal } = this.#o;
    const { subscriberId } = record.identity;
    switch (effect.type) {
      case 'authenticate':
        this.#o.authentications.begin(record).catch(this.#o.onBug);
        return;
      case 'answer':
        if (item.reply !== undefined) seen.answered = true;
        this.#answer(record, { reply: item.reply, first, seen }, effect);
        return;
      case 'order-done':
        seen.ordered = true;
        if (item.order === undefined) return;
        this.#o.replies.order(record, item.order, {
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
        if (!this.#o.granting.quarantine(record, effect.grant))
          this.#tell(record, { type: 'trouble', reason: 'the line has taken too many addresses out of use' });
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
        this.#o.granting.prove(effect.grant.address);
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
        this.#o.deadlines.arm(record, effect.which, effect.atMs);
        return;
      case 'watch-unbound':
        this.#o.deadlines.watchUnbound(record);
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
      if (record.heldReply !== null) this.#supersededReplies += 1;
      record.heldReply?.reply({ kind: 'silence', reason: 'superseded by a retransmission' });
      record.heldReply = own;
      return;
    }
    const client = own ?? record.heldReply;
    if (own === null) record.heldReply = null;
    if (client === null) return;
    const { pools, services } = this.#o;
    const verdict = verdictOf(effect.answer, { pools, services, asked: client.asked });
    this.#o.replies.dhcp(record, { reply: client.reply, verdict, leaseStarted: seen.leaseStarted });
  }

  /** The session has left the state `from`. */
  stateChanged(record: SessionRecord, { first }: Turn, from: SessionStateName): void {
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

  #now(): { readonly nowMs: number; readonly wallMs: number } {
    return { nowMs: this.#o.clock.monotonicMs(), wallMs: this.#o.clock.wallMs() };
  }

  #tell(record: SessionRecord, event: Untold<LifecycleEvent>): void {
    const now = this.#now();
    this.#o.tell({ ...event, wallMs: now.wallMs, session: record.view(now) });
  }
}

type Untold<E> = E extends LifecycleEvent ? Omit<E, 'wallMs' | 'session'> : never;

function placeOf(grant: Grant): { address: Grant['address']; poolName: string } {
  return { address: grant.address, poolName: poolNameOf(grant) };
}
