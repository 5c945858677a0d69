/** From what the machine wants said to what the DHCP inlet can send: addresses and terms of the pool, read from it. */
import type { Ipv4 } from '../model/ipv4.js';
import type { LeaseOption } from '../model/lease.js';
import { leaseTerms, mergedOptions } from '../model/lease.js';
import type { AddressPools, PoolTerms } from '../pool/port.js';
import type { DhcpVerdict } from './inlet.js';
import { poolNameOf } from './machine/build.js';
import type { Answer } from './machine/types.js';
import type { ServiceOptions } from './service-options.js';

/**
 * A NAK must carry the server id that the client knows (busybox udhcpc ignores any other), which is that of the pool
 * it asks for, not of the pool it is to move to.
 */
function poolOf(address: Ipv4 | null, pools: AddressPools): PoolTerms | null {
  return address === null ? null : pools.termsAt(address);
}

function withOptions(terms: PoolTerms, ofService: readonly LeaseOption[]): PoolTerms {
  return ofService.length === 0
    ? terms
    : { ...terms, options: mergedOptions(terms.options ?? [], ofService) };
}

export function verdictOf(
  answer: Exclude<Answer, { say: 'hold' }>,
  context: {
    readonly pools: AddressPools;
    readonly services: ServiceOptions;
    readonly asked: Ipv4 | null;
  },
): DhcpVerdict {
  if (answer.say === 'silence') return { kind: 'silence', reason: answer.reason };
  const poolName = poolNameOf(answer.grant);
  const terms = context.pools.terms(poolName);
  if (terms === null) return { kind: 'silence', reason: `pool ${poolName} is gone` };
  if (answer.say === 'nak') {
    const known = poolOf(context.asked, context.pools) ?? terms;
    return { kind: 'nak', poolName, reason: answer.reason, serverId: known.gateway };
  }
  return {
    kind: answer.say,
    poolName,
    terms: leaseTerms(withOptions(terms, context.services.of(answer.grant.profile.serviceId)), answer.grant),
    serverId: terms.gateway,
  };
}
