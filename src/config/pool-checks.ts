/** What the settings of the pools must have in common: with themselves and with one another. */
import { formatPrefix, prefixContains, prefixesOverlap, prefixLast } from '../model/ipv4.js';
import type { AddressRange } from './config.js';
import type { Draft } from './draft.js';
import { leaseTimes } from '../model/lease.js';
import { nameOfPool } from './problem.js';
import type { Finding } from './problem.js';

type PartialPool = Draft['pools'][number]['partial'];

/** The shortest prefix whose placement on a ring is defined. */
const SHORTEST_PREFIX = 12;

export function checkPools(pools: readonly PartialPool[]): readonly Finding[] {
  return pools.flatMap((pool, index) => [
    ...checkPool(pool, index),
    ...checkTimes(pool, index),
    ...checkAgainst(pool, index, pools),
  ]);
}

/** RFC 2131 §4.4.5: T1 is earlier than T2, and T2 earlier than the end of the lease. */
function checkTimes({ leaseTime, renewTime, rebindTime }: PartialPool, index: number): readonly Finding[] {
  if (leaseTime === undefined) return [];
  const { renewSeconds: renew, rebindSeconds: rebind } = leaseTimes({
    leaseSeconds: leaseTime,
    renewSeconds: renewTime,
    rebindSeconds: rebindTime,
  });
  const findings: Finding[] = [];
  if (rebindTime !== undefined && rebindTime >= leaseTime) {
    findings.push({
      path: ['pools', index, 'rebindTime'],
      expected: `less than the leaseTime of ${leaseTime}s`,
    });
  }
  if (renew >= rebind) {
    const path = ['pools', index, renewTime === undefined ? 'rebindTime' : 'renewTime'];
    const expected =
      renewTime === undefined
        ? `more than the renewTime of ${renew}s`
        : `less than the rebindTime of ${rebind}s`;
    findings.push({ path, expected });
  }
  return findings;
}

function checkPool(pool: PartialPool, index: number): readonly Finding[] {
  const { network, gateway, exclude } = pool;
  if (network === undefined) return [];
  const path = ['pools', index] as const;
  const inside = `inside ${formatPrefix(network)}`;
  if (network.length < SHORTEST_PREFIX) {
    return [{ path: [...path, 'network'], expected: `a prefix length from ${SHORTEST_PREFIX} to 32` }];
  }
  const findings: Finding[] = [];
  if (gateway !== undefined && !prefixContains(network, gateway)) {
    findings.push({ path: [...path, 'gateway'], expected: `an address ${inside}` });
  } else if (gateway !== undefined && edgesOf(network).includes(gateway)) {
    findings.push({
      path: [...path, 'gateway'],
      expected: `neither the network nor the broadcast address of ${formatPrefix(network)}`,
    });
  }
  exclude?.forEach(({ first, last }, at) => {
    if (!prefixContains(network, first) || !prefixContains(network, last)) {
      findings.push({ path: [...path, 'exclude', at], expected: `addresses ${inside}` });
    }
  });
  if (findings.length > 0 || gateway === undefined || exclude === undefined) return findings;
  const reserved = [...edgesOf(network), gateway].map((address) => ({ first: address, last: address }));
  if (countAddresses([...reserved, ...exclude]) < 2 ** (32 - network.length)) return [];
  return [
    { path: [...path, 'network'], expected: 'at least one address beside the gateway and the excluded ones' },
  ];
}

function checkAgainst(pool: PartialPool, index: number, pools: readonly PartialPool[]): readonly Finding[] {
  const findings: Finding[] = [];
  pools.slice(0, index).forEach((other, at) => {
    if (pool.name !== undefined && pool.name === other.name) {
      findings.push({ path: ['pools', index, 'name'], expected: `a name other than that of pools[${at}]` });
    }
    if (pool.network && other.network && prefixesOverlap(pool.network, other.network)) {
      const expected = `a network that does not overlap pools[${at}].network ${formatPrefix(other.network)}`;
      findings.push({ path: ['pools', index, 'network'], expected });
    }
  });
  return findings;
}

/** Network and broadcast address; a /31 or /32 has neither (RFC 3021). */
function edgesOf(network: NonNullable<PartialPool['network']>): readonly AddressRange['first'][] {
  return network.length < 31 ? [network.network, prefixLast(network)] : [];
}

/** How many different addresses the ranges cover. */
function countAddresses(ranges: readonly AddressRange[]): number {
  let count = 0;
  let next = 0;
  for (const { first, last } of [...ranges].sort((a, b) => a.first - b.first)) {
    count += Math.max(0, last + 1 - Math.max(first, next));
    next = Math.max(next, last + 1);
  }
  return count;
}

/**
 * A group has a name of its own and pools that are there, each once; the garden is no part of any: its pool is open to nobody
 * else, and it must not be drained, since its gateway is the portal.
 */
export function checkGroups({ pools, poolGroups, walledGarden }: Draft): readonly Finding[] {
  const garden = walledGarden.partial.pool;
  const names = pools.flatMap(({ partial }) => (partial.name === undefined ? [] : [partial.name]));
  const areKnown = names.length === pools.length;
  const findings: Finding[] = [];
  for (const [group, members] of Object.entries(poolGroups)) {
    if (names.includes(group)) {
      findings.push({ path: ['poolGroups', group], expected: 'a name that no pool has', found: group });
    }
    members.forEach((name, at) => {
      const path = ['poolGroups', group, at];
      if (members.indexOf(name) < at) findings.push({ path, expected: 'each pool once' });
      else if (name === garden) findings.push({ path, expected: 'another pool than that of walledGarden' });
      else if (areKnown && !names.includes(name)) {
        findings.push({ path, expected: nameOfPool(names) });
      }
    });
  }
  pools.forEach(({ partial: { name, drain } }, at) => {
    if (name === undefined || name !== garden || drain === undefined || drain === 'none') return;
    findings.push({ path: ['pools', at, 'drain'], expected: 'none, as it is the pool of walledGarden' });
  });
  return findings;
}
