/** What others may ask of the address pools. Addresses in, addresses out: nothing about leases or time. */
import type { Ipv4, Ipv4Prefix } from '../model/ipv4.js';
import type { LeaseOption } from '../model/lease.js';

/** What configuration says of a pool, as DHCP hands it out. */
export interface PoolTerms {
  readonly name: string;
  readonly network: Ipv4Prefix;
  readonly gateway: Ipv4;
  readonly dns: readonly Ipv4[];
  readonly leaseSeconds: number;
  readonly renewSeconds?: number;
  readonly rebindSeconds?: number;
  readonly options?: readonly LeaseOption[];
  /** Option 114 of its leases (RFC 8910). */
  readonly captivePortal?: string;
}

/**
 * Whether a pool is being emptied: it gives no address to anyone who has none of it. `keep`: who has one keeps it; `move`: who asks
 * for it again is to be given another elsewhere.
 */
export type Drain = 'none' | 'keep' | 'move';

export type AllocationResult =
  /** `poolName` is the pool itself, where a group was asked. */
  | { readonly kind: 'allocated'; readonly address: Ipv4; readonly poolName: string }
  | { readonly kind: 'exhausted' }
  /** Every pool that was asked is being emptied. */
  | { readonly kind: 'drained' }
  | { readonly kind: 'unknown-pool' };

export type ClaimResult =
  | { readonly kind: 'claimed'; readonly poolName: string }
  /** Held by another, reserved, or out of use. */
  | { readonly kind: 'taken' }
  | { readonly kind: 'no-pool' };

export interface PoolUsage {
  readonly name: string;
  readonly capacity: number;
  readonly allocated: number;
  readonly quarantined: number;
  /** Every address that somebody has, fixed ones in excluded ranges too: 0 in a pool that may go. */
  readonly held: number;
  readonly drain: Drain;
}

/** Several pools under one name, in the order in which they are used. */
export interface PoolGroup {
  readonly name: string;
  readonly pools: readonly string[];
}

export interface AddressPools {
  /**
   * Places the holder on the pool's hash ring; a holder that already has an address of this pool gets the same one. `name` may be
   * that of a group: then the first of its pools that has room. One that is drained gives what the holder has there already,
   * and only where no other has room.
   */
  allocate(name: string, holder: string): AllocationResult;
  /**
   * Gives the holder just this address of whichever pool it lies in; one it has there already goes back. For fixed
   * addresses, and for what a restart finds.
   */
  claim(address: Ipv4, holder: string): ClaimResult;
  /** Gives an address back; false when `holder` does not hold it. */
  free(poolName: string, address: Ipv4, holder: string): boolean;
  /** Takes an address out of use until `unquarantine`; whoever holds it loses it. */
  quarantine(poolName: string, address: Ipv4): void;
  unquarantine(poolName: string, address: Ipv4): void;
  /** Null for a group: its pools have terms. */
  terms(poolName: string): PoolTerms | null;
  /** Of the pool that the address lies in; null when it lies in none. */
  termsAt(address: Ipv4): PoolTerms | null;
  /** `none` for a pool that is not there. */
  drainOf(poolName: string): Drain;
  /** Any pool at all is drained. */
  readonly isDraining: boolean;
  /** Every name that a profile may have: pools and groups. */
  names(): readonly string[];
  /** Whether the pool is the one, or among those, that `name` means. */
  means(name: string, poolName: string): boolean;
  usage(): readonly PoolUsage[];
  groups(): readonly PoolGroup[];
}
