/** The samples of the charts as columns, bounded in time. Pure. */
import type { OverviewSample } from '../http/overview.js';
import type { SessionStateName } from '../model/session-state.js';

/** From the bottom up. Ended sessions are a count since start, not a state that anything is in. */
export const STACKED_STATES = ['active', 'wgar', 'suspended', 'activating', 'discovered'] as const;

export const SHOWN_MS = 15 * 60_000;
/** Live samples come each second; older ones are thinned to what the charts can show. */
const MOST = 1_800;

type Column = (number | null)[];

export interface Columns {
  /** Seconds since 1970. */
  readonly time: number[];
  readonly states: Readonly<Record<SessionStateName, Column>>;
  readonly upstream: Column;
  readonly downstream: Column;
  readonly drops: Column;
}

export class Series {
  #samples: OverviewSample[] = [];

  /** Begins anew with what the server remembers. */
  reset(samples: readonly OverviewSample[]): void {
    this.#samples = [...samples];
    this.#forgetOld();
  }

  /** A sample that is not newer than the last is left out. */
  add(sample: OverviewSample): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && sample.at_ms <= last.at_ms) return;
    this.#samples.push(sample);
    this.#forgetOld();
  }

  columns(): Columns {
    const samples = this.#samples;
    const state = (name: SessionStateName): Column => samples.map(({ sessions }) => sessions[name]);
    return {
      time: samples.map(({ at_ms }) => at_ms / 1000),
      states: {
        discovered: state('discovered'),
        wgar: state('wgar'),
        activating: state('activating'),
        active: state('active'),
        suspended: state('suspended'),
        terminated: state('terminated'),
      },
      upstream: samples.map(({ upstream_bps }) => upstream_bps),
      downstream: samples.map(({ downstream_bps }) => downstream_bps),
      drops: samples.map(({ drops_per_second }) => drops_per_second),
    };
  }

  #forgetOld(): void {
    const newest = this.#samples.at(-1)?.at_ms ?? 0;
    const from = this.#samples.findIndex(({ at_ms }) => at_ms >= newest - SHOWN_MS);
    this.#samples.splice(0, Math.max(from, this.#samples.length - MOST));
  }
}
