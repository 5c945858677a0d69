/**
 * Opens the store's file, and when it is damaged makes a new one of every whole row and keeps the old one aside. Also keeps
 * a second process out. Synchronous, on the store's own thread.
 */
import { copyFileSync, existsSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type BetterSqlite from 'better-sqlite3';
import type { StoreDamage, StoredEntry, StoreTable } from './port.js';
import { logDamage, SqliteFile, SqliteFileError } from './sqlite-file.js';
import { Sqlite } from './sqlite-library.js';
import { errorText } from '../model/bng-error.js';

const SALVAGE_BATCH = 1_000;
/** SQLite's own: a log and its index belong to the file of the same name. */
const COMPANIONS = ['', '-wal', '-shm'];
/** A rebuilt file that is complete but not yet in its place. */
const READY = '.ready';

export interface OpenedFile {
  readonly file: SqliteFile;
  readonly damage: StoreDamage | null;
  /** Lets another process in. */
  readonly unlock: () => void;
}

/** Keeps every other process out of the store in this folder; gives what lets them in. Throws `SqliteFileError`. */
export function lockStore(folder: string): () => void {
  return lock(join(folder, 'lock.db'));
}

/** `wallMs` names what is kept aside. Throws `SqliteFileError`. */
export function openFile(path: string, tables: readonly StoreTable[], wallMs: number): OpenedFile {
  const unlock = lockStore(dirname(path));
  try {
    return { ...openChecked(path, tables, wallMs), unlock };
  } catch (error) {
    unlock();
    throw error;
  }
}

/** A transaction that is never finished: SQLite's file lock, which the kernel takes back from a process that dies. */
function lock(path: string): () => void {
  const take = (): BetterSqlite.Database => {
    const db = new Sqlite(path, { timeout: 0 });
    try {
      db.pragma('journal_mode = MEMORY');
      db.exec('BEGIN EXCLUSIVE');
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  };
  try {
    const db = take();
    return () => void db.close();
  } catch (error) {
    if (!(error instanceof Sqlite.SqliteError)) throw new SqliteFileError(unavailable(path, error), error);
    if (error.code.startsWith('SQLITE_BUSY')) {
      throw new SqliteFileError({ kind: 'in-use', reason: `another process holds ${path}` });
    }
    if (error.code === 'SQLITE_NOTADB' || error.code.startsWith('SQLITE_CORRUPT')) {
      // It holds nothing: only its lock counts.
      rmSync(path, { force: true });
      const db = take();
      return () => void db.close();
    }
    throw new SqliteFileError(unavailable(path, error), error);
  }
}

function unavailable(
  path: string,
  error: unknown,
): { readonly kind: 'unavailable'; readonly reason: string } {
  const reason = errorText(error);
  return { kind: 'unavailable', reason: `${path}: ${reason}` };
}

function openChecked(
  path: string,
  tables: readonly StoreTable[],
  wallMs: number,
): Omit<OpenedFile, 'unlock'> {
  finishRebuild(path);
  // Asked before SQLite opens the file, which would fold what is left of the log into it.
  let problem = logDamage(path);
  if (problem === null) {
    const opened = openWhole(path, tables);
    if (typeof opened !== 'string') return { file: opened, damage: null };
    problem = opened;
  }
  const damage = rebuild({ path, tables, problem, stamp: wallMs });
  return { file: new SqliteFile(path, tables), damage };
}

/** The file, open; or in words what is damaged in it. */
function openWhole(path: string, tables: readonly StoreTable[]): SqliteFile | string {
  const file = openDamaged(path, tables);
  if (file === null) return 'database header or schema';
  let problem: string | null = null;
  try {
    problem = file.check();
  } catch (error) {
    file.close();
    throw error;
  }
  if (problem === null) return file;
  file.close();
  return problem;
}

/** What is damaged in the file in words, or null. Opens it: what is left of its log becomes part of it. */
export function fileDamage(path: string, tables: readonly StoreTable[]): string | null {
  const opened = openWhole(path, tables);
  if (typeof opened === 'string') return opened;
  opened.close();
  return null;
}

interface Rebuild {
  readonly path: string;
  readonly tables: readonly StoreTable[];
  readonly problem: string;
  readonly stamp: number;
}

/** Works on a copy and leaves the damaged files as they are until the new one is complete. */
function rebuild({ path, tables, problem, stamp }: Rebuild): StoreDamage {
  const keptAt = `${path}.damaged-${stamp}`;
  const work = `${path}.salvage`;
  const fresh = `${path}.new`;
  removeFiles(work);
  removeFiles(fresh);
  for (const end of COMPANIONS) {
    if (!existsSync(path + end)) continue;
    copyFileSync(path + end, keptAt + end);
    // Not the index: SQLite makes it anew from the log.
    if (end !== '-shm') copyFileSync(path + end, work + end);
  }
  let rowsKept = 0;
  const target = new SqliteFile(fresh, tables);
  const source = openDamaged(work, tables);
  try {
    if (source !== null) rowsKept = copyRows(source, target);
  } finally {
    source?.close();
    target.close();
  }
  removeFiles(work);
  renameSync(fresh, path + READY);
  finishRebuild(path);
  return { problem, keptAt, rowsKept };
}

/** The old log must be gone before the new file takes its place: SQLite would apply it. A crash in between comes here again. */
function finishRebuild(path: string): void {
  if (!existsSync(path + READY)) return;
  removeFiles(path);
  renameSync(path + READY, path);
}

function removeFiles(path: string): void {
  for (const end of COMPANIONS) rmSync(path + end, { force: true });
}

/** Null when so little is left of it that it does not even open. */
function openDamaged(path: string, tables: readonly StoreTable[]): SqliteFile | null {
  try {
    return new SqliteFile(path, tables);
  } catch (error) {
    if (error instanceof SqliteFileError && error.failure.kind === 'corrupt') return null;
    throw error;
  }
}

function copyRows(source: SqliteFile, target: SqliteFile): number {
  const seen = new Set<string>();
  let table = '';
  let batch: StoredEntry[] = [];
  const flush = (): void => {
    if (batch.length > 0) target.restore(table, batch);
    batch = [];
  };
  for (const [name, entry] of source.salvage()) {
    const id = `${name}\0${entry.key}`;
    if (seen.has(id)) continue;
    seen.add(id);
    if (name !== table || batch.length >= SALVAGE_BATCH) flush();
    table = name;
    batch.push(entry);
  }
  flush();
  return seen.size;
}
