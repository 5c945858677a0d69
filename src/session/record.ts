/** One session's mutable record: the machine's value, its queue, timers and accounting. Only the manager touches it. */
import type { LeasePromise } from '../dataplane/port.js';
import type { AccessLine } from '../model/access-line.js';
import type { TimerHandle } from '../model/clock.js';
import type { Ipv4 } from '../model/ipv4.js';
import type { Identity } from './identity.js';
import type { DhcpVerdict, OperatorResult } from './inlet.js';
import { isServed, poolNameOf } from './machine/build.js';
import { NEW_SESSION } from './machine/machine.js';
import type { Served, Session, SessionEvent, State } from './machine/types.js';
import type { AuthenticationSummary, SessionView } from './view.js';

export type DhcpReply = (verdict: DhcpVerdict) => void;

/** A client that waits for authentication, and the address it asked for (null: none). */
export interface HeldReply {
  readonly reply: DhcpReply;
  readonly asked: Ipv4 | null;
}

/** What a row says of the address of its session. */
export interface DurableGrant {
  readonly address: Ipv4;
  readonly isBound: boolean;
}

/** Something that waits for its turn, and whom to tell. */
export interface QueuedEvent {
  /** A function is called when its turn has come: what it says may depend on what came before it. */
  readonly event: SessionEvent | (() => SessionEvent);
  readonly reply?: DhcpReply;
  readonly order?: (result: OperatorResult) => void;
  /** Called when the event and all that followed from it are done. */
  readonly done?: () => void;
}

/** Below this, what two readings of the two clocks disagree about is jitter and no step of the wall clock. */
const CLOCK_STEP_MS = 1_000;

export type DeadlineName = 'lease' | 'held' | 'unbound';

export class SessionRecord {
  readonly id: string;
  readonly identity: Identity;
  readonly createdWallMs: number;
  session: Session = NEW_SESSION;
  circuitId: Uint8Array | null;
  line: AccessLine | null;
  stateSinceMs: number;
  stateSinceWallMs: number;
  /** Null while nothing waits. */
  queue: QueuedEvent[] | null = null;
  busy = false;
  /** The client may still have the lease of a session that ended without its doing: it must be made to ask again. */
  mayHoldLostLease: boolean;
  /** Since when it waits for AAA's answer, over turns that it lost; null when it does not. */
  waitsSinceMs: number | null = null;
  /** How the last question to AAA ended. */
  authentication: AuthenticationSummary | null = null;
  /** When its client was first heard, until its first lease; `done` afterwards, and where it had one before it was heard. */
  #setup: 'unheard' | 'done' | { readonly heardMs: number } = 'unheard';
  /** Of an earlier run. */
  wasRestored = false;
  /** When the row was written that it was restored from, monotonic. */
  writtenMs = 0;
  /** The access node may have been given what the session is not: told anew when it is there. */
  mustReprovision = false;
  /** The store may have a row of it. */
  hasRow = false;
  /** What its row is known to say; null without one. */
  durable: DurableGrant | null = null;
  /** Why it is suspended, while it is. */
  suspendedFor: string | null = null;
  /** The end of the present lease on both clocks, as first shown. */
  #shownExpiry: { readonly expiresAtMs: number; readonly wallMs: number } | null = null;
  /** It ends for a station that comes in its place; `line` is that station's where it is the same subscriber's. */
  successor: { readonly line: AccessLine | null } | null = null;
  /** The client that was told to wait while authentication is out. */
  heldReply: HeldReply | null = null;
  readonly deadlines: Record<DeadlineName, TimerHandle | null> = { lease: null, held: null, unbound: null };
  /** What the dataplane may answer for it now. */
  promised: LeasePromise | null = null;
  /** The state for which the table's indexes know it, and under which attachments and addresses they do. */
  indexedState: State | null = null;
  attachmentKeys: readonly string[] = [];
  addresses: readonly Ipv4[] = [];

  constructor(options: {
    readonly id: string;
    readonly identity: Identity;
    readonly line: AccessLine | null;
    readonly circuitId: Uint8Array | null;
    readonly mayHoldLostLease: boolean;
    readonly nowMs: number;
    readonly wallMs: number;
  }) {
    this.id = options.id;
    this.identity = options.identity;
    this.line = options.line;
    this.circuitId = options.circuitId;
    this.mayHoldLostLease = options.mayHoldLostLease;
    this.createdWallMs = options.wallMs;
    this.stateSinceMs = options.nowMs;
    this.stateSinceWallMs = options.wallMs;
  }

  /** A DHCP message of the session's client has come. */
  heard(nowMs: number): void {
    if (this.#setup !== 'unheard') return;
    const { state } = this.session;
    this.#setup = isServed(state) && state.lease.phase === 'bound' ? 'done' : { heardMs: nowMs };
  }

  /** A lease began: the time since the client was first heard when it is the first, else null. */
  leaseBegan(nowMs: number): number | null {
    const setup = this.#setup;
    this.#setup = 'done';
    return typeof setup === 'object' ? nowMs - setup.heardMs : null;
  }

  /** A picture for operators; `nowMs`/`wallMs` are the same instant on both clocks. */
  view(now: { readonly nowMs: number; readonly wallMs: number }): SessionView {
    const { state } = this.session;
    const served = isServed(state) ? state : null;
    const lease = served?.lease ?? ({ phase: 'none' } as const);
    const held = served?.held ?? null;
    return {
      id: this.id,
      ontSerial: this.identity.ontSerial,
      circuitId: this.circuitId,
      state: state.name,
      leasePhase: lease.phase,
      attachment: lease.phase === 'none' ? (held?.attachment ?? null) : lease.attachment,
      profile: served?.grant.profile ?? null,
      poolName: served === null ? null : poolNameOf(served.grant),
      address: served?.grant.address ?? null,
      heldAddress: held?.grant.address ?? null,
      createdWallMs: this.createdWallMs,
      stateSinceWallMs: this.stateSinceWallMs,
      leaseExpiresWallMs:
        lease.phase === 'bound' && lease.expiresAtMs !== Infinity
          ? this.#expiryWallMs(lease.expiresAtMs, now)
          : null,
      suspendedFor: state.name === 'suspended' ? this.suspendedFor : null,
    };
  }

  /** The two clocks are read one after the other and tick differently, so each reading would give another millisecond. */
  #expiryWallMs(expiresAtMs: number, now: { readonly nowMs: number; readonly wallMs: number }): number {
    const wallMs = Math.round(now.wallMs + (expiresAtMs - now.nowMs));
    const shown = this.#shownExpiry;
    const holds = shown?.expiresAtMs === expiresAtMs && Math.abs(shown.wallMs - wallMs) < CLOCK_STEP_MS;
    if (shown !== null && holds) return shown.wallMs;
    this.#shownExpiry = { expiresAtMs, wallMs };
    return wallMs;
  }
}

/** What a row of a session in this state says of its address. */
export function durableGrant(state: Served): DurableGrant {
  return { address: state.grant.address, isBound: state.lease.phase === 'bound' };
}
