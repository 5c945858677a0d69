/** What the model says of one frame: its exit, the frame that leaves, and what is counted for whom. */
import { BngVerdict } from '../../../src/dataplane/abi.js';

export interface TrafficMove {
  readonly slot: number;
  readonly upstream: boolean;
  readonly bytes: number;
}

/** A record for the control plane; the frame in it is the frame that came. */
export interface PuntRecord {
  readonly vlans: readonly number[];
  readonly tpids: readonly number[];
  readonly l3Offset: number;
}

export interface Outcome {
  /** A BngVerdict; null for what egress lets through uncounted. */
  readonly verdict: number | null;
  /** A BngDropReason, with verdict drop only. */
  readonly drop: number | null;
  /** The frame after the program; null where it stays as it came. */
  readonly out: Buffer | null;
  readonly traffic: readonly TrafficMove[];
  readonly punt: PuntRecord | null;
}

const NOTHING = { drop: null, out: null, traffic: [], punt: null } as const;

export function dropped(drop: number): Outcome {
  return { ...NOTHING, verdict: BngVerdict.drop, drop };
}

export function passed(verdict: number | null): Outcome {
  return { ...NOTHING, verdict };
}

export function punted(punt: PuntRecord): Outcome {
  return { ...NOTHING, verdict: BngVerdict.punt, punt };
}

export function sent(verdict: number, out: Buffer, traffic: readonly TrafficMove[] = []): Outcome {
  return { ...NOTHING, verdict, out, traffic };
}
