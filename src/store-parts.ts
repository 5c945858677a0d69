/** Opens the store with every table of the house: the part of the composition root that concerns what outlives us. */
import { ACCOUNTING_TABLES } from './aaa/radius-accounting.js';
import { BngError } from './model/bng-error.js';
import { SESSION_TABLES } from './session/journal.js';
import type { PortNames } from './session/row-parts.js';
import type { StoreTable } from './store/port.js';
import { SqliteStore } from './store/sqlite-store.js';

export const STORE_TABLES: readonly StoreTable[] = [...SESSION_TABLES, ...ACCOUNTING_TABLES];

/** Throws `BNG_ERR_STORE`, which names the key of the configuration. */
export async function openStore(path: string, wallMs: number): Promise<SqliteStore> {
  const opened = await SqliteStore.open({ path, tables: STORE_TABLES, wallMs });
  if (opened.ok) return opened.value;
  throw storeError(path, opened.failure.reason);
}

export function storeError(path: string, reason: string): BngError {
  const expected = 'expected a store that can be used at store.path (store.mode: memory does without one)';
  return new BngError('BNG_ERR_STORE', `${expected}, found ${reason}`, { path });
}

/** The access interfaces' names and indexes; `indexOf` throws where there is no such interface. */
export function portNames(interfaces: readonly string[], indexOf: (name: string) => number): PortNames {
  const indexes = new Map(interfaces.map((name) => [name, indexOf(name)]));
  const names = new Map([...indexes].map(([name, index]) => [index, name]));
  return {
    nameOf: (ifindex) => names.get(ifindex) ?? null,
    indexOf: (name) => indexes.get(name) ?? null,
  };
}
