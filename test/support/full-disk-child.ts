/** Fills the folder it is given, a small file system of its own, and checks what the store makes of it. Exits 1 when wrong. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RadiusAccounting } from '../../src/aaa/radius-accounting.js';
import { systemClock } from '../../src/model/system-clock.js';
import { accountingSession, NAS, openStore, traffic } from './accounting-world.js';

const folder = process.argv[2] ?? '';
const ballast = join(folder, 'ballast');
writeFileSync(ballast, Buffer.alloc(512 * 1024));
let store = await openStore(folder);

const accepted: string[] = [];
for (;;) {
  const key = `k${String(accepted.length).padStart(6, '0')}`;
  const result = await store.write([
    { op: 'put', table: 'accounting_refused', key, value: 'x'.repeat(2_000) },
  ]);
  if (!result.ok) {
    assert.equal(result.failure.kind, 'full', result.failure.reason);
    break;
  }
  accepted.push(key);
}
console.log(`full after ${accepted.length}`);

// Accounting goes on: what cannot be stored is sent from memory, and the alarm is up.
const sent: string[] = [];
const opened = await RadiusAccounting.open({
  store,
  clock: systemClock,
  nas: NAS,
  interimIntervalSeconds: 300,
  bootId: 'boot',
  sender: {
    async send(record) {
      sent.push(`${record['Acct-Session-Id']} ${record['Acct-Status-Type']}`);
      return record['Acct-Session-Id'] === 'kept' ? 'failed' : 'delivered';
    },
  },
});
assert.ok(opened.ok);
const accounting = opened.value;
const usage = { traffic: traffic(500n), durationMs: 1_000, cause: 'User-Request' as const };
const all: string[] = [];
for (let n = 0; n < 200; n += 1) {
  const id = `s${n}`;
  accounting.start(accountingSession(id, Date.now()));
  accounting.stop(accountingSession(id, Date.now()), usage);
  all.push(`${id} Start`, `${id} Stop`);
}
accounting.start(accountingSession('kept', Date.now()));
assert.equal((await accounting.stored())?.kind, 'full');
while (accounting.figures().delivered < all.length) await new Promise((resolve) => setTimeout(resolve, 5));
assert.deepEqual(sent.filter((what) => !what.startsWith('kept')).sort(), all.sort());
assert.equal(accounting.figures().store?.kind, 'full');
assert.ok(accounting.figures().unsaved > 0);

// Room again: the rest is stored by itself.
rmSync(ballast);
while (accounting.figures().store !== null) await new Promise((resolve) => setTimeout(resolve, 20));
assert.equal(accounting.figures().unsaved, 0);
await accounting.close(0);
await store.close();

store = await openStore(folder);
assert.equal(store.damage, null);
const found = await store.scanKeys('accounting_refused', null, 100_000);
assert.deepEqual(found, { ok: true, value: accepted });
const queue = await store.scanKeys('accounting_queue', null, 10);
assert.equal(queue.ok && queue.value.length, 1);
assert.match((queue.ok ? queue.value[0] : '') ?? '', / start \d+ kept$/);
await store.close();
console.log('room again');
