/**
 * The store at work: 100,000 rows of a session's size, 5,000 changes a second made durable, the stall of the event loop
 * meanwhile, and the time to open it again with every row checked. `node dist/scripts/bench/store-rate.js [folder]`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { SqliteStore } from '../../src/store/sqlite-store.js';

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

/** Latencies in ms, sorted. */
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
  return latencies.sort((a, b) => a - b);
}

const folder = mkdtempSync(join(process.argv[2] ?? '/var/tmp', 'bng-store-'));
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
  const at = (share: number): string =>
    (latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0).toFixed(1);
  console.log(`durable after p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms at ${RATE} changes/s`);
  console.log(
    `event loop stall p99 ${(loop.percentile(99) / 1e6).toFixed(1)} ms, max ${(loop.max / 1e6).toFixed(1)} ms`,
  );
  console.log(`opened and checked with ${ROWS} rows in ${openMs.toFixed(0)} ms`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
