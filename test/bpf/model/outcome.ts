/** What the model says of one frame: its exit, the frame that leaves, and what is counted for whom. */
import { BngVerdict } from '../../../src/dataplane/abi.js';
import type { Ethernet } from './parse.js';

export interface TrafficMove {
  readonly slot: number;
  readonly upstream: boolean;
  readonly bytes: number;
}

/** A record for the control plane; the frame in it, if it is a DHCP punt, is the frame that came. */
export interface PuntRecord {
  readonly ethernet: Ethernet;
  /** For what XDP has answered itself. */
  readonly answered: AnsweredRecord | null;
}

export interface AnsweredRecord {
  readonly address: number;
  readonly leaseSeconds: number;
  readonly mac: string;
  readonly answer: number;
}

export interface Outcome {
  /** A BngVerdict; null for what egress does not count: it lets it through, or sends it to another access port. */
  readonly verdict: number | null;
  /** A BngDropReason, with verdict drop only. */
  readonly drop: number | null;
  /** The frame after the program; null where it stays as it came. */
  readonly out: Buffer | null;
  readonly traffic: readonly TrafficMove[];
  readonly punt: PuntRecord | null;
  readonly elsewhere: boolean;
}

const NOTHING = { drop: null, out: null, traffic: [], punt: null, elsewhere: false } as const;

export function dropped(drop: number): Outcome {
  return { ...NOTHING, verdict: BngVerdict.drop, drop };
}

export function passed(verdict: number | null): Outcome {
  return { ...NOTHING, verdict };
}

export function punted(ethernet: Ethernet): Outcome {
  return { ...NOTHING, verdict: BngVerdict.punt, punt: { ethernet, answered: null } };
}

export function answered(out: Buffer, ethernet: Ethernet, record: AnsweredRecord): Outcome {
  return { ...NOTHING, verdict: BngVerdict.dhcpReply, out, punt: { ethernet, answered: record } };
}

/** To the access port that the subscriber is behind, as it is: there the program meets it again. */
export const SENT_ELSEWHERE: Outcome = { ...NOTHING, verdict: null, elsewhere: true };

export function sent(verdict: number, out: Buffer, traffic: readonly TrafficMove[] = []): Outcome {
  return { ...NOTHING, verdict, out, traffic };
}
