/** Makes a grant: a profile, its terms, and a place in a pool. The only place that takes addresses out of pools. */
import type { Ipv4, Ipv4Prefix } from '../model/ipv4.js';
import { formatIpv4, prefixContains } from '../model/ipv4.js';
import type { ServiceProfile } from '../model/service-profile.js';
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

/** Places the holder on the ring of the profile's pool, or on its fixed address and nowhere else. */
export function makeGrant(pools: AddressPools, request: GrantRequest): GrantAnswer {
  const { holder, profile, terms } = request;
  if (terms.fixedAddress !== null) return makeFixedGrant(pools, request, terms.fixedAddress);
  const result = pools.allocate(profile.poolName, holder);
  const leaseSeconds = pools.terms(profile.poolName)?.leaseSeconds;
  if (result.kind === 'allocated' && leaseSeconds !== undefined) {
    return { type: 'allocated', grant: { profile, address: result.address, leaseSeconds, terms } };
  }
  const reason = result.kind === 'exhausted' ? 'is exhausted' : 'does not exist';
  return { type: 'allocation-failed', reason: `pool ${profile.poolName} ${reason}` };
}

function makeFixedGrant(pools: AddressPools, request: GrantRequest, address: Ipv4): GrantAnswer {
  const claim = pools.claim(address, request.holder);
  if (claim.kind !== 'claimed') {
    const why = claim.kind === 'taken' ? 'is held by another or reserved' : 'lies in no pool';
    return { type: 'allocation-failed', reason: `fixed address ${formatIpv4(address)} ${why}` };
  }
  const { poolName } = claim;
  const { profile: granted } = request;
  // Walled in another pool than the garden's: a static address was, by an order.
  const isWalledInPlace = granted.walled && granted.poolName !== request.gardenPool;
  const profile = { ...granted, poolName, walled: poolName === request.gardenPool || isWalledInPlace };
  const leaseSeconds = pools.terms(poolName)?.leaseSeconds ?? 0;
  const grant = { profile, address, leaseSeconds, terms: request.terms };
  const isStatic = request.statics.some((network) => prefixContains(network, address));
  return { type: 'allocated', grant: isStatic ? { ...grant, isStatic } : grant };
}
