/** Addresses of names: let through before the answer leaves, for as long as it is valid. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ApplyOutcome, Destination } from '../../src/garden-dns/learned.js';
import { LearnedDestinations } from '../../src/garden-dns/learned.js';
import { ipv4FromNumber } from '../../src/model/ipv4.js';
import { settled } from '../support/fake-clock.js';
import { ManualClock } from '../support/manual-clock.js';

const to = (last: number): Destination => ({ address: ipv4FromNumber(0xcb007100 + last), port: 443 });

class World {
  readonly clock = new ManualClock();
  readonly applied: number[][] = [];
  readonly failures: string[] = [];
  outcome: ApplyOutcome = { ok: true };
  readonly learned = new LearnedDestinations({
    clock: this.clock,
    limit: 4,
    apply: async (destinations) => {
      this.applied.push(destinations.map(({ address }) => address & 0xff));
      await settled();
      return this.outcome;
    },
    onFailure: (reason) => this.failures.push(reason),
  });

  async advance(ms: number): Promise<void> {
    this.clock.advance(ms);
    await settled();
    await settled();
  }
}

describe('learned destinations', () => {
  it('are let through once, however often the name is asked', async () => {
    const world = new World();
    assert.equal(await world.learned.learn([to(1), to(2)], 60), true);
    assert.equal(await world.learned.learn([to(2)], 60), true);
    assert.deepEqual(world.applied, [[1, 2]]);
  });

  it('that come while a change is under way share the next one, and wait for it', async () => {
    const world = new World();
    const all = [1, 2, 3].map((last) => world.learned.learn([to(last)], 60));
    assert.deepEqual(await Promise.all(all), [true, true, true]);
    assert.deepEqual(world.applied.at(-1), [1, 2, 3]);
    assert.ok(world.applied.length <= 2, JSON.stringify(world.applied));
  });

  it('go when their time and half a minute are over, not before', async () => {
    const world = new World();
    await world.learned.learn([to(1)], 60);
    await world.learned.learn([to(2)], 100);
    await world.advance(89_999);
    assert.equal(world.applied.length, 2);
    await world.advance(1);
    assert.deepEqual(world.applied.at(-1), [2]);
    await world.advance(40_000);
    assert.deepEqual(world.applied.at(-1), []);
    assert.equal(world.learned.size, 0);
  });

  it('stay longer when they are asked for again', async () => {
    const world = new World();
    await world.learned.learn([to(1)], 60);
    await world.advance(50_000);
    await world.learned.learn([to(1)], 60);
    await world.advance(60_000);
    assert.equal(world.learned.size, 1);
    await world.advance(30_000);
    assert.equal(world.learned.size, 0);
  });

  it('that the dataplane refuses are not answered for, and are tried again when asked again', async () => {
    const world = new World();
    world.outcome = { ok: false, reason: 'nft says no' };
    assert.equal(await world.learned.learn([to(1)], 60), false);
    assert.deepEqual(world.failures, ['nft says no']);
    world.outcome = { ok: true };
    assert.equal(await world.learned.learn([to(1)], 60), true);
  });

  it('beyond the limit are refused until others have gone', async () => {
    const world = new World();
    assert.equal(await world.learned.learn([to(1), to(2), to(3), to(4)], 10), true);
    assert.equal(await world.learned.learn([to(5)], 10), false);
    await world.advance(40_000);
    assert.equal(await world.learned.learn([to(5)], 10), true);
  });

  it('whose removal is refused are removed later', async () => {
    const world = new World();
    await world.learned.learn([to(1)], 10);
    world.outcome = { ok: false, reason: 'busy' };
    await world.advance(40_000);
    assert.equal(world.learned.size, 1);
    world.outcome = { ok: true };
    await world.advance(30_000);
    assert.equal(world.learned.size, 0);
    assert.deepEqual(world.applied.at(-1), []);
  });
});
