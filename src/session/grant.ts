/** Makes a grant: a profile and the subscriber's place in the profile's pool. The only allocation there is. */
import type { ServiceProfile } from '../model/service-profile.js';
import type { AddressPools } from '../pool/port.js';
import type { AnswerEvent } from './machine/types.js';

/** Allocates in the profile's pool; a subscriber that has an address of that pool is granted the same again. */
export function grantFrom(
  pools: AddressPools,
  profile: ServiceProfile,
  subscriberId: string,
): AnswerEvent & { type: 'allocated' | 'allocation-failed' } {
  const result = pools.allocate(profile.poolName, subscriberId);
  const terms = pools.terms(profile.poolName);
  if (result.kind === 'allocated' && terms !== null) {
    const { leaseSeconds } = terms;
    return { type: 'allocated', grant: { profile, address: result.address, leaseSeconds } };
  }
  const reason = result.kind === 'exhausted' ? 'is exhausted' : 'does not exist';
  return { type: 'allocation-failed', reason: `pool ${profile.poolName} ${reason}` };
}
