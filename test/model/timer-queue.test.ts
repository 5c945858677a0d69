/** Very many timers behind one: each fires once, in the order in which they are due, and a cancelled one never. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TimerQueue } from '../../src/model/timer-queue.js';
import { seededRandom } from '../support/seeded-random.js';

describe('a queue of timers', () => {
  it('fires what is due in its order, whatever was added and cancelled in between', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    let nowMs = 0;
    const queue = new TimerQueue(() => nowMs);
    const random = seededRandom(7);
    const fired: number[] = [];
    const wanted: number[] = [];
    for (let n = 0; n < 2_000; n++) {
      const due = Math.floor(random() * 10_000);
      const timer = queue.add(due, () => fired.push(due));
      if (random() < 0.4) timer.cancel();
      else wanted.push(due);
    }
    for (let step = 0; step < 100; step++) {
      nowMs += 100;
      t.mock.timers.tick(100);
      assert.deepEqual(
        fired.filter((due) => due > nowMs),
        [],
        'none before its time',
      );
      assert.equal(fired.length, wanted.filter((due) => due <= nowMs).length);
    }
    assert.deepEqual(
      fired,
      wanted.toSorted((a, b) => a - b),
    );
  });

  it('takes timers and their ends while it fires, and goes on after one that throws', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    let nowMs = 0;
    const queue = new TimerQueue(() => nowMs);
    const fired: string[] = [];
    const later = queue.add(20, () => fired.push('never'));
    queue.add(10, () => {
      later.cancel();
      later.cancel();
      queue.add(5, () => fired.push('overdue'));
      throw new Error('a bug');
    });
    queue.add(30, () => fired.push('last'));
    nowMs = 10;
    assert.throws(() => t.mock.timers.tick(10), /a bug/);
    nowMs = 30;
    t.mock.timers.tick(20);
    assert.deepEqual(fired, ['overdue', 'last']);
  });
});
