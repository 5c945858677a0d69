/**
 * Traffic per pool since start, monotonic although subscribers come and go. Values in, values out: no Prometheus.
 *
 * The dataplane stops counting an address when it is removed, and the final figures arrive with the lease's end, a
 * moment later. Between the two the last reading stands in, so that a total never dips and nothing is counted twice.
 */
import type { Ipv4, Ipv4Prefix } from '../model/ipv4.js';
import { prefixContains } from '../model/ipv4.js';
import { addTraffic, NO_TRAFFIC } from '../model/traffic-counters.js';
import type { TrafficCounters } from '../model/traffic-counters.js';

export interface LedgerPool {
  readonly name: string;
  readonly network: Ipv4Prefix;
}

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);

function largest(a: TrafficCounters, b: TrafficCounters): TrafficCounters {
  return {
    upstreamPackets: larger(a.upstreamPackets, b.upstreamPackets),
    upstreamBytes: larger(a.upstreamBytes, b.upstreamBytes),
    downstreamPackets: larger(a.downstreamPackets, b.downstreamPackets),
    downstreamBytes: larger(a.downstreamBytes, b.downstreamBytes),
  };
}

function hasStartedAgain(now: TrafficCounters, before: TrafficCounters): boolean {
  return now.upstreamPackets < before.upstreamPackets || now.downstreamPackets < before.downstreamPackets;
}

export class TrafficLedger {
  readonly #pools: readonly LedgerPool[];
  /** Traffic of leases that have ended, by pool. */
  readonly #ended = new Map<string, TrafficCounters>();
  /** The last reading of every address whose lease has not ended. */
  readonly #running = new Map<Ipv4, TrafficCounters>();

  constructor(pools: readonly LedgerPool[]) {
    this.#pools = pools;
    for (const pool of pools) this.#ended.set(pool.name, NO_TRAFFIC);
  }

  /** Takes in what the dataplane counts for every installed address. */
  observe(reading: ReadonlyMap<Ipv4, TrafficCounters>): void {
    for (const [address, now] of reading) {
      const before = this.#running.get(address);
      // Installed anew without an end having been told (a removal that failed): what was read before is its end.
      if (before !== undefined && hasStartedAgain(now, before)) this.#bank(this.#poolOf(address), before);
      this.#running.set(address, now);
    }
  }

  /** Takes in the final traffic of a lease. Where it falls short of an earlier reading, the reading counts. */
  leaseEnded(address: Ipv4, poolName: string, final: TrafficCounters): void {
    const before = this.#running.get(address);
    this.#running.delete(address);
    this.#bank(poolName, before === undefined ? final : largest(final, before));
  }

  /** Totals by pool: ended leases and running ones as last observed. Every pool is present. */
  totals(): ReadonlyMap<string, TrafficCounters> {
    const totals = new Map(this.#ended);
    for (const [address, traffic] of this.#running) {
      const pool = this.#poolOf(address);
      if (pool !== null) totals.set(pool, addTraffic(totals.get(pool) ?? NO_TRAFFIC, traffic));
    }
    return totals;
  }

  #poolOf(address: Ipv4): string | null {
    return this.#pools.find((pool) => prefixContains(pool.network, address))?.name ?? null;
  }

  #bank(poolName: string | null, traffic: TrafficCounters): void {
    if (poolName === null) return;
    this.#ended.set(poolName, addTraffic(this.#ended.get(poolName) ?? NO_TRAFFIC, traffic));
  }
}
