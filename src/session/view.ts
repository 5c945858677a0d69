/** A session as operators see it: a plain readonly picture, made on demand. */
import type { Attachment } from '../model/access-line.js';
import type { Ipv4 } from '../model/ipv4.js';
import type { ServiceProfile } from '../model/service-profile.js';
import type { SessionStateName } from '../model/session-state.js';
import type { SessionTerms } from '../model/session-terms.js';

export { SESSION_STATES } from '../model/session-state.js';
export type { SessionStateName } from '../model/session-state.js';

export type LeasePhase = 'none' | 'offered' | 'bound';

export interface SessionView {
  readonly id: string;
  readonly ontSerial: string | null;
  readonly circuitId: Uint8Array | null;
  readonly state: SessionStateName;
  readonly leasePhase: LeasePhase;
  readonly attachment: Attachment | null;
  /** What was granted; `poolName` in it may be a group's. */
  readonly profile: ServiceProfile | null;
  /** The pool that the granted address is of. */
  readonly poolName: string | null;
  /** The address granted; with `leasePhase` bound the client has it. */
  readonly address: Ipv4 | null;
  /** The address of before a move, which the client still holds until it asks again. */
  readonly heldAddress: Ipv4 | null;
  readonly createdWallMs: number;
  readonly stateSinceWallMs: number;
  /** The same in every picture of one lease, unless the wall clock was set. */
  readonly leaseExpiresWallMs: number | null;
  /** Why the operator suspended it; null when not suspended, and where nobody said why. */
  readonly suspendedFor: string | null;
}

/** How the last question to AAA about a session ended. */
export interface AuthenticationSummary {
  readonly wallMs: number;
  readonly tookMs: number;
  readonly outcome: 'accepted' | 'rejected' | 'unreachable';
  /** Why not; null when accepted. */
  readonly reason: string | null;
}

/** What operators see of one session beside its picture. */
export interface SessionDetails {
  readonly subscriberId: string;
  /** Null while the first question is out. */
  readonly authentication: AuthenticationSummary | null;
  /** What AAA said beside the profile; null while nothing is granted. */
  readonly terms: SessionTerms | null;
  /** The accounting of the address in use; null while none is. */
  readonly accounting: { readonly accountingId: string; readonly startedWallMs: number } | null;
}

/** Why a message of a line was refused. */
export type LineRefusal = 'line-sessions' | 'line-macs' | 'new-mac' | 'static-elsewhere';

/** Sessions that were ended for another's sake. */
export type Takeover = 'new-mac' | 'moved-mac';

/** What a look for the station of a lease found: it has sent something, it answered, it did neither. */
export type LivenessResult = 'active' | 'answered' | 'silent';

/** What came of the rules for lines. Totals since start. */
export interface LineFigures {
  readonly refused: Readonly<Record<LineRefusal, number>>;
  readonly takeovers: Readonly<Record<Takeover, number>>;
  readonly liveness: Readonly<Record<LivenessResult, number>>;
}

export const NO_LINE_FIGURES: LineFigures = {
  refused: { 'line-sessions': 0, 'line-macs': 0, 'new-mac': 0, 'static-elsewhere': 0 },
  takeovers: { 'new-mac': 0, 'moved-mac': 0 },
  liveness: { active: 0, answered: 0, silent: 0 },
};

/** What was dropped before its turn. `full`: too many waited, see admission-gate.ts; `repeated`: its client said it again. */
export type AdmissionDrop = 'full' | 'repeated';

/** Who is let in, who waits, and what was dropped of it. */
export interface AdmissionFigures {
  /** How many are let in at a time at most, as things are. */
  readonly window: number;
  readonly inProgress: number;
  readonly waiting: number;
  readonly dropped: Readonly<Record<AdmissionDrop, number>>;
}

export const NO_ADMISSION_FIGURES: AdmissionFigures = {
  window: 0,
  inProgress: 0,
  waiting: 0,
  dropped: { full: 0, repeated: 0 },
};
