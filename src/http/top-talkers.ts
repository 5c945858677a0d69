/** Who carries most traffic right now: two readings of the kernel's counters and what lies between them. No HTTP. */
import type { Clock } from '../model/clock.js';
import type { Ipv4 } from '../model/ipv4.js';
import type { TrafficCounters } from '../model/traffic-counters.js';
import type { TrafficSource } from './read-traffic.js';
import { readTraffic } from './read-traffic.js';

const BETWEEN_MS = 1_000;

export interface Talker {
  readonly address: Ipv4;
  readonly traffic: TrafficCounters;
  readonly upstreamBitsPerSecond: number;
  readonly downstreamBitsPerSecond: number;
  readonly upstreamPacketsPerSecond: number;
  readonly downstreamPacketsPerSecond: number;
}

export class TopTalkers {
  readonly #dataplane: TrafficSource;
  readonly #clock: Clock;
  /** However many ask at once, the kernel is read for all of them together. */
  #measuring: Promise<readonly Talker[]> | null = null;

  constructor(dataplane: TrafficSource, clock: Clock) {
    this.#dataplane = dataplane;
    this.#clock = clock;
  }

  /** Every installed subscriber with its rates, the busiest first. Takes a second. */
  measure(): Promise<readonly Talker[]> {
    this.#measuring ??= this.#measure().finally(() => (this.#measuring = null));
    return this.#measuring;
  }

  async #measure(): Promise<readonly Talker[]> {
    const before = await readTraffic(this.#dataplane);
    const startedMs = this.#clock.monotonicMs();
    await new Promise<void>((resolve) => this.#clock.after(BETWEEN_MS, resolve));
    const seconds = (this.#clock.monotonicMs() - startedMs) / 1000;
    const talkers: Talker[] = [];
    for (const [address, traffic] of await readTraffic(this.#dataplane)) {
      const old = before.get(address);
      const perSecond = (counter: keyof TrafficCounters): number =>
        Math.max(0, Number(traffic[counter] - (old?.[counter] ?? 0n)) / seconds);
      talkers.push({
        address,
        traffic,
        upstreamBitsPerSecond: 8 * perSecond('upstreamBytes'),
        downstreamBitsPerSecond: 8 * perSecond('downstreamBytes'),
        upstreamPacketsPerSecond: perSecond('upstreamPackets'),
        downstreamPacketsPerSecond: perSecond('downstreamPackets'),
      });
    }
    return talkers.sort((a, b) => loudness(b) - loudness(a));
  }
}

function loudness(talker: Talker): number {
  return talker.upstreamBitsPerSecond + talker.downstreamBitsPerSecond;
}
