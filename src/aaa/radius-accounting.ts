/**
 * Accounting that an ISP can bill on: makes records of what the session layer reports and gives them to the durable queue.
 * After a crash it closes what the crash ended. Sends nothing itself.
 */
import { NO_TRAFFIC } from '../model/traffic-counters.js';
import type { Clock } from '../model/clock.js';
import type { StoreFailure, StoreResult, StoreTable } from '../store/port.js';
import { ACCOUNTING_NAS_TABLE, loadNasState, nasStateChange } from './accounting-nas-state.js';
import type { NasState } from './accounting-nas-state.js';
import { ACCOUNTING_QUEUE_TABLE } from './accounting-backlog.js';
import type { OpenSession } from './accounting-ledger.js';
import { ACCOUNTING_SESSION_TABLE, AccountingLedger } from './accounting-ledger.js';
import { AccountingQueue } from './accounting-queue.js';
import type { AccountingQueueFigures, AccountingQueueOptions } from './accounting-queue-options.js';
import { ACCOUNTING_REFUSED_TABLE, NAS_STREAM } from './accounting-queue-options.js';
import type { RecordedCause } from './accounting-record.js';
import { sessionAttributes, usageAttributes } from './accounting-record.js';
import type { Accounting, AccountingSession, AccountingUsage, EarlierBooks, TerminateCause } from './port.js';
import type { RadiusNas } from './radius-nas-attributes.js';

/** What the store must be opened with. */
export const ACCOUNTING_TABLES: readonly StoreTable[] = [
  ACCOUNTING_QUEUE_TABLE,
  ACCOUNTING_REFUSED_TABLE,
  ACCOUNTING_SESSION_TABLE,
  ACCOUNTING_NAS_TABLE,
];

export interface RadiusAccountingOptions extends AccountingQueueOptions {
  readonly nas: RadiusNas;
  readonly interimIntervalSeconds: number;
  /** Of this boot of the machine: sessions go on over every restart but its own. */
  readonly bootId: string;
}

/** How many sessions are closed with one commit: a few milliseconds of the event loop. */
const PORTION = 100;

/** What became of the accounting sessions of an earlier run. */
export interface OpenSessions extends Pick<EarlierBooks, 'isOver'> {
  /** `begins`: the server takes some or all of them for ended. */
  readonly accounting: 'goes-on' | 'begins';
}

export class RadiusAccounting implements Accounting {
  readonly interimIntervalSeconds: number;
  readonly #queue: AccountingQueue;
  readonly #ledger: AccountingLedger;
  readonly #nas: RadiusNas;
  readonly #clock: Clock;
  readonly #bootId: string;
  readonly #nasState: NasState | null;
  /** Of an earlier run. */
  #left: readonly string[];

  private constructor(
    options: RadiusAccountingOptions,
    parts: {
      readonly queue: AccountingQueue;
      readonly ledger: AccountingLedger;
      readonly nasState: NasState | null;
    },
  ) {
    this.interimIntervalSeconds = options.interimIntervalSeconds;
    this.#nas = options.nas;
    this.#clock = options.clock;
    this.#queue = parts.queue;
    this.#ledger = parts.ledger;
    this.#left = parts.ledger.ids();
    this.#nasState = parts.nasState;
    this.#bootId = options.bootId;
  }

  /** Loads what an earlier run left and begins to send it. Call `closeLost` before the first session starts. */
  static async open(options: RadiusAccountingOptions): Promise<StoreResult<RadiusAccounting>> {
    const loaded = await AccountingLedger.load(options.store);
    if (!loaded.ok) return loaded;
    const nasState = await loadNasState(options.store);
    if (!nasState.ok) return nasState;
    const queue = await AccountingQueue.open(options);
    if (!queue.ok) return queue;
    const parts = { queue: queue.value, nasState: nasState.value, ledger: loaded.value };
    return { ok: true, value: new RadiusAccounting(options, parts) };
  }

  /**
   * Sends Accounting-On unless the server was told so in this boot of the machine and of no Off since. Tells which sessions
   * that an earlier run left open have ended for the server; ids of this run begin with `prefix`. Where some have, `begun`
   * is to be called when they are closed and begun anew, in portions and over restarts as it happens.
   */
  begin(prefix: string): OpenSessions {
    const said = this.#nasState;
    const goesOn = said?.status === 'On' && said.bootId === this.#bootId;
    if (goesOn && said.begun === undefined) return { accounting: 'goes-on', isOver: () => false };
    const begun = [...((goesOn ? said.begun : null) ?? []), prefix];
    const state: NasState = { status: 'On', bootId: this.#bootId, begun };
    if (goesOn) this.#queue.change([nasStateChange(state)]);
    else this.#announce(state);
    const starts = begun.map((each) => `${each}-`);
    return { accounting: 'begins', isOver: (id) => !starts.some((start) => id.startsWith(start)) };
  }

  /** Every session that was over has been closed, and what goes on has begun anew. */
  begun(): void {
    this.#queue.change([nasStateChange({ status: 'On', bootId: this.#bootId })]);
  }

  /**
   * Ends the accounting of every session that an earlier run left open and that is not among `alive` (Acct-Session-Ids), in
   * portions: a Stop with NAS-Reboot, the last counters known, and the time when they were. Gives how many. Once.
   */
  async closeLost(alive: ReadonlySet<string>): Promise<StoreResult<number>> {
    const ids = this.#left.filter((id) => !alive.has(id));
    this.#left = [];
    let closed = 0;
    for (let at = 0; at < ids.length; at += PORTION) {
      const lost = await this.#ledger.read(ids.slice(at, at + PORTION));
      if (!lost.ok) return lost;
      // The next start closes the others.
      if (!this.#queue.isOpen) break;
      for (const session of lost.value) this.#stop(session, 'NAS-Reboot');
      closed += lost.value.length;
      await this.stored();
    }
    return { ok: true, value: closed };
  }

  /** As `EarlierBooks` has it. */
  async closing(ids: readonly string[]): Promise<Awaited<ReturnType<EarlierBooks['closing']>>> {
    const found = await this.#ledger.read(ids);
    if (!found.ok) return found;
    const left = new Map(found.value.map((session) => [session.attributes['Acct-Session-Id'], session]));
    const close = (id: string, known: AccountingUsage): void => {
      const session = left.get(id);
      if (session === undefined) return;
      this.#stop({ ...session, reported: this.#ledger.advance(id, known) }, 'NAS-Reboot');
    };
    return { ok: true, value: close };
  }

  /**
   * Accounting-On after a start, -Off before an end, of a NAS that keeps no session over it: a server closes all it knows
   * (RFC 2866 §5.1). Records of sessions that follow wait until the server has it.
   */
  announce(status: 'On' | 'Off'): void {
    this.#announce({ status, bootId: this.#bootId });
  }

  #announce(state: NasState): void {
    const now = this.#clock.wallMs();
    const record = {
      'Acct-Status-Type': `Accounting-${state.status}` as const,
      'Acct-Session-Id': `nas-${now.toString(36)}`,
      'Event-Timestamp': Math.floor(now / 1000),
    };
    this.#queue.put({ kind: 'nas', stream: NAS_STREAM, record, changes: [nasStateChange(state)] });
  }

  start(session: AccountingSession): void {
    const attributes = sessionAttributes(session, this.#nas);
    const { startedWallMs } = session;
    const reported = { traffic: NO_TRAFFIC, durationMs: 0 };
    this.#queue.put({
      kind: 'start',
      stream: session.accountingId,
      record: { 'Acct-Status-Type': 'Start', 'Event-Timestamp': seconds(startedWallMs), ...attributes },
      changes: [this.#ledger.reporting({ attributes, startedWallMs, reported })],
    });
  }

  interim(session: AccountingSession, usage: AccountingUsage): void {
    const open = this.#advanced(session, usage);
    this.#queue.put({
      kind: 'interim',
      stream: session.accountingId,
      record: {
        'Acct-Status-Type': 'Interim-Update',
        'Event-Timestamp': seconds(open.startedWallMs + open.reported.durationMs),
        ...open.attributes,
        ...usageAttributes(open.reported),
      },
      changes: [this.#ledger.reporting(open)],
    });
  }

  stop(session: AccountingSession, final: AccountingUsage & { readonly cause: TerminateCause }): void {
    this.#stop(this.#advanced(session, final), final.cause);
  }

  /** Resolves when all that was reported before is durable (null), or with what keeps it from being so. */
  stored(): Promise<StoreFailure | null> {
    return this.#queue.kept();
  }

  /** A server of this NAS has just answered something: what waits for the end of an outage may try at once. */
  serverAnswered(): void {
    this.#queue.serverAnswered();
  }

  figures(): AccountingQueueFigures {
    return this.#queue.figures();
  }

  /** Sends for at most `deadlineMs` more; the rest stays in the store. */
  close(deadlineMs: number): Promise<StoreFailure | null> {
    return this.#queue.close(deadlineMs);
  }

  #advanced(session: AccountingSession, usage: AccountingUsage): OpenSession {
    return {
      attributes: sessionAttributes(session, this.#nas),
      startedWallMs: session.startedWallMs,
      reported: this.#ledger.advance(session.accountingId, usage),
    };
  }

  #stop({ attributes, startedWallMs, reported }: OpenSession, cause: RecordedCause): void {
    const accountingId = attributes['Acct-Session-Id'];
    this.#queue.put({
      kind: 'stop',
      stream: accountingId,
      record: {
        'Acct-Status-Type': 'Stop',
        'Event-Timestamp': seconds(startedWallMs + reported.durationMs),
        ...attributes,
        ...usageAttributes(reported),
        'Acct-Terminate-Cause': cause,
      },
      changes: [this.#ledger.closing(accountingId)],
    });
  }
}

function seconds(wallMs: number): number {
  return Math.floor(wallMs / 1000);
}
