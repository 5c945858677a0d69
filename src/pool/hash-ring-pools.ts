/**
 * The address pools by name: finds the pool, leaves the placement to it. Holds no rule of its own.
 */
import { BngError } from '../model/bng-error.js';
import type { Ipv4 } from '../model/ipv4.js';
import { formatPrefix, prefixContains, prefixesOverlap } from '../model/ipv4.js';
import { AddressPool } from './address-pool.js';
import type { PoolDefinition } from './address-pool.js';
import type { AddressPools, AllocationResult, ClaimResult, PoolTerms, PoolUsage } from './port.js';

/** Every configured pool; a holder may have one address in each. */
export class HashRingPools implements AddressPools {
  readonly #pools = new Map<string, AddressPool>();

  /** Throws `BNG_ERR_VALUE` for a name given twice, overlapping networks, or a pool that cannot be. */
  constructor(definitions: readonly PoolDefinition[]) {
    for (const definition of definitions) this.add(definition);
  }

  /** One more pool; throws `BNG_ERR_VALUE` as the constructor does. */
  add(definition: PoolDefinition): void {
    for (const { definition: other } of this.#pools.values()) {
      if (other.name === definition.name || prefixesOverlap(other.network, definition.network)) {
        throw new BngError('BNG_ERR_VALUE', 'expected pools with different names and networks', {
          first: `${other.name} ${formatPrefix(other.network)}`,
          second: `${definition.name} ${formatPrefix(definition.network)}`,
        });
      }
    }
    this.#pools.set(definition.name, new AddressPool(definition));
  }

  allocate(poolName: string, holder: string): AllocationResult {
    const pool = this.#pools.get(poolName);
    if (pool === undefined) return { kind: 'unknown-pool' };
    const address = pool.allocate(holder);
    return address === null ? { kind: 'exhausted' } : { kind: 'allocated', address };
  }

  claim(address: Ipv4, holder: string): ClaimResult {
    const pool = this.#at(address);
    if (pool === null) return { kind: 'no-pool' };
    return pool.claim(address, holder)
      ? { kind: 'claimed', poolName: pool.definition.name }
      : { kind: 'taken' };
  }

  free(poolName: string, address: Ipv4, holder: string): boolean {
    return this.#pools.get(poolName)?.free(address, holder) ?? false;
  }

  /** Throws `BNG_ERR_VALUE` for an unknown pool: nobody can have been given an address of it. */
  quarantine(poolName: string, address: Ipv4): void {
    this.#known(poolName).quarantine(address);
  }

  /** Throws `BNG_ERR_VALUE` for an unknown pool. */
  unquarantine(poolName: string, address: Ipv4): void {
    this.#known(poolName).unquarantine(address);
  }

  terms(poolName: string): PoolTerms | null {
    return this.#pools.get(poolName)?.definition ?? null;
  }

  termsAt(address: Ipv4): PoolTerms | null {
    return this.#at(address)?.definition ?? null;
  }

  usage(): readonly PoolUsage[] {
    return [...this.#pools.values()].map((pool) => pool.usage());
  }

  #at(address: Ipv4): AddressPool | null {
    for (const pool of this.#pools.values()) {
      if (prefixContains(pool.definition.network, address)) return pool;
    }
    return null;
  }

  #known(poolName: string): AddressPool {
    const pool = this.#pools.get(poolName);
    if (pool === undefined)
      throw new BngError('BNG_ERR_VALUE', 'expected a configured pool', { found: poolName });
    return pool;
  }
}
