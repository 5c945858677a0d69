/**
 * Accounting that an ISP can bill on: makes records of what the session layer reports and gives them to the durable queue.
 * After a crash it closes what the crash ended. Sends nothing itself.
 */
import { mostTraffic, NO_TRAFFIC } from '../model/traffic-counters.js';
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
import type { Accounting, AccountingSession, AccountingUsage, TerminateCause } from './port.js';
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

export class RadiusAccounting implements Accounting {
  readonly interimIntervalSeconds: number;
  readonly #queue: AccountingQueue;
  readonly #ledger: AccountingLedger;
  readonly #nas: RadiusNas;
  readonly #clock: Clock;
  readonly #bootId: string;
  readonly #nasState: NasState | null;
  #left: readonly OpenSession[];

  private constructor(
    options: RadiusAccountingOptions,
    parts: {
      readonly queue: AccountingQueue;
      readonly ledger: AccountingLedger;
      readonly left: readonly OpenSession[];
      readonly nasState: NasState | null;
    },
  ) {
    this.interimIntervalSeconds = options.interimIntervalSeconds;
    this.#nas = options.nas;
    this.#clock = options.clock;
    this.#queue = parts.queue;
    this.#ledger = parts.ledger;
    this.#left = parts.left;
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
    const parts = { queue: queue.value, nasState: nasState.value, ...loaded.value };
    return { ok: true, value: new RadiusAccounting(options, parts) };
  }

  /**
   * Sends Accounting-On unless the server was told so in this boot of the machine and of no Off since. `goes-on`: sessions
   * that an earlier run left open are the same sessions still; `begins`: for the server they have all ended.
   */
  begin(): 'goes-on' | 'begins' {
    if (this.#nasState?.status === 'On' && this.#nasState.bootId === this.#bootId) return 'goes-on';
    this.announce('On');
    return 'begins';
  }

  /**
   * Ends the accounting of every session that an earlier run left open and that is not among `alive` (Acct-Session-Ids):
   * a Stop with NAS-Reboot, the last counters known (here, or to others: `known`), and the time when they were. Returns
   * how many.
   */
  closeLost(alive: ReadonlySet<string>, known: ReadonlyMap<string, AccountingUsage> = new Map()): number {
    const lost = this.#left.filter(({ attributes }) => !alive.has(attributes['Acct-Session-Id']));
    this.#left = [];
    for (const session of lost) {
      const later = known.get(session.attributes['Acct-Session-Id']) ?? session.reported;
      const reported = {
        traffic: mostTraffic(later.traffic, session.reported.traffic),
        durationMs: Math.max(later.durationMs, session.reported.durationMs),
      };
      this.#stop({ ...session, reported }, 'NAS-Reboot');
    }
    return lost.length;
  }

  /**
   * Accounting-On after a start, -Off before an end, of a NAS that keeps no session over it: a server closes all it knows
   * (RFC 2866 §5.1). Records of sessions that follow wait until the server has it.
   */
  announce(status: 'On' | 'Off'): void {
    const now = this.#clock.wallMs();
    const record = {
      'Acct-Status-Type': `Accounting-${status}` as const,
      'Acct-Session-Id': `nas-${now.toString(36)}`,
      'Event-Timestamp': Math.floor(now / 1000),
    };
    const changes = [nasStateChange({ status, bootId: this.#bootId })];
    this.#queue.put({ kind: 'nas', stream: NAS_STREAM, record, changes });
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
