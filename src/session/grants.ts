/** Makes a grant: a profile, its terms, and a place in a pool. The only place that takes addresses out of pools. */
import type { Ipv4, Ipv4Prefix } from '../model/ipv4.js';
import { formatIpv4, prefixContains } from '../model/ipv4.js';
import type { ServiceProfile } from '../model/service-profile.js';
import { isWalledInPlace } from '../model/service-profile.js';
import type { SessionTerms } from '../model/session-terms.js';
import type { AddressPools } from '../pool/port.js';
import type { AnswerEvent } from './machine/types.js';

export type GrantAnswer = AnswerEvent & { type: 'allocated' | 'allocation-failed' };

export interface GrantRequest {
  readonly holder: string;
  readonly profile: ServiceProfile;
  readonly terms: SessionTerms;
  /** A fixed address may lie in another pool than the profile's; in this one it is walled. */
  readonly gardenPool: string;
  /** Addresses here are used without DHCP. */
  readonly statics: readonly Ipv4Prefix[];
}

/** Places the holder on the ring of the profile's pool, or of one of its group, or on its fixed address and nowhere else. */
export function makeGrant(pools: AddressPools, request: GrantRequest): GrantAnswer {
  const { holder, profile, terms } = request;
  if (terms.fixedAddress !== null) return makeFixedGrant(pools, request, terms.fixedAddress);
  const result = pools.allocate(profile.poolName, holder);
  if (result.kind !== 'allocated') {
    return { type: 'allocation-failed', reason: `pool ${profile.poolName} ${WHY_NOT[result.kind]}` };
  }
  const { address, poolName } = result;
  const place = poolName === profile.poolName ? {} : { poolName };
  const leaseSeconds = pools.terms(poolName)?.leaseSeconds ?? 0;
  return { type: 'allocated', grant: { profile, ...place, address, leaseSeconds, terms } };
}

const WHY_NOT = {
  exhausted: 'is exhausted',
  drained: 'is drained',
  'unknown-pool': 'does not exist',
} as const;

function makeFixedGrant(pools: AddressPools, request: GrantRequest, address: Ipv4): GrantAnswer {
  const home = pools.termsAt(address)?.name;
  if (home !== undefined && pools.drainOf(home) !== 'none') {
    const reason = `fixed address ${formatIpv4(address)} is in pool ${home}, which is drained`;
    return { type: 'allocation-failed', reason };
  }
  const claim = pools.claim(address, request.holder);
  if (claim.kind !== 'claimed') {
    const why = claim.kind === 'taken' ? 'is held by another or reserved' : 'lies in no pool';
    return { type: 'allocation-failed', reason: `fixed address ${formatIpv4(address)} ${why}` };
  }
  const { poolName } = claim;
  const leaseSeconds = pools.terms(poolName)?.leaseSeconds ?? 0;
  const { profile: granted, terms, statics, gardenPool } = request;
  const isStatic = statics.some((network) => prefixContains(network, address));
  const place = { address, leaseSeconds, terms, ...(isStatic ? { isStatic } : {}) };
  if (poolName !== granted.poolName && pools.means(granted.poolName, poolName)) {
    return { type: 'allocated', grant: { ...place, profile: granted, poolName } };
  }
  // Walled in another pool than the garden's: a static address was, by an order.
  const walled = poolName === gardenPool || isWalledInPlace(granted, gardenPool);
  return { type: 'allocated', grant: { ...place, profile: { ...granted, poolName, walled } } };
}
