/** Several pools under one name, pools that are drained, and pools that go. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseIpv4, parsePrefix } from '../../src/model/ipv4.js';
import type { PoolDefinition } from '../../src/pool/address-pool.js';
import { HashRingPools } from '../../src/pool/hash-ring-pools.js';
import type { Drain } from '../../src/pool/port.js';

/** Of 6 usable addresses, the gateway among them. */
function small(name: string, at: number, exclude: PoolDefinition['exclude'] = []): PoolDefinition {
  const network = parsePrefix(`10.0.${at}.0/29`);
  return { name, network, gateway: parseIpv4(`10.0.${at}.1`), dns: [], leaseSeconds: 600, exclude };
}

const ROOM = 5;
const threePools = (): HashRingPools =>
  new HashRingPools([small('a', 1), small('b', 2), small('alone', 3)], { both: ['a', 'b'] });

function poolFor(pools: HashRingPools, name: string, holder: string): string {
  const result = pools.allocate(name, holder);
  return result.kind === 'allocated' ? result.poolName : result.kind;
}

const fill = (pools: HashRingPools, name: string, count: number, from = 0): readonly string[] =>
  Array.from({ length: count }, (_, n) => poolFor(pools, name, `holder-${from + n}`));

function free(pools: HashRingPools, holder: string): void {
  const held = pools.allocate('both', holder);
  assert.ok(held.kind === 'allocated' && pools.free(held.poolName, held.address, holder));
}

describe('several pools under one name', () => {
  it('are used in order, the next one when the one before is full, and are exhausted together', () => {
    const pools = threePools();
    assert.deepEqual(fill(pools, 'both', 2 * ROOM + 1), [
      ...Array<string>(ROOM).fill('a'),
      ...Array<string>(ROOM).fill('b'),
      'exhausted',
    ]);
    assert.equal(poolFor(pools, 'alone', 'holder-0'), 'alone');
  });

  it('give a holder what it has, whichever of them it is of, even when one before has room again', () => {
    const pools = threePools();
    fill(pools, 'both', ROOM + 1);
    free(pools, 'holder-0');
    assert.equal(poolFor(pools, 'both', `holder-${ROOM}`), 'b');
    assert.equal(poolFor(pools, 'both', 'newcomer'), 'a');
  });

  it('are placed on by the ring of the pool itself, as if it were asked by its own name', () => {
    const [grouped, plain] = [threePools(), threePools()];
    for (const holder of ['one', 'two', 'three']) {
      assert.deepEqual(grouped.allocate('both', holder), plain.allocate('a', holder));
    }
  });

  it('are known by their names and the groups, and a group means its pools alone', () => {
    const pools = threePools();
    assert.deepEqual(pools.names(), ['a', 'b', 'alone', 'both']);
    assert.deepEqual([pools.means('both', 'b'), pools.means('both', 'alone')], [true, false]);
    assert.deepEqual([pools.terms('both'), pools.terms('b')?.name], [null, 'b']);
    pools.useGroups({ other: ['b', 'alone'] });
    assert.equal(poolFor(pools, 'both', 'x'), 'unknown-pool');
    assert.equal(poolFor(pools, 'other', 'x'), 'b');
  });
});

describe('a pool that is drained', () => {
  for (const drain of ['keep', 'move'] as const satisfies readonly Drain[]) {
    it(`${drain}: gives nothing more; its group goes on with the next, and who has an address of it is given another`, () => {
      const pools = threePools();
      fill(pools, 'both', 2);
      pools.drain('a', drain);
      assert.deepEqual([pools.isDraining, pools.drainOf('a'), pools.drainOf('b')], [true, drain, 'none']);
      assert.equal(poolFor(pools, 'both', 'newcomer'), 'b');
      assert.equal(poolFor(pools, 'both', 'holder-0'), 'b');
      assert.equal(poolFor(pools, 'a', 'newcomer'), 'drained');
      assert.equal(poolFor(pools, 'a', 'holder-0'), 'a');
    });
  }

  it('gives what a holder has there where no other pool has room', () => {
    const pools = threePools();
    fill(pools, 'both', 2 * ROOM);
    pools.drain('a', 'move');
    assert.equal(poolFor(pools, 'both', 'holder-0'), 'a');
    assert.equal(poolFor(pools, 'both', 'newcomer'), 'exhausted');
    pools.drain('b', 'move');
    assert.equal(poolFor(pools, 'both', 'newcomer'), 'drained');
  });

  it('is open again when it is drained no more', () => {
    const pools = threePools();
    pools.drain('a', 'keep');
    pools.drain('a', 'none');
    assert.equal(pools.isDraining, false);
    assert.equal(poolFor(pools, 'both', 'newcomer'), 'a');
  });

  it('goes when nobody has an address of it, and its network may come again under another name', () => {
    const pools = threePools();
    pools.quarantine('a', parseIpv4('10.0.1.6'));
    fill(pools, 'both', 1);
    pools.drain('a', 'keep');
    assert.equal(pools.remove('a'), false);
    assert.equal(pools.usage()[0]?.held, 1);
    const held = pools.allocate('a', 'holder-0');
    assert.ok(held.kind === 'allocated' && pools.free('a', held.address, 'holder-0'));
    assert.equal(pools.remove('a'), true);
    assert.deepEqual(
      [pools.isDraining, pools.terms('a'), pools.names()],
      [false, null, ['b', 'alone', 'both']],
    );
    assert.equal(pools.claim(parseIpv4('10.0.1.2'), 'x').kind, 'no-pool');
    pools.add(small('anew', 1));
    assert.equal(poolFor(pools, 'anew', 'x'), 'anew');
  });

  it('does not go while a fixed address in an excluded range is held, which is in no figure of its use', () => {
    const fixed = parseIpv4('10.0.1.5');
    const pools = new HashRingPools([small('a', 1, [{ first: fixed, last: fixed }])]);
    assert.equal(pools.claim(fixed, 'x').kind, 'claimed');
    const [usage] = pools.usage();
    assert.deepEqual([usage?.allocated, usage?.held], [0, 1]);
    assert.equal(pools.remove('a'), false);
  });
});
