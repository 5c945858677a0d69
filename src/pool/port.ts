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

export type AllocationResult =
  | { readonly kind: 'allocated'; readonly address: Ipv4 }
  | { readonly kind: 'exhausted' }
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
}

export interface AddressPools {
  /** Places the holder on the pool's hash ring; a holder that already has an address of this pool gets the same one. */
  allocate(poolName: string, holder: string): AllocationResult;
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
  terms(poolName: string): PoolTerms | null;
  /** Of the pool that the address lies in; null when it lies in none. */
  termsAt(address: Ipv4): PoolTerms | null;
  usage(): readonly PoolUsage[];
}
