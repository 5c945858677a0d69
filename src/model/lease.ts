/** What a DHCP answer promises to a client. */
import type { Ipv4, Ipv4Prefix } from './ipv4.js';

/** Everything a DHCPOFFER or DHCPACK says of an address (RFC 2131 §4.3.1). */
export interface LeaseTerms {
  readonly address: Ipv4;
  readonly network: Ipv4Prefix;
  readonly gateway: Ipv4;
  readonly dns: readonly Ipv4[];
  readonly leaseSeconds: number;
  /** Address of the captive portal API, where the subscriber is behind one (RFC 8910). */
  readonly captivePortal?: string;
}

/** What the leases of a pool have in common, with what one lease adds. */
export function leaseTerms(
  pool: Omit<LeaseTerms, 'address' | 'leaseSeconds'>,
  lease: Pick<LeaseTerms, 'address' | 'leaseSeconds'>,
): LeaseTerms {
  const { network, gateway, dns, captivePortal } = pool;
  const { address, leaseSeconds } = lease;
  return {
    address,
    network,
    gateway,
    dns,
    leaseSeconds,
    ...(captivePortal === undefined ? {} : { captivePortal }),
  };
}
