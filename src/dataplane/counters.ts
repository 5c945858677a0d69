/** The one reader of what the programs count: traffic by slot, frames by verdict, drops by reason. Keeps nothing. */
import { NO_TRAFFIC, type TrafficCounters } from '../model/traffic-counters.js';
import { BNG_TRAFFIC_SIZE, BngDropReasonLabels, BngVerdictLabels } from './abi.js';
import type { NativeMap, NativeObject } from './native-binding.js';

const WORDS_OF_TRAFFIC = BNG_TRAFFIC_SIZE / 8;

export class Counters {
  readonly #traffic: NativeMap;
  readonly #verdicts: NativeMap;
  readonly #drops: NativeMap;

  constructor(object: NativeObject) {
    this.#traffic = object.map('bng_traffic');
    this.#verdicts = object.map('bng_verdicts');
    this.#drops = object.map('bng_drops');
  }

  /** Gives the slot's next owner zero counters on every CPU. */
  reset(slot: number): void {
    this.#traffic.clearSums(slot);
  }

  /** The same for many; only those that have counted are written. */
  resetAll(slots: readonly number[]): void {
    const traffic = this.allTraffic(slots.reduce((most, slot) => Math.max(most, slot + 1), 0));
    for (const slot of slots) {
      const { upstreamPackets, downstreamPackets } = traffic(slot);
      if (upstreamPackets !== 0n || downstreamPackets !== 0n) this.reset(slot);
    }
  }

  traffic(slot: number): TrafficCounters {
    return trafficAt(this.#traffic.readSums(slot, 1), 0);
  }

  /** Slots 0 to `count - 1` in one pass. */
  allTraffic(count: number): (slot: number) => TrafficCounters {
    return this.trafficFrom(0, count);
  }

  /** `count` slots from `first` on in one pass; the function given takes those only. */
  trafficFrom(first: number, count: number): (slot: number) => TrafficCounters {
    if (count === 0) return () => NO_TRAFFIC;
    const sums = this.#traffic.readSums(first, count);
    return (slot) => trafficAt(sums, slot - first);
  }

  verdicts(): Readonly<Record<string, bigint>> {
    return labelled(this.#verdicts, BngVerdictLabels);
  }

  drops(): Readonly<Record<string, bigint>> {
    return labelled(this.#drops, BngDropReasonLabels);
  }
}

function trafficAt(sums: BigUint64Array, entry: number): TrafficCounters {
  const at = entry * WORDS_OF_TRAFFIC;
  return {
    upstreamPackets: sums[at] ?? 0n,
    upstreamBytes: sums[at + 1] ?? 0n,
    downstreamPackets: sums[at + 2] ?? 0n,
    downstreamBytes: sums[at + 3] ?? 0n,
  };
}

function labelled(map: NativeMap, labels: ReadonlyMap<number, string>): Readonly<Record<string, bigint>> {
  const sums = map.readSums(0, map.summedEntries);
  return Object.fromEntries([...labels].map(([index, label]) => [label, sums[index] ?? 0n]));
}
