/** Declined addresses: out of use for a while, over a restart too. */
import type { Clock } from '../model/clock.js';
import type { Ipv4 } from '../model/ipv4.js';
import type { AddressPools } from '../pool/port.js';
import type { SessionJournal } from './journal.js';

/** How long a declined address stays out of use. */
const QUARANTINE_MS = 600_000;

export interface QuarantinesOptions {
  readonly pools: AddressPools;
  readonly clock: Clock;
  readonly journal: SessionJournal | null;
}

export class Quarantines {
  readonly #o: QuarantinesOptions;

  constructor(options: QuarantinesOptions) {
    this.#o = options;
  }

  begin(poolName: string, address: Ipv4): void {
    const untilMs = this.#o.clock.monotonicMs() + QUARANTINE_MS;
    this.#o.journal?.quarantined(address, poolName, untilMs);
    this.goOn(poolName, address, untilMs);
  }

  /** Of an earlier run, until the same moment; in a pool that is no longer there it means nothing. */
  goOn(poolName: string, address: Ipv4, untilMs: number): void {
    const { pools, clock, journal } = this.#o;
    if (pools.terms(poolName) !== null) pools.quarantine(poolName, address);
    clock.after(Math.max(0, untilMs - clock.monotonicMs()), () => {
      if (pools.terms(poolName) !== null) pools.unquarantine(poolName, address);
      journal?.unquarantined(address);
    });
  }
}
