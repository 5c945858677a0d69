/** The oldest of many records, whichever of them go first. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ArrivalOrder, type Place } from '../../src/aaa/accounting-order.js';
import { Random } from '../support/random.js';

describe('the order of arrival', () => {
  it('knows the oldest, whatever is taken out', () => {
    const random = new Random(7);
    const order = new ArrivalOrder();
    const there: Place[] = [];
    for (let at = 0; at < 5_000; at += 1) {
      if (there.length === 0 || random.below(5) < 3) there.push(order.add(at));
      else order.remove(there.splice(random.below(there.length), 1)[0]!);
      assert.equal(order.oldestWallMs, there[0]?.queuedWallMs ?? null);
    }
    for (const place of there.splice(0)) order.remove(place);
    assert.equal(order.oldestWallMs, null);
  });

  it('what was taken out holds on to nobody', () => {
    const order = new ArrivalOrder();
    const [a, b, c] = [order.add(1), order.add(2), order.add(3)];
    order.remove(b);
    assert.deepEqual([b.older, b.newer], [null, null]);
    assert.deepEqual([a.newer, c.older], [c, a]);
  });
});
