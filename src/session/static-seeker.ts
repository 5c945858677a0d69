/**
 * Looks for the stations of static addresses that are granted and not in use: their lines are asked by ARP, at once and then now and
 * again, at a bounded rate. Who answers is sighted like any other; nothing is decided here. Without such an address it has no timer.
 */
import type { Clock, TimerHandle } from '../model/clock.js';
import type { AddressProber } from './address-prober.js';
import type { LinePlace } from './line-census.js';
import { isServed } from './machine/build.js';
import type { SessionRecord } from './record.js';

export interface StaticSeekerOptions {
  readonly prober: AddressProber;
  readonly clock: Clock;
  /** Where the station of a session must be; empty while nobody knows. */
  readonly placesOf: (record: SessionRecord) => readonly LinePlace[];
}

const TICK_MS = 1_000;
/** Between two questions for one address. */
const AGAIN_MS = 5_000;
/** Addresses asked for in one tick. */
const MOST_OF_A_TICK = 50;

export class StaticSeeker {
  readonly #o: StaticSeekerOptions;
  /** When each was asked for last; the longest ago comes first. */
  readonly #wanted = new Map<SessionRecord, number>();
  #timer: TimerHandle | null = null;
  #closed = false;

  constructor(options: StaticSeekerOptions) {
    this.#o = options;
  }

  seek(record: SessionRecord): void {
    if (this.#closed || this.#wanted.has(record)) return;
    this.#ask(record);
    this.#later();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#wanted.clear();
  }

  #later(): void {
    if (this.#timer !== null || this.#wanted.size === 0) return;
    this.#timer = this.#o.clock.after(TICK_MS, () => {
      this.#timer = null;
      this.#tick();
      this.#later();
    });
  }

  #tick(): void {
    const nowMs = this.#o.clock.monotonicMs();
    let left = MOST_OF_A_TICK;
    for (const [record, askedMs] of this.#wanted) {
      if (left === 0 || nowMs - askedMs < AGAIN_MS) return;
      left -= 1;
      this.#wanted.delete(record);
      const { state } = record.session;
      if (isServed(state) && state.grant.isStatic === true && state.lease.phase === 'none') this.#ask(record);
    }
  }

  #ask(record: SessionRecord): void {
    const { prober, clock, placesOf } = this.#o;
    this.#wanted.set(record, clock.monotonicMs());
    const { state } = record.session;
    if (!isServed(state)) return;
    for (const place of placesOf(record)) prober.lookFor(state.grant.address, place);
  }
}
