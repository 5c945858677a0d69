/** What is configured for lines. Plain values; holds no rule. */
import type { ProbeEffort } from './address-prober.js';
import type { LivenessSettings } from './liveness.js';

/** What becomes of the present station when a new one asks: it is asked, gives way, or stays. */
export type NewMacRule = 'probe' | 'replace' | 'refuse';
/** What becomes of the lease that a MAC has on another line: it stays, or its station is asked. */
export type MovedMacRule = 'keep' | 'probe';

/** What may change while the BNG runs. */
export interface LineSettings {
  readonly newMac: NewMacRule;
  /** Before a station counts as gone that another wants to replace. */
  readonly effort: ProbeEffort;
  readonly liveness: LivenessSettings;
}

export interface LineOptions {
  /** Sessions of one interface and its tags; null: as many as come. */
  readonly sessionLimit: number | null;
  /** Stations of one line, as the access node names it, else interface and tags; null: as many as come. */
  readonly macLimit: number | null;
  readonly movedMac: MovedMacRule;
  readonly settings: LineSettings;
}

export const DEFAULT_LINES: LineOptions = {
  sessionLimit: null,
  macLimit: null,
  movedMac: 'keep',
  settings: {
    newMac: 'probe',
    effort: { tries: 3, waitMs: 500 },
    liveness: { action: 'off', intervalMs: 300_000, tries: 3, waitMs: 500, perSecond: 100 },
  },
};

/** Whether anybody asks who is on a line. */
export function needsCensus({ sessionLimit, macLimit, movedMac }: LineOptions): boolean {
  return sessionLimit !== null || macLimit !== null || movedMac === 'probe';
}
