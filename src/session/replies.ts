/**
 * What leaves the session layer leaves when a crash can no longer make it untrue: each answer waits for the commit that
 * keeps what it says, if that is not kept already. The session itself does not wait.
 *
 * While the store takes nothing, what is new is not promised: no offer of an address and no lease that a row does not have.
 * A renewal is acknowledged all the same; after a crash the lease ends when its last stored renewal says.
 */
import type { StoreFailure } from '../store/port.js';
import type { DhcpVerdict, OperatorResult } from './inlet.js';
import type { SessionJournal } from './journal.js';
import type { AccountingLedger } from './ledger.js';
import type { DhcpReply, SessionRecord } from './record.js';

export interface RepliesOptions {
  /** Null where nothing outlives us. */
  readonly journal: SessionJournal | null;
  readonly ledger: AccountingLedger;
  readonly onBug: (error: unknown) => void;
}

/** What was not promised, or promised although the store could not keep it. */
export interface UnkeptFigures {
  readonly withheldAnswers: number;
  readonly unstoredRenewals: number;
}

export class Replies {
  readonly #o: RepliesOptions;
  #withheldAnswers = 0;
  #unstoredRenewals = 0;

  constructor(options: RepliesOptions) {
    this.#o = options;
  }

  figures(): UnkeptFigures {
    return { withheldAnswers: this.#withheldAnswers, unstoredRenewals: this.#unstoredRenewals };
  }

  dhcp(
    record: SessionRecord,
    { reply, verdict, leaseStarted }: { reply: DhcpReply; verdict: DhcpVerdict; leaseStarted: boolean },
  ): void {
    const { journal, ledger, onBug } = this.#o;
    // The allocation is what an offer tells of, and all that it promises (RFC 2131 §3.1 (2)).
    if (verdict.kind === 'offer' && record.durable?.address === verdict.terms.address) return reply(verdict);
    if (journal !== null && (verdict.kind === 'offer' || verdict.kind === 'ack' || verdict.kind === 'nak')) {
      journal.stored(record).then((failure) => reply(this.#keepable(record, verdict, failure)), onBug);
      return;
    }
    // What the client builds on must not be unknown to accounting after a crash.
    if (leaseStarted) ledger.stored().then(() => reply(verdict), onBug);
    else reply(verdict);
  }

  order(record: SessionRecord, reply: (result: OperatorResult) => void, result: OperatorResult): void {
    const { journal, onBug } = this.#o;
    if (journal === null || !result.ok) return reply(result);
    journal.stored(record).then((failure) => reply(failure === null ? result : undone(failure)), onBug);
  }

  /** Calls `done` when the session is durable as it is now, or known not to be. */
  settled(record: SessionRecord, done: () => void): void {
    const { journal, onBug } = this.#o;
    if (journal === null) done();
    else journal.stored(record).then(done, onBug);
  }

  #keepable(record: SessionRecord, verdict: DhcpVerdict, failure: StoreFailure | null): DhcpVerdict {
    if (failure === null || (verdict.kind !== 'offer' && verdict.kind !== 'ack')) return verdict;
    const kept = record.durable;
    if (verdict.kind === 'ack' && kept?.address === verdict.terms.address && kept.isBound) {
      this.#unstoredRenewals += 1;
      return verdict;
    }
    this.#withheldAnswers += 1;
    return { kind: 'silence', reason: unkeptReason(failure) };
  }
}

export function unkeptReason({ kind, reason }: StoreFailure): string {
  return `the store takes nothing (${kind}): ${reason}`;
}

function undone(failure: StoreFailure): OperatorResult {
  const reason = `carried out, but a restart would undo it: ${unkeptReason(failure)}`;
  return { ok: false, kind: 'failed', reason };
}
