/** How long the nft child is waited for, by a clock of the test's; what it does with the real nft is test/lab/dataplane-nft. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NftChild } from '../../src/dataplane/nft-child.js';
import { eventually } from '../support/eventually.js';
import { ManualClock } from '../support/manual-clock.js';

/** Answers one transaction as nft does, and no other. */
const ANSWERS_ONCE = `read -r change; read -r sentinel; printf 'Error: what is\\n%s\\n' "$sentinel" >&2; exec cat`;

test("a child's first transaction, for which the kernel loads modules, has six times as long as any other", async () => {
  const clock = new ManualClock();
  const nft = (script: string): NftChild =>
    new NftChild({ clock, deadlineMs: 5000, onRestart: () => undefined, command: ['sh', '-c', script] });

  const silent = nft('exec cat');
  const first = silent.change('add table inet x');
  await eventually('the child', () => silent.pid);
  clock.advance(29_999);
  assert.equal(await Promise.race([first, Promise.resolve('waits')]), 'waits');
  clock.advance(1);
  assert.deepEqual(await first, { ok: false, reason: 'no answer from nft within 30000 ms' });
  await silent.close();

  const answering = nft(ANSWERS_ONCE);
  assert.deepEqual(await answering.change('add table inet x'), { ok: true });
  const second = answering.change('add table inet y');
  await new Promise(setImmediate);
  clock.advance(5000);
  assert.deepEqual(await second, { ok: false, reason: 'no answer from nft within 5000 ms' });
  await answering.close();
});
