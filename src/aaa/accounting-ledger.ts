/**
 * The accounting sessions that are open, each with what was last reported of it: in memory and, with every record, in the
 * store. Keeps counters from running backwards, and knows after a crash whom to close.
 */
import { mostTraffic, NO_TRAFFIC } from '../model/traffic-counters.js';
import type { StoreChange, StoredEntry, Store, StoreResult, StoreTable } from '../store/port.js';
import type { SessionAttributes } from './accounting-record.js';
import type { AccountingUsage } from './port.js';

export const ACCOUNTING_SESSION_TABLE: StoreTable = { name: 'accounting_session', schemaVersion: 1 };

const PAGE = 5_000;

export interface OpenSession {
  readonly attributes: SessionAttributes;
  readonly startedWallMs: number;
  readonly reported: AccountingUsage;
}

/** Row form: JSON, counters as decimal text. The attributes come last: a start reads all rows, and leaves those alone. */
interface Row extends UsageRow {
  readonly startedWallMs: number;
  readonly attributes: SessionAttributes;
}

interface UsageRow {
  readonly durationMs: number;
  readonly upstreamPackets: string;
  readonly upstreamBytes: string;
  readonly downstreamPackets: string;
  readonly downstreamBytes: string;
}

export class AccountingLedger {
  /** By Acct-Session-Id. Attributes stay in the store: with 100,000 sessions they are the larger part. */
  readonly #reported = new Map<string, AccountingUsage>();
  readonly #store: Store;

  /** What an earlier run left open. A row that cannot be read is `corrupt`. */
  static async load(store: Store): Promise<StoreResult<AccountingLedger>> {
    const ledger = new AccountingLedger(store);
    let after: string | null = null;
    for (;;) {
      const page: StoreResult<readonly StoredEntry[]> = await store.scan(
        ACCOUNTING_SESSION_TABLE.name,
        after,
        PAGE,
      );
      if (!page.ok) return page;
      for (const { key, value } of page.value) {
        const reported = parseUsage(value);
        if (reported === null) return unreadable(key);
        ledger.#reported.set(key, reported);
      }
      after = page.value.at(-1)?.key ?? null;
      if (page.value.length < PAGE) return { ok: true, value: ledger };
    }
  }

  constructor(store: Store) {
    this.#store = store;
  }

  /** The accounting sessions that are open. */
  ids(): readonly string[] {
    return [...this.#reported.keys()];
  }

  /** Those of the sessions that are open still, as they were reported last. A row that cannot be read is `corrupt`. */
  async read(ids: readonly string[]): Promise<StoreResult<readonly OpenSession[]>> {
    const found = await this.#store.get(ACCOUNTING_SESSION_TABLE.name, ids);
    if (!found.ok) return found;
    const open: OpenSession[] = [];
    for (const { key, value } of found.value) {
      const session = parseRow(value);
      if (session === null) return unreadable(key);
      if (this.#reported.has(key)) open.push(session);
    }
    return { ok: true, value: open };
  }

  /** The given usage, but nothing in it less than was reported before. */
  advance(accountingId: string, usage: AccountingUsage): AccountingUsage {
    const before = this.#reported.get(accountingId);
    if (before === undefined) return usage;
    return {
      traffic: mostTraffic(usage.traffic, before.traffic),
      durationMs: Math.max(usage.durationMs, before.durationMs),
    };
  }

  /** Remembers what is being reported; the change belongs to the record that reports it. */
  reporting({ attributes, startedWallMs, reported }: OpenSession): StoreChange {
    const key = attributes['Acct-Session-Id'];
    this.#reported.set(key, reported);
    const { traffic, durationMs } = reported;
    const row: Row = {
      durationMs,
      upstreamPackets: traffic.upstreamPackets.toString(),
      upstreamBytes: traffic.upstreamBytes.toString(),
      downstreamPackets: traffic.downstreamPackets.toString(),
      downstreamBytes: traffic.downstreamBytes.toString(),
      startedWallMs,
      attributes,
    };
    return { op: 'put', table: ACCOUNTING_SESSION_TABLE.name, key, value: JSON.stringify(row) };
  }

  closing(accountingId: string): StoreChange {
    this.#reported.delete(accountingId);
    return { op: 'delete', table: ACCOUNTING_SESSION_TABLE.name, key: accountingId };
  }
}

const BEFORE_ATTRIBUTES = ',"attributes":';

/** Of a row of today without reading it to its end; one that begins with its attributes is read whole. */
function parseUsage(value: StoredEntry['value']): AccountingUsage | null {
  if (typeof value !== 'string') return null;
  const end = value.indexOf(BEFORE_ATTRIBUTES);
  try {
    return usageOf(JSON.parse(end < 0 ? value : `${value.slice(0, end)}}`) as UsageRow);
  } catch {
    return null;
  }
}

function parseRow(value: StoredEntry['value']): OpenSession | null {
  if (typeof value !== 'string') return null;
  try {
    // What was written by `reporting`, under a checksum.
    const row = JSON.parse(value) as Row;
    const { attributes, startedWallMs } = row;
    return { attributes, startedWallMs, reported: usageOf(row) };
  } catch {
    return null;
  }
}

function usageOf(row: UsageRow): AccountingUsage {
  const { durationMs, upstreamPackets, upstreamBytes, downstreamPackets, downstreamBytes } = row;
  if (upstreamPackets === '0' && downstreamPackets === '0') return { traffic: NO_TRAFFIC, durationMs };
  const traffic = {
    upstreamPackets: BigInt(upstreamPackets),
    upstreamBytes: BigInt(upstreamBytes),
    downstreamPackets: BigInt(downstreamPackets),
    downstreamBytes: BigInt(downstreamBytes),
  };
  return { traffic, durationMs };
}

function unreadable(key: string): StoreResult<never> {
  const reason = `row ${JSON.stringify(key)} of ${ACCOUNTING_SESSION_TABLE.name}`;
  return { ok: false, failure: { kind: 'corrupt', reason } };
}
