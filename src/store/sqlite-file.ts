/**
 * One SQLite file as tables of key → value: opened, checked row by row, read and written. Synchronous: belongs on the
 * store's own thread. Knows no table's meaning, and keeps no promise about threads.
 */
import { closeSync, fsyncSync, openSync, readFileSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type BetterSqlite from 'better-sqlite3';
import type { StoreChange, StoredEntry, StoreFailure, StoreTable, StoreValue } from './port.js';
import { rowChecksum } from './row-checksum.js';
import { Sqlite } from './sqlite-library.js';
import { walDamage } from './wal-check.js';

/** Below this a failed write is put down to a full disk, whatever SQLite calls it. */
const FULL_BELOW_BYTES = 256 * 1024;
const BUSY_TIMEOUT_MS = 2_000;

interface Row {
  readonly key: string;
  readonly schema_version: number;
  readonly checksum: number;
  readonly value: StoreValue;
}

interface Statements {
  readonly schemaVersion: number;
  readonly put: BetterSqlite.Statement<[string, number, number, StoreValue]>;
  readonly remove: BetterSqlite.Statement<[string]>;
  readonly get: BetterSqlite.Statement<[string], Row>;
  readonly scan: BetterSqlite.Statement<[string, number], Row>;
  readonly scanKeys: BetterSqlite.Statement<[string, number], string>;
}

/** Thrown inside the store's thread only, where the store turns it into a value. */
export class SqliteFileError extends Error {
  readonly failure: StoreFailure;

  constructor(failure: StoreFailure, cause?: unknown) {
    super(failure.reason, { cause });
    this.failure = failure;
  }
}

/** What is damaged in a file that is not open, before SQLite touches it; null when it is whole or not there. */
export function logDamage(path: string): string | null {
  try {
    return walDamage(readFileSync(`${path}-wal`));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

export class SqliteFile {
  readonly #path: string;
  readonly #db: BetterSqlite.Database;
  readonly #tables = new Map<string, Statements>();

  /** Opens or makes the file. Throws `SqliteFileError`; `corrupt` when it is not a database or not ours. */
  constructor(path: string, tables: readonly StoreTable[]) {
    this.#path = path;
    this.#db = this.#guard(() => new Sqlite(path, { timeout: BUSY_TIMEOUT_MS }));
    try {
      this.#guard(() => this.#prepare(tables));
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  #prepare(tables: readonly StoreTable[]): void {
    this.#db.pragma('journal_mode = WAL');
    // Every commit is on the disk before it is acknowledged.
    this.#db.pragma('synchronous = FULL');
    this.#db.pragma('cell_size_check = ON');
    this.#checkSchema(tables.map(({ name }) => name));
    for (const { name, schemaVersion } of tables) {
      if (!/^[a-z][a-z0-9_]*$/.test(name)) throw new Error(`expected a table name, found ${name}`);
      this.#db.exec(
        `CREATE TABLE IF NOT EXISTS "${name}" (key TEXT PRIMARY KEY, schema_version INTEGER NOT NULL,
           checksum INTEGER NOT NULL, value ANY NOT NULL) STRICT, WITHOUT ROWID`,
      );
      const columns = 'SELECT key, schema_version, checksum, value';
      this.#tables.set(name, {
        schemaVersion,
        put: this.#db.prepare(`INSERT OR REPLACE INTO "${name}" VALUES (?, ?, ?, ?)`),
        remove: this.#db.prepare(`DELETE FROM "${name}" WHERE key = ?`),
        get: this.#db.prepare(`${columns} FROM "${name}" WHERE key = ?`),
        scan: this.#db.prepare(`${columns} FROM "${name}" WHERE key > ? ORDER BY key LIMIT ?`),
        scanKeys: this.#db
          .prepare<[string, number], string>(`SELECT key FROM "${name}" WHERE key > ? ORDER BY key LIMIT ?`)
          .pluck(),
      });
    }
    // The directory entry of a file just made is not covered by SQLite's own sync of the file.
    const folder = openSync(dirname(this.#path), 'r');
    fsyncSync(folder);
    closeSync(folder);
  }

  /** A table of ours that is missing beside one we do not know is a name that was damaged: making it anew would hide its rows. */
  #checkSchema(ours: readonly string[]): void {
    const found = this.#db
      .prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table'")
      .pluck()
      .all();
    const stranger = found.find((name) => !ours.includes(name));
    const missing = ours.find((name) => !found.includes(name));
    if (stranger === undefined || missing === undefined) return;
    const reason = `schema: expected a table ${missing}, found ${stranger}`;
    throw new SqliteFileError({ kind: 'corrupt', reason });
  }

  /** Pages first, then every row: the damage in words, or null. A row of a newer version throws `unavailable`. */
  check(): string | null {
    try {
      const [first] = this.#db.pragma('integrity_check(1)') as readonly {
        readonly integrity_check: string;
      }[];
      if (first?.integrity_check !== 'ok') return `database pages: ${first?.integrity_check ?? 'unreadable'}`;
      for (const [name, { schemaVersion }] of this.#tables) {
        const select = this.#db.prepare<[], Row>(
          `SELECT key, schema_version, checksum, value FROM "${name}"`,
        );
        for (const row of select.iterate()) {
          if (!isWhole(name, row)) return `row ${JSON.stringify(row.key)} of ${name}`;
          if (row.schema_version > schemaVersion) {
            throw new SqliteFileError({
              kind: 'unavailable',
              reason: `${this.#path} was written by a newer version: ${name} has rows of schema ${row.schema_version}, expected at most ${schemaVersion}`,
            });
          }
        }
      }
      return null;
    } catch (error) {
      if (error instanceof SqliteFileError) throw error;
      const failure = this.#failureOf(error);
      if (failure.kind === 'corrupt') return `database pages: ${failure.reason}`;
      throw new SqliteFileError(failure, error);
    }
  }

  /**
   * Every whole row that can still be reached of a damaged file: forwards until the pages break, then backwards. The same
   * row may come twice. Never throws for damage.
   */
  *salvage(): Generator<readonly [table: string, entry: StoredEntry]> {
    for (const name of this.#tables.keys()) {
      for (const order of ['ASC', 'DESC']) {
        let whole = true;
        try {
          const sql = `SELECT key, schema_version, checksum, value FROM "${name}" ORDER BY key ${order}`;
          for (const row of this.#db.prepare<[], Row>(sql).iterate()) {
            if (isWhole(name, row)) yield [name, entryOf(row)];
          }
        } catch (error) {
          if (this.#failureOf(error).kind !== 'corrupt') throw error;
          whole = false;
        }
        if (whole) break;
      }
    }
  }

  /** All or nothing, on the disk when it returns. Throws `SqliteFileError`. */
  write(changes: readonly StoreChange[]): void {
    this.#guard(() => this.#transaction(changes));
  }

  /** As `write`, for rows that keep the schema version they have. */
  restore(table: string, entries: readonly StoredEntry[]): void {
    const { put } = this.#table(table);
    this.#guard(() =>
      this.#db.transaction(() => {
        for (const { key, value, schemaVersion } of entries) {
          put.run(key, schemaVersion, rowChecksum(table, key, schemaVersion, value), value);
        }
      })(),
    );
  }

  get(table: string, keys: readonly string[]): readonly StoredEntry[] {
    const { get } = this.#table(table);
    return this.#guard(() => keys.flatMap((key) => this.#read(table, get.all(key))));
  }

  scan(table: string, after: string, limit: number): readonly StoredEntry[] {
    const { scan } = this.#table(table);
    return this.#guard(() => this.#read(table, scan.all(after, limit)));
  }

  scanKeys(table: string, after: string, limit: number): readonly string[] {
    const { scanKeys } = this.#table(table);
    return this.#guard(() => scanKeys.all(after, limit));
  }

  close(): void {
    this.#db.close();
  }

  #transaction(changes: readonly StoreChange[]): void {
    this.#db.transaction(() => {
      for (const change of changes) {
        const { put, remove, schemaVersion } = this.#table(change.table);
        if (change.op === 'delete') remove.run(change.key);
        else {
          const { table, key, value } = change;
          put.run(key, schemaVersion, rowChecksum(table, key, schemaVersion, value), value);
        }
      }
    })();
  }

  #read(table: string, rows: readonly Row[]): readonly StoredEntry[] {
    const broken = rows.find((row) => !isWhole(table, row));
    if (broken === undefined) return rows.map(entryOf);
    throw new SqliteFileError({
      kind: 'corrupt',
      reason: `row ${JSON.stringify(broken.key)} of ${table}`,
    });
  }

  #table(name: string): Statements {
    const table = this.#tables.get(name);
    if (table === undefined) throw new Error(`expected a table the store was opened with, found ${name}`);
    return table;
  }

  /** Lets our bugs through; what the file or the disk did becomes `SqliteFileError`. */
  #guard<T>(act: () => T): T {
    try {
      return act();
    } catch (error) {
      if (!(error instanceof Sqlite.SqliteError) && !isSystemError(error)) throw error;
      throw new SqliteFileError(this.#failureOf(error), error);
    }
  }

  #failureOf(error: unknown): StoreFailure {
    if (error instanceof SqliteFileError) return error.failure;
    if (!(error instanceof Sqlite.SqliteError) && !isSystemError(error)) throw error;
    const code = error.code ?? '';
    const reason = `${error.message} (${code})`;
    if (/^SQLITE_(CORRUPT|NOTADB|SCHEMA|ERROR)/.test(code)) return { kind: 'corrupt', reason };
    if (/^SQLITE_FULL/.test(code) || this.#isDiskFull()) return { kind: 'full', reason };
    return { kind: 'unavailable', reason };
  }

  #isDiskFull(): boolean {
    try {
      const { bavail, bsize } = statfsSync(dirname(this.#path));
      return bavail * bsize < FULL_BELOW_BYTES;
    } catch {
      // The folder itself is gone: not full.
      return false;
    }
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

function entryOf(row: Row): StoredEntry {
  return { key: row.key, value: row.value, schemaVersion: row.schema_version };
}

function isWhole(table: string, row: Row): boolean {
  return row.checksum === rowChecksum(table, row.key, row.schema_version, row.value);
}
