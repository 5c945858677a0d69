/**
 * Goes on with the accounting of the sessions of an earlier run, beside service and in portions: after a boot of the machine the
 * server has closed them all, and telling it of 100,000 at once would keep every answer waiting. Each portion is one commit with
 * the rows of its sessions, so that a crash leaves each either as it was or begun anew. Decides no state.
 */
import type { EarlierBooks } from '../aaa/port.js';
import type { Clock } from '../model/clock.js';
import type { StoreResult } from '../store/port.js';
import type { SessionJournal } from './journal.js';
import type { AccountingLedger } from './ledger.js';
import { holding, isServed } from './machine/build.js';
import type { Held } from './machine/types.js';
import type { SessionRecord } from './record.js';

/** Some 5 ms of the event loop. */
const PORTION = 100;

export interface AccountingRestartOptions {
  readonly ledger: AccountingLedger;
  readonly journal: SessionJournal;
  readonly clock: Clock;
}

interface Open {
  readonly record: SessionRecord;
  readonly now: Held;
}

export class AccountingRestart {
  readonly #o: AccountingRestartOptions;
  #isClosed = false;

  constructor(options: AccountingRestartOptions) {
    this.#o = options;
  }

  /** Nothing more is begun. */
  close(): void {
    this.#isClosed = true;
  }

  /** What is over for the server is closed and begins anew, the others go on. False when it was closed before all were done. */
  async run(records: readonly SessionRecord[], earlier: EarlierBooks): Promise<StoreResult<boolean>> {
    for (let at = 0; at < records.length; at += PORTION) {
      await breath();
      if (this.#isClosed) break;
      const done = await this.#portion(records.slice(at, at + PORTION), earlier);
      if (!done.ok) return done;
    }
    return { ok: true, value: !this.#isClosed };
  }

  async #portion(records: readonly SessionRecord[], earlier: EarlierBooks): Promise<StoreResult<null>> {
    const { ledger, journal } = this.#o;
    const over = new Set<string>();
    for (const { record, now } of open(records)) {
      const accountingId = ledger.adopted(record, now.grant.address)?.accountingId;
      if (accountingId !== undefined && earlier.isOver(accountingId)) over.add(accountingId);
    }
    if (over.size === 0) {
      for (const { record, now } of open(records)) this.#goOn(record, now);
      return { ok: true, value: null };
    }
    const closing = await earlier.closing([...over]);
    if (!closing.ok) return closing;
    if (this.#isClosed) return { ok: true, value: null };
    // Looked at again: what has happened to a session meanwhile has been told of it.
    for (const { record, now } of open(records)) {
      const { address } = now.grant;
      const adopted = ledger.adopted(record, address);
      const mayBegin = record.session.step === null && now.expiresAtMs > this.#o.clock.monotonicMs();
      if (adopted === null || !over.has(adopted.accountingId) || !mayBegin) this.#goOn(record, now);
      else {
        closing.value(adopted.accountingId, adopted.usage);
        ledger.drop(address);
        ledger.started(record, now.grant, now.attachment);
        journal.changed(record);
      }
    }
    await ledger.stored();
    return { ok: true, value: null };
  }

  #goOn(record: SessionRecord, { grant: { address } }: Held): void {
    const { ledger, journal } = this.#o;
    ledger.resume(record, address);
    // Where its counters began anew, its row must say from what they go on.
    if (ledger.isAnew(record, address)) journal.changed(record);
  }
}

function* open(records: readonly SessionRecord[]): Generator<Open> {
  for (const record of records) {
    const { state } = record.session;
    const now = isServed(state) ? holding(state) : null;
    if (now !== null) yield { record, now };
  }
}

/** Lets whoever waits have a turn. */
function breath(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
