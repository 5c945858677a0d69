/** What the operator's orders do: activation, suspension, resumption, termination. Each is a walk of several steps. */
import type { TerminateCause } from '../../aaa/port.js';
import { entryOf, holding, settle, wait } from './build.js';
import { inPlace } from './static.js';
import type { Effect, Grant, OrderEvent, OrderName, Served, State, Transition } from './types.js';

function conflict(state: State, reason: string): Transition {
  return settle(state, { type: 'order-refused', kind: 'conflict', reason });
}

const STAYS = 'a static address stays in its pool';

/** A subscriber that does not ask for its address is walled where it is. */
function wall(state: Served, garden: Grant['profile']): Transition {
  return onGrantForOrder(state, 'suspend', inPlace(state.grant, garden, true));
}

function resume(
  state: Served,
  profile: Grant['profile'],
  terms: Grant['terms'] = state.grant.terms,
): Transition {
  if (state.grant.isStatic !== true) return allocate(state, 'resume', profile);
  return onGrantForOrder(state, 'resume', { ...inPlace(state.grant, profile, false), terms });
}

function sameService(a: Grant['profile'], b: Grant['profile']): boolean {
  return (
    a.serviceId === b.serviceId &&
    a.poolName === b.poolName &&
    a.downloadBitsPerSecond === b.downloadBitsPerSecond &&
    a.uploadBitsPerSecond === b.uploadBitsPerSecond
  );
}

/** Handles an order in a state with a grant. Repeating an order that is already true, or under way, changes nothing. */
export function onOrder(state: Served, event: OrderEvent): Transition {
  switch (event.type) {
    case 'activate':
      if (state.name === 'wgar') return allocate(state, 'activate', event.profile);
      if (state.name === 'suspended') return conflict(state, 'the subscriber is suspended: resume it');
      if (state.grant.profile.poolName !== event.profile.poolName)
        return conflict(state, 'a service of another pool is in place');
      if (!sameService(state.grant.profile, event.profile))
        return change(state, { ...event, type: 'change', terms: state.grant.terms });
      return settle(state, {
        type: 'order-done',
        message: state.name === 'active' ? 'already active' : 'activation is under way',
      });
    case 'suspend':
      if (state.name === 'wgar') return conflict(state, 'the subscriber was never activated');
      if (state.name === 'suspended')
        return settle(state, { type: 'order-done', message: 'already suspended' });
      if (state.grant.isStatic === true) return wall(state, event.profile);
      return allocate(state, 'suspend', event.profile);
    case 'resume':
      if (state.resumeTo !== null) return resume(state, state.resumeTo);
      if (state.name === 'wgar') return conflict(state, 'the subscriber was never activated');
      return settle(state, { type: 'order-done', message: 'not suspended' });
    case 'terminate':
      return close(state, 'Admin-Reset', true);
    case 'change':
      return change(state, event);
  }
}

/** A change inside the pool replaces the entry in place; one between garden and ISP is the operator's own walk. */
function change(state: Served, { profile, terms }: Extract<OrderEvent, { type: 'change' }>): Transition {
  const { isStatic } = state.grant;
  if (profile.poolName !== state.grant.profile.poolName) {
    if (isStatic === true) return profile.walled ? wall(state, profile) : conflict(state, STAYS);
    if (profile.walled) return allocate(state, 'suspend', profile, terms);
    return allocate(state, state.name === 'suspended' ? 'resume' : 'activate', profile, terms);
  }
  // What is walled in place has its own pool's name.
  if (isStatic === true && state.name === 'suspended' && !profile.walled) {
    return resume(state, profile, terms);
  }
  const grant: Grant = { ...state.grant, profile, terms };
  if (state.lease.phase !== 'bound') return reprofiled(state, grant);
  const entry = entryOf(grant, state.lease.attachment);
  return wait(state, { kind: 'reprofiling', grant }, { ask: 'update', entry });
}

/** The dataplane, where it had anything of this subscriber, has the new profile. */
export function reprofiled(state: Served, grant: Grant): Transition {
  const assign = { type: 'assign', profile: grant.profile, resumeTo: state.resumeTo } as const;
  const next: State = { ...state, grant };
  return settle(
    next,
    assign,
    { type: 'lease-reprofiled', grant },
    { type: 'order-done', message: 'changed' },
  );
}

function allocate(
  state: Served,
  order: OrderName,
  profile: Grant['profile'],
  terms: Grant['terms'] | null = null,
): Transition {
  return wait(state, { kind: 'allocating', order, profile }, { ask: 'allocate', profile, terms });
}

/** A new grant is there: suspension walls what the client has at once, the others go on to the access node. */
export function onGrantForOrder(state: Served, order: OrderName, grant: Grant): Transition {
  const now = holding(state);
  if (order === 'suspend' && now !== null) {
    return wait(
      state,
      { kind: 'walling', grant },
      { ask: 'update', entry: entryOf(now.grant, now.attachment, true) },
    );
  }
  return reconfigure(state, order, grant);
}

export function reconfigure(state: Served, order: OrderName, grant: Grant, ...effects: Effect[]): Transition {
  return wait(
    state,
    { kind: 'reconfiguring', order, grant },
    { ask: 'reconfigure', profile: grant.profile },
    ...effects,
  );
}

/** The access node refused: the new grant goes back, and the session is what it was. */
export function abandonOrder(state: Served, grant: Grant, reason: string): Transition {
  const now = holding(state);
  const shared = grant.address === state.grant.address || grant.address === now?.grant.address;
  const back: Effect[] = shared ? [] : [{ type: 'free', grant }];
  return settle(state, ...back, { type: 'order-refused', kind: 'failed', reason });
}

/** What goes when a new grant takes the place of the old one, and what is to be remembered. */
function granted(
  state: Served,
  order: OrderName,
  grant: Grant,
): Pick<Served, 'resumeTo'> & { effects: Effect[] } {
  const unused =
    state.grant.address !== grant.address && state.grant.address !== holding(state)?.grant.address;
  const resumeTo = order === 'suspend' ? (state.resumeTo ?? state.grant.profile) : null;
  const effects: Effect[] = unused ? [{ type: 'free', grant: state.grant }] : [];
  return { resumeTo, effects: [...effects, { type: 'assign', profile: grant.profile, resumeTo }] };
}

/**
 * The access node has the new service. When the client already holds the very address that was granted, only the
 * dataplane changes; otherwise the old lease is held until the client asks and is told to move.
 */
export function regrant(state: Served, order: OrderName, grant: Grant, ...before: Effect[]): Transition {
  const now = holding(state);
  if (now !== null && now.grant.address === grant.address) {
    const entry = entryOf(grant, now.attachment);
    return wait(state, { kind: 'opening', order, grant }, { ask: 'update', entry }, ...before);
  }
  const suspended = order === 'suspend';
  const { resumeTo, effects } = granted(state, order, grant);
  const next: Served = {
    name: suspended ? 'suspended' : 'activating',
    grant,
    lease: { phase: 'none' },
    held: now,
    resumeTo,
  };
  const message = suspended
    ? 'suspended; the subscriber moves to the garden'
    : 'activated; the subscriber moves when it asks';
  return settle(
    next,
    ...before,
    ...effects,
    { type: 'deadline', which: 'lease', atMs: null },
    { type: 'deadline', which: 'held', atMs: now?.expiresAtMs ?? null },
    { type: 'order-done', message },
  );
}

/** The dataplane serves the address that the client already has as the new grant says; only now the session does. */
export function opened(state: Served, order: OrderName, grant: Grant): Transition | null {
  const now = holding(state);
  if (now === null) return null;
  const name = order === 'suspend' ? 'suspended' : 'active';
  const { resumeTo, effects } = granted(state, order, grant);
  const lease = { phase: 'bound', attachment: now.attachment, expiresAtMs: now.expiresAtMs } as const;
  return settle(
    { name, grant, lease, held: null, resumeTo },
    ...effects,
    { type: 'deadline', which: 'held', atMs: null },
    { type: 'deadline', which: 'lease', atMs: now.expiresAtMs },
    { type: 'lease-reprofiled', grant },
    { type: 'order-done', message: `now ${name}` },
  );
}

/** Ends the session: takes out what is installed first, and frees only after that. */
export function close(state: Served, cause: TerminateCause, ordered: boolean): Transition {
  const now = holding(state);
  if (now === null) return closed(state, cause, ordered, []);
  return wait(state, { kind: 'closing', cause, ordered }, { ask: 'remove', address: now.grant.address });
}

/** Everything is out of the dataplane; `effects` come first. */
export function closed(
  state: Served,
  cause: TerminateCause,
  ordered: boolean,
  effects: Effect[],
): Transition {
  return settle(
    { name: 'terminated', cause },
    ...effects,
    { type: 'free', grant: state.grant },
    ...(ordered ? ([{ type: 'forget' }, { type: 'order-done', message: 'terminated' }] as const) : []),
  );
}
