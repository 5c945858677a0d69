/**
 * Which transitions a session's row shows. The others need no commit: what they lead to is found again by the client's next
 * message. Decides nothing of a session.
 */
import { isServed } from './machine/build.js';
import type { Grant, Session, State, Step } from './machine/types.js';

/** Whether the row of a session must be written anew. `hasRow`: one says, or is about to say, what the session was before. */
export function isRowChanged(before: Session, after: Session, hasRow: boolean): boolean {
  // Nothing has been promised to it yet.
  if (!hasRow && (!isServed(after.state) || after.step?.kind === 'provisioning')) return false;
  if (isStepKept(before.step) || isStepKept(after.step)) {
    if (before.step !== after.step) return true;
  }
  return before.state !== after.state && !(hasRow && isOfferOnly(before.state, after.state));
}

/** What a start has to go on with, or to tell the access node; of the other steps a row says nothing (see restore.ts). */
function isStepKept(step: Step | null): boolean {
  switch (step?.kind) {
    case undefined:
    case 'probing':
    case 'replacing':
    case 'binding':
    case 'reattaching':
    case 'relocating':
    case 'allocating':
    case 'walling':
    case 'reprofiling':
      return false;
    case 'moving':
    case 'releasing':
    case 'dropping-held':
    case 'declining':
    case 'provisioning':
    case 'reconfiguring':
    case 'opening':
    case 'closing':
      return true;
  }
}

/**
 * RFC 2131 §3.1 (2): an offer reserves nothing. The address is the session's since it was granted, and a REQUEST for it is
 * acknowledged whether or not the row says that it was offered.
 */
function isOfferOnly(before: State, after: State): boolean {
  return (
    isServed(before) &&
    isServed(after) &&
    before.lease.phase !== 'bound' &&
    after.lease.phase === 'offered' &&
    before.name === after.name &&
    before.held === after.held &&
    before.resumeTo === after.resumeTo &&
    isSameGrant(before.grant, after.grant)
  );
}

/** Whether the address was looked for meanwhile is not kept. */
function isSameGrant(a: Grant, b: Grant): boolean {
  return (
    a === b ||
    (a.address === b.address &&
      a.profile === b.profile &&
      a.terms === b.terms &&
      a.poolName === b.poolName &&
      a.leaseSeconds === b.leaseSeconds &&
      a.isStatic === b.isStatic)
  );
}
