/**
 * A property: for random gardens, sessions and packets, XDP, nftables and the reference judgement agree. XDP is asked by
 * test-run; nftables by real packets through a stack that has no XDP in front of it, watched at both far ends.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { GardenFirewall } from '../../src/dataplane/garden-firewall.js';
import {
  compileGardenPolicy,
  type GardenPolicy,
  type GardenRule,
  gardenAllows,
  judge,
} from '../../src/dataplane/garden-policy.js';
import { KernelDataplane } from '../../src/dataplane/kernel-dataplane.js';
import { GARDEN_LIMITS } from '../../src/dataplane/kernel-load.js';
import type { KernelDataplaneOptions } from '../../src/dataplane/kernel-parts.js';
import { LinkSetup, readLink } from '../../src/dataplane/link-setup.js';
import { UndoJournal } from '../../src/dataplane/undo-journal.js';
import { loadNative } from '../../src/dataplane/load-native.js';
import type { NativeBinding, NativeObject, NativePacketSocket } from '../../src/dataplane/native-binding.js';
import type { SubscriberEntry } from '../../src/dataplane/port.js';
import { systemClock } from '../../src/model/system-clock.js';
import { type Ipv4, ipv4FromNumber, parseIpv4, parsePrefix, prefixMask } from '../../src/model/ipv4.js';
import type { Mac } from '../../src/model/mac.js';
import { patience } from '../../src/lab/patience.js';
import { buildFrame, type FrameSpec, readFrame, type SeenPacket } from './dataplane-frames.js';
import { enterNamespaces, makeVeth, OBJECT_PATH, run, until, pass } from './dataplane-world.js';

enterNamespaces(import.meta.url, ['ker-prop']);

const GARDENS = 6;
const CASES_OF_GARDEN = 80;
const SEED = 20261123;
const XDP_DROP = 1;
const XDP_PASS = 2;
/** A drop that is answered with a reset. */
const XDP_TX = 3;
const XDP_REDIRECT = 4;
const NEXT_HOP_MAC = 0x020000000099;
const PORTAL = { address: parseIpv4('10.255.0.1'), port: 8000 };
const GATEWAYS = [parseIpv4('10.255.0.1'), parseIpv4('10.0.0.1')];
const RESOLVER = parseIpv4('198.51.100.53');
const POOLS = [
  { network: parsePrefix('10.255.0.0/16'), gateway: parseIpv4('10.255.0.1') },
  { network: parsePrefix('10.0.0.0/16'), gateway: parseIpv4('10.0.0.1') },
];

type Verdict = 'forward' | 'stack' | 'drop';
interface Case {
  readonly direction: 'up' | 'down';
  readonly subscriber: SubscriberEntry;
  readonly outside: Ipv4;
  readonly spec: FrameSpec;
  readonly expected: Verdict;
}

const binding = loadNative();
let passing: NativeObject;
let accessMac: Mac;
let coreMac: Mac;
let loaded: NativeObject | null = null;

/** Shows the object that the dataplane loads, so that its programs can be test-run. */
const watched: NativeBinding = {
  ...binding,
  openObject: (path) => {
    loaded = binding.openObject(path);
    return loaded;
  },
};

let state = SEED;
function random(below: number): number {
  state = (state + 0x6d2b79f5) >>> 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
}
function pick<T>(values: readonly T[]): T {
  return values[random(values.length)] as T;
}

const PORTS = [80, 443, 53, 8443, 8000, 22];
const addressIn = (rule: GardenRule): Ipv4 =>
  ipv4FromNumber(rule.prefix.network | (random(2 ** 31) & ~prefixMask(rule.prefix.length)));

function randomGarden(): GardenPolicy {
  const allow = Array.from({ length: 1 + random(8) }, () => {
    const length = pick([8, 16, 20, 24, 28, 32]);
    const base = pick([0xcb007100, 0xc6336400, 0x5db8d800]) | random(256);
    const network = ipv4FromNumber(base & prefixMask(length));
    return { prefix: { network, length }, port: random(4) === 0 ? null : pick(PORTS) };
  });
  return compileGardenPolicy(
    { allow, resolvers: [RESOLVER], portal: PORTAL, answersDns: true, gateways: GATEWAYS },
    GARDEN_LIMITS,
  );
}

function randomSubscribers(): SubscriberEntry[] {
  return Array.from({ length: 12 }, (_, i) => {
    const depth = random(3);
    const walled = random(3) > 0;
    return {
      address: ipv4FromNumber((walled ? 0x0aff0000 : 0x0a000000) + 10 + i),
      attachment: {
        ifindex: binding.interfaceIndex('access0'),
        sVlan: depth > 0 ? 100 + i : 0,
        cVlan: depth > 1 ? 7 + i : 0,
        mac: (0x020000000100 + i) as Mac,
      },
      walled,
      downloadBitsPerSecond: 0,
      uploadBitsPerSecond: 0,
    };
  });
}

function randomCase(policy: GardenPolicy, subscribers: readonly SubscriberEntry[], id: number): Case {
  const subscriber = pick(subscribers);
  const direction = random(3) === 0 ? 'down' : 'up';
  const places: (() => Ipv4)[] = [
    () => (policy.rules.length > 0 ? addressIn(pick(policy.rules)) : RESOLVER),
    () => (policy.rules.length > 0 ? addressIn(pick(policy.rules)) : RESOLVER),
    () => RESOLVER,
    () => ipv4FromNumber(0x08080000 + random(65536)),
    () => ipv4FromNumber(pick([0xcb007100, 0xc6336400, 0x5db8d800]) | random(256)),
    // Our own addresses, for packets from subscribers only: nobody outside has them.
    () => (direction === 'up' ? pick(policy.localAddresses) : RESOLVER),
  ];
  const outside = pick(places)();
  const protocol = pick(['tcp', 'tcp', 'udp', 'icmp', 'gre'] as const);
  const port = random(5) === 0 ? 1 + random(65535) : pick(PORTS);
  // One end's port is the case's own, so that no two cases are one connection. DHCP is not judged here.
  const own = 10_000 + id;
  const up = direction === 'up';
  const spec: FrameSpec = {
    destinationMac: up ? accessMac : coreMac,
    sourceMac: up ? subscriber.attachment.mac : NEXT_HOP_MAC,
    source: up ? subscriber.address : outside,
    destination: up ? outside : subscriber.address,
    protocol,
    sourcePort: up ? own : port,
    destinationPort: up ? (protocol === 'udp' && port === 67 ? 68 : port) : own,
    icmpType: up ? pick([8, 8, 13]) : 8,
    id,
  };
  return {
    direction,
    subscriber,
    outside,
    spec,
    expected: expectedOf(policy, { direction, subscriber, outside, spec }),
  };
}

function expectedOf(policy: GardenPolicy, one: Omit<Case, 'expected'>): Verdict {
  const { spec, outside, subscriber } = one;
  const hasPort = spec.protocol === 'tcp' || spec.protocol === 'udp';
  if (one.direction === 'down') {
    const port = hasPort ? (spec.sourcePort ?? 0) : null;
    return !subscriber.walled || gardenAllows(policy, outside, port) ? 'forward' : 'drop';
  }
  const echoRequest = spec.protocol === 'icmp' && spec.icmpType === 8;
  if (subscriber.walled) {
    const judgement = judge(policy, {
      destination: outside,
      protocol: spec.protocol === 'gre' ? 'other' : spec.protocol,
      destinationPort: hasPort ? (spec.destinationPort ?? 0) : 0,
      echoRequest,
    });
    return judgement === 'portal' || judgement === 'local' ? 'stack' : judgement;
  }
  if (!policy.localAddresses.includes(outside)) return 'forward';
  const portal =
    spec.protocol === 'tcp' && outside === PORTAL.address && spec.destinationPort === PORTAL.port;
  return echoRequest || portal ? 'stack' : 'drop';
}

function tagsOf({ attachment }: SubscriberEntry): { readonly tpid: number; readonly vlan: number }[] {
  const outer = { tpid: 0x88a8, vlan: attachment.sVlan };
  const inner = { tpid: 0x8100, vlan: attachment.cVlan };
  return attachment.cVlan > 0 ? [outer, inner] : attachment.sVlan > 0 ? [outer] : [];
}

function optionsOf(policy: GardenPolicy): KernelDataplaneOptions {
  return {
    binding: watched,
    objectPath: OBJECT_PATH,
    clock: systemClock,
    access: { interfaces: ['access0'], xdpMode: 'native', sTpid: 0x88a8, cTpid: 0x8100 },
    core: { interfaces: ['core0'] },
    policy,
    pools: POOLS,
    burstMs: 100,
    localForwarding: false,
    maxSubscribers: 64,
    nftTable: 'ker-prop',
  };
}

/** What the programs answer, by case id. */
async function askXdp(
  policy: GardenPolicy,
  subscribers: readonly SubscriberEntry[],
  cases: readonly Case[],
): Promise<Map<number, Verdict>> {
  const dataplane = await KernelDataplane.open(optionsOf(policy));
  try {
    for (const subscriber of subscribers) assert.ok((await dataplane.install(subscriber)).ok);
    const found = await dataplane.dump();
    assert.deepEqual(
      found
        .map(({ slot: _slot, traffic: _traffic, gardenMember, ...entry }) => {
          assert.equal(gardenMember, entry.walled);
          return entry;
        })
        .sort((a, b) => a.address - b.address),
      [...subscribers].sort((a, b) => a.address - b.address),
    );
    const object = loaded;
    assert.ok(object !== null);
    const verdicts = new Map<number, Verdict>();
    for (const one of cases) {
      const up = one.direction === 'up';
      const { returnValue } = object.program(up ? 'bng_access' : 'bng_core').testRun({
        data: buildFrame(up ? { ...one.spec, tags: tagsOf(one.subscriber) } : one.spec),
        ingressIfindex: binding.interfaceIndex(up ? 'access0' : 'core0'),
      });
      const verdict = (
        { [XDP_DROP]: 'drop', [XDP_TX]: 'drop', [XDP_PASS]: 'stack', [XDP_REDIRECT]: 'forward' } as const
      )[returnValue];
      assert.ok(verdict !== undefined, `XDP answered ${returnValue}`);
      verdicts.set(one.spec.id, verdict);
    }
    return verdicts;
  } finally {
    await dataplane.close();
  }
}

/** What the stack does behind our table, by case id. Frames are untagged: XDP would have taken the tags off. */
async function askNft(
  policy: GardenPolicy,
  subscribers: readonly SubscriberEntry[],
  cases: readonly Case[],
): Promise<Map<number, Verdict>> {
  const journal = new UndoJournal(null);
  const links = new LinkSetup({
    journal,
    accessInterfaces: ['access0'],
    coreInterfaces: ['core0'],
    subscriberMtu: 1500,
    tune: false,
    pools: POOLS,
    localAddresses: policy.localAddresses,
    deadlineMs: 5000 * patience,
  });
  const firewall = new GardenFirewall({
    clock: systemClock,
    table: 'ker-prop',
    accessInterfaces: ['access0'],
    policy,
    localForwarding: false,
    deadlineMs: 5000 * patience,
    onWarning: (warning) => assert.fail(warning),
  });
  const atCore: SeenPacket[] = [];
  const atAccess: SeenPacket[] = [];
  const watch = (name: string, seen: SeenPacket[]): NativePacketSocket =>
    binding.openPacketSocket({
      ifindex: binding.interfaceIndex(name),
      onFrame: (frame) => {
        const packet = readFrame(frame);
        if (packet !== null) seen.push(packet);
      },
    });
  const core = watch('net0', atCore);
  const access = watch('sub0', atAccess);
  try {
    assert.deepEqual(await firewall.build(), { ok: true });
    await links.apply();
    for (const { address, walled } of subscribers) if (walled) await firewall.addMember(address);
    const send = async (one: Pick<Case, 'direction' | 'spec'>): Promise<void> => {
      const socket = one.direction === 'up' ? access : core;
      await until('room in the queue', () => socket.send(buildFrame(one.spec)));
    };
    for (const one of cases) await send(one);
    await drain({ send, atCore, atAccess, open: subscribers.find(({ walled }) => !walled) });
    return new Map(cases.map((one) => [one.spec.id, seenVerdict(one, atCore, atAccess)]));
  } finally {
    core.close();
    access.close();
    assert.deepEqual(await journal.revert(5000 * patience), []);
    assert.deepEqual(await firewall.close('remove'), { ok: true });
  }
}

interface Draining {
  readonly send: (one: Pick<Case, 'direction' | 'spec'>) => Promise<void>;
  readonly atCore: readonly SeenPacket[];
  readonly atAccess: readonly SeenPacket[];
  readonly open: SubscriberEntry | undefined;
}

/** Markers that surely pass, three times over, since CPUs may overtake each other: what has not come then is dropped. */
async function drain({ send, atCore, atAccess, open }: Draining): Promise<void> {
  assert.ok(open !== undefined, 'a garden without an open subscriber');
  for (let round = 0; round < 3; round++) {
    const id = 60_000 + round;
    const up: FrameSpec = {
      destinationMac: accessMac,
      sourceMac: open.attachment.mac,
      source: open.address,
      destination: parseIpv4('9.9.9.9'),
      protocol: 'udp',
      sourcePort: id,
      destinationPort: 9,
      id,
    };
    const down = {
      ...up,
      destinationMac: coreMac,
      source: up.destination,
      destination: up.source,
      sourcePort: 10,
    };
    await send({ direction: 'up', spec: up });
    await send({ direction: 'down', spec: { ...down, destinationPort: id } });
    await until('markers', () => [atCore, atAccess].every((seen) => seen.some((packet) => packet.id === id)));
  }
}

function seenVerdict(one: Case, atCore: readonly SeenPacket[], atAccess: readonly SeenPacket[]): Verdict {
  const { spec } = one;
  // Both sockets also see what they sent themselves: a forwarded packet has lost one hop.
  const same = (packet: SeenPacket): boolean =>
    packet.id === spec.id && packet.source === spec.source && packet.destination === spec.destination;
  if ((one.direction === 'up' ? atCore : atAccess).some((packet) => same(packet) && packet.ttl === 63))
    return 'forward';
  const answered = atAccess.some(
    (packet) =>
      packet.source === spec.destination &&
      packet.destination === spec.source &&
      (spec.protocol === 'icmp'
        ? packet.protocol === 1 && packet.first === 0 && packet.second === spec.id
        : spec.protocol === 'tcp' && packet.protocol === 6 && packet.second === spec.sourcePort),
  );
  return answered ? 'stack' : 'drop';
}

before(async () => {
  makeVeth('access0', 'sub0');
  makeVeth('core0', 'net0');
  // The far ends are watched by packet sockets only: this stack must not take part there.
  for (const name of ['sub0', 'net0', 'core0', 'access0']) run(`ip link set ${name} up`);
  run('ip link set sub0 arp off; ip link set net0 arp off');
  run(`ip addr add 192.0.2.1/24 dev core0; ip route add default via 192.0.2.2;
    ip neigh replace 192.0.2.2 lladdr 02:00:00:00:00:99 dev core0 nud permanent`);
  passing = pass.attach(['sub0', 'net0']);
  accessMac = (await readLink('access0', 5000)).mac;
  coreMac = (await readLink('core0', 5000)).mac;
});

after(() => {
  passing?.close();
});

test(`XDP, nftables and the judgement agree on ${GARDENS * CASES_OF_GARDEN} random packets`, async () => {
  const tally: Record<string, number> = {};
  for (let garden = 0; garden < GARDENS; garden++) {
    const policy = randomGarden();
    const [first, ...others] = randomSubscribers();
    assert.ok(first !== undefined);
    const subscribers = [{ ...first, walled: false, address: ipv4FromNumber(0x0a000002) }, ...others];
    const cases = Array.from({ length: CASES_OF_GARDEN }, (_, i) =>
      randomCase(policy, subscribers, 1 + garden * CASES_OF_GARDEN + i),
    );
    const xdp = await askXdp(policy, subscribers, cases);
    const nft = await askNft(policy, subscribers, cases);
    for (const one of cases) {
      const found = { xdp: xdp.get(one.spec.id), nft: nft.get(one.spec.id) };
      const told = `seed ${SEED}, case ${JSON.stringify(one)}, garden ${JSON.stringify(policy)}`;
      assert.deepEqual(found, { xdp: one.expected, nft: one.expected }, told);
      const key = `${one.subscriber.walled ? 'walled' : 'open'} ${one.direction} ${one.expected}`;
      tally[key] = (tally[key] ?? 0) + 1;
    }
  }
  // The property says little unless every outcome was met.
  for (const key of [
    'walled up forward',
    'walled up stack',
    'walled up drop',
    'walled down forward',
    'walled down drop',
  ]) {
    assert.ok((tally[key] ?? 0) >= 10, `${key}: ${JSON.stringify(tally)}`);
  }
});
