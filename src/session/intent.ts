/** What the store must know before the world is asked: what cannot be found out afterwards. */
import type { SessionJournal } from './journal.js';
import type { AccountingLedger } from './ledger.js';
import type { AnswerEvent, Ask } from './machine/types.js';
import type { SessionRecord } from './record.js';
import { unkeptReason } from './replies.js';

/**
 * A removal takes counters away and a reconfiguration moves a line: both are begun when the store has them. Null when the
 * question may be put; else the answer to it, because the store takes nothing and the session can stay as it is.
 */
export async function intend(
  record: SessionRecord,
  ask: Ask,
  { journal, ledger }: { readonly journal: SessionJournal; readonly ledger: AccountingLedger },
): Promise<AnswerEvent | null> {
  const { step } = record.session;
  switch (ask.ask) {
    case 'allocate':
    case 'probe':
    case 'update':
      return null;
    case 'install': {
      // A lease that could not be promised is not begun.
      const { failure } = journal;
      return failure === null ? null : { type: 'install-failed', reason: unkeptReason(failure) };
    }
    case 'reconfigure': {
      if (step?.kind === 'provisioning') return null;
      const failure = await journal.stored(record);
      return failure === null ? null : { type: 'reconfigure-failed', reason: unkeptReason(failure) };
    }
    case 'remove': {
      ledger.look(ask.address);
      const failure = await journal.stored(record);
      if (failure === null) return null;
      // What has ended by itself ends; what somebody wants done waits for better times.
      const mayStay = step?.kind === 'moving' || (step?.kind === 'closing' && step.ordered);
      return mayStay ? { type: 'remove-failed', reason: unkeptReason(failure) } : null;
    }
  }
}
