import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseIpv4, parsePrefix } from '../../src/model/ipv4.js';
import { HashRingPools } from '../../src/pool/hash-ring-pools.js';

function pools(): HashRingPools {
  const range = { first: parseIpv4('192.0.2.8'), last: parseIpv4('192.0.2.9') };
  const network = parsePrefix('192.0.2.0/28');
  return new HashRingPools([
    { name: 'isp', network, gateway: parseIpv4('192.0.2.1'), dns: [], leaseSeconds: 60, exclude: [range] },
  ]);
}
const free = parseIpv4('192.0.2.5');
const excluded = parseIpv4('192.0.2.9');

describe('claiming one address', () => {
  it('gives a free address to whoever asks first, and refuses it to others', () => {
    const all = pools();
    assert.deepEqual(all.claim(free, 'a'), { kind: 'claimed', poolName: 'isp' });
    assert.deepEqual(all.claim(free, 'a'), { kind: 'claimed', poolName: 'isp' });
    assert.deepEqual(all.claim(free, 'b'), { kind: 'taken' });
    assert.deepEqual(all.allocate('isp', 'a'), { kind: 'allocated', address: free, poolName: 'isp' });
  });

  it('never gives the network, the gateway or the broadcast address, nor one that no pool holds', () => {
    const all = pools();
    for (const reserved of ['192.0.2.0', '192.0.2.1', '192.0.2.15']) {
      assert.deepEqual(all.claim(parseIpv4(reserved), 'a'), { kind: 'taken' }, reserved);
    }
    assert.deepEqual(all.claim(parseIpv4('198.51.100.1'), 'a'), { kind: 'no-pool' });
  });

  it('may have an excluded address, which is what exclusions are for, without shrinking the pool', () => {
    const all = pools();
    assert.equal(all.claim(excluded, 'a').kind, 'claimed');
    assert.deepEqual(all.claim(excluded, 'b'), { kind: 'taken' });
    assert.equal(all.usage()[0]?.allocated, 0);
    for (let n = 0; n < 11; n++) assert.equal(all.allocate('isp', `n${n}`).kind, 'allocated');
    assert.equal(all.allocate('isp', 'late').kind, 'exhausted');
    assert.equal(all.free('isp', excluded, 'a'), true);
    assert.equal(all.claim(excluded, 'b').kind, 'claimed');
  });

  it('gives back what the holder had before in that pool', () => {
    const all = pools();
    const before = all.allocate('isp', 'a');
    assert.equal(all.claim(free, 'a').kind, 'claimed');
    assert.equal(all.usage()[0]?.allocated, 1);
    if (before.kind === 'allocated' && before.address !== free)
      assert.equal(all.claim(before.address, 'b').kind, 'claimed');
  });

  it('refuses a quarantined address', () => {
    const all = pools();
    all.quarantine('isp', free);
    assert.deepEqual(all.claim(free, 'a'), { kind: 'taken' });
  });
});
