/** What the world's answers do: each step of a walk, and what comes after it. */
import type { TerminateCause } from '../../aaa/port.js';
import type { TrafficCounters } from '../../model/traffic-counters.js';
import { answer, holding, settle, silence, wait } from './build.js';
import { bind, onDhcp, renew } from './dhcp.js';
import {
  abandonOrder,
  close,
  closed,
  onGrantForOrder,
  opened,
  reconfigure,
  regrant,
  reprofiled,
} from './orders.js';
import type { AnswerEvent, DhcpEvent, Effect, Grant, Served, Step, Transition } from './types.js';

type StepOf<K extends Step['kind']> = Extract<Step, { kind: K }>;

/** Null when `event` does not answer this step. */
export function onAnswer(state: Served, step: Step, event: AnswerEvent): Transition | null {
  switch (step.kind) {
    case 'moving':
      return onMoved(state, step, event);
    case 'binding':
      return onBound(state, step, event);
    case 'reattaching':
      if (event.type === 'updated') return renew(state, step.attachment, step.nowMs);
      return event.type === 'update-failed'
        ? settle(state, ...failed(event.reason), silence(event.reason))
        : null;
    case 'releasing':
      if (event.type === 'removed') {
        return settle(
          { ...state, lease: { phase: 'none' } },
          { type: 'deadline', which: 'lease', atMs: null },
          { type: 'lease-ended', grant: state.grant, traffic: event.traffic, cause: 'User-Request' },
          { type: 'watch-unbound' },
        );
      }
      return event.type === 'remove-failed' ? settle(state, ...failed(event.reason)) : null;
    case 'dropping-held':
      if (event.type === 'removed') {
        return settle({ ...state, held: null }, ...heldGone(state, event.traffic, step.cause), {
          type: 'watch-unbound',
        });
      }
      return event.type === 'remove-failed' ? settle(state, ...failed(event.reason)) : null;
    case 'declining':
      return onDeclined(state, step, event);
    case 'probing':
      return onProbed(state, step, event);
    case 'replacing':
      if (event.type === 'allocated') return onDhcp({ ...state, grant: event.grant }, step.waiting);
      return event.type === 'allocation-failed' ? closeWithout(state, event.reason) : null;
    case 'provisioning':
      return onProvisioned(state, step, event);
    case 'relocating':
      if (event.type === 'allocated') return relocated(state, event.grant);
      return event.type === 'allocation-failed' ? stay(state, event.reason) : null;
    case 'allocating':
      if (event.type === 'allocated') return onGrantForOrder(state, step.order, event.grant);
      return event.type === 'allocation-failed'
        ? settle(state, { type: 'order-refused', kind: 'failed', reason: event.reason })
        : null;
    case 'walling':
      if (event.type === 'updated') return reconfigure(state, 'suspend', step.grant);
      return event.type === 'update-failed' ? abandonOrder(state, step.grant, event.reason) : null;
    case 'reconfiguring':
      return onReconfigured(state, step, event);
    case 'opening':
      if (event.type === 'updated') return opened(state, step.order, step.grant);
      return event.type === 'update-failed' ? abandonOrder(state, step.grant, event.reason) : null;
    case 'reprofiling':
      if (event.type === 'updated') return reprofiled(state, step.grant);
      return event.type === 'update-failed'
        ? settle(state, { type: 'order-refused', kind: 'failed', reason: event.reason })
        : null;
    case 'closing':
      return onClosed(state, step, event);
  }
}

/** The access node's refusal does not stop the session: the dataplane enforces the profile, whatever the VLAN is. */
function onProvisioned(state: Served, step: StepOf<'provisioning'>, event: AnswerEvent): Transition | null {
  if (event.type !== 'reconfigured' && event.type !== 'reconfigure-failed') return null;
  const next = step.waiting === null ? settle(state) : onDhcp(state, step.waiting);
  return event.type === 'reconfigured'
    ? next
    : { ...next, effects: [...failed(event.reason), ...next.effects] };
}

function failed(reason: string): Effect[] {
  return [{ type: 'trouble', reason }];
}

function heldGone(state: Served, traffic: TrafficCounters, cause: TerminateCause): Effect[] {
  if (state.held === null) return [];
  const { grant } = state.held;
  return [
    { type: 'deadline', which: 'held', atMs: null },
    { type: 'lease-ended', grant, traffic, cause },
    { type: 'free', grant },
  ];
}

function onMoved(
  state: Served,
  step: Extract<Step, { attachment: unknown }>,
  event: AnswerEvent,
): Transition | null {
  if (event.type === 'remove-failed') return settle(state, ...failed(event.reason), silence(event.reason));
  if (event.type !== 'removed') return null;
  const next = bind({ ...state, held: null }, step);
  return { ...next, effects: [...heldGone(state, event.traffic, 'NAS-Request'), ...next.effects] };
}

function onBound(
  state: Served,
  step: Extract<Step, { attachment: unknown }>,
  event: AnswerEvent,
): Transition | null {
  if (event.type === 'install-failed') return settle(state, ...failed(event.reason), silence(event.reason));
  if (event.type !== 'installed') return null;
  const expiresAtMs = step.nowMs + state.grant.leaseSeconds * 1000;
  const lease = { phase: 'bound', attachment: step.attachment, expiresAtMs } as const;
  const name = state.name === 'activating' ? 'active' : state.name;
  return settle(
    { ...state, name, lease },
    { type: 'deadline', which: 'lease', atMs: expiresAtMs },
    { type: 'lease-started', grant: state.grant, attachment: step.attachment },
    answer({ say: 'ack', grant: state.grant }),
  );
}

/**
 * What the client has goes on until it asks for it: it is told NAK then and gets the new address. Like a grant that an order
 * makes, but the service is the same one, so the access node has nothing to do with it.
 */
function relocated(state: Served, grant: Grant): Transition {
  if (grant.address === state.grant.address) return stay(state, 'its pool is drained, and no other has room');
  const now = holding(state);
  const isHeld = now?.grant.address === state.grant.address;
  return settle(
    { ...state, grant, lease: { phase: 'none' }, held: now },
    ...(isHeld ? [] : ([{ type: 'free', grant: state.grant }] as const)),
    { type: 'deadline', which: 'lease', atMs: null },
    { type: 'deadline', which: 'held', atMs: now?.expiresAtMs ?? null },
  );
}

/** A client keeps the address it has; without a client it is not worth keeping a pool from going. */
function stay(state: Served, reason: string): Transition {
  return holding(state) === null ? closeWithout(state, reason) : settle(state, ...failed(reason));
}

/** Three answers come in turn: the removal, then the allocation of another address. */
function onDeclined(state: Served, step: StepOf<'declining'>, event: AnswerEvent): Transition | null {
  if (event.type === 'removed') {
    const ended: Effect[] =
      state.lease.phase === 'bound'
        ? [
            { type: 'deadline', which: 'lease', atMs: null },
            { type: 'lease-ended', grant: state.grant, traffic: event.traffic, cause: 'User-Request' },
          ]
        : [];
    return wait(
      { ...state, lease: { phase: 'none' } },
      step,
      { ask: 'allocate', profile: state.grant.profile, terms: null },
      ...ended,
      { type: 'quarantine', grant: step.quarantine },
    );
  }
  if (event.type === 'allocated') return settle({ ...state, grant: event.grant });
  if (event.type === 'remove-failed') return settle(state, ...failed(event.reason));
  return event.type === 'allocation-failed' ? closeWithout(state, event.reason) : null;
}

/** There is no address for the subscriber any more. */
function closeWithout(state: Served, reason: string): Transition {
  const closing = close(state, 'Service-Unavailable', false);
  return { ...closing, effects: [...failed(reason), ...closing.effects] };
}

/** RFC 2131 §4.3.1: an address that somebody answers for is taken out of use, and another is tried. */
function onProbed(
  state: Served,
  step: Extract<Step, { waiting: DhcpEvent }>,
  event: AnswerEvent,
): Transition | null {
  if (event.type !== 'probed') return null;
  const { waiting } = step;
  const { isUnproven: _known, ...grant } = state.grant;
  if (!event.isInUse) return onDhcp({ ...state, grant }, waiting);
  return wait(
    state,
    { kind: 'replacing', waiting },
    { ask: 'allocate', profile: grant.profile, terms: null },
    { type: 'quarantine', grant },
  );
}

function onReconfigured(state: Served, step: StepOf<'reconfiguring'>, event: AnswerEvent): Transition | null {
  if (event.type === 'reconfigured') return regrant(state, step.order, step.grant);
  if (event.type !== 'reconfigure-failed') return null;
  // A subscriber who must be cut off is cut off, whether or not the access node follows: the garden is enforced here.
  if (step.order === 'suspend') return regrant(state, 'suspend', step.grant, ...failed(event.reason));
  return abandonOrder(state, step.grant, event.reason);
}

function onClosed(state: Served, step: StepOf<'closing'>, event: AnswerEvent): Transition | null {
  const now = holding(state);
  if (now === null) return null;
  if (event.type === 'removed') {
    const ended: Effect[] = [
      { type: 'lease-ended', grant: now.grant, traffic: event.traffic, cause: step.cause },
    ];
    if (state.held !== null) ended.push({ type: 'free', grant: now.grant });
    return closed(state, step.cause, step.ordered, ended);
  }
  if (event.type !== 'remove-failed') return null;
  // The kernel still holds the address: it must not be given to another, so it is not freed.
  const refused: Effect[] = step.ordered
    ? [{ type: 'order-refused', kind: 'failed', reason: event.reason }]
    : [];
  return settle(state, ...failed(event.reason), ...refused);
}
