/** The store that tells of its writes: it changes nothing, and tells of each. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ObservedStore } from '../../src/store/observed-store.js';
import type { Store, StoreResult } from '../../src/store/port.js';
import { FakeClock } from '../http/fake-bng.js';

test('every write is passed on, answered as the store answered, and told with its time and failure', async () => {
  const clock = new FakeClock();
  const asked: unknown[] = [];
  const answers: StoreResult<null>[] = [
    { ok: true, value: null },
    { ok: false, failure: { kind: 'full', reason: 'no space left' } },
  ];
  const store: Store = {
    damage: null,
    write: async (changes) => {
      asked.push(changes);
      clock.advance(7);
      return answers[asked.length - 1]!;
    },
    get: async () => ({ ok: true, value: [] }),
    scan: async () => ({ ok: true, value: [] }),
    scanKeys: async () => ({ ok: true, value: ['k'] }),
    close: async () => undefined,
  };
  const told: unknown[] = [];
  const observed = new ObservedStore({ store, clock, onWritten: (...words) => void told.push(words) });
  const changes = [{ op: 'delete', table: 't', key: 'k' }] as const;
  assert.deepEqual([await observed.write(changes), await observed.write(changes)], answers);
  assert.deepEqual(asked, [changes, changes]);
  assert.deepEqual(told, [
    [7, null],
    [7, 'full'],
  ]);
  assert.deepEqual(await observed.scanKeys('t', null, 1), { ok: true, value: ['k'] });
});
