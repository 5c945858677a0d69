import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isBngError } from '../../src/model/bng-error.js';
import type { Ipv4 } from '../../src/model/ipv4.js';
import { formatIpv4, ipv4FromNumber, parseIpv4, parsePrefix, prefixLast } from '../../src/model/ipv4.js';
import type { PoolDefinition } from '../../src/pool/address-pool.js';
import { HashRingPools } from '../../src/pool/hash-ring-pools.js';
import { placeOnRing } from '../../src/pool/placement.js';
import { seededRandom } from '../support/seeded-random.js';

function pool(
  name: string,
  network: string,
  gateway: string,
  exclude: readonly string[] = [],
): PoolDefinition {
  const ranges = exclude.map((text) => {
    const [first, last] = text.split('-');
    return { first: parseIpv4(first!), last: parseIpv4(last ?? first!) };
  });
  return {
    name,
    network: parsePrefix(network),
    gateway: parseIpv4(gateway),
    dns: [],
    leaseSeconds: 600,
    exclude: ranges,
  };
}

function given(pools: HashRingPools, name: string, holder: string): Ipv4 {
  const result = pools.allocate(name, holder);
  assert.equal(result.kind, 'allocated', `${holder} of ${name}`);
  return (result as { address: Ipv4 }).address;
}

/** Holders of a /24 (10.0.0.0) with one common home, and their home. */
function holdersSharingAHome(count: number): { holders: string[]; home: Ipv4 } {
  const homes = new Map<number, string[]>();
  for (let n = 0; ; n++) {
    const { start } = placeOnRing(`twin${n}`, 256);
    if (start < 2 || start === 255) continue;
    const holders = [...(homes.get(start) ?? []), `twin${n}`];
    homes.set(start, holders);
    if (holders.length === count) return { holders, home: ipv4FromNumber(0x0a000000 + start) };
  }
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const rest = [...items];
  return items.map(() => rest.splice(Math.floor(random() * rest.length), 1)[0]!);
}

const lan = (): HashRingPools => new HashRingPools([pool('lan', '10.0.0.0/24', '10.0.0.1')]);

describe('the hash ring of a pool', () => {
  it('gives the addresses it gave in every earlier release', () => {
    const pools = new HashRingPools([
      pool('wgar', '10.255.0.0/16', '10.255.0.1'),
      pool('isp-residential', '10.0.0.0/12', '10.0.0.1'),
    ]);
    assert.deepEqual(
      ['ONT00000001', 'ONT00000002', 'ALCL12345678'].map((holder) => [
        formatIpv4(given(pools, 'wgar', holder)),
        formatIpv4(given(pools, 'isp-residential', holder)),
      ]),
      [
        ['10.255.244.158', '10.15.73.236'],
        ['10.255.84.196', '10.5.76.66'],
        ['10.255.82.44', '10.5.34.192'],
      ],
    );
  });

  it('gives a holder the same address every time it asks while it holds it', () => {
    const pools = lan();
    const first = given(pools, 'lan', 'a');
    assert.equal(given(pools, 'lan', 'a'), first);
    assert.equal(pools.usage()[0]!.allocated, 1);
  });

  it('gives holders with different homes the same addresses in any order of arrival and after any restart', () => {
    const homes = new Map<number, string>();
    for (let n = 0; homes.size < 2000; n++) {
      const { start } = placeOnRing(`ONT${n}`, 65536);
      if (start > 1 && start < 65535 && !homes.has(start)) homes.set(start, `ONT${n}`);
    }
    const holders = [...homes.values()];
    const random = seededRandom(1);
    const expected = new Map(
      [...homes].map(([start, holder]) => [holder, ipv4FromNumber(0x0aff0000 + start)]),
    );
    for (let restart = 0; restart < 5; restart++) {
      const pools = new HashRingPools([pool('wgar', '10.255.0.0/16', '10.255.0.1')]);
      for (const holder of shuffled(holders, random)) {
        assert.equal(given(pools, 'wgar', holder), expected.get(holder));
      }
    }
  });

  it('gives a holder its home whenever that is free, whoever else came and went', () => {
    const random = seededRandom(2);
    const alone = given(lan(), 'lan', 'me');
    for (let round = 0; round < 50; round++) {
      const pools = lan();
      const held = new Map<Ipv4, string>();
      for (let n = 0; n < 200; n++) {
        const holder = `other${Math.floor(random() * 1000)}`;
        held.set(given(pools, 'lan', holder), holder);
      }
      const squatter = held.get(alone);
      if (squatter !== undefined) assert.ok(pools.free('lan', alone, squatter));
      assert.equal(given(pools, 'lan', 'me'), alone);
    }
  });

  it('gives a shared home to whoever comes first and places the next ones by their own sequence, every time', () => {
    const { holders, home } = holdersSharingAHome(3);
    const place = (): Ipv4[] => {
      const pools = lan();
      return holders.map((holder) => given(pools, 'lan', holder));
    };
    const first = place();
    assert.equal(first[0], home);
    assert.equal(new Set(first).size, 3);
    assert.deepEqual(place(), first);
    const { start, step } = placeOnRing(holders[1]!, 256);
    assert.equal(first[1], 0x0a000000 + ((start + step) % 256));
  });

  it('leaves a displaced holder its address while it holds it, and gives it its home when it asks anew', () => {
    const { holders, home } = holdersSharingAHome(2);
    const [winner, displaced] = holders as [string, string];
    const pools = lan();
    given(pools, 'lan', winner);
    const second = given(pools, 'lan', displaced);
    assert.notEqual(second, home);
    assert.ok(pools.free('lan', second, displaced));
    assert.equal(given(pools, 'lan', displaced), second, 'nobody else moved');
    assert.ok(pools.free('lan', home, winner));
    assert.equal(given(pools, 'lan', displaced), second, 'still held');
    assert.ok(pools.free('lan', second, displaced));
    assert.equal(given(pools, 'lan', displaced), home);
  });

  it('excluding an address moves the holder it was given to and leaves the homes of the others alone', () => {
    const before = lan();
    const held = new Map(Array.from({ length: 20 }, (_, n) => [`h${n}`, given(before, 'lan', `h${n}`)]));
    const victim = held.get('h7')!;
    const after = new HashRingPools([pool('lan', '10.0.0.0/24', '10.0.0.1', [formatIpv4(victim)])]);
    // The moved one comes last, so that it cannot sit on the home of another.
    for (const [holder, address] of held) {
      if (holder !== 'h7') assert.equal(given(after, 'lan', holder), address, holder);
    }
    assert.notEqual(given(after, 'lan', 'h7'), victim);
  });
});

describe('the limits of a pool', () => {
  it('gives each usable address exactly once, never network, broadcast, gateway or an excluded one', () => {
    const pools = new HashRingPools([
      pool('p', '10.0.0.0/24', '10.0.0.1', ['10.0.0.2-10.0.0.10', '10.0.0.5', '10.0.0.200']),
    ]);
    const capacity = 256 - 3 - 9 - 1;
    assert.deepEqual(pools.usage(), [
      { name: 'p', capacity, allocated: 0, quarantined: 0, held: 0, drain: 'none' },
    ]);
    const seen = new Set(Array.from({ length: capacity }, (_, n) => formatIpv4(given(pools, 'p', `h${n}`))));
    assert.equal(seen.size, capacity);
    for (const last of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 200, 255]) assert.ok(!seen.has(`10.0.0.${last}`));
    assert.deepEqual(pools.allocate('p', 'one more'), { kind: 'exhausted' });
    assert.equal(pools.allocate('p', 'h3').kind, 'allocated', 'a holder keeps its address in a full pool');
  });

  it('gives the one address of a /31 beside the gateway, and none of a /32', () => {
    const pools = new HashRingPools([
      pool('p31', '10.0.0.0/31', '10.0.0.0'),
      pool('p32', '10.0.0.2/32', '10.0.0.2'),
      pool('p30', '10.0.0.4/30', '10.0.0.5'),
    ]);
    assert.equal(formatIpv4(given(pools, 'p31', 'a')), '10.0.0.1');
    assert.deepEqual(pools.allocate('p31', 'b'), { kind: 'exhausted' });
    assert.deepEqual(pools.allocate('p32', 'a'), { kind: 'exhausted' });
    assert.equal(formatIpv4(given(pools, 'p30', 'a')), '10.0.0.6');
    assert.deepEqual(
      pools.usage().map((usage) => usage.capacity),
      [1, 0, 1],
    );
  });

  it('places a network that ends at 255.255.255.255', () => {
    const pools = new HashRingPools([
      pool('top', '255.255.255.0/24', '255.255.255.1', ['255.255.255.250-255.255.255.255']),
    ]);
    for (let n = 0; n < 256 - 8; n++) given(pools, 'top', `h${n}`);
    assert.deepEqual(pools.allocate('top', 'late'), { kind: 'exhausted' });
  });

  it('fills a /12 to the last address and answers exhausted from then on', () => {
    const pools = new HashRingPools([pool('big', '10.0.0.0/12', '10.0.0.1')]);
    const capacity = 2 ** 20 - 3;
    const seen = new Uint8Array(2 ** 20);
    for (let n = 0; n < capacity; n++) seen[given(pools, 'big', `h${n}`) - 0x0a000000]! += 1;
    assert.equal(
      seen.reduce((sum, times) => sum + (times === 1 ? 1 : 0), 0),
      capacity,
    );
    assert.deepEqual([seen[0], seen[1], seen[2 ** 20 - 1]], [0, 0, 0]);
    const started = performance.now();
    for (let n = 0; n < 10_000; n++) assert.equal(pools.allocate('big', `late${n}`).kind, 'exhausted');
    // One scan of the million per call would take minutes.
    assert.ok(performance.now() - started < 2000);
  });

  it('refuses pools larger than a /12, exclusions outside, names twice and overlapping networks', () => {
    for (const definitions of [
      [pool('p', '10.0.0.0/11', '10.0.0.1')],
      [pool('p', '10.0.0.0/24', '10.0.0.1', ['10.0.1.1'])],
      [pool('p', '10.0.0.0/24', '10.0.0.1'), pool('p', '10.1.0.0/24', '10.1.0.1')],
      [pool('p', '10.0.0.0/24', '10.0.0.1'), pool('q', '10.0.0.0/16', '10.0.0.1')],
    ]) {
      assert.throws(
        () => new HashRingPools(definitions),
        (error) => isBngError(error, 'BNG_ERR_VALUE'),
      );
    }
  });

  it('knows the terms of its pools and answers for an unknown pool', () => {
    const pools = lan();
    assert.equal(pools.terms('lan')?.gateway, parseIpv4('10.0.0.1'));
    assert.equal(pools.terms('nowhere'), null);
    assert.deepEqual(pools.allocate('nowhere', 'a'), { kind: 'unknown-pool' });
    assert.equal(pools.free('nowhere', parseIpv4('10.0.0.2'), 'a'), false);
    assert.throws(
      () => pools.quarantine('nowhere', parseIpv4('10.0.0.2')),
      (e) => isBngError(e, 'BNG_ERR_VALUE'),
    );
    assert.throws(
      () => pools.unquarantine('nowhere', parseIpv4('10.0.0.2')),
      (e) => isBngError(e, 'BNG_ERR_VALUE'),
    );
  });
});

describe('free and quarantine', () => {
  it('gives an address back only for its holder, and once', () => {
    const pools = lan();
    const address = given(pools, 'lan', 'a');
    given(pools, 'lan', 'b');
    assert.equal(pools.free('lan', address, 'b'), false);
    assert.equal(pools.free('lan', address, 'nobody'), false);
    assert.equal(pools.free('lan', address, 'a'), true);
    assert.equal(pools.free('lan', address, 'a'), false);
  });

  it('takes a quarantined address from its holder and gives it to nobody until it is let go', () => {
    const pools = lan();
    const home = given(pools, 'lan', 'a');
    pools.quarantine('lan', home);
    assert.equal(pools.free('lan', home, 'a'), false);
    assert.notEqual(given(pools, 'lan', 'a'), home);
    pools.quarantine('lan', home);
    assert.deepEqual(pools.usage(), [
      { name: 'lan', capacity: 253, allocated: 1, quarantined: 1, held: 1, drain: 'none' },
    ]);
    pools.unquarantine('lan', home);
    pools.unquarantine('lan', home);
    assert.equal(pools.usage()[0]!.quarantined, 0);
    const second = given(pools, 'lan', 'a');
    assert.ok(pools.free('lan', second, 'a'));
    assert.equal(given(pools, 'lan', 'a'), home);
  });

  it('does not let go of held, reserved or foreign addresses', () => {
    const pools = lan();
    const address = given(pools, 'lan', 'a');
    for (const text of [formatIpv4(address), '10.0.0.0', '10.0.0.1', '10.0.0.255', '10.0.1.7']) {
      pools.unquarantine('lan', parseIpv4(text));
      if (text !== formatIpv4(address)) pools.quarantine('lan', parseIpv4(text));
    }
    assert.deepEqual(pools.usage(), [
      { name: 'lan', capacity: 253, allocated: 1, quarantined: 0, held: 1, drain: 'none' },
    ]);
    assert.equal(pools.free('lan', address, 'a'), true);
  });
});

describe('random operations', () => {
  for (const seed of [11, 12, 13, 14, 15, 16]) {
    it(`agree with a naive model: no duplicates, nothing reserved, counts right (seed ${seed})`, () => {
      agreesWithModel(seed);
    });
  }
});

function agreesWithModel(seed: number): void {
  const random = seededRandom(seed);
  const definition = pool('p', '10.9.8.0/26', '10.9.8.1', ['10.9.8.8-10.9.8.15']);
  const reserved = new Set<number>([
    definition.network.network,
    definition.gateway,
    prefixLast(definition.network),
  ]);
  for (let k = 8; k <= 15; k++) reserved.add(definition.network.network + k);
  const capacity = 64 - reserved.size;
  const pools = new HashRingPools([definition]);
  const held = new Map<string, Ipv4>();
  const quarantined = new Set<Ipv4>();
  const anyAddress = (): Ipv4 => ipv4FromNumber(definition.network.network + Math.floor(random() * 64));
  for (let n = 0; n < 5000; n++) {
    const holder = `h${Math.floor(random() * 80)}`;
    const choice = random();
    if (choice < 0.5) {
      const result = pools.allocate('p', holder);
      const before = held.get(holder);
      if (before !== undefined)
        assert.deepEqual(result, { kind: 'allocated', address: before, poolName: 'p' });
      else if (held.size + quarantined.size === capacity) assert.deepEqual(result, { kind: 'exhausted' });
      else {
        assert.equal(result.kind, 'allocated');
        const { address } = result as { address: Ipv4 };
        assert.ok(
          ![...held.values()].includes(address) && !quarantined.has(address) && !reserved.has(address),
        );
        assert.ok(pools.free('p', address, holder));
        assert.deepEqual(
          pools.allocate('p', holder),
          { kind: 'allocated', address, poolName: 'p' },
          'free, then allocate',
        );
        held.set(holder, address);
      }
    } else if (choice < 0.8) {
      const address = random() < 0.8 ? (held.get(holder) ?? anyAddress()) : anyAddress();
      assert.equal(pools.free('p', address, holder), held.get(holder) === address);
      if (held.get(holder) === address) held.delete(holder);
    } else if (choice < 0.9) {
      const address = anyAddress();
      pools.quarantine('p', address);
      if (!reserved.has(address)) quarantined.add(address);
      for (const [other, theirs] of held) if (theirs === address) held.delete(other);
    } else {
      const address = anyAddress();
      pools.unquarantine('p', address);
      quarantined.delete(address);
    }
    assert.deepEqual(pools.usage(), [
      {
        name: 'p',
        capacity,
        allocated: held.size,
        quarantined: quarantined.size,
        held: held.size,
        drain: 'none',
      },
    ]);
  }
}
