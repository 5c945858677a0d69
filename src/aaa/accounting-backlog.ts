/**
 * How the accounting queue lies in the store: one row for each record, the key telling everything but the record itself, so
 * that a million rows are found again without reading them. Decides nothing.
 */
import type { Store, StoreResult, StoreTable, StoreValue } from '../store/port.js';
import type { AccountingRecord } from './accounting-record.js';
import { isAccountingRecord } from './accounting-record.js';

export const ACCOUNTING_QUEUE_TABLE: StoreTable = { name: 'accounting_queue', schemaVersion: 1 };

const KINDS = ['start', 'interim', 'stop', 'nas'] as const;
/** `nas` is Accounting-On or -Off: it concerns every session. */
export type RecordKind = (typeof KINDS)[number];

/** `stream` is what order is kept within: the accounting session. */
export interface BacklogKey {
  /** Grows by one with every record, over restarts too: rows sort by it. */
  readonly sequence: number;
  readonly kind: RecordKind;
  readonly queuedWallMs: number;
  readonly stream: string;
}

const SEQUENCE_DIGITS = 16;
const PAGE = 10_000;

export function formatBacklogKey({ sequence, kind, queuedWallMs, stream }: BacklogKey): string {
  return `${String(sequence).padStart(SEQUENCE_DIGITS, '0')} ${kind} ${Math.floor(queuedWallMs)} ${stream}`;
}

/** Null for a key of another form. */
export function parseBacklogKey(key: string): BacklogKey | null {
  const [, sequence, kindText, queued, stream] = /^(\d{16}) (\w+) (\d+) (.*)$/s.exec(key) ?? [];
  const kind = KINDS.find((known) => known === kindText);
  if (sequence === undefined || queued === undefined || stream === undefined || kind === undefined)
    return null;
  return { sequence: Number(sequence), kind, queuedWallMs: Number(queued), stream };
}

export interface Backlog {
  /** In the order in which they were queued. */
  readonly rows: readonly (readonly [key: string, parsed: BacklogKey])[];
  readonly nextSequence: number;
}

/** What an earlier run left. A key that is not ours is `corrupt`. */
export async function loadBacklog(store: Store): Promise<StoreResult<Backlog>> {
  const rows: (readonly [string, BacklogKey])[] = [];
  let after: string | null = null;
  for (;;) {
    const page: StoreResult<readonly string[]> = await store.scanKeys(
      ACCOUNTING_QUEUE_TABLE.name,
      after,
      PAGE,
    );
    if (!page.ok) return page;
    for (const key of page.value) {
      const parsed = parseBacklogKey(key);
      if (parsed === null) {
        const reason = `key ${JSON.stringify(key)} of ${ACCOUNTING_QUEUE_TABLE.name}`;
        return { ok: false, failure: { kind: 'corrupt', reason } };
      }
      rows.push([key, parsed]);
    }
    after = page.value.at(-1) ?? null;
    if (page.value.length < PAGE) break;
  }
  return { ok: true, value: { rows, nextSequence: (rows.at(-1)?.[1].sequence ?? -1) + 1 } };
}

/**
 * The records of those keys: null for one that is damaged or gone, none at all for one that the store cannot give now.
 */
export async function readRecords(
  store: Store,
  keys: readonly string[],
): Promise<ReadonlyMap<string, AccountingRecord | null>> {
  const all = await store.get(ACCOUNTING_QUEUE_TABLE.name, keys);
  if (all.ok) {
    const values = new Map(all.value.map(({ key, value }) => [key, value]));
    return new Map(keys.map((key) => [key, parseRecord(values.get(key))]));
  }
  const found = new Map<string, AccountingRecord | null>();
  if (all.failure.kind !== 'corrupt') return found;
  // One by one: the others must not suffer for the one that is damaged.
  for (const key of keys) {
    const one = await store.get(ACCOUNTING_QUEUE_TABLE.name, [key]);
    if (one.ok) found.set(key, parseRecord(one.value[0]?.value));
    else if (one.failure.kind === 'corrupt') found.set(key, null);
  }
  return found;
}

/** Null for a row that is whole but not ours to understand. */
export function parseRecord(value: StoreValue | undefined): AccountingRecord | null {
  if (typeof value !== 'string') return null;
  try {
    const record: unknown = JSON.parse(value);
    return isAccountingRecord(record) ? record : null;
  } catch {
    return null;
  }
}
