/** Leases and pools as others may ask for them: by address, by MAC, by client identifier. Looks only. */
import type { Clock } from '../model/clock.js';
import type { Ipv4 } from '../model/ipv4.js';
import { leaseTerms } from '../model/lease.js';
import type { AddressPools } from '../pool/port.js';
import type { LeaseInspection, LeaseQuery, LeaseSighting, PoolPlace } from './inlet.js';
import { holding, isServed, poolNameOf } from './machine/build.js';
import type { Held } from './machine/types.js';
import type { SessionRecord } from './record.js';
import type { SessionTable } from './table.js';

export interface LeaseLookupOptions {
  readonly table: SessionTable;
  readonly pools: AddressPools;
  readonly clock: Clock;
}

interface Found {
  readonly record: SessionRecord;
  readonly held: Held;
}

export class LeaseLookup implements LeaseInspection {
  readonly #o: LeaseLookupOptions;

  constructor(options: LeaseLookupOptions) {
    this.#o = options;
  }

  poolAt(address: Ipv4): PoolPlace | null {
    const terms = this.#o.pools.termsAt(address);
    if (terms === null) return null;
    return { poolName: terms.name, network: terms.network, gateway: terms.gateway };
  }

  lease(query: LeaseQuery): LeaseSighting | null {
    const all = this.#found(query);
    const newest = all.reduce<Found | null>((best, one) => (isNewer(one, best) ? one : best), null);
    if (newest === null) return null;
    const { record, held } = newest;
    const { grant } = held;
    const pool = this.#o.pools.terms(poolNameOf(grant));
    if (pool === null) return null;
    return {
      terms: leaseTerms(pool, grant),
      serverId: pool.gateway,
      mac: held.attachment.mac,
      clientId: record.line?.clientId ?? null,
      option82: record.line?.option82 ?? null,
      remainingMs: Math.max(0, held.expiresAtMs - this.#o.clock.monotonicMs()),
      addresses: all.map((one) => one.held.grant.address),
    };
  }

  #found(query: LeaseQuery): readonly Found[] {
    if (query.by === 'address') {
      const record = this.#o.table.byAddress(query.address);
      return record === null ? [] : heldBy(record).filter(({ held }) => held.grant.address === query.address);
    }
    const { clientId, mac } = { clientId: null, mac: null, ...query };
    const found: Found[] = [];
    for (const record of this.#o.table.all()) {
      if (clientId !== null && !isSame(record.line?.clientId, clientId)) continue;
      found.push(...heldBy(record).filter(({ held }) => mac === null || held.attachment.mac === mac));
    }
    return found;
  }
}

function heldBy(record: SessionRecord): readonly Found[] {
  const { state } = record.session;
  const held = isServed(state) ? holding(state) : null;
  return held === null ? [] : [{ record, held }];
}

function isNewer(one: Found, other: Found | null): boolean {
  return other === null || one.held.expiresAtMs > other.held.expiresAtMs;
}

function isSame(known: Uint8Array | undefined, asked: Uint8Array): boolean {
  return known !== undefined && Buffer.compare(known, asked) === 0;
}
