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

const above = (now: bigint, before: bigint): bigint => (now > before ? now - before : 0n);

/** What came on top; a counter that fell short of its earlier reading adds nothing. */
function growth(now: TrafficCounters, before: TrafficCounters): TrafficCounters {
  return {
    upstreamPackets: above(now.upstreamPackets, before.upstreamPackets),
    upstreamBytes: above(now.upstreamBytes, before.upstreamBytes),
    downstreamPackets: above(now.downstreamPackets, before.downstreamPackets),
    downstreamBytes: above(now.downstreamBytes, before.downstreamBytes),
  };
}

function hasStartedAgain(now: TrafficCounters, before: TrafficCounters): boolean {
  return now.upstreamPackets < before.upstreamPackets || now.downstreamPackets < before.downstreamPackets;
}

function hasMoved(now: TrafficCounters, before: TrafficCounters): boolean {
  return (
    now.upstreamPackets !== before.upstreamPackets ||
    now.downstreamPackets !== before.downstreamPackets ||
    now.upstreamBytes !== before.upstreamBytes ||
    now.downstreamBytes !== before.downstreamBytes
  );
}

export interface TrafficLedgerOptions {
  /** Told what an address moved, both ways together, since it was last observed. */
  readonly onMoved: (address: Ipv4, bytes: bigint) => void;
}

export class TrafficLedger {
  readonly #o: TrafficLedgerOptions;
  #pools: readonly LedgerPool[] = [];
  readonly #totals = new Map<string, TrafficCounters>();
  /** The last reading of every address whose lease has not ended. */
  readonly #running = new Map<Ipv4, TrafficCounters>();

  constructor(options: TrafficLedgerOptions) {
    this.#o = options;
  }

  /** In the place of those of before; what one that is gone has counted stays counted. */
  usePools(pools: readonly LedgerPool[]): void {
    this.#pools = pools;
    for (const { name } of pools) if (!this.#totals.has(name)) this.#totals.set(name, NO_TRAFFIC);
  }

  /** Takes in what the dataplane counts for some installed addresses, or for all of them. */
  observe(reading: ReadonlyMap<Ipv4, TrafficCounters>): void {
    for (const [address, now] of reading) {
      const last = this.#running.get(address) ?? NO_TRAFFIC;
      if (!hasMoved(now, last)) continue;
      // Installed anew without an end having been told (a removal that failed): what was read before was its end.
      const moved = growth(now, hasStartedAgain(now, last) ? NO_TRAFFIC : last);
      this.#running.set(address, now);
      this.#add(this.#poolOf(address), moved);
      this.#o.onMoved(address, moved.upstreamBytes + moved.downstreamBytes);
    }
  }

  /** Takes in the final traffic of a lease. Where it falls short of an earlier reading, the reading counts. */
  leaseEnded(address: Ipv4, poolName: string, final: TrafficCounters): void {
    const last = this.#running.get(address) ?? NO_TRAFFIC;
    this.#running.delete(address);
    this.#add(poolName, growth(final, last));
  }

  /** Totals by pool: ended leases and running ones as last observed. Every pool is present, those that are gone too. */
  totals(): ReadonlyMap<string, TrafficCounters> {
    return this.#totals;
  }

  /** The last reading of an address whose lease has not ended; null when it has moved nothing. */
  lastOf(address: Ipv4): TrafficCounters | null {
    return this.#running.get(address) ?? null;
  }

  #poolOf(address: Ipv4): string | null {
    return this.#pools.find((pool) => prefixContains(pool.network, address))?.name ?? null;
  }

  #add(poolName: string | null, traffic: TrafficCounters): void {
    if (poolName === null) return;
    this.#totals.set(poolName, addTraffic(this.#totals.get(poolName) ?? NO_TRAFFIC, traffic));
  }
}
