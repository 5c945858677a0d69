/**
 * The configuration as the rest of the project sees it: model values, every default filled in, deep-frozen.
 * Holds no YAML and no check.
 */
import type { Ipv4, Ipv4Prefix } from '../model/ipv4.js';

/** Addresses from `first` to `last`, both included. */
export interface AddressRange {
  readonly first: Ipv4;
  readonly last: Ipv4;
}

/** An address and a TCP or UDP port; port 0 in a listen address lets the kernel choose. */
export interface Endpoint {
  readonly address: Ipv4;
  readonly port: number;
}

export interface PoolConfig {
  readonly name: string;
  readonly network: Ipv4Prefix;
  readonly gateway: Ipv4;
  readonly dns: readonly Ipv4[];
  readonly leaseSeconds: number;
  readonly exclude: readonly AddressRange[];
}

export interface AccessConfig {
  readonly interface: string;
  readonly xdpMode: 'native' | 'generic';
  /** TPIDs as numbers: 0x88a8 or 0x8100. */
  readonly vlan: { readonly sVlanTpid: number; readonly cVlanTpid: number };
  /** Believe what option 82 says of the line; only where an access node of ours inserts it. */
  readonly trustOption82: boolean;
  /** Subscribers may reach each other through the gateway. */
  readonly localForwarding: boolean;
  /** For comparison only: XDP judges every packet, the kernel's stack forwards it. */
  readonly forwardInStack: boolean;
}

/** What the local authenticator grants one ONT. A rate of 0 means unlimited. */
export interface LocalRecord {
  readonly ontSerial: string;
  readonly poolName: string;
  readonly serviceId: string;
  readonly downloadBitsPerSecond: number;
  readonly uploadBitsPerSecond: number;
}

export interface AuthConfig {
  readonly mode: 'local';
  /** The pool of every ONT without a record. */
  readonly defaultPool: string;
  readonly records: readonly LocalRecord[];
}

export interface RadiusServerConfig {
  readonly host: string;
  readonly authPort: number;
  readonly acctPort: number;
  readonly secretFile: string;
}

/** Read and checked, but without effect as long as no authenticator speaks RADIUS. */
export interface RadiusConfig {
  readonly servers: readonly RadiusServerConfig[];
  readonly nasIdentifier: string;
  readonly interimIntervalSeconds: number;
  readonly coa: {
    readonly listen: Endpoint;
    readonly clients: readonly { readonly host: string; readonly secretFile: string }[];
  } | null;
}

/** A destination that garden members may reach; port null means every port and protocol. */
export interface AllowedDestination {
  readonly prefix: Ipv4Prefix;
  readonly port: number | null;
}

export interface WalledGardenConfig {
  readonly poolName: string;
  /** Its address is the gateway of the garden's pool. */
  readonly portal: Endpoint;
  readonly allow: readonly AllowedDestination[];
}

export interface OltConfig {
  /** Path of the unix socket on which the access node listens. */
  readonly socket: string;
  /** S-VLAN (1 to 4094) by the name of the pool whose subscribers it carries. */
  readonly vlans: Readonly<Record<string, number>>;
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

export interface Config {
  readonly access: AccessConfig;
  readonly core: { readonly interface: string };
  readonly pools: readonly PoolConfig[];
  readonly auth: AuthConfig;
  readonly radius: RadiusConfig | null;
  readonly walledGarden: WalledGardenConfig;
  readonly olt: OltConfig | null;
  readonly api: { readonly listen: Endpoint; readonly tokenFile: string; readonly allowRemote: boolean };
  readonly metrics: { readonly listen: Endpoint };
  readonly store: { readonly path: string } | null;
  readonly log: { readonly level: LogLevel };
  readonly qos: { readonly burstMs: number };
}
