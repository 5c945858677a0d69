/**
 * Subscribers with an address of their own, who do not ask for it: what happens when one is sighted, and how orders are carried
 * out in place, since nobody who does not ask can be moved.
 */
import { isSameAttachment } from '../../model/access-line.js';
import { unchanged } from './build.js';
import { bind, onDhcp, reattach } from './dhcp.js';
import type { Grant, Served, SightedEvent, StationEvent, Transition } from './types.js';

/** Binds the station that was sighted with the line's own address, or follows it to other tags. Any other address is nothing. */
export function onSighted(state: Served, event: SightedEvent): Transition {
  const { grant, lease, held } = state;
  const { address, attachment } = event;
  const isIts =
    grant.isStatic === true &&
    address === grant.address &&
    (grant.terms.fixedMac === undefined || grant.terms.fixedMac === attachment.mac);
  if (!isIts || held !== null) return unchanged({ state, step: null });
  if (lease.phase !== 'bound') return bind(state, event);
  if (isSameAttachment(lease.attachment, attachment)) return unchanged({ state, step: null });
  return reattach(state, event);
}

/** What a station has said, in a state with a grant. */
export function onStation(state: Served, event: StationEvent): Transition {
  return event.type === 'sighted' ? onSighted(state, event) : onDhcp(state, event);
}

/** The same address under another profile; a static address stays in the pool that it lies in. */
export function inPlace(grant: Grant, profile: Grant['profile'], walled: boolean): Grant {
  return { ...grant, profile: { ...profile, poolName: grant.profile.poolName, walled } };
}
