/**
 * The accounting sessions that are open, each with what was last reported of it: in memory and, with every record, in the
 * store. Keeps counters from running backwards, and knows after a crash whom to close.
 */
import { mostTraffic } from '../model/traffic-counters.js';
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

/** Row form: JSON, counters as decimal text. */
interface Row {
  readonly attributes: SessionAttributes;
  readonly startedWallMs: number;
  readonly durationMs: number;
  readonly upstreamPackets: string;
  readonly upstreamBytes: string;
  readonly downstreamPackets: string;
  readonly downstreamBytes: string;
}

export class AccountingLedger {
  /** By Acct-Session-Id. Attributes stay in the store: with 100,000 sessions they are the larger part. */
  readonly #reported = new Map<string, AccountingUsage>();

  /** What an earlier run left open. A row that cannot be read is `corrupt`. */
  static async load(
    store: Store,
  ): Promise<StoreResult<{ readonly ledger: AccountingLedger; readonly left: readonly OpenSession[] }>> {
    const ledger = new AccountingLedger();
    const left: OpenSession[] = [];
    let after: string | null = null;
    for (;;) {
      const page: StoreResult<readonly StoredEntry[]> = await store.scan(
        ACCOUNTING_SESSION_TABLE.name,
        after,
        PAGE,
      );
      if (!page.ok) return page;
      for (const { key, value } of page.value) {
        const session = parseRow(value);
        if (session === null) {
          const reason = `row ${JSON.stringify(key)} of ${ACCOUNTING_SESSION_TABLE.name}`;
          return { ok: false, failure: { kind: 'corrupt', reason } };
        }
        ledger.#reported.set(key, session.reported);
        left.push(session);
      }
      after = page.value.at(-1)?.key ?? null;
      if (page.value.length < PAGE) return { ok: true, value: { ledger, left } };
    }
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
      attributes,
      startedWallMs,
      durationMs,
      upstreamPackets: traffic.upstreamPackets.toString(),
      upstreamBytes: traffic.upstreamBytes.toString(),
      downstreamPackets: traffic.downstreamPackets.toString(),
      downstreamBytes: traffic.downstreamBytes.toString(),
    };
    return { op: 'put', table: ACCOUNTING_SESSION_TABLE.name, key, value: JSON.stringify(row) };
  }

  closing(accountingId: string): StoreChange {
    this.#reported.delete(accountingId);
    return { op: 'delete', table: ACCOUNTING_SESSION_TABLE.name, key: accountingId };
  }
}

function parseRow(value: StoredEntry['value']): OpenSession | null {
  if (typeof value !== 'string') return null;
  try {
    // What was written by `reporting`, under a checksum.
    const row = JSON.parse(value) as Row;
    const traffic = {
      upstreamPackets: BigInt(row.upstreamPackets),
      upstreamBytes: BigInt(row.upstreamBytes),
      downstreamPackets: BigInt(row.downstreamPackets),
      downstreamBytes: BigInt(row.downstreamBytes),
    };
    const { attributes, startedWallMs, durationMs } = row;
    return { attributes, startedWallMs, reported: { traffic, durationMs } };
  } catch {
    return null;
  }
}
