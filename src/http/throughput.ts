/**
 * What the installed subscribers carry together, from one reading of their counters to the next. Read for those who watch
 * only, and for a small part of the time, however many subscribers there are. No HTTP.
 */
import type { Clock } from '../model/clock.js';
import type { Ipv4 } from '../model/ipv4.js';
import type { TrafficCounters } from '../model/traffic-counters.js';
import { readTraffic } from './read-traffic.js';
import type { TrafficSource } from './read-traffic.js';
import { TimeSlices } from './time-slice.js';

const LEAST_BETWEEN_MS = 1_000;
/** A reading is followed by a pause of so many times its own length. */
const REST = 20;

export interface Throughput {
  readonly installed: number;
  readonly upstreamBitsPerSecond: number;
  readonly downstreamBitsPerSecond: number;
}

interface Reading {
  readonly atMs: number;
  readonly traffic: ReadonlyMap<Ipv4, TrafficCounters>;
}

/** A counter below its earlier reading has begun anew: the address was installed again. */
function growth(now: bigint, before: bigint | undefined): bigint {
  return before === undefined || now < before ? now : now - before;
}

export class ThroughputMeter {
  readonly #dataplane: TrafficSource;
  readonly #clock: Clock;
  #reading: Reading | null = null;
  #dueMs = 0;
  #isBusy = false;
  #last: Throughput | null = null;

  constructor(dataplane: TrafficSource, clock: Clock) {
    this.#dataplane = dataplane;
    this.#clock = clock;
  }

  /** Null before two readings. */
  get last(): Throughput | null {
    return this.#last;
  }

  /** Reads when it is time to; call it as often as you like. */
  async measure(): Promise<void> {
    const beganMs = this.#clock.monotonicMs();
    if (this.#isBusy || beganMs < this.#dueMs) return;
    this.#isBusy = true;
    try {
      const traffic = await readTraffic(this.#dataplane);
      const atMs = this.#clock.monotonicMs();
      if (this.#reading !== null && atMs > this.#reading.atMs) {
        this.#last = await between(this.#reading, { atMs, traffic });
      }
      this.#reading = { atMs, traffic };
      this.#dueMs = beganMs + Math.max(LEAST_BETWEEN_MS, REST * (this.#clock.monotonicMs() - beganMs));
    } finally {
      this.#isBusy = false;
    }
  }

  /** Lets go of the readings: what follows starts anew. */
  forget(): void {
    this.#reading = null;
    this.#last = null;
    this.#dueMs = 0;
  }
}

async function between(before: Reading, now: Reading): Promise<Throughput> {
  const slices = new TimeSlices();
  let upstream = 0n;
  let downstream = 0n;
  let looked = 0;
  for (const [address, { upstreamBytes, downstreamBytes }] of now.traffic) {
    const earlier = before.traffic.get(address);
    upstream += growth(upstreamBytes, earlier?.upstreamBytes);
    downstream += growth(downstreamBytes, earlier?.downstreamBytes);
    looked += 1;
    if (looked % 512 === 0) await slices.pause();
  }
  const perSecond = (bytes: bigint): number => Math.round((Number(bytes) * 8_000) / (now.atMs - before.atMs));
  return {
    installed: now.traffic.size,
    upstreamBitsPerSecond: perSecond(upstream),
    downstreamBitsPerSecond: perSecond(downstream),
  };
}
