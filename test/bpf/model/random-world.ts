/** Random worlds and what changes in them: settings, gardens, subscribers that come, move and go. Repeatable by seed. */
import { ipv4FromNumber, parseIpv4 } from '../../../src/model/ipv4.js';
import { address } from '../../support/packet.js';
import type { Random } from '../../support/random.js';
import type { KernelMirror } from './kernel-mirror.js';
import { type Burst, type GardenPrefix, type Settings, type Subscriber, stationKey } from './world.js';
import { type AccessPorts, type PoolTerms, stationOf, type Tag, type World } from './world.js';

export const SLOTS = 64;
const MOST_SUBSCRIBERS = 40;

/** Interfaces that a subscriber may be behind: those that can be access ports, and one that nothing is redirected to. */
export interface Interfaces {
  readonly access: AccessPorts;
  readonly other: number;
}

export const LOCAL: ReadonlyMap<number, boolean> = new Map([
  [address('10.0.0.1'), true],
  [address('10.255.0.1'), true],
  [address('10.255.0.2'), false],
]);

/** Outside addresses that gardens may list. */
export const OUTSIDE = ['8.8.8.8', '203.0.113.10', '203.0.113.77', '198.51.100.7', '198.18.6.1'].map(address);

export const LISTED_PORTS = [53, 80, 443, 8443, 1024];

function pool(third: number, dns: readonly string[]): PoolTerms {
  const gateway = parseIpv4(third === 0 ? '10.0.0.1' : '10.255.0.1');
  const network = { network: ipv4FromNumber(gateway - 1), length: 24 };
  return { serverId: gateway, network, gateway, dns: dns.map(parseIpv4), leaseSeconds: 86_400 - third };
}

/** The second's answers have options at odd offsets. */
export const POOLS: ReadonlyMap<string, PoolTerms> = new Map([
  ['residential', pool(0, ['1.1.1.1', '1.0.0.1'])],
  ['walled', pool(255, [])],
]);

function burst(random: Random, limit: number): Burst {
  return random.oneIn(3) ? random.below(limit) + 0.5 : null;
}

export function randomSettings(random: Random, { access }: Interfaces): Settings {
  return {
    accessPorts: new Map([...access].slice(0, random.oneIn(3) ? 1 : access.size)),
    subscriberMtu: random.pick([1500, 1500, 1500, 1492, 1000, 9000]),
    fastDhcp: !random.oneIn(3),
    trustOption82: random.oneIn(2),
    gardenDns: random.oneIn(2),
    portalAddress: random.pick([...LOCAL.keys()]),
    portalPort: random.pick([80, 8080]),
    localForwarding: random.oneIn(2),
    forwardInStack: random.oneIn(10),
    puntInstalled: burst(random, 60),
    puntNew: burst(random, 20),
    puntLine: burst(random, 60),
    puntTotalInstalled: burst(random, 120),
    puntTotalNew: burst(random, 120),
    answers: burst(random, 40),
  };
}

function randomPrefix(random: Random): GardenPrefix {
  const length = random.pick([32, 32, 32, 31, 28, 24, 24, 16, 8, 1, 0]);
  const size = 2 ** (32 - length);
  const any = random.oneIn(3);
  const count = any ? 0 : random.below(LISTED_PORTS.length + 1);
  return {
    network: Math.floor(random.pick(OUTSIDE) / size) * size,
    length,
    any,
    ports: Array.from({ length: count }, () => random.pick(LISTED_PORTS)),
  };
}

/** Prefixes may lie within each other; each is there once. */
export function randomGarden(random: Random): readonly GardenPrefix[] {
  const prefixes = Array.from({ length: random.below(8) }, () => randomPrefix(random));
  return [...new Map(prefixes.map((prefix) => [`${prefix.network}/${prefix.length}`, prefix])).values()];
}

/** Few VLANs, so that lines are shared and half matches happen. */
function randomTags(random: Random): readonly Tag[] {
  const tpid = (): number => random.pick([0x8100, 0x88a8]);
  const vlan = (): number => random.pick([1, 2, 100, 4095]);
  return Array.from({ length: random.below(3) }, () => ({ tpid: tpid(), vlan: vlan() }));
}

export function randomMac(random: Random): Buffer {
  return Buffer.from([2, 0, 0, 0, random.below(2), random.below(8)]);
}

/** Option 82 of an access node; now and then longer than any answer has room for. */
function randomOption82(random: Random): Buffer {
  if (random.oneIn(3)) return Buffer.alloc(0);
  const length = random.oneIn(8) ? 255 : random.below(40);
  return Buffer.from(Uint8Array.from({ length }, () => random.below(256)));
}

export function randomAddress(random: Random): number {
  const pool = random.pick(['10.0.0.0', '10.255.0.0']);
  return address(pool) + 16 + random.below(48);
}

function randomSubscriber(
  random: Random,
  of: { address: number; slot: number; interfaces: Interfaces },
): Subscriber {
  const { access, other } = of.interfaces;
  return {
    address: of.address,
    ifindex: random.oneIn(12) ? other : random.pick([...access.keys()]),
    slot: of.slot,
    tags: randomTags(random),
    mac: randomMac(random),
    walled: random.oneIn(3),
    upstream: random.oneIn(4) ? random.below(40_000) + 0.5 : null,
    downstream: random.oneIn(4) ? random.below(40_000) + 0.5 : null,
  };
}

/** What the control plane may do to the dataplane between two frames, done to the world and to the kernel alike. */
export class RandomChanges {
  readonly #random: Random;
  readonly #world: World;
  readonly #kernel: KernelMirror;
  readonly #interfaces: Interfaces;

  constructor(random: Random, world: World, kernel: KernelMirror, interfaces: Interfaces) {
    this.#random = random;
    this.#world = world;
    this.#kernel = kernel;
    this.#interfaces = interfaces;
  }

  /** The slot whose counters start anew; null for a change that leaves all counters alone. */
  next(): number | null {
    const held = [...this.#world.subscribers.values()];
    const choice = this.#random.below(4);
    if (choice === 0 || held.length === 0) return this.install();
    const chosen = this.#random.pick(held);
    if (this.#random.oneIn(3)) this.#promise(chosen);
    if (choice === 1 && held.length > MOST_SUBSCRIBERS / 2) this.#remove(chosen);
    else this.#update(chosen);
    return null;
  }

  /** Null when the address or the station is taken, or there are enough. */
  install(): number | null {
    const { subscribers } = this.#world;
    const used = new Set([...subscribers.values()].map((subscriber) => subscriber.slot));
    const free = Array.from({ length: SLOTS }, (_, slot) => slot).filter((slot) => !used.has(slot));
    const wanted = {
      address: randomAddress(this.#random),
      slot: this.#random.pick(free),
      interfaces: this.#interfaces,
    };
    const subscriber = randomSubscriber(this.#random, wanted);
    if (subscribers.size >= MOST_SUBSCRIBERS || subscribers.has(wanted.address)) return null;
    if (this.#isTaken(subscriber)) return null;
    this.#world.install(subscriber);
    this.#kernel.install(subscriber);
    if (this.#random.oneIn(2)) this.#promise(subscriber);
    return subscriber.slot;
  }

  #update(before: Subscriber): void {
    const drawn = randomSubscriber(this.#random, { ...before, interfaces: this.#interfaces });
    // Garden and rates change often, the line seldom.
    const moves = this.#random.oneIn(3) && !this.#isTaken(drawn);
    const { ifindex, tags, mac } = moves ? drawn : before;
    const after = { ...drawn, ifindex, tags, mac };
    if (moves) this.#withdraw(before);
    this.#world.update(after);
    this.#kernel.update(before, after);
  }

  #remove(subscriber: Subscriber): void {
    this.#withdraw(subscriber);
    this.#world.remove(subscriber.address);
    this.#kernel.remove(subscriber);
  }

  /** Mostly the address that the station has, or what would be answered there is not always what is forwarded. */
  #promise(subscriber: Subscriber): void {
    const lease = {
      address: this.#random.oneIn(8) ? randomAddress(this.#random) : subscriber.address,
      poolName: this.#random.pick([...POOLS.keys()]),
      option82: randomOption82(this.#random),
      expired: this.#random.oneIn(12),
    };
    const isGivenUp = this.#world.leases.get(stationOf(subscriber))?.isGivenUp === true;
    this.#world.promise(stationOf(subscriber), lease);
    this.#kernel.promise(subscriber, { ...lease, isGivenUp });
  }

  #withdraw(subscriber: Subscriber): void {
    if (this.#world.leases.delete(stationOf(subscriber))) this.#kernel.promise(subscriber, null);
  }

  #isTaken({ ifindex, tags, mac }: Subscriber): boolean {
    const vlans = tags.map((tag) => tag.vlan);
    return this.#world.stations.has(stationKey(ifindex, vlans, mac.toString('hex')));
  }
}
