/**
 * The store's files while no BNG uses them: looked at, written out, filled. Works on copies, so that looking changes nothing
 * and a damaged file stays as it is. Synchronous; for commands of an operator, not for the BNG.
 */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileDamage, lockStore } from './open-file.js';
import type { StoredEntry, StoreResult, StoreTable, StoreValue } from './port.js';
import { logDamage, SqliteFile, SqliteFileError } from './sqlite-file.js';

const FILE = 'bng.db';
const BATCH = 1_000;
const BEFORE_ALL = '';

export interface StoreCheck {
  /** Where the damage is, in words; null when everything is whole. */
  readonly damage: string | null;
  /** Rows that can be read and are whole, by table. */
  readonly rows: Readonly<Record<string, number>>;
}

/** One row with its table. */
export interface ExportedRow extends StoredEntry {
  readonly table: string;
}

/** Reads every page and every row. `in-use` while a BNG runs on it. */
export function checkStore(path: string, tables: readonly StoreTable[]): StoreResult<StoreCheck> {
  return onCopy(path, (copy) => {
    const damage = logDamage(copy) ?? fileDamage(copy, tables);
    const rows: Record<string, number> = Object.fromEntries(tables.map(({ name }) => [name, 0]));
    for (const { table } of wholeRows(copy, tables)) rows[table] = (rows[table] ?? 0) + 1;
    return { damage, rows };
  });
}

/** Gives `each` every row that is whole. Returns what is damaged, or null. `in-use` while a BNG runs on it. */
export function exportStore(
  path: string,
  tables: readonly StoreTable[],
  each: (row: ExportedRow) => void,
): StoreResult<StoreCheck['damage']> {
  return onCopy(path, (copy) => {
    const damage = logDamage(copy) ?? fileDamage(copy, tables);
    for (const row of wholeRows(copy, tables)) each(row);
    return damage;
  });
}

/** Puts the rows into a store that is empty or not there yet: all of them, or a store that is as it was. */
export function importStore(
  path: string,
  tables: readonly StoreTable[],
  rows: readonly ExportedRow[],
): StoreResult<number> {
  return guarded(() => {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const unlock = lockStore(path);
    try {
      const file = new SqliteFile(join(path, FILE), tables);
      try {
        const full = tables.find(({ name }) => file.scanKeys(name, BEFORE_ALL, 1).length > 0);
        if (full !== undefined) {
          const reason = `expected an empty store, found rows of ${full.name}`;
          throw new SqliteFileError({ kind: 'unavailable', reason });
        }
        const imported: ExportedRow[] = [];
        try {
          for (const { name } of tables) {
            const mine = rows.filter(({ table }) => table === name);
            for (let at = 0; at < mine.length; at += BATCH) {
              const batch = mine.slice(at, at + BATCH);
              file.restore(name, batch);
              imported.push(...batch);
            }
          }
        } catch (error) {
          file.write(imported.map(({ table, key }) => ({ op: 'delete', table, key })));
          throw error;
        }
        return imported.length;
      } finally {
        file.close();
      }
    } finally {
      unlock();
    }
  });
}

function onCopy<T>(path: string, act: (copy: string) => T): StoreResult<T> {
  return guarded(() => {
    const file = join(path, FILE);
    if (!existsSync(file)) {
      throw new SqliteFileError({ kind: 'unavailable', reason: `expected a store, found no ${file}` });
    }
    const unlock = lockStore(path);
    const folder = mkdtempSync(join(tmpdir(), 'bng-store-'));
    try {
      const copy = join(folder, FILE);
      for (const end of ['', '-wal']) if (existsSync(file + end)) copyFileSync(file + end, copy + end);
      return act(copy);
    } finally {
      rmSync(folder, { recursive: true, force: true });
      unlock();
    }
  });
}

function* wholeRows(copy: string, tables: readonly StoreTable[]): Generator<ExportedRow> {
  let file: SqliteFile;
  try {
    file = new SqliteFile(copy, tables);
  } catch (error) {
    // So little is left of it that it does not even open.
    if (error instanceof SqliteFileError && error.failure.kind === 'corrupt') return;
    throw error;
  }
  try {
    const seen = new Set<string>();
    for (const [table, entry] of file.salvage()) {
      const id = `${table}\0${entry.key}`;
      if (seen.has(id)) continue;
      seen.add(id);
      yield { table, ...entry };
    }
  } finally {
    file.close();
  }
}

function guarded<T>(act: () => T): StoreResult<T> {
  try {
    return { ok: true, value: act() };
  } catch (error) {
    if (error instanceof SqliteFileError) return { ok: false, failure: error.failure };
    if (error instanceof Error && 'syscall' in error) {
      return { ok: false, failure: { kind: 'unavailable', reason: error.message } };
    }
    throw error;
  }
}

/** A row as one line of JSON: text that is JSON itself stays readable. */
export function formatRow({ table, key, schemaVersion, value }: ExportedRow): string {
  if (typeof value !== 'string') {
    return JSON.stringify({ table, key, schemaVersion, bytes: Buffer.from(value).toString('base64') });
  }
  const json = asJson(value);
  return JSON.stringify({
    table,
    key,
    schemaVersion,
    ...(json === undefined ? { text: value } : { value: json }),
  });
}

/** The row of a line, or in words what is wrong with it. */
export function parseRow(line: string, tables: readonly StoreTable[]): ExportedRow | string {
  let row: Partial<Record<'table' | 'key' | 'schemaVersion' | 'value' | 'text' | 'bytes', unknown>>;
  try {
    row = JSON.parse(line) as typeof row;
  } catch {
    return 'expected one JSON object';
  }
  const table = tables.find(({ name }) => name === row?.table);
  if (table === undefined) return `table: expected one of ${tables.map(({ name }) => name).join(', ')}`;
  const { key, schemaVersion } = row;
  if (typeof key !== 'string' || key === '') return 'key: expected text';
  if (typeof schemaVersion !== 'number' || schemaVersion < 1 || schemaVersion > table.schemaVersion) {
    return `schemaVersion: expected 1 to ${table.schemaVersion}`;
  }
  const value = valueOf(row);
  return value === null ? 'expected value, text or bytes' : { table: table.name, key, schemaVersion, value };
}

function valueOf(row: {
  readonly value?: unknown;
  readonly text?: unknown;
  readonly bytes?: unknown;
}): StoreValue | null {
  if (row.value !== undefined) return JSON.stringify(row.value);
  if (typeof row.text === 'string') return row.text;
  return typeof row.bytes === 'string' ? Buffer.from(row.bytes, 'base64') : null;
}

/** Undefined for what is not JSON, or would not come back as the same text. */
function asJson(value: string): unknown {
  try {
    const json: unknown = JSON.parse(value);
    return JSON.stringify(json) === value ? json : undefined;
  } catch {
    return undefined;
  }
}
