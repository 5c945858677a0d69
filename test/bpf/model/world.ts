/**
 * The reference model's state: everything a program may ask about a frame, as plain values. Written apart from the C
 * and from src/dataplane on purpose, so that neither can hide a mistake of the other. Judges nothing.
 */
import type { Ipv4 } from '../../../src/model/ipv4.js';

/** What a bucket admits at once, in bytes or frames; null means unlimited. Buckets never refill while a world lives. */
export type Burst = number | null;

export interface Tag {
  readonly tpid: number;
  readonly vlan: number;
}

export interface Subscriber {
  readonly address: number;
  readonly ifindex: number;
  readonly slot: number;
  /** None to two, outer first. */
  readonly tags: readonly Tag[];
  readonly mac: Buffer;
  readonly walled: boolean;
  readonly upstream: Burst;
  readonly downstream: Burst;
}

export interface GardenPrefix {
  readonly network: number;
  readonly length: number;
  readonly any: boolean;
  readonly ports: readonly number[];
}

/** What the control plane has promised a station and lets XDP repeat. */
export interface Lease {
  readonly address: number;
  readonly poolName: string;
  /** Value of option 82 of the station's messages; empty: they bear none. */
  readonly option82: Buffer;
  readonly expired: boolean;
  /** Its client may have ended it: nothing is answered until it is withdrawn. */
  isGivenUp?: boolean;
}

/** Interfaces that subscribers are behind, and the gateway's MAC there. */
export type AccessPorts = ReadonlyMap<number, Buffer>;

export interface Settings {
  readonly accessPorts: AccessPorts;
  /** Longest IPv4 packet that goes to a line in one piece. */
  readonly subscriberMtu: number;
  readonly fastDhcp: boolean;
  readonly trustOption82: boolean;
  readonly gardenDns: boolean;
  readonly portalAddress: number;
  readonly portalPort: number;
  readonly localForwarding: boolean;
  readonly forwardInStack: boolean;
  readonly puntInstalled: Burst;
  readonly puntNew: Burst;
  readonly puntLine: Burst;
  readonly puntTotalInstalled: Burst;
  readonly puntTotalNew: Burst;
  /** Messages of one lease that XDP answers. */
  readonly answers: Burst;
}

export type RouteAnswer =
  | { readonly kind: 'unicast'; readonly ifindex: number; readonly nextHop: number; readonly mtu: number }
  | { readonly kind: 'refused' }
  | { readonly kind: 'not-forwarded' };

export interface Neighbour {
  readonly destinationMac: Buffer;
  readonly sourceMac: Buffer;
}

/** What the kernel's routing says; the model takes it as given. */
export interface Routes {
  lookup(destination: number): RouteAnswer;
  /** Null while it is not resolved. */
  neighbour(ifindex: number, address: number): Neighbour | null;
}

/** What the answers to the clients of one pool have in common. */
export interface PoolTerms {
  readonly serverId: Ipv4;
  readonly network: { readonly network: Ipv4; readonly length: number };
  readonly gateway: Ipv4;
  readonly dns: readonly Ipv4[];
  readonly leaseSeconds: number;
}

export interface WorldOptions {
  readonly settings: Settings;
  readonly routes: Routes;
  /** Interfaces that frames may be redirected to. */
  readonly ports: ReadonlySet<number>;
  readonly garden: readonly GardenPrefix[];
  /** Addresses of ours: true for a gateway. */
  readonly local: ReadonlyMap<number, boolean>;
  /** By name. */
  readonly pools: ReadonlyMap<string, PoolTerms>;
  readonly ringBytes: number;
}

/** A line and station as one key; VLAN 0 = no such tag. */
export function stationKey(ifindex: number, vlans: readonly number[], mac: string): string {
  return `${ifindex}/${vlans[0] ?? 0}/${vlans[1] ?? 0}/${mac}`;
}

export class World {
  readonly options: WorldOptions;
  readonly subscribers = new Map<number, Subscriber>();
  /** Station key to the address installed there. */
  readonly stations = new Map<string, number>();
  /** By station key, installed or not. */
  readonly leases = new Map<string, Lease>();
  /** Answers owed by station key. */
  readonly answersOwed = new Map<string, number>();
  /** Bytes owed by slot and direction: how far a policer's arrival time lies ahead. */
  readonly upstreamOwed = new Map<number, number>();
  readonly downstreamOwed = new Map<number, number>();
  /** Frames owed by station key, and by the shares of all. */
  readonly puntOwed = new Map<string, number>();
  /** Bytes of the punt ring that nobody has consumed yet. */
  ringUsed = 0;

  constructor(options: WorldOptions) {
    this.options = options;
  }

  get settings(): Settings {
    return this.options.settings;
  }

  install(subscriber: Subscriber): void {
    this.upstreamOwed.delete(subscriber.slot);
    this.downstreamOwed.delete(subscriber.slot);
    this.#put(subscriber);
  }

  /** Same address and slot; what the policers are owed stays. */
  update(subscriber: Subscriber): void {
    this.remove(subscriber.address);
    this.#put(subscriber);
  }

  remove(address: number): void {
    const held = this.subscribers.get(address);
    if (held === undefined) return;
    this.subscribers.delete(address);
    this.stations.delete(stationOf(held));
  }

  /** A lease written anew begins with a full bucket. */
  promise(station: string, lease: Lease): void {
    if (this.leases.get(station)?.isGivenUp === true) return;
    this.leases.set(station, lease);
    this.answersOwed.delete(station);
  }

  /** The gateway's MAC on one of the access ports. */
  portMac(ifindex: number): Buffer {
    const found = this.settings.accessPorts.get(ifindex);
    if (found === undefined) throw new Error(`expected an access port, found interface ${ifindex}`);
    return found;
  }

  /** The longest prefix that covers `address`. */
  gardenAt(address: number): GardenPrefix | null {
    let best: GardenPrefix | null = null;
    for (const prefix of this.options.garden) {
      if (covers(prefix, address) && (best === null || prefix.length > best.length)) best = prefix;
    }
    return best;
  }

  #put(subscriber: Subscriber): void {
    this.subscribers.set(subscriber.address, subscriber);
    this.stations.set(stationOf(subscriber), subscriber.address);
  }
}

export function stationOf({ ifindex, tags, mac }: Pick<Subscriber, 'ifindex' | 'tags' | 'mac'>): string {
  return stationKey(
    ifindex,
    tags.map((tag) => tag.vlan),
    mac.toString('hex'),
  );
}

export function covers(
  prefix: { readonly network: number; readonly length: number },
  address: number,
): boolean {
  const size = 2 ** (32 - prefix.length);
  return Math.floor(prefix.network / size) === Math.floor(address / size);
}
