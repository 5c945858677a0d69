/**
 * Accounting records a second through queue and store against a peer that answers at once: our own limit, no network.
 * A part: prints its figures as one JSON line, `node dist/scripts/bench/store-accounting.js '"FOLDER"'`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { AccountingQueue } from '../../src/aaa/accounting-queue.js';
import { ACCOUNTING_TABLES } from '../../src/aaa/radius-accounting.js';
import { systemClock } from '../../src/model/system-clock.js';
import { SqliteStore } from '../../src/store/sqlite-store.js';
import { tellParent } from './bench-context.js';

const RECORDS = 100_000;
const BATCH = 500;

const folder = mkdtempSync(join(JSON.parse(process.argv[2] ?? '"/var/tmp"') as string, 'bng-accounting-'));
try {
  const store = await SqliteStore.open({ path: folder, tables: ACCOUNTING_TABLES, wallMs: Date.now() });
  if (!store.ok) throw new Error(store.failure.reason);
  const sender = { send: async () => 'delivered' as const };
  const queue = await AccountingQueue.open({ store: store.value, sender, clock: systemClock });
  if (!queue.ok) throw new Error(queue.failure.reason);
  const loop = monitorEventLoopDelay({ resolution: 1 });
  loop.enable();
  const began = performance.now();
  for (let made = 0; made < RECORDS; ) {
    for (const end = made + BATCH; made < end; made += 1) {
      const record = {
        'Acct-Status-Type': 'Accounting-On',
        'Acct-Session-Id': `s${made}${'x'.repeat(350)}`,
        'Event-Timestamp': 1,
      } as const;
      queue.value.put({ kind: 'interim', stream: `s${made}`, record, changes: [] });
    }
    while (queue.value.figures().length > 4 * BATCH) await new Promise(setImmediate);
  }
  await queue.value.close(60_000);
  const seconds = (performance.now() - began) / 1000;
  loop.disable();
  const { delivered } = queue.value.figures();
  tellParent({
    result: {
      'accounting records stored, sent to nobody and removed, 1/s': delivered / seconds,
      'event loop stall p99 meanwhile, ms': loop.percentile(99) / 1e6,
    },
  });
  await store.value.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
