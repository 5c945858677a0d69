/**
 * Addresses that somebody else has, by a client's word (DECLINE) or by a probe's: out of use for a while, over a restart too.
 * What one line can take out of use is bounded, so that none drains a pool.
 */
import type { Clock } from '../model/clock.js';
import type { Ipv4 } from '../model/ipv4.js';
import type { AddressPools } from '../pool/port.js';
import type { SessionJournal } from './journal.js';
import type { Quarantine } from './kept-rows.js';

/** How long a declined address stays out of use. */
const QUARANTINE_MS = 600_000;
/** How many one line may have out of use at a time. */
export const QUARANTINES_PER_LINE = 3;

export interface QuarantinesOptions {
  readonly pools: AddressPools;
  readonly clock: Clock;
  readonly journal: SessionJournal | null;
}

export class Quarantines {
  readonly #o: QuarantinesOptions;
  readonly #byLine = new Map<string, number>();

  constructor(options: QuarantinesOptions) {
    this.#o = options;
  }

  /** False, and nothing done, for a line that has as many out of use as it may. */
  begin(poolName: string, address: Ipv4, line: string): boolean {
    if ((this.#byLine.get(line) ?? 0) >= QUARANTINES_PER_LINE) return false;
    const untilMs = this.#o.clock.monotonicMs() + QUARANTINE_MS;
    this.#o.journal?.quarantined(address, { poolName, line, untilMs });
    this.goOn(address, { poolName, line, untilMs });
    return true;
  }

  /** Of an earlier run, until the same moment; in a pool that is no longer there it means nothing. */
  goOn(address: Ipv4, { poolName, line, untilMs }: Quarantine): void {
    const { pools, clock, journal } = this.#o;
    if (pools.terms(poolName) !== null) pools.quarantine(poolName, address);
    this.#byLine.set(line, (this.#byLine.get(line) ?? 0) + 1);
    clock.after(Math.max(0, untilMs - clock.monotonicMs()), () => {
      if (pools.terms(poolName) !== null) pools.unquarantine(poolName, address);
      journal?.unquarantined(address);
      this.#left(line);
    });
  }

  #left(line: string): void {
    const left = (this.#byLine.get(line) ?? 0) - 1;
    if (left > 0) this.#byLine.set(line, left);
    else this.#byLine.delete(line);
  }
}
