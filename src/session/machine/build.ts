/** Small constructors that keep the machine's rows short. */
import type { Attachment } from '../../model/access-line.js';
import type { ServiceProfile } from '../../model/service-profile.js';
import type { SubscriberEntry } from '../../dataplane/port.js';
import type { Answer, Ask, Effect, Grant, Held, Served, Session, State, Step, Transition } from './types.js';

/** The session stays, or goes to `state`, and nothing is out with the world. */
export function settle(state: State, ...effects: readonly Effect[]): Transition {
  return { session: { state, step: null }, effects, ask: null };
}

/** The session waits in `step` for the answer to `ask`. */
export function wait(state: State, step: Step, ask: Ask, ...effects: readonly Effect[]): Transition {
  return { session: { state, step }, effects, ask };
}

export function unchanged(session: Session): Transition {
  return { session, effects: [], ask: null };
}

export function answer(value: Answer): Effect {
  return { type: 'answer', answer: value };
}

export function silence(reason: string): Effect {
  return answer({ say: 'silence', reason });
}

/** `walled` overrides the profile while a suspended subscriber still has its old address. */
export function entryOf(
  grant: Grant,
  attachment: Attachment,
  walled = grant.profile.walled,
): SubscriberEntry {
  return {
    address: grant.address,
    attachment,
    walled,
    downloadBitsPerSecond: grant.profile.downloadBitsPerSecond,
    uploadBitsPerSecond: grant.profile.uploadBitsPerSecond,
  };
}

/** The pool that the granted address is of. */
export function poolNameOf({ poolName, profile }: Grant): string {
  return poolName ?? profile.poolName;
}

/** The profile as it is served: with the pool itself where a group of pools was granted. */
export function servedProfile(grant: Grant): ServiceProfile {
  const { profile, poolName } = grant;
  return poolName === undefined ? profile : { ...profile, poolName };
}

/** The lease the client has right now, whichever it is; null when it has none. */
export function holding(state: Served): Held | null {
  if (state.lease.phase !== 'bound') return state.held;
  return { grant: state.grant, attachment: state.lease.attachment, expiresAtMs: state.lease.expiresAtMs };
}

export function isServed(state: State): state is Served {
  return state.name !== 'discovered' && state.name !== 'terminated';
}
