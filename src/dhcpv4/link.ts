/**
 * Whether an address is good on the client's link, where a relay says which link that is: giaddr (RFC 2131 §4.3.1) or link
 * selection (RFC 3527). The address itself is chosen at authentication; what does not fit its link is not handed out.
 */
import { prefixContains } from '../model/ipv4.js';
import type { DhcpVerdict, LeaseInspection, PoolPlace } from '../session/inlet.js';
import type { ClientMessage, DhcpRules, Way } from './classify.js';

/** Pools whose addresses are good there; null where nobody says, or what is said names no link of ours. */
export type Link = {
  readonly pools: readonly string[];
  readonly place: (at: ClientMessage) => PoolPlace | null;
} | null;

/** The answer to whom no address of its link can be given. */
export const WRONG_LINK: DhcpVerdict = {
  kind: 'silence',
  reason: 'the address is not good on the link of the relay',
};

/**
 * Relays that are not configured are heard as they were sent: their giaddr says where answers go. Link selection is obeyed in
 * any case, and one of no network of ours has no address for anybody.
 */
export function linkOf(
  { giaddr, link }: Way,
  { leases, relays }: { readonly leases: LeaseInspection; readonly relays: DhcpRules['relays'] },
): Link {
  if (link === null) return null;
  const isSelected = link !== giaddr;
  if (relays === null && !isSelected) return null;
  const place = (message: ClientMessage): PoolPlace | null =>
    message.type === 'discover' ? null : leases.poolAt(message.address);
  const named = isSelected ? [] : (relays?.get(giaddr)?.pools ?? []);
  if (named.length > 0) return { pools: named, place };
  const own = leases.poolAt(link);
  if (own !== null) return { pools: [own.poolName], place };
  return isSelected ? { pools: [], place } : null;
}

/**
 * RFC 2131 §4.3.2: a client that asks for an address of another link is told so, before any session hears of it. Of several
 * servers only the one that it asked may say no.
 */
export function refusalOf(message: ClientMessage, link: Link): DhcpVerdict | null {
  if (link === null || message.type !== 'request') return null;
  const place = link.place(message);
  if (place === null || link.pools.includes(place.poolName)) return null;
  const reason = 'that address is not good on this link';
  return { kind: 'nak', poolName: place.poolName, reason, serverId: place.gateway };
}

/** RFC 2131 §4.3.5: whoever has an address of another network has no use for these parameters. */
function isConsistent(message: ClientMessage, verdict: DhcpVerdict): boolean {
  if (message.type !== 'inform' || verdict.kind !== 'inform') return true;
  return prefixContains(verdict.terms.network, message.address);
}

/** What the session says, unless it is an address that the link cannot use. */
export function goodOn(link: Link, message: ClientMessage, verdict: DhcpVerdict): DhcpVerdict {
  if (!isConsistent(message, verdict)) return WRONG_LINK;
  if (link === null || (verdict.kind !== 'offer' && verdict.kind !== 'ack')) return verdict;
  return link.pools.includes(verdict.poolName) ? verdict : WRONG_LINK;
}
