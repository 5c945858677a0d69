/** The garden policy: union over prefixes, limits, and the reference judgement. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  compileGardenPolicy,
  type GardenConfig,
  gardenAllows,
  type JudgedPacket,
  judge,
} from '../../src/dataplane/garden-policy.js';
import { isBngError } from '../../src/model/bng-error.js';
import {
  formatPrefix,
  ipv4FromNumber,
  parseIpv4,
  parsePrefix,
  prefixContains,
} from '../../src/model/ipv4.js';

const LIMITS = { maxPrefixes: 8, maxPortsOfPrefix: 3, maxLocalAddresses: 4 };
const CONFIG: GardenConfig = {
  allow: [
    { prefix: parsePrefix('203.0.113.0/24'), port: 443 },
    { prefix: parsePrefix('203.0.113.10/32'), port: null },
    { prefix: parsePrefix('203.0.113.20/32'), port: 8443 },
  ],
  resolvers: [parseIpv4('203.0.113.53')],
  portal: { address: parseIpv4('10.255.0.1'), port: 80 },
  gateways: [parseIpv4('10.255.0.1'), parseIpv4('10.0.0.1')],
};

function packet(destination: string, change: Partial<JudgedPacket> = {}): JudgedPacket {
  return {
    destination: parseIpv4(destination),
    protocol: 'tcp',
    destinationPort: 443,
    echoRequest: false,
    ...change,
  };
}

test('an entry holds what every prefix that covers it allows', () => {
  const policy = compileGardenPolicy(CONFIG, LIMITS);
  const entries = Object.fromEntries(
    policy.entries.map(({ prefix, any, ports }) => [formatPrefix(prefix), any ? 'any' : ports]),
  );
  assert.deepEqual(entries, {
    '203.0.113.0/24': [443],
    '203.0.113.10/32': 'any',
    '203.0.113.20/32': [443, 8443],
    '203.0.113.53/32': [53, 443],
  });
});

test('a longer prefix never takes away what a shorter one gives', () => {
  let seed = 7;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % below;
  };
  for (let round = 0; round < 200; round++) {
    const allow = Array.from({ length: 6 }, () => {
      const length = 24 + random(9);
      const network = ipv4FromNumber((0xcb007100 | random(256)) & (length === 0 ? 0 : -1 << (32 - length)));
      return { prefix: { network, length }, port: random(5) === 0 ? null : 440 + random(3) };
    });
    const policy = compileGardenPolicy({ ...CONFIG, allow, resolvers: [] }, LIMITS);
    for (let probe = 0; probe < 40; probe++) {
      const address = ipv4FromNumber(0xcb007100 | random(256));
      const port = random(4) === 0 ? null : 440 + random(4);
      const expected = allow.some(
        (rule) => prefixContains(rule.prefix, address) && (rule.port === null || rule.port === port),
      );
      assert.equal(gardenAllows(policy, address, port), expected);
      const byRules = policy.rules.some(
        (rule) => prefixContains(rule.prefix, address) && (rule.port === null || rule.port === port),
      );
      assert.equal(byRules, expected);
    }
    for (const [i, a] of policy.rules.entries()) {
      for (const b of policy.rules.slice(i + 1)) {
        const nested =
          prefixContains(a.prefix, b.prefix.network) || prefixContains(b.prefix, a.prefix.network);
        assert.ok(!(nested && a.port === b.port), 'rules of one port are disjoint');
      }
    }
  }
});

test('more ports, prefixes or local addresses than the maps hold are configuration errors', () => {
  const ports = [1, 2, 3, 4].map((port) => ({ prefix: parsePrefix('192.0.2.0/24'), port }));
  const refuses = (change: Partial<GardenConfig>): void =>
    assert.throws(
      () => compileGardenPolicy({ ...CONFIG, ...change }, LIMITS),
      (error) => isBngError(error, 'BNG_ERR_CONFIG'),
    );
  refuses({ allow: ports });
  refuses({ allow: [{ prefix: parsePrefix('192.0.2.0/24'), port: 0 }] });
  refuses({ resolvers: Array.from({ length: 9 }, (_, i) => ipv4FromNumber(i + 1)) });
  refuses({ gateways: [1, 2, 3, 4].map(ipv4FromNumber) });
});

test('questions to the portal’s address are local only where it answers DNS', () => {
  const judged = (['udp', 'tcp'] as const).map((protocol) =>
    packet('10.255.0.1', { protocol, destinationPort: 53 }),
  );
  for (const [answersDns, expected] of [
    [true, 'local'],
    [false, 'drop'],
  ] as const) {
    const policy = compileGardenPolicy({ ...CONFIG, answersDns }, LIMITS);
    assert.deepEqual(
      judged.map((one) => judge(policy, one)),
      [expected, expected],
    );
    assert.equal(judge(policy, packet('10.0.0.1', { protocol: 'udp', destinationPort: 53 })), 'drop');
  }
});

test('a walled subscriber is judged: allowed, portal, local or dropped', () => {
  const policy = compileGardenPolicy(CONFIG, LIMITS);
  const table: [JudgedPacket, string][] = [
    [packet('203.0.113.1'), 'forward'],
    [packet('203.0.113.1', { protocol: 'udp' }), 'forward'],
    [packet('203.0.113.1', { destinationPort: 444 }), 'drop'],
    [packet('203.0.113.1', { destinationPort: 80 }), 'portal'],
    [packet('203.0.113.10', { destinationPort: 80 }), 'forward'],
    [packet('203.0.113.10', { protocol: 'icmp', echoRequest: true }), 'forward'],
    [packet('203.0.113.10', { protocol: 'other' }), 'forward'],
    [packet('203.0.113.1', { protocol: 'icmp', echoRequest: true }), 'drop'],
    [packet('203.0.113.53', { protocol: 'udp', destinationPort: 53 }), 'forward'],
    [packet('8.8.8.8', { protocol: 'udp', destinationPort: 53 }), 'drop'],
    [packet('8.8.8.8', { protocol: 'udp', destinationPort: 80 }), 'drop'],
    [packet('8.8.8.8', { destinationPort: 80 }), 'portal'],
    [packet('10.0.0.1', { destinationPort: 80 }), 'portal'],
    [packet('10.255.0.1', { destinationPort: 80 }), 'local'],
    [packet('10.0.0.1', { protocol: 'icmp', echoRequest: true }), 'local'],
    [packet('10.0.0.1', { protocol: 'icmp' }), 'drop'],
    [packet('10.0.0.1', { destinationPort: 22 }), 'drop'],
  ];
  for (const [judged, expected] of table)
    assert.equal(judge(policy, judged), expected, JSON.stringify(judged));
});
