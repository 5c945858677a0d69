/**
 * One pool: who holds which address, which are reserved or quarantined, and where a holder is placed.
 * Holds no lease, no time and no configuration syntax. What is promised of the placement:
 *
 * - The *sequence* of a holder lists every address of the network once it is walked: PROBE_LIMIT probes from the start
 *   that its hash gives, in steps that its second hash gives, then linearly from the start. It is a function of
 *   holder and network, of nothing else. Its first address that is not reserved is the holder's *home*.
 * - allocate() gives the first address of the sequence that is free. So a holder gets its home whenever that is free,
 *   in any order of arrival and after any restart; holders whose homes differ pairwise get the same addresses in any
 *   order. Excluding one more address leaves the homes of all others alone.
 * - A holder whose home is taken is displaced to the next free address of its sequence and keeps that one as long as
 *   it holds it, even if its home falls free meanwhile; freed and asked for again with nobody else moving, it is the
 *   same again.
 * - Not promised: which of several holders with one home gets it (the first to come does), and that a displaced
 *   holder returns to its second choice once a better one is free.
 *
 * Cost: with a share f of the network taken, 1/(1-f) probes are expected (2 at half full, 10 at 90 %), never more
 * than PROBE_LIMIT, and then one search of FreeMap; a full pool answers by its counts alone.
 */
import { BngError } from '../model/bng-error.js';
import type { Ipv4 } from '../model/ipv4.js';
import { formatPrefix, ipv4FromNumber, prefixContains, prefixLast } from '../model/ipv4.js';
import { FreeMap } from './free-map.js';
import { placeOnRing, PROBE_LIMIT } from './placement.js';
import type { Drain, PoolTerms, PoolUsage } from './port.js';

/** The shortest prefix a pool may have: 2^20 addresses. */
export const SHORTEST_POOL_PREFIX = 12;

/** Addresses from `first` to `last`, both included. */
export interface AddressRange {
  readonly first: Ipv4;
  readonly last: Ipv4;
}

/** A pool as configured: what DHCP says of it and which addresses are never given. */
export interface PoolDefinition extends PoolTerms {
  readonly exclude: readonly AddressRange[];
  /** Left out: `none`. */
  readonly drain?: Drain;
}

export class AddressPool {
  readonly definition: PoolDefinition;
  /** Kept here, heeded by whoever chooses a pool. */
  drain: Drain;
  readonly #size: number;
  readonly #capacity: number;
  readonly #free: FreeMap;
  /** Taken positions that allocate() never gives. */
  readonly #reserved: FreeMap;
  /** Of those, the ones that a claim may have: excluded from placement, and good for fixed addresses. */
  readonly #excluded = new Set<number>();
  /** How many excluded addresses are claimed; they do not count against the capacity. */
  #claimedExcluded = 0;
  readonly #positionOf = new Map<string, number>();
  readonly #holderOf = new Map<number, string>();
  readonly #quarantined = new Set<number>();

  /** Throws `BNG_ERR_VALUE` when the network is too large or an excluded range is not inside it. */
  constructor(definition: PoolDefinition) {
    const { network, gateway } = definition;
    if (network.length < SHORTEST_POOL_PREFIX) {
      throw new BngError('BNG_ERR_VALUE', `expected a pool of /${SHORTEST_POOL_PREFIX} or longer`, {
        found: formatPrefix(network),
      });
    }
    this.definition = definition;
    this.drain = definition.drain ?? 'none';
    this.#size = 2 ** (32 - network.length);
    this.#free = new FreeMap(this.#size);
    this.#reserved = new FreeMap(this.#size);
    let capacity = this.#size;
    const reserve = (address: Ipv4): boolean => {
      const position = address - network.network;
      if (!prefixContains(network, address) || this.#reserved.isTaken(position)) return false;
      this.#reserved.take(position);
      this.#free.take(position);
      capacity -= 1;
      return true;
    };
    // A /31 or /32 has neither network nor broadcast address (RFC 3021).
    if (network.length < 31) {
      reserve(network.network);
      reserve(prefixLast(network));
    }
    reserve(gateway);
    for (const { first, last } of definition.exclude) {
      if (!prefixContains(network, first) || !prefixContains(network, last)) {
        throw new BngError('BNG_ERR_VALUE', 'expected excluded addresses inside the pool', {
          pool: definition.name,
          network: formatPrefix(network),
        });
      }
      for (let address: number = first; address <= last; address++) {
        if (reserve(ipv4FromNumber(address))) this.#excluded.add(address - network.network);
      }
    }
    this.#capacity = capacity;
  }

  /** The holder's address, a new one when it has none; null when the pool is full. */
  allocate(holder: string): Ipv4 | null {
    const held = this.heldBy(holder);
    if (held !== null) return held;
    if (this.#held + this.#quarantined.size >= this.#capacity) return null;
    const position = this.#firstFree(holder);
    this.#free.take(position);
    this.#give(holder, position);
    return this.#addressAt(position);
  }

  /** The holder's address; null when it has none here. */
  heldBy(holder: string): Ipv4 | null {
    const held = this.#positionOf.get(holder);
    return held === undefined ? null : this.#addressAt(held);
  }

  /** Gives `holder` just this address instead of what it has; false when it is another's or never given. */
  claim(address: Ipv4, holder: string): boolean {
    const position = address - this.definition.network.network;
    const held = this.#positionOf.get(holder);
    if (held === position) return true;
    const excluded = this.#excluded.has(position);
    const available = excluded ? !this.#holderOf.has(position) : !this.#free.isTaken(position);
    if (!available) return false;
    if (held !== undefined) this.free(this.#addressAt(held), holder);
    if (excluded) this.#claimedExcluded += 1;
    else this.#free.take(position);
    this.#give(holder, position);
    return true;
  }

  /** False when `holder` does not hold the address. */
  free(address: Ipv4, holder: string): boolean {
    const position = this.#positionOf.get(holder);
    if (position === undefined || this.#addressAt(position) !== address) return false;
    this.#drop(holder, position);
    if (!this.#excluded.has(position)) this.#free.release(position);
    return true;
  }

  /** Takes an address out of use, from its holder too. No effect on an address that is never given anyway. */
  quarantine(address: Ipv4): void {
    const position = address - this.definition.network.network;
    if (!prefixContains(this.definition.network, address) || this.#reserved.isTaken(position)) return;
    const holder = this.#holderOf.get(position);
    if (holder !== undefined) this.#drop(holder, position);
    this.#quarantined.add(position);
    this.#free.take(position);
  }

  /** Puts a quarantined address back into use; no effect on any other. */
  unquarantine(address: Ipv4): void {
    const position = address - this.definition.network.network;
    if (this.#quarantined.delete(position)) this.#free.release(position);
  }

  usage(): PoolUsage {
    return {
      name: this.definition.name,
      capacity: this.#capacity,
      allocated: this.#held,
      quarantined: this.#quarantined.size,
      held: this.#holderOf.size,
      drain: this.drain,
    };
  }

  /** Addresses held of those that count: a claimed excluded one does not. */
  get #held(): number {
    return this.#holderOf.size - this.#claimedExcluded;
  }

  #give(holder: string, position: number): void {
    this.#positionOf.set(holder, position);
    this.#holderOf.set(position, holder);
  }

  #firstFree(holder: string): number {
    const { start, step } = placeOnRing(holder, this.#size);
    let position = start;
    for (let probe = 0; probe < PROBE_LIMIT; probe++) {
      if (!this.#free.isTaken(position)) return position;
      position = (position + step) & (this.#size - 1);
    }
    const next = this.#free.nextFree(start);
    if (next < 0)
      throw new Error(`pool ${this.definition.name}: its counts and its map of free addresses differ`);
    return next;
  }

  #drop(holder: string, position: number): void {
    this.#positionOf.delete(holder);
    this.#holderOf.delete(position);
    if (this.#excluded.has(position)) this.#claimedExcluded -= 1;
  }

  #addressAt(position: number): Ipv4 {
    return ipv4FromNumber(this.definition.network.network + position);
  }
}
