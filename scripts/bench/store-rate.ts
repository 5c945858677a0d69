/**
 * The store at work: 100,000 rows of a session's size, 5,000 changes a second made durable, the stall of the event loop
 * meanwhile, and the time to open it again with every row checked. A part: prints its figures as one
 * JSON line, `node dist/scripts/bench/store-rate.js '"FOLDER"'`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { SqliteStore } from '../../src/store/sqlite-store.js';
import { tellParent } from './bench-context.js';
import { quantile } from './figure.js';

const ROWS = 100_000;
const RATE = 5_000;
const SECONDS = 6;
const TABLES = [{ name: 'session', schemaVersion: 1 }];

async function open(path: string): Promise<SqliteStore> {
  const opened = await SqliteStore.open({ path, tables: TABLES, wallMs: Date.now() });
  if (!opened.ok) throw new Error(opened.failure.reason);
  return opened.value;
}

async function put(store: SqliteStore, row: number): Promise<void> {
  const value = JSON.stringify({ row, at: Date.now(), rest: 'x'.repeat(350) });
  const written = await store.write([
    { op: 'put', table: 'session', key: String(row).padStart(8, '0'), value },
  ]);
  if (!written.ok) throw new Error(written.failure.reason);
}

async function fill(store: SqliteStore): Promise<void> {
  for (let row = 0; row < ROWS; row += 2_000) {
    await Promise.all(Array.from({ length: 2_000 }, (_, index) => put(store, row + index)));
  }
}

/** Latencies in ms. */
async function change(store: SqliteStore): Promise<readonly number[]> {
  const latencies: number[] = [];
  const all: Promise<void>[] = [];
  const began = performance.now();
  for (let made = 0; made < RATE * SECONDS; ) {
    const due = Math.floor(((performance.now() - began) * RATE) / 1000);
    for (; made < Math.min(due, RATE * SECONDS); made += 1) {
      const at = performance.now();
      all.push(put(store, (made * 7_919) % ROWS).then(() => void latencies.push(performance.now() - at)));
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(all);
  return latencies;
}

const folder = mkdtempSync(join(JSON.parse(process.argv[2] ?? '"/var/tmp"') as string, 'bng-store-'));
try {
  const store = await open(folder);
  await fill(store);
  const loop = monitorEventLoopDelay({ resolution: 1 });
  loop.enable();
  const latencies = await change(store);
  loop.disable();
  await store.close();
  const began = performance.now();
  const again = await open(folder);
  const openMs = performance.now() - began;
  await again.close();
  tellParent({
    result: {
      [`durable after p50 at ${RATE} changes/s, ms`]: quantile(latencies, 0.5),
      [`durable after p99 at ${RATE} changes/s, ms`]: quantile(latencies, 0.99),
      'event loop stall p99 meanwhile, ms': loop.percentile(99) / 1e6,
      'event loop stall most meanwhile, ms': loop.max / 1e6,
      [`opened and checked with ${ROWS} rows, ms`]: openMs,
    },
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
