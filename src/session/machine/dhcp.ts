/**
 * What DHCP messages do to a session that has a grant (RFC 2131 §4.3). The grant was made at authentication time; here it
 * is only read. Invariants: install before promise; remove, read, report, free, in this order.
 */
import { isSameAttachment } from '../../model/access-line.js';
import type { StandingPromise } from '../../dataplane/port.js';
import { formatIpv4 } from '../../model/ipv4.js';
import { answer, entryOf, holding, settle, silence, wait } from './build.js';
import type { DhcpEvent, Grant, Held, Served, SessionEvent, State, Transition } from './types.js';

type DiscoverEvent = Extract<DhcpEvent, { type: 'discover' }>;
type RequestEvent = Extract<DhcpEvent, { type: 'request' }>;
type OtherDhcpEvent = Exclude<DhcpEvent, DiscoverEvent | RequestEvent>;

/** Handles a DHCP message in a state with a grant. */
export function onDhcp(state: Served, event: DhcpEvent): Transition {
  switch (event.type) {
    case 'discover':
      return onDiscover(state, event);
    case 'request':
      return onRequest(state, event);
    case 'inform':
      return onInform(state);
    case 'release':
      return onRelease(state, event);
    case 'decline':
      return onDecline(state, event);
  }
}

function onDiscover(state: Served, event: DiscoverEvent): Transition {
  const { address, isUnproven } = state.grant;
  if (isUnproven === true && state.lease.phase === 'none') {
    const { attachment } = event;
    return wait(state, { kind: 'probing', waiting: event }, { ask: 'probe', address, attachment });
  }
  const offer = answer({ say: 'offer', grant: state.grant });
  if (state.lease.phase === 'bound') return settle(state, offer);
  const lease = { phase: 'offered', attachment: event.attachment } as const;
  return settle({ ...state, lease }, offer, { type: 'watch-unbound' });
}

/**
 * RFC 2131 §4.3.2: a request for any address but the granted one is answered with NAK in every one of its kinds, because
 * this server is authoritative for its lines and knows the client; that NAK is what moves a client between pools.
 */
function onRequest(state: Served, event: RequestEvent): Transition {
  const { grant, lease, held } = state;
  if (event.address !== grant.address) {
    const reason = `${formatIpv4(event.address)} is not this line's address`;
    return settle(state, answer({ say: 'nak', grant, reason }));
  }
  if (lease.phase === 'bound') {
    if (isSameAttachment(lease.attachment, event.attachment))
      return renew(state, event.attachment, event.nowMs);
    return reattach(state, event);
  }
  if (held !== null) {
    const step = { kind: 'moving', attachment: event.attachment, nowMs: event.nowMs } as const;
    return wait(state, step, { ask: 'remove', address: held.grant.address });
  }
  return bind(state, event);
}

/** Asks for the install that must come before the ACK. */
export function bind(state: Served, at: Pick<RequestEvent, 'attachment' | 'nowMs'>): Transition {
  const step = { kind: 'binding', attachment: at.attachment, nowMs: at.nowMs } as const;
  return wait(state, step, { ask: 'install', entry: entryOf(state.grant, at.attachment) });
}

/** The station of a bound lease is elsewhere now: the dataplane has to follow. */
export function reattach(
  state: Served,
  { attachment, nowMs }: Pick<RequestEvent, 'attachment' | 'nowMs'>,
): Transition {
  const step = { kind: 'reattaching', attachment, nowMs } as const;
  return wait(state, step, { ask: 'update', entry: entryOf(state.grant, attachment) });
}

/** Nobody renews a static address. */
export function leaseEnd({ isStatic, leaseSeconds }: Grant, nowMs: number): number {
  return isStatic === true ? Infinity : nowMs + leaseSeconds * 1000;
}

/** Extends a bound lease and acknowledges. */
export function renew(state: Served, attachment: RequestEvent['attachment'], nowMs: number): Transition {
  const expiresAtMs = leaseEnd(state.grant, nowMs);
  const next: State = { ...state, lease: { phase: 'bound', attachment, expiresAtMs } };
  return settle(
    next,
    { type: 'deadline', which: 'lease', atMs: expiresAtMs },
    { type: 'lease-renewed', grant: state.grant },
    answer({ say: 'ack', grant: state.grant }),
  );
}

/**
 * The client was told, and counts from then on, whatever has been ordered meanwhile. What comes late, behind a later
 * renewal, shortens nothing. A client that was told so after it had released the lease, of which we read only then, has it
 * again: nobody else can have been given it.
 */
export function onAnswered(state: Served, event: Extract<SessionEvent, { type: 'answered' }>): Transition {
  const now = holding(state);
  const expiresAtMs = event.atMs + event.leaseSeconds * 1000;
  if (now === null && event.address === state.grant.address) {
    return bind(state, { attachment: event.attachment, nowMs: event.atMs });
  }
  if (now === null || !prolongs({ ...event, expiresAtMs }, now)) return settle(state);
  const renewed = { type: 'lease-renewed', grant: now.grant } as const;
  if (state.lease.phase === 'bound') {
    const lease = { ...state.lease, expiresAtMs };
    return settle({ ...state, lease }, { type: 'deadline', which: 'lease', atMs: expiresAtMs }, renewed);
  }
  const held = { ...now, expiresAtMs };
  return settle({ ...state, held }, { type: 'deadline', which: 'held', atMs: expiresAtMs }, renewed);
}

/** Whether a promise is one of this lease, and longer. */
export function prolongs({ address, attachment, expiresAtMs }: StandingPromise, now: Held): boolean {
  return (
    now.grant.address === address &&
    isSameAttachment(now.attachment, attachment) &&
    expiresAtMs > now.expiresAtMs
  );
}

/** RFC 2131 §4.3.5: whether there is a lease must not matter. Whether the address fits the network, the inlet looks. */
function onInform(state: Served): Transition {
  return settle(state, answer({ say: 'inform', grant: holding(state)?.grant ?? state.grant }));
}

/** A RELEASE counts only from where the lease is bound, so that nobody releases another's address (RFC 2131 §4.3.4). */
function onRelease(state: Served, event: OtherDhcpEvent): Transition {
  const now = holding(state);
  const owns =
    now !== null && now.grant.address === event.address && isSameAttachment(now.attachment, event.attachment);
  if (!owns) return settle(state, silence('release of an address that this line does not have'));
  const done = silence('a release has no answer');
  const step =
    state.lease.phase === 'bound'
      ? ({ kind: 'releasing' } as const)
      : ({ kind: 'dropping-held', cause: 'User-Request' } as const);
  return wait(state, step, { ask: 'remove', address: event.address }, done);
}

/** RFC 2131 §4.3.3: the address is in use by somebody else, so it is taken out of use and another is granted. */
function onDecline(state: Served, event: OtherDhcpEvent): Transition {
  const { grant, lease } = state;
  const owns =
    lease.phase !== 'none' &&
    event.address === grant.address &&
    isSameAttachment(lease.attachment, event.attachment);
  if (!owns) return settle(state, silence('decline of an address that this line does not have'));
  const done = silence('a decline has no answer');
  const step = { kind: 'declining', quarantine: grant } as const;
  return wait(state, step, { ask: 'remove', address: grant.address }, done);
}
