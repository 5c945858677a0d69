/** The ledger's promise: totals never fall, nothing is lost, nothing is counted twice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrafficLedger } from '../../src/http/traffic-ledger.js';
import { parseIpv4, parsePrefix } from '../../src/model/ipv4.js';
import type { Ipv4 } from '../../src/model/ipv4.js';
import { NO_TRAFFIC } from '../../src/model/traffic-counters.js';
import type { TrafficCounters } from '../../src/model/traffic-counters.js';
import { traffic } from './fake-bng.js';

const A = parseIpv4('10.0.0.1');
const B = parseIpv4('10.0.0.2');
const GARDEN = parseIpv4('10.255.0.1');

function makeLedger(): TrafficLedger {
  const ledger = new TrafficLedger({ onMoved: () => undefined });
  ledger.usePools([
    { name: 'isp', network: parsePrefix('10.0.0.0/12') },
    { name: 'wgar', network: parsePrefix('10.255.0.0/16') },
  ]);
  return ledger;
}

const reading = (...entries: [Ipv4, TrafficCounters][]): Map<Ipv4, TrafficCounters> => new Map(entries);

const upstreamBytes = (ledger: TrafficLedger, pool = 'isp'): bigint | undefined =>
  ledger.totals().get(pool)?.upstreamBytes;

test('running leases are summed by the pool of their address, and every pool is present', () => {
  const ledger = makeLedger();
  assert.deepEqual([...ledger.totals().keys()], ['isp', 'wgar']);
  ledger.observe(reading([A, traffic(100n)], [B, traffic(200n)], [GARDEN, traffic(700n)]));
  assert.deepEqual([upstreamBytes(ledger), upstreamBytes(ledger, 'wgar')], [300n, 700n]);
});

test('between removal and the end of the lease the last reading stands in', () => {
  const ledger = makeLedger();
  ledger.observe(reading([A, traffic(100n)]));
  ledger.observe(reading());
  assert.equal(upstreamBytes(ledger), 100n);
  ledger.leaseEnded(A, 'isp', traffic(150n));
  assert.equal(upstreamBytes(ledger), 150n);
});

test('a lease that began and ended between two readings counts whole', () => {
  const ledger = makeLedger();
  ledger.leaseEnded(A, 'isp', traffic(900n));
  ledger.observe(reading());
  assert.equal(upstreamBytes(ledger), 900n);
});

test('the next lease of the same address adds to the one before', () => {
  const ledger = makeLedger();
  ledger.observe(reading([A, traffic(100n)]));
  ledger.leaseEnded(A, 'isp', traffic(120n));
  ledger.observe(reading([A, traffic(30n)]));
  assert.equal(upstreamBytes(ledger), 150n);
});

test('an address that starts again from zero without an end told keeps what was read before', () => {
  const ledger = makeLedger();
  ledger.observe(reading([A, traffic(100n)]));
  ledger.observe(reading([A, traffic(0n)]));
  assert.equal(upstreamBytes(ledger), 100n);
});

test('final counters below an earlier reading do not let the total fall', () => {
  const ledger = makeLedger();
  ledger.observe(reading([A, traffic(100n)]));
  ledger.leaseEnded(A, 'isp', NO_TRAFFIC);
  assert.equal(upstreamBytes(ledger), 100n);
});

test('over random lives of subscribers the total never falls and ends at exactly what was sent', () => {
  let seed = 7;
  const random = (below: number): number => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * below);
  };
  const ledger = makeLedger();
  const kernel = new Map<Ipv4, TrafficCounters>();
  const ending = new Map<Ipv4, TrafficCounters>();
  const addresses = Array.from({ length: 8 }, (_, i) => parseIpv4(`10.0.0.${i + 1}`));
  let sent = 0n;
  let before = 0n;
  for (let step = 0; step < 20_000; step++) {
    const address = addresses[random(addresses.length)]!;
    const counted = kernel.get(address);
    const final = ending.get(address);
    const action = random(4);
    if (action === 0 && counted !== undefined) {
      const bytes = BigInt(random(20)) * 100n;
      sent += bytes;
      kernel.set(address, traffic(counted.upstreamBytes + bytes));
    } else if (action === 1 && counted === undefined && final === undefined) {
      kernel.set(address, NO_TRAFFIC);
    } else if (action === 2 && counted !== undefined) {
      kernel.delete(address);
      ending.set(address, counted);
    } else if (action === 3 && final !== undefined) {
      ending.delete(address);
      ledger.leaseEnded(address, 'isp', final);
    }
    if (random(3) === 0) {
      ledger.observe(kernel);
      const now = upstreamBytes(ledger) ?? -1n;
      assert.ok(now >= before && now <= sent, `${before} ≤ ${now} ≤ ${sent}`);
      before = now;
    }
  }
  for (const [address, final] of ending) ledger.leaseEnded(address, 'isp', final);
  ledger.observe(kernel);
  assert.equal(upstreamBytes(ledger), sent);
});
