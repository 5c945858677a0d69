/**
 * The address pools by name, alone or several under one name: finds the pool, leaves the placement to it. Of its own it has
 * one rule: in which order the pools of a group are asked, and that those that are drained come last.
 */
import { BngError } from '../model/bng-error.js';
import type { Ipv4 } from '../model/ipv4.js';
import { formatPrefix, prefixContains, prefixesOverlap } from '../model/ipv4.js';
import { AddressPool } from './address-pool.js';
import type { PoolDefinition } from './address-pool.js';
import type {
  AddressPools,
  AllocationResult,
  ClaimResult,
  Drain,
  PoolGroup,
  PoolTerms,
  PoolUsage,
} from './port.js';

/** The names of its pools by the group's own, in the order in which they are used. */
export type PoolGroups = Readonly<Record<string, readonly string[]>>;

/** Every configured pool; a holder may have one address in each. */
export class HashRingPools implements AddressPools {
  readonly #pools = new Map<string, AddressPool>();
  #groups: readonly PoolGroup[] = [];
  /** What each name means: the pool itself, or the pools of the group. */
  #meanings: ReadonlyMap<string, readonly AddressPool[]> = new Map();
  #isDraining = false;

  /** Throws `BNG_ERR_VALUE` for a name given twice, overlapping networks, or a pool that cannot be. */
  constructor(definitions: readonly PoolDefinition[], groups: PoolGroups = {}) {
    for (const definition of definitions) this.add(definition);
    this.useGroups(groups);
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
    this.#changed();
  }

  /** Takes a pool away, quarantined addresses with it; false, and nothing done, while somebody has an address of it. */
  remove(poolName: string): boolean {
    if (this.#known(poolName).usage().held > 0) return false;
    this.#pools.delete(poolName);
    this.#changed();
    return true;
  }

  /** Throws `BNG_ERR_VALUE` for an unknown pool. */
  drain(poolName: string, drain: Drain): void {
    this.#known(poolName).drain = drain;
    this.#changed();
  }

  /** In the place of the groups of before; a pool that is not there is left out. */
  useGroups(groups: PoolGroups): void {
    this.#groups = Object.entries(groups).map(([name, pools]) => ({ name, pools }));
    this.#changed();
  }

  allocate(name: string, holder: string): AllocationResult {
    const pools = this.#meanings.get(name);
    if (pools === undefined) return { kind: 'unknown-pool' };
    const open = this.#isDraining ? pools.filter(({ drain }) => drain === 'none') : pools;
    return (
      firstOf(open, (pool) => pool.heldBy(holder)) ??
      firstOf(open, (pool) => pool.allocate(holder)) ??
      firstOf(pools, (pool) => pool.heldBy(holder)) ?? { kind: open.length > 0 ? 'exhausted' : 'drained' }
    );
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

  drainOf(poolName: string): Drain {
    return this.#pools.get(poolName)?.drain ?? 'none';
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  names(): readonly string[] {
    return [...this.#meanings.keys()];
  }

  means(name: string, poolName: string): boolean {
    return this.#meanings.get(name)?.some(({ definition }) => definition.name === poolName) ?? false;
  }

  usage(): readonly PoolUsage[] {
    return [...this.#pools.values()].map((pool) => pool.usage());
  }

  groups(): readonly PoolGroup[] {
    return this.#groups;
  }

  #changed(): void {
    this.#isDraining = [...this.#pools.values()].some(({ drain }) => drain !== 'none');
    const meanings = new Map<string, readonly AddressPool[]>();
    for (const [name, pool] of this.#pools) meanings.set(name, [pool]);
    for (const { name, pools } of this.#groups) {
      meanings.set(
        name,
        pools.flatMap((pool) => this.#pools.get(pool) ?? []),
      );
    }
    this.#meanings = meanings;
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

function firstOf(
  pools: readonly AddressPool[],
  addressIn: (pool: AddressPool) => Ipv4 | null,
): AllocationResult | null {
  for (const pool of pools) {
    const address = addressIn(pool);
    if (address !== null) return { kind: 'allocated', address, poolName: pool.definition.name };
  }
  return null;
}
