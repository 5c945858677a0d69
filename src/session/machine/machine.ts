/**
 * The session machine: `(session, event) → session + effects + at most one question to the world`. Pure and total: every
 * state takes every event. Holds no time, no I/O and no memory of its own.
 */
import { onAnswer } from './answers.js';
import { answer, isServed, settle, silence, unchanged, wait } from './build.js';
import { onAnswered, onDhcp } from './dhcp.js';
import { close, onOrder } from './orders.js';
import { onSighted } from './static.js';
import type {
  AnswerEvent,
  DhcpEvent,
  OrderEvent,
  Served,
  Session,
  SessionEvent,
  State,
  Transition,
} from './types.js';

const DHCP_EVENTS: ReadonlySet<string> = new Set(['discover', 'request', 'inform', 'release', 'decline']);
const ORDER_EVENTS: ReadonlySet<string> = new Set(['activate', 'suspend', 'resume', 'terminate', 'change']);
const ANSWER_EVENTS: ReadonlySet<string> = new Set([
  'allocated',
  'allocation-failed',
  'installed',
  'install-failed',
  'updated',
  'update-failed',
  'removed',
  'remove-failed',
  'probed',
  'reconfigured',
  'reconfigure-failed',
]);

function isDhcp(event: SessionEvent): event is DhcpEvent {
  return DHCP_EVENTS.has(event.type);
}

function isOrder(event: SessionEvent): event is OrderEvent {
  return ORDER_EVENTS.has(event.type);
}

function isAnswer(event: SessionEvent): event is AnswerEvent {
  return ANSWER_EVENTS.has(event.type);
}

export const NEW_SESSION: Session = {
  state: { name: 'discovered', auth: 'pending', waiting: null },
  step: null,
};

/** Says what happens when `event` meets `session`. While a question is out, anything but its answer changes nothing. */
export function transition(session: Session, event: SessionEvent): Transition {
  const { state, step } = session;
  if (step !== null) {
    const next = isAnswer(event) && isServed(state) ? onAnswer(state, step, event) : null;
    return next ?? unchanged(session);
  }
  if (isAnswer(event)) return unchanged(session);
  switch (state.name) {
    case 'discovered':
      return onDiscovered(state, event);
    case 'terminated':
      return onTerminated(state, event);
    case 'wgar':
    case 'activating':
    case 'active':
    case 'suspended':
      return onServed(state, event);
  }
}

function onServed(state: Served, event: Exclude<SessionEvent, AnswerEvent>): Transition {
  if (isDhcp(event)) return onDhcp(state, event);
  if (isOrder(event)) return onOrder(state, event);
  switch (event.type) {
    case 'answered':
      return onAnswered(state, event);
    case 'sighted':
      return onSighted(state, event);
    case 'lease-expired':
      if (state.lease.phase !== 'bound' || state.lease.expiresAtMs > event.nowMs) break;
      return close(state, 'Lost-Carrier', false);
    case 'held-expired':
      if (state.held === null || state.held.expiresAtMs > event.nowMs) break;
      return wait(
        state,
        { kind: 'dropping-held', cause: 'Lost-Carrier' },
        { ask: 'remove', address: state.held.grant.address },
      );
    case 'unbound-expired':
      if (event.lineKnown || state.lease.phase === 'bound' || state.held !== null) break;
      return close(state, 'Lost-Carrier', false);
    case 'reprovision': {
      const { profile } = state.grant;
      return wait(state, { kind: 'provisioning', waiting: null }, { ask: 'reconfigure', profile });
    }
    case 'relocate': {
      // Who does not ask cannot be moved.
      if (state.grant.isStatic === true) break;
      const { profile, terms } = state.grant;
      return wait(state, { kind: 'relocating' }, { ask: 'allocate', profile, terms });
    }
    case 'end':
      return close(state, event.cause, false);
    case 'created':
    case 'authorised':
    case 'not-authorised':
    case 'not-admitted':
      break;
  }
  return unchanged({ state, step: null });
}

type Discovered = Extract<State, { name: 'discovered' }>;

function onDiscovered(state: Discovered, event: Exclude<SessionEvent, AnswerEvent>): Transition {
  switch (event.type) {
    case 'created':
      return settle(state, { type: 'authenticate' });
    case 'authorised':
      return onAuthorised(state, event);
    case 'not-authorised': {
      const effects = state.waiting === null ? [] : [silence(event.reason)];
      return settle(
        { name: 'discovered', auth: 'refused', waiting: null },
        ...effects,
        { type: 'trouble', reason: event.reason },
        { type: 'watch-unbound' },
      );
    }
    case 'not-admitted': {
      const effects = state.waiting === null ? [] : [silence(event.reason)];
      const refused = { name: 'discovered', auth: 'refused', waiting: null } as const;
      return settle(refused, ...effects, { type: 'watch-unbound' });
    }
    case 'discover':
    case 'request': {
      // The client's own retransmissions pace the retries; while one authentication is out there is never a second.
      const again = state.auth === 'refused' ? ([{ type: 'authenticate' }] as const) : [];
      const next: State = { name: 'discovered', auth: 'pending', waiting: event };
      return settle(next, answer({ say: 'hold' }), ...again);
    }
    case 'sighted': {
      // A client that waits for an answer comes first; who only uses an address will be sighted again.
      if (state.waiting !== null) return unchanged({ state, step: null });
      const again = state.auth === 'refused' ? ([{ type: 'authenticate' }] as const) : [];
      return settle({ name: 'discovered', auth: 'pending', waiting: event }, ...again);
    }
    case 'inform':
    case 'release':
    case 'decline':
      return settle(state, silence('not authenticated'));
    case 'activate':
    case 'suspend':
    case 'resume':
    case 'change':
      return settle(state, {
        type: 'order-refused',
        kind: 'conflict',
        reason: 'the line is not authenticated',
      });
    case 'terminate':
      return settle(
        { name: 'terminated', cause: 'Admin-Reset' },
        { type: 'forget' },
        { type: 'order-done', message: 'terminated' },
      );
    case 'unbound-expired':
      return event.lineKnown
        ? unchanged({ state, step: null })
        : settle({ name: 'terminated', cause: 'Lost-Carrier' });
    case 'end':
      return settle({ name: 'terminated', cause: event.cause });
    case 'answered':
    case 'lease-expired':
    case 'held-expired':
    case 'reprovision':
    case 'relocate':
      return unchanged({ state, step: null });
  }
}

function onAuthorised(state: Discovered, event: Extract<SessionEvent, { type: 'authorised' }>): Transition {
  const { grant, resumeTo } = event;
  const name = resumeTo !== null ? 'suspended' : grant.profile.walled ? 'wgar' : 'active';
  const served: Served = { name, grant, resumeTo, lease: { phase: 'none' }, held: null };
  // The access node may know nothing of this service (a subscriber who comes back), or still have an older one.
  const step = { kind: 'provisioning', waiting: state.waiting } as const;
  const ask = { ask: 'reconfigure', profile: grant.profile } as const;
  // A client may be told NAK and never come back; its grant must not stay out because no offer was made.
  return wait(served, step, ask, { type: 'watch-unbound' });
}

function onTerminated(state: State, event: Exclude<SessionEvent, AnswerEvent>): Transition {
  if (isDhcp(event)) return settle(state, silence('the session has ended'));
  if (isOrder(event)) {
    return settle(state, { type: 'order-refused', kind: 'conflict', reason: 'the session has ended' });
  }
  // Authentication outlived the session: what it was granted goes back.
  if (event.type === 'authorised') return settle(state, { type: 'free', grant: event.grant });
  return unchanged({ state, step: null });
}
