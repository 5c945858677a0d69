/** The states and events that the machine's table crosses with each other, and how they are written in it. */
import type { Attachment } from '../../src/model/access-line.js';
import type { Ipv4 } from '../../src/model/ipv4.js';
import { parseIpv4 } from '../../src/model/ipv4.js';
import { parseMac } from '../../src/model/mac.js';
import { plainTerms } from '../../src/model/session-terms.js';
import type { ServiceProfile } from '../../src/model/service-profile.js';
import { poolNameOf } from '../../src/session/machine/build.js';
import type {
  Effect,
  Grant,
  Held,
  Lease,
  Served,
  Session,
  SessionEvent,
  SightedEvent,
  Step,
} from '../../src/session/machine/types.js';

export const NOW = 10_000;
const EXPIRES = 20_000;
/** When a lease ends that was renewed once more. */
const LATER = 30_000;
const LEASE_SECONDS = 600;

export const at: Attachment = { ifindex: 3, sVlan: 100, cVlan: 7, mac: parseMac('02:00:00:00:00:01') };
export const moved: Attachment = { ...at, sVlan: 200 };

export const gardenProfile: ServiceProfile = {
  serviceId: 'garden',
  poolName: 'wgar',
  walled: true,
  downloadBitsPerSecond: 0,
  uploadBitsPerSecond: 0,
};
export const homeProfile: ServiceProfile = {
  ...gardenProfile,
  serviceId: 'home',
  poolName: 'isp',
  walled: false,
};
const fasterProfile: ServiceProfile = { ...homeProfile, downloadBitsPerSecond: 7 };
export const businessProfile: ServiceProfile = { ...homeProfile, serviceId: 'business', poolName: 'biz' };

const GARDEN = parseIpv4('10.255.0.9');
const HOME = parseIpv4('10.0.0.9');
const BUSINESS = parseIpv4('10.16.0.9');
const OTHER = parseIpv4('10.32.0.9');
const STRANGER = parseIpv4('192.0.2.9');

function grantOf(profile: ServiceProfile, address: Ipv4): Grant {
  return { profile, address, leaseSeconds: LEASE_SECONDS, terms: plainTerms('subscriber') };
}
export const garden = grantOf(gardenProfile, GARDEN);
export const home = grantOf(homeProfile, HOME);
/** An address that is used without DHCP, and the same walled where it is. */
export const fixed: Grant = { ...home, isStatic: true };
const fixedWalled: Grant = { ...fixed, profile: { ...gardenProfile, poolName: 'isp' } };
/** Of another pool of one group. */
export const other: Grant = { ...grantOf(homeProfile, OTHER), poolName: 'isp-2' };
export const business = grantOf(businessProfile, BUSINESS);

const none: Lease = { phase: 'none' };
const offered: Lease = { phase: 'offered', attachment: at };
const bound: Lease = { phase: 'bound', attachment: at, expiresAtMs: EXPIRES };
const forEver: Lease = { phase: 'bound', attachment: at, expiresAtMs: Infinity };
const heldOf = (grant: Grant): Held => ({ grant, attachment: at, expiresAtMs: EXPIRES });

function served(name: Served['name'], grant: Grant, lease: Lease, more: Partial<Served> = {}): Session {
  return { state: { name, grant, lease, held: null, resumeTo: null, ...more }, step: null };
}
const suspended = { resumeTo: homeProfile };

const discover: SessionEvent = { type: 'discover', attachment: at, nowMs: NOW };

const sighted: SightedEvent = { type: 'sighted', address: HOME, attachment: at, nowMs: NOW };

/** Every state that a session can rest in. */
export const states: Readonly<Record<string, Session>> = {
  discovered: { state: { name: 'discovered', auth: 'pending', waiting: null }, step: null },
  'discovered waiting': { state: { name: 'discovered', auth: 'pending', waiting: discover }, step: null },
  'discovered refused': { state: { name: 'discovered', auth: 'refused', waiting: null }, step: null },
  'wgar none': served('wgar', garden, none),
  'wgar offered': served('wgar', garden, offered),
  'wgar bound': served('wgar', garden, bound),
  'activating none': served('activating', home, none),
  'activating none held': served('activating', home, none, { held: heldOf(garden) }),
  'activating offered held': served('activating', home, offered, { held: heldOf(garden) }),
  'active none': served('active', home, none),
  'active offered': served('active', home, offered),
  'active bound': served('active', home, bound),
  'active none held': served('active', home, none, { held: heldOf(other) }),
  'suspended none': served('suspended', garden, none, suspended),
  'suspended none held': served('suspended', garden, none, { ...suspended, held: heldOf(home) }),
  'suspended bound': served('suspended', garden, bound, suspended),
  'static none': served('active', fixed, none),
  'static bound': served('active', fixed, forEver),
  'static suspended none': served('suspended', fixedWalled, none, suspended),
  'static suspended bound': served('suspended', fixedWalled, forEver, suspended),
  terminated: { state: { name: 'terminated', cause: 'Lost-Carrier' }, step: null },
};

function waiting(key: string, step: Step): Session {
  const session = states[key];
  if (session === undefined) throw new Error(key);
  return { state: session.state, step };
}

/** Every question that can be out, in a state where it can be. */
export const steps: Readonly<Record<string, Session>> = {
  moving: waiting('activating offered held', { kind: 'moving', attachment: moved, nowMs: NOW }),
  binding: waiting('activating none', { kind: 'binding', attachment: moved, nowMs: NOW }),
  'binding in the garden': waiting('wgar offered', { kind: 'binding', attachment: at, nowMs: NOW }),
  reattaching: waiting('active bound', { kind: 'reattaching', attachment: moved, nowMs: NOW }),
  releasing: waiting('active bound', { kind: 'releasing' }),
  'dropping-held': waiting('activating none held', { kind: 'dropping-held', cause: 'Lost-Carrier' }),
  declining: waiting('wgar bound', { kind: 'declining', quarantine: garden }),
  provisioning: waiting('wgar none', { kind: 'provisioning', waiting: null }),
  'provisioning with a DISCOVER': waiting('wgar none', { kind: 'provisioning', waiting: discover }),
  'provisioning with a sighting': waiting('static none', { kind: 'provisioning', waiting: sighted }),
  'binding a static address': waiting('static none', { kind: 'binding', attachment: at, nowMs: NOW }),
  'reattaching a static address': waiting('static bound', {
    kind: 'reattaching',
    attachment: moved,
    nowMs: NOW,
  }),
  'walling in place': waiting('static bound', { kind: 'walling', grant: fixedWalled }),
  'opening in place': waiting('static suspended bound', { kind: 'opening', order: 'resume', grant: fixed }),
  'allocating for activate': waiting('wgar bound', {
    kind: 'allocating',
    order: 'activate',
    profile: homeProfile,
  }),
  'allocating for suspend': waiting('active bound', {
    kind: 'allocating',
    order: 'suspend',
    profile: gardenProfile,
  }),
  relocating: waiting('active bound', { kind: 'relocating' }),
  'relocating, nothing in use': waiting('active offered', { kind: 'relocating' }),
  'relocating, garden held': waiting('activating none held', { kind: 'relocating' }),
  walling: waiting('active bound', { kind: 'walling', grant: garden }),
  'reconfiguring for activate': waiting('wgar bound', {
    kind: 'reconfiguring',
    order: 'activate',
    grant: home,
  }),
  'reconfiguring for activate, no lease': waiting('wgar offered', {
    kind: 'reconfiguring',
    order: 'activate',
    grant: home,
  }),
  'reconfiguring for suspend': waiting('active bound', {
    kind: 'reconfiguring',
    order: 'suspend',
    grant: garden,
  }),
  'reconfiguring for suspend, garden held': waiting('activating none held', {
    kind: 'reconfiguring',
    order: 'suspend',
    grant: garden,
  }),
  'reconfiguring for resume': waiting('suspended bound', {
    kind: 'reconfiguring',
    order: 'resume',
    grant: home,
  }),
  'reconfiguring for resume, home held': waiting('suspended none held', {
    kind: 'reconfiguring',
    order: 'resume',
    grant: home,
  }),
  reprofiling: waiting('active bound', { kind: 'reprofiling', grant: { ...home, leaseSeconds: 1 } }),
  'opening for resume': waiting('suspended none held', { kind: 'opening', order: 'resume', grant: home }),
  'opening for suspend': waiting('activating none held', {
    kind: 'opening',
    order: 'suspend',
    grant: garden,
  }),
  closing: waiting('active bound', { kind: 'closing', cause: 'Admin-Reset', ordered: true }),
  'closing with a held lease': waiting('activating none held', {
    kind: 'closing',
    cause: 'Lost-Carrier',
    ordered: false,
  }),
};

const traffic = { upstreamPackets: 1n, upstreamBytes: 2n, downstreamPackets: 3n, downstreamBytes: 4n };
const request = (kind: 'selecting' | 'renewing', address: Ipv4, attachment = at): SessionEvent => ({
  type: 'request',
  kind,
  address,
  attachment,
  nowMs: NOW,
});

/** XDP's word that it has answered; the lease lasts until `untilMs`. */
const answered = (address: Ipv4, untilMs: number, attachment = at): SessionEvent => ({
  type: 'answered',
  address,
  attachment,
  leaseSeconds: LEASE_SECONDS,
  atMs: untilMs - LEASE_SECONDS * 1000,
});

export const events: Readonly<Record<string, SessionEvent>> = {
  created: { type: 'created' },
  'authorised garden': { type: 'authorised', grant: garden, resumeTo: null },
  'authorised home': { type: 'authorised', grant: home, resumeTo: null },
  'authorised suspended': { type: 'authorised', grant: garden, resumeTo: homeProfile },
  'not-authorised': { type: 'not-authorised', reason: 'why' },
  'not-admitted': { type: 'not-admitted', reason: 'why' },
  discover: discover,
  'request garden': request('selecting', GARDEN),
  'request home': request('selecting', HOME),
  'renew garden': request('renewing', GARDEN),
  'renew home': request('renewing', HOME),
  'renew home elsewhere': request('renewing', HOME, moved),
  'request stranger': request('selecting', STRANGER),
  'inform home': { type: 'inform', address: HOME, attachment: at },
  'release garden': { type: 'release', address: GARDEN, attachment: at },
  'release home': { type: 'release', address: HOME, attachment: at },
  'release home elsewhere': { type: 'release', address: HOME, attachment: moved },
  'decline garden': { type: 'decline', address: GARDEN, attachment: at },
  'sighted home': sighted,
  'sighted home elsewhere': { ...sighted, attachment: moved },
  'sighted stranger': { ...sighted, address: STRANGER },
  'activate home': { type: 'activate', profile: homeProfile },
  'activate faster': { type: 'activate', profile: fasterProfile },
  'activate business': { type: 'activate', profile: businessProfile },
  suspend: { type: 'suspend', profile: gardenProfile, reason: 'unpaid' },
  resume: { type: 'resume' },
  terminate: { type: 'terminate' },
  'change rates': { type: 'change', profile: fasterProfile, terms: plainTerms('subscriber') },
  'change to the garden': { type: 'change', profile: gardenProfile, terms: plainTerms('subscriber') },
  'change to business': { type: 'change', profile: businessProfile, terms: plainTerms('subscriber') },
  'answered garden': answered(GARDEN, LATER),
  'answered home': answered(HOME, LATER),
  'answered home late': answered(HOME, EXPIRES - 1),
  'answered home again': answered(HOME, EXPIRES),
  'answered home elsewhere': answered(HOME, LATER, moved),
  'answered stranger': answered(STRANGER, LATER),
  'lease-expired': { type: 'lease-expired', nowMs: EXPIRES },
  'lease-expired early': { type: 'lease-expired', nowMs: EXPIRES - 1 },
  'held-expired': { type: 'held-expired', nowMs: EXPIRES },
  'held-expired early': { type: 'held-expired', nowMs: EXPIRES - 1 },
  'unbound-expired': { type: 'unbound-expired', lineKnown: false },
  'unbound-expired known': { type: 'unbound-expired', lineKnown: true },
  reprovision: { type: 'reprovision' },
  relocate: { type: 'relocate' },
  end: { type: 'end', cause: 'Lost-Carrier' },
};

export const answers: Readonly<Record<string, SessionEvent>> = {
  'allocated home': { type: 'allocated', grant: home },
  'allocated other': { type: 'allocated', grant: other },
  'allocated garden': { type: 'allocated', grant: garden },
  'allocation-failed': { type: 'allocation-failed', reason: 'why' },
  installed: { type: 'installed' },
  'install-failed': { type: 'install-failed', reason: 'why' },
  updated: { type: 'updated' },
  'update-failed': { type: 'update-failed', reason: 'why' },
  removed: { type: 'removed', traffic },
  'remove-failed': { type: 'remove-failed', reason: 'why' },
  reconfigured: { type: 'reconfigured' },
  'reconfigure-failed': { type: 'reconfigure-failed', reason: 'why' },
};

function leaseText(lease: Lease): string {
  if (lease.phase === 'none') return 'none';
  const where = lease.attachment === moved ? ' moved' : '';
  return lease.phase === 'bound' ? `bound${where} until ${lease.expiresAtMs}` : `offered${where}`;
}

/** One line for a session: state, grant, lease, what is held, what it waits for. */
export function sessionText({ state, step }: Session): string {
  const out = step === null ? '' : ` ?${step.kind}`;
  if (state.name === 'terminated') return `terminated ${state.cause}${out}`;
  if (state.name === 'discovered') {
    return `discovered ${state.auth}${state.waiting === null ? '' : ` waiting ${state.waiting.type}`}${out}`;
  }
  const held = state.held === null ? '' : ` held ${poolNameOf(state.held.grant)}`;
  const resume = state.resumeTo === null ? '' : ` resume ${state.resumeTo.poolName}`;
  return `${state.name} ${poolNameOf(state.grant)} ${leaseText(state.lease)}${held}${resume}${out}`;
}

export function effectText(effect: Effect): string {
  switch (effect.type) {
    case 'answer':
      return 'grant' in effect.answer
        ? `${effect.answer.say} ${poolNameOf(effect.answer.grant)}`
        : effect.answer.say;
    case 'order-refused':
      return `refused ${effect.kind}`;
    case 'free':
    case 'quarantine':
    case 'lease-renewed':
    case 'lease-reprofiled':
      return `${effect.type} ${poolNameOf(effect.grant)}`;
    case 'lease-started':
      return `lease-started ${poolNameOf(effect.grant)}`;
    case 'lease-ended':
      return `lease-ended ${poolNameOf(effect.grant)} ${effect.cause} ${effect.traffic.downstreamBytes}`;
    case 'assign':
      return `assign ${effect.profile.poolName}${effect.resumeTo === null ? '' : ` resume ${effect.resumeTo.poolName}`}`;
    case 'deadline':
      return `${effect.which}@${effect.atMs ?? 'off'}`;
    case 'authenticate':
    case 'order-done':
    case 'forget':
    case 'watch-unbound':
    case 'trouble':
      return effect.type;
  }
}
