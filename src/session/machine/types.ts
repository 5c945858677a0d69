/**
 * The vocabulary of the session machine: its states, what may happen to it, and what it wants done.
 * Pure data; times are monotonic milliseconds given by the caller.
 */
import type { Attachment } from '../../model/access-line.js';
import type { Ipv4 } from '../../model/ipv4.js';
import type { ServiceProfile } from '../../model/service-profile.js';
import type { SessionTerms } from '../../model/session-terms.js';
import type { TrafficCounters } from '../../model/traffic-counters.js';
import type { TerminateCause } from '../../aaa/port.js';
import type { RemovalReceipt, SubscriberEntry } from '../../dataplane/port.js';
import type { DhcpRequestKind } from '../inlet.js';

/** What the subscriber was granted: a profile, and its place in the profile's pool. */
export interface Grant {
  readonly profile: ServiceProfile;
  /** The pool that the address is of, where the profile names a group of pools; left out where it names the pool. */
  readonly poolName?: string;
  readonly address: Ipv4;
  readonly leaseSeconds: number;
  readonly terms: SessionTerms;
  /** Nobody has held it yet, as far as we know: it is asked for before it is offered (RFC 2131 §4.3.1). */
  readonly isUnproven?: boolean;
  /** Its station uses the address without asking for it: it is bound when it is sighted, and its lease has no end. */
  readonly isStatic?: boolean;
}

export type Lease =
  | { readonly phase: 'none' }
  | { readonly phase: 'offered'; readonly attachment: Attachment }
  /** `expiresAtMs` is Infinity for a static address. */
  | { readonly phase: 'bound'; readonly attachment: Attachment; readonly expiresAtMs: number };

/** A lease of before a move: installed, used by the client until it asks again. */
export interface Held {
  readonly grant: Grant;
  readonly attachment: Attachment;
  readonly expiresAtMs: number;
}

/** States that have a grant. Invariant: a bound lease and a held one never exist together. */
export interface Served {
  readonly name: 'wgar' | 'activating' | 'active' | 'suspended';
  readonly grant: Grant;
  readonly lease: Lease;
  readonly held: Held | null;
  /** The profile a suspended subscriber comes back to; null in other states. */
  readonly resumeTo: ServiceProfile | null;
}

export type State =
  /** `waiting` is what the station has said, and what will be answered when authentication is done. */
  | {
      readonly name: 'discovered';
      readonly auth: 'pending' | 'refused';
      readonly waiting: StationEvent | null;
    }
  | Served
  | { readonly name: 'terminated'; readonly cause: TerminateCause };

export type OrderName = 'activate' | 'suspend' | 'resume';

/** A question that is out with the world. While there is one, the session takes nothing but its answer. */
export type Step =
  | {
      readonly kind: 'moving' | 'binding' | 'reattaching';
      readonly attachment: Attachment;
      readonly nowMs: number;
    }
  | { readonly kind: 'releasing' }
  | { readonly kind: 'dropping-held'; readonly cause: TerminateCause }
  | { readonly kind: 'declining'; readonly quarantine: Grant }
  /** Somebody may have the address already; then another takes its place before `waiting` is answered. */
  | { readonly kind: 'probing' | 'replacing'; readonly waiting: DhcpEvent }
  | { readonly kind: 'provisioning'; readonly waiting: StationEvent | null }
  | { readonly kind: 'relocating' }
  | { readonly kind: 'allocating'; readonly order: OrderName; readonly profile: ServiceProfile }
  | { readonly kind: 'walling'; readonly grant: Grant }
  | { readonly kind: 'reconfiguring'; readonly order: OrderName; readonly grant: Grant }
  | { readonly kind: 'opening'; readonly order: OrderName; readonly grant: Grant }
  | { readonly kind: 'reprofiling'; readonly grant: Grant }
  | { readonly kind: 'closing'; readonly cause: TerminateCause; readonly ordered: boolean };

export interface Session {
  readonly state: State;
  readonly step: Step | null;
}

export type DhcpEvent =
  | { readonly type: 'discover'; readonly attachment: Attachment; readonly nowMs: number }
  | {
      readonly type: 'request';
      readonly kind: DhcpRequestKind;
      readonly address: Ipv4;
      readonly attachment: Attachment;
      readonly nowMs: number;
    }
  | {
      readonly type: 'inform' | 'release' | 'decline';
      readonly address: Ipv4;
      readonly attachment: Attachment;
    };

/** A station on the line uses this address, whoever gave it to it. */
export interface SightedEvent {
  readonly type: 'sighted';
  readonly address: Ipv4;
  readonly attachment: Attachment;
  readonly nowMs: number;
}

export type StationEvent = DhcpEvent | SightedEvent;

export type OrderEvent =
  | { readonly type: 'activate'; readonly profile: ServiceProfile }
  /** `profile` is the garden's; `reason` is for people. */
  | { readonly type: 'suspend'; readonly profile: ServiceProfile; readonly reason: string }
  | { readonly type: 'resume' }
  | { readonly type: 'terminate' }
  /** The AAA server's word (CoA): other rates, timers or another pool, in whichever state. */
  | { readonly type: 'change'; readonly profile: ServiceProfile; readonly terms: SessionTerms };

/** Answers to an `Ask`. */
export type AnswerEvent =
  | { readonly type: 'allocated'; readonly grant: Grant }
  | { readonly type: 'allocation-failed'; readonly reason: string }
  | { readonly type: 'installed' }
  | { readonly type: 'install-failed'; readonly reason: string }
  | { readonly type: 'updated' }
  | { readonly type: 'update-failed'; readonly reason: string }
  | {
      readonly type: 'removed';
      readonly traffic: TrafficCounters;
      /** To be forgotten once what the session makes of this cannot be lost. */
      readonly receipts?: readonly RemovalReceipt[];
    }
  | { readonly type: 'remove-failed'; readonly reason: string }
  | { readonly type: 'probed'; readonly isInUse: boolean }
  | { readonly type: 'reconfigured' }
  | { readonly type: 'reconfigure-failed'; readonly reason: string };

export type SessionEvent =
  | { readonly type: 'created' }
  | { readonly type: 'authorised'; readonly grant: Grant; readonly resumeTo: ServiceProfile | null }
  | { readonly type: 'not-authorised'; readonly reason: string }
  /** AAA was not asked, since too many wait. Its client comes again. */
  | { readonly type: 'not-admitted'; readonly reason: string }
  | StationEvent
  | OrderEvent
  | AnswerEvent
  /** The dataplane has acknowledged the lease by itself; nobody waits for an answer. */
  | {
      readonly type: 'answered';
      readonly address: Ipv4;
      readonly attachment: Attachment;
      readonly leaseSeconds: number;
      readonly atMs: number;
    }
  | { readonly type: 'lease-expired' | 'held-expired'; readonly nowMs: number }
  /** Nobody took the offer. `lineKnown` is true while the access node reports the ONT. */
  | { readonly type: 'unbound-expired'; readonly lineKnown: boolean }
  /** The access node may have something else than what the session is. */
  | { readonly type: 'reprovision' }
  /** The pool of the address is drained: another one, if there is any. */
  | { readonly type: 'relocate' }
  /** The line or the BNG goes away. */
  | { readonly type: 'end'; readonly cause: TerminateCause };

/** What to say to the DHCP client whose message is being handled. `hold` keeps it waiting. */
export type Answer =
  | { readonly say: 'offer' | 'ack' | 'inform'; readonly grant: Grant }
  | { readonly say: 'nak'; readonly grant: Grant; readonly reason: string }
  | { readonly say: 'silence'; readonly reason: string }
  | { readonly say: 'hold' };

/** Done at once and in order; none of them can fail. */
export type Effect =
  | { readonly type: 'authenticate' }
  | { readonly type: 'answer'; readonly answer: Answer }
  | { readonly type: 'order-done'; readonly message: string }
  | { readonly type: 'order-refused'; readonly kind: 'conflict' | 'failed'; readonly reason: string }
  | { readonly type: 'free' | 'quarantine'; readonly grant: Grant }
  /** Puts the grant into the auth record, so that it outlives the session; `resumeTo` marks a suspension. */
  | { readonly type: 'assign'; readonly profile: ServiceProfile; readonly resumeTo: ServiceProfile | null }
  | { readonly type: 'forget' }
  | { readonly type: 'lease-started'; readonly grant: Grant; readonly attachment: Attachment }
  | { readonly type: 'lease-renewed' | 'lease-reprofiled'; readonly grant: Grant }
  | {
      readonly type: 'lease-ended';
      readonly grant: Grant;
      readonly traffic: TrafficCounters;
      readonly cause: TerminateCause;
    }
  | { readonly type: 'deadline'; readonly which: 'lease' | 'held'; readonly atMs: number | null }
  | { readonly type: 'watch-unbound' }
  | { readonly type: 'trouble'; readonly reason: string };

/** A question to the world; exactly one `AnswerEvent` comes back. */
export type Ask =
  /** `terms` are those that the grant gets; null leaves those that the session has. */
  | { readonly ask: 'allocate'; readonly profile: ServiceProfile; readonly terms: SessionTerms | null }
  | { readonly ask: 'install' | 'update'; readonly entry: SubscriberEntry }
  | { readonly ask: 'remove'; readonly address: Ipv4 }
  | { readonly ask: 'probe'; readonly address: Ipv4; readonly attachment: Attachment }
  | { readonly ask: 'reconfigure'; readonly profile: ServiceProfile };

export interface Transition {
  readonly session: Session;
  readonly effects: readonly Effect[];
  readonly ask: Ask | null;
}
