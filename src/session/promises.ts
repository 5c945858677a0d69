/**
 * Which leases the dataplane may answer for by itself: those that are bound while nothing is under way for their session,
 * so that its answer is the one the session would give. Decides nothing about a lease.
 */
import type { Dataplane, LeasePromise } from '../dataplane/port.js';
import { attachmentKey, isSameAttachment } from '../model/access-line.js';
import type { AddressPools } from '../pool/port.js';
import type { AccountingLedger } from './ledger.js';
import { isServed, poolNameOf } from './machine/build.js';
import type { SessionRecord } from './record.js';
import type { ServiceOptions } from './service-options.js';
import type { SessionTable } from './table.js';

export interface PromisesOptions {
  readonly dataplane: Pick<Dataplane, 'promise' | 'withdraw'>;
  readonly table: Pick<SessionTable, 'byAttachment'>;
  readonly ledger: Pick<AccountingLedger, 'endsAtMs'>;
  readonly pools: Pick<AddressPools, 'drainOf'>;
  readonly services: Pick<ServiceOptions, 'hasOptions'>;
}

const NO_BYTES = new Uint8Array(0);

export class Promises {
  readonly #o: PromisesOptions;
  readonly #byAttachment = new Map<string, SessionRecord>();
  /** Records whose new lease accounting could still lose, and what they wait for. */
  readonly #waiting = new Map<SessionRecord, Promise<unknown>>();

  constructor(options: PromisesOptions) {
    this.#o = options;
  }

  /**
   * Withdraws what the session would no longer answer: to be called before anything follows from its new state. A line
   * that another session has come to is answered for nobody.
   */
  review(record: SessionRecord): void {
    const { promised } = record;
    if (promised !== null && !isSame(this.#of(record), promised)) this.#withdraw(record, promised);
    for (const key of record.attachmentKeys) {
      const other = this.#byAttachment.get(key);
      if (other !== undefined && other !== record && other.promised !== null) {
        this.#withdraw(other, other.promised);
      }
    }
  }

  /** Promises what the session would answer now. `known`: it was the dataplane that moved the lease's end. */
  keep(record: SessionRecord, known: boolean): void {
    if (this.#waiting.has(record)) return;
    const wanted = this.#of(record);
    const { promised } = record;
    if (wanted === null) return;
    const same = promised !== null && isSame(wanted, promised);
    if (!same || (!known && wanted.expiresAtMs !== promised.expiresAtMs)) {
      if (!this.#o.dataplane.promise(wanted)) {
        if (promised !== null) this.#withdraw(record, promised);
        return;
      }
    }
    record.promised = wanted;
    const key = attachmentKey(wanted.attachment);
    // The index's own text, of the same letters: there are very many of them.
    this.#byAttachment.set(record.attachmentKeys.find((own) => own === key) ?? key, record);
  }

  /** The same, but not before `stored`: a first promise is the session's own to give. Rejections are the caller's. */
  async keepAfter(record: SessionRecord, stored: Promise<unknown>): Promise<void> {
    this.#waiting.set(record, stored);
    await stored;
    if (this.#waiting.get(record) !== stored) return;
    this.#waiting.delete(record);
    this.keep(record, false);
  }

  #withdraw(record: SessionRecord, promised: LeasePromise): void {
    this.#o.dataplane.withdraw(promised.attachment);
    record.promised = null;
    this.#byAttachment.delete(attachmentKey(promised.attachment));
  }

  #of(record: SessionRecord): LeasePromise | null {
    const { state, step } = record.session;
    const { line } = record;
    if (step !== null || !isServed(state) || state.lease.phase !== 'bound' || line === null) return null;
    const { grant, lease } = state;
    if (grant.isStatic === true) return null;
    // The dataplane knows the answers of pools, and no others.
    if (line.isSteered === true || this.#o.services.hasOptions(grant.profile.serviceId)) return null;
    const poolName = poolNameOf(grant);
    // Who is to move is told so by the session.
    if (this.#o.pools.drainOf(poolName) === 'move') return null;
    if (this.#o.table.byAttachment(attachmentKey(lease.attachment)) !== record) return null;
    return {
      address: grant.address,
      attachment: lease.attachment,
      poolName,
      leaseSeconds: grant.leaseSeconds,
      option82: line.option82 ?? NO_BYTES,
      expiresAtMs: lease.expiresAtMs,
      endsAtMs: this.#o.ledger.endsAtMs(grant.address),
    };
  }
}

/** Whether they are answered alike; when the lease ends is another matter. */
function isSame(a: LeasePromise | null, b: LeasePromise): boolean {
  return (
    a !== null &&
    a.address === b.address &&
    isSameAttachment(a.attachment, b.attachment) &&
    a.poolName === b.poolName &&
    a.leaseSeconds === b.leaseSeconds &&
    a.endsAtMs === b.endsAtMs &&
    Buffer.compare(a.option82, b.option82) === 0
  );
}
