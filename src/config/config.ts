/**
 * The configuration as the rest of the project sees it: model values, every default filled in, deep-frozen.
 * Holds no YAML and no check.
 */
import type { Ipv4, Ipv4Prefix } from '../model/ipv4.js';
import type { Mac } from '../model/mac.js';
import type { LeaseOption } from '../model/lease.js';

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
  /** Where the captive portal API is (RFC 8910), for the garden's pool. */
  readonly captivePortal?: string;
  readonly exclude: readonly AddressRange[];
  /** T1 and T2; left out, a half and seven eighths of the lease. */
  readonly renewSeconds?: number;
  readonly rebindSeconds?: number;
  /** What the answers of this pool say beside what the BNG itself says. */
  readonly options?: readonly LeaseOption[];
  /** Whether it is being emptied: `keep` leaves addresses to who has them, `move` ends that when they are asked for again. */
  readonly drain: 'none' | 'keep' | 'move';
}

/** A relay agent that may put itself in front of its clients with giaddr. */
export interface RelayConfig {
  readonly address: Ipv4;
  /** Pools whose addresses are good on its link; empty: the one whose network the link's address lies in, if any. */
  readonly pools: readonly string[];
  /** It may ask who holds an address (RFC 4388). */
  readonly leasequery: boolean;
}

export interface DhcpConfig {
  /** What becomes of option 82 that no access node of ours has inserted (RFC 3046 §2.1). */
  readonly untrustedOption82: 'refuse' | 'replace';
  /** Null: every giaddr is heard where option 82 is trusted, and nobody may ask for leases. */
  readonly relays: readonly RelayConfig[] | null;
  /** Options by service id. */
  readonly services: Readonly<Record<string, readonly LeaseOption[]>>;
  /** Asks by ARP whether somebody has an address before it is offered for the first time. */
  readonly probe: boolean;
  readonly probeWaitMs: number;
  /** FORCERENEW (RFC 6704) for clients that offer a nonce. */
  readonly forceRenew: boolean;
}

export interface LinesConfig {
  /** Sessions of one interface and its tags, and stations of one line; null: as many as come. */
  readonly sessions: number | null;
  readonly macs: number | null;
  /** What becomes of the present station when a new one asks. */
  readonly newMac: 'probe' | 'replace' | 'refuse';
  /** What becomes of the lease that a MAC has on another line. */
  readonly movedMac: 'keep' | 'probe';
  /** Addresses that are used without DHCP. */
  readonly static: readonly Ipv4Prefix[];
  /** How often, and how long each time, a station is asked before it counts as gone. */
  readonly tries: number;
  readonly waitMs: number;
  readonly liveness: {
    readonly action: 'off' | 'report' | 'close';
    readonly intervalSeconds: number;
    readonly perSecond: number;
  };
}

export interface AccessConfig {
  /** At least one. */
  readonly interfaces: readonly string[];
  /** Longest packet towards a subscriber, in bytes of IP. */
  readonly mtu: number;
  readonly xdpMode: 'native' | 'generic';
  /** TPIDs as numbers: 0x88a8 or 0x8100. */
  readonly vlan: { readonly sVlanTpid: number; readonly cVlanTpid: number };
  /** Believe what option 82 says of the line; only where an access node of ours inserts it. */
  readonly trustOption82: boolean;
  /** Subscribers may reach each other through the gateway. */
  readonly localForwarding: boolean;
  /** For comparison only: XDP judges every packet, the kernel's stack forwards it. */
  readonly forwardInStack: boolean;
  /** XDP answers the DHCP messages of bound leases by itself. */
  readonly fastDhcp: boolean;
  /** Set MTU and queues of the interfaces on both sides. */
  readonly tune: boolean;
}

/** What the local authenticator grants one ONT. A rate of 0 means unlimited. */
export interface LocalRecord {
  readonly ontSerial: string;
  /** The one address it has, and the one station that may use it without DHCP. */
  readonly address?: Ipv4;
  readonly mac?: Mac;
  readonly poolName: string;
  readonly serviceId: string;
  readonly downloadBitsPerSecond: number;
  readonly uploadBitsPerSecond: number;
}

/** What becomes of a subscriber without a grant: the walled garden, no answer, or no for an answer. */
export type RadiusPolicy = 'garden' | 'silence' | 'refuse';

export interface AuthConfig {
  readonly mode: 'local' | 'radius';
  /** The pool of every ONT without a record, and of who is accepted without a word about it. */
  readonly defaultPool: string;
  /** Empty with mode radius. */
  readonly records: readonly LocalRecord[];
  /** `ont-serial`, `circuit-id`, `remote-id`, `mac`, or a template with these in braces; for mode radius. */
  readonly userName: string;
  readonly onReject: RadiusPolicy;
  readonly onTimeout: RadiusPolicy;
}

export interface RadiusServerConfig {
  readonly host: string;
  readonly authPort: number;
  readonly acctPort: number;
  readonly secretFile: string;
  readonly requireMessageAuthenticator: boolean;
}

/** What a Filter-Id stands for. A rate of 0 means unlimited. */
export interface FilterConfig {
  /** Null leaves the pool to Framed-Pool, or to what the subscriber has. */
  readonly poolName: string | null;
  readonly serviceId: string;
  readonly downloadBitsPerSecond: number;
  readonly uploadBitsPerSecond: number;
}

export interface CoaClientConfig {
  readonly address: Ipv4;
  readonly secretFile: string;
  readonly allow: readonly ('CoA' | 'Disconnect')[];
}

export interface CoaConfig {
  readonly listen: Endpoint;
  readonly clients: readonly CoaClientConfig[];
  readonly requireMessageAuthenticator: boolean;
  readonly requireEventTimestamp: boolean;
  readonly replayWindowSeconds: number;
}

export interface RadiusConfig {
  readonly servers: readonly RadiusServerConfig[];
  readonly nasIdentifier: string;
  /** Null leaves it to the address that the servers are reached from. */
  readonly nasIpAddress: Ipv4 | null;
  /** RFC 5080 §2.2.1. */
  readonly timers: {
    readonly initialRetransmitMs: number;
    readonly maxRetransmitMs: number;
    /** To one server, the first included. */
    readonly maxTransmissions: number;
    readonly deadlineMs: number;
    /** Transmissions to one server before the next is tried. */
    readonly failoverAfter: number;
    readonly deadMs: number;
  };
  readonly limits: { readonly maxSockets: number; readonly maxQueued: number };
  readonly interimIntervalSeconds: number;
  readonly filters: Readonly<Record<string, FilterConfig>>;
  readonly coa: CoaConfig | null;
}

export interface AccountingConfig {
  readonly mode: 'radius' | 'log' | 'none';
  /** Records that wait for a server, in the store. */
  readonly queueLimit: number;
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
  readonly dns: GardenDnsConfig | null;
}

/** A name that garden members may reach. `name` is in lower case; `below`: what is under it, and not itself. */
export interface AllowedName {
  readonly name: string;
  readonly below: boolean;
  readonly port: number | null;
}

/** The garden's own DNS; it answers at the portal's address. */
export interface GardenDnsConfig {
  readonly names: readonly AllowedName[];
  readonly upstream: readonly Endpoint[];
}

/** One text in each language of the portal. */
export interface LocalizedText {
  readonly en: string;
  readonly de: string;
}

/** What a subscriber may activate on the portal. A rate of 0 means unlimited. */
export interface OfferConfig {
  readonly serviceId: string;
  readonly poolName: string;
  readonly downloadBitsPerSecond: number;
  readonly uploadBitsPerSecond: number;
  readonly name: LocalizedText;
  readonly description: LocalizedText | null;
}

export interface PortalConfig {
  /** Shown at the head of each page. */
  readonly provider: string;
  readonly contact: LocalizedText | null;
  readonly offers: readonly OfferConfig[];
  /** Folder with templates in the place of the built-in ones. */
  readonly templates: string | null;
  /** With which the portal speaks TLS too, on the same port, as `host` (name or name:port) of its captive portal API. */
  readonly tls: { readonly host: string; readonly certFile: string; readonly keyFile: string } | null;
}

export interface OltConfig {
  /** Path of the unix socket on which the access node listens. */
  readonly socket: string;
  /** How long an answer of it is waited for. */
  readonly timeoutMs: number;
  /** S-VLAN (1 to 4094) by the name of the pool whose subscribers it carries. */
  readonly vlans: Readonly<Record<string, number>>;
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

export interface ApiConfig {
  readonly listen: Endpoint;
  readonly tokenFile: string;
  /** Path of the unix socket for root: no token there. */
  readonly socket: string;
  /** PEM files; null: plain HTTP. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | null;
  /** Plain HTTP beyond the loopback all the same: the token can be read on the way. */
  readonly insecure: boolean;
}

export interface MetricsConfig {
  readonly listen: Endpoint;
  /** How many subscribers `/metrics` names as top talkers. */
  readonly topTalkers: number;
  /** Whether `/metrics/subscribers` is served: some series for each subscriber. */
  readonly subscribers: boolean;
}

export interface Config {
  readonly access: AccessConfig;
  readonly core: { readonly interfaces: readonly string[] };
  readonly pools: readonly PoolConfig[];
  /** Several pools under one name, in the order in which they are used. */
  readonly poolGroups: Readonly<Record<string, readonly string[]>>;
  readonly dhcp: DhcpConfig;
  readonly lines: LinesConfig;
  readonly auth: AuthConfig;
  readonly radius: RadiusConfig | null;
  readonly accounting: AccountingConfig;
  readonly walledGarden: WalledGardenConfig;
  readonly portal: PortalConfig;
  readonly olt: OltConfig | null;
  readonly api: ApiConfig;
  readonly metrics: MetricsConfig;
  /** Null: nothing outlives the process (store.mode memory). */
  readonly store: { readonly path: string } | null;
  /** `stdout`, `stderr`, or the path of a file. */
  readonly audit: { readonly to: string };
  readonly log: { readonly level: LogLevel };
  readonly qos: { readonly burstMs: number };
  /** Folder in bpffs of what goes on without the process; one for each BNG on a machine. */
  readonly dataplane: { readonly pinPath: string };
}
