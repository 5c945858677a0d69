/** What somebody takes away from our pools' routes is set again and told; what stays amiss is told once. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RouteWatch } from '../../src/dataplane/route-watch.js';
import { FakeClock } from '../support/fake-clock.js';

const LOOK_MS = 10_000;

function watched() {
  const clock = new FakeClock();
  const world = { isSet: true, foreign: false, readable: true, restored: 0, warnings: [] as string[] };
  const watch = new RouteWatch({
    clock,
    areSet: async () => {
      if (!world.readable) throw new Error('no ip here');
      return world.isSet;
    },
    restore: async () => {
      if (world.foreign) return { ok: false, reason: 'a route of somebody else' };
      world.isSet = true;
      world.restored += 1;
      return { ok: true, changes: ['ip route replace 10.0.0.0/12'] };
    },
    onWarning: (warning) => world.warnings.push(warning),
  });
  return { clock, world, watch };
}

describe('the watch over routes', () => {
  it('changes and says nothing while all are there', async () => {
    const { clock, world } = watched();
    await clock.advance(10 * LOOK_MS);
    assert.deepEqual([world.restored, world.warnings], [0, []]);
  });

  it('sets again what is gone within ten seconds, and says what', async () => {
    const { clock, world } = watched();
    await clock.advance(LOOK_MS);
    world.isSet = false;
    await clock.advance(LOOK_MS);
    assert.deepEqual(world.warnings, ['somebody took away what is set again: ip route replace 10.0.0.0/12']);
    world.isSet = false;
    await clock.advance(LOOK_MS);
    assert.equal(world.restored, 2);
  });

  it('says once what it cannot mend, and mends it when it can', async () => {
    const { clock, world } = watched();
    world.isSet = false;
    world.foreign = true;
    await clock.advance(5 * LOOK_MS);
    assert.deepEqual(world.warnings, [
      'routes of the pools are not as they should be: a route of somebody else',
    ]);
    world.foreign = false;
    await clock.advance(LOOK_MS);
    assert.equal(world.restored, 1);
  });

  it('a machine that does not say is told once, and asked again', async () => {
    const { clock, world } = watched();
    world.readable = false;
    await clock.advance(3 * LOOK_MS);
    assert.deepEqual(world.warnings, ['routes of the pools cannot be read: no ip here']);
    world.readable = true;
    world.isSet = false;
    await clock.advance(LOOK_MS);
    assert.equal(world.restored, 1);
  });

  it('ends when it is closed', async () => {
    const { clock, world, watch } = watched();
    await watch.close();
    world.isSet = false;
    await clock.advance(5 * LOOK_MS);
    assert.equal(world.restored, 0);
    assert.equal(clock.pendingTimers, 0);
  });
});
