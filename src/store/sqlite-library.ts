/**
 * SQLite for the Node.js that runs. better-sqlite3 13 is built on Node-API and needs its version 10 (Node.js 22.14); releases
 * before it abort on Node.js 24 (its `node::ObjectWrap` asks for an environment that a garbage collection may be outside of),
 * and are what Node.js 20 can load. Their interface, and the files they write, are the same.
 */
import { createRequire } from 'node:module';
import type BetterSqlite from 'better-sqlite3';

const NODE_API_NEEDED = 10;
const hasNodeApi = Number(process.versions['napi'] ?? 0) >= NODE_API_NEEDED;

export const Sqlite = createRequire(import.meta.url)(
  hasNodeApi ? 'better-sqlite3-napi' : 'better-sqlite3',
) as typeof BetterSqlite;
