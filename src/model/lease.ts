/** What a DHCP answer promises to a client. */
import type { Ipv4, Ipv4Prefix } from './ipv4.js';

/** A route that a client is told of (RFC 3442). */
export interface ClasslessRoute {
  readonly to: Ipv4Prefix;
  /** 0.0.0.0 says that the destination is on the link itself. */
  readonly via: Ipv4;
}

/** An option of DHCP that configuration adds to the answers. */
export type LeaseOption = { readonly code: number } & (
  | { readonly type: 'text'; readonly value: string }
  | { readonly type: 'addresses'; readonly value: readonly Ipv4[] }
  | { readonly type: 'u8' | 'u16' | 'u32'; readonly value: number }
  /** Pairs of hexadecimal digits. */
  | { readonly type: 'hex'; readonly value: string }
  | { readonly type: 'routes'; readonly value: readonly ClasslessRoute[] }
);

/** Everything a DHCPOFFER or DHCPACK says of an address (RFC 2131 §4.3.1). */
export interface LeaseTerms {
  readonly address: Ipv4;
  readonly network: Ipv4Prefix;
  readonly gateway: Ipv4;
  readonly dns: readonly Ipv4[];
  readonly leaseSeconds: number;
  /** T1 and T2 (RFC 2131 §4.4.5); without them a half and seven eighths of the lease. */
  readonly renewSeconds?: number;
  readonly rebindSeconds?: number;
  /** Address of the captive portal API, where the subscriber is behind one (RFC 8910). */
  readonly captivePortal?: string;
  readonly options?: readonly LeaseOption[];
}

/** T1 at half and T2 at seven eighths of the lease where nothing else is said (RFC 2131 §4.4.5). */
export function leaseTimes({
  leaseSeconds,
  renewSeconds = Math.floor(leaseSeconds / 2),
  rebindSeconds = Math.floor((leaseSeconds * 7) / 8),
}: {
  readonly leaseSeconds: number;
  readonly renewSeconds?: number | undefined;
  readonly rebindSeconds?: number | undefined;
}): { readonly renewSeconds: number; readonly rebindSeconds: number } {
  return { renewSeconds, rebindSeconds };
}

/** Those of the service take the place of the pool's with the same code. */
export function mergedOptions(
  ofPool: readonly LeaseOption[],
  ofService: readonly LeaseOption[],
): readonly LeaseOption[] {
  if (ofService.length === 0) return ofPool;
  const codes = new Set(ofService.map(({ code }) => code));
  return [...ofPool.filter(({ code }) => !codes.has(code)), ...ofService];
}

/** What the leases of a pool have in common, with what one lease adds. */
export function leaseTerms(
  pool: Omit<LeaseTerms, 'address' | 'leaseSeconds'>,
  lease: Pick<LeaseTerms, 'address' | 'leaseSeconds'>,
): LeaseTerms {
  const { network, gateway, dns, renewSeconds, rebindSeconds, captivePortal, options } = pool;
  const { address, leaseSeconds } = lease;
  return {
    address,
    network,
    gateway,
    dns,
    leaseSeconds,
    ...(renewSeconds === undefined ? {} : { renewSeconds }),
    ...(rebindSeconds === undefined ? {} : { rebindSeconds }),
    ...(options === undefined ? {} : { options }),
    ...(captivePortal === undefined ? {} : { captivePortal }),
  };
}
