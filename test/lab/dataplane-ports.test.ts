/**
 * Two access ports and two core ports in one instance: whose frame leaves where, and how the kernel's routes are
 * followed. The far ends are packet sockets; next hops are told apart by their MACs.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { compileGardenPolicy } from '../../src/dataplane/garden-policy.js';
import { KernelDataplane } from '../../src/dataplane/kernel-dataplane.js';
import { GARDEN_LIMITS } from '../../src/dataplane/kernel-load.js';
import { readLink } from '../../src/dataplane/link-setup.js';
import { loadNative } from '../../src/dataplane/load-native.js';
import type { NativeObject, NativePacketSocket } from '../../src/dataplane/native-binding.js';
import type { PuntedFrame, SubscriberEntry } from '../../src/dataplane/port.js';
import { systemClock } from '../../src/model/system-clock.js';
import { parseIpv4, parsePrefix } from '../../src/model/ipv4.js';
import { formatMac, parseMac } from '../../src/model/mac.js';
import { type PacketBuilder, packet } from '../support/packet.js';
import { enterNamespaces, makeVeth, OBJECT_PATH, run, until, pass } from './dataplane-world.js';

enterNamespaces(import.meta.url, ['ker-ports']);

/** One station, met on both ports with the same MAC and tags: two lines all the same. */
const STATION = '02:00:00:00:00:11';
const TAGS = { sVlan: 100, cVlan: 7 };
const FIRST = '10.0.0.10';
const SECOND = '10.0.0.20';
const INTERNET = '198.51.100.7';
const GATEWAY = '10.0.0.1';
/** Next hops by address: .2, .3 and .4 on core0, 192.0.3.2 on core1. */
const HOPS = {
  '192.0.2.2': '02:00:00:00:0c:02',
  '192.0.2.3': '02:00:00:00:0c:03',
  '192.0.2.4': '02:00:00:00:0c:04',
  '192.0.3.2': '02:00:00:00:0d:02',
} as const;

const FAR_ENDS = { access0: 'sub0', access1: 'sub1', core0: 'net0', core1: 'net1' } as const;
type Port = keyof typeof FAR_ENDS;

const binding = loadNative();
const sockets = new Map<Port, NativePacketSocket>();
const seen = new Map<Port, Buffer[]>();
const macs = new Map<Port, string>();
let passing: NativeObject;
let dataplane: KernelDataplane;
let nextId = 1;

function entry(address: string, port: Port): SubscriberEntry {
  const attachment = { ifindex: binding.interfaceIndex(port), ...TAGS, mac: parseMac(STATION) };
  return {
    address: parseIpv4(address),
    attachment: { ...attachment, sTpid: 0x88a8, cTpid: 0x8100 },
    walled: false,
    downloadBitsPerSecond: 0,
    uploadBitsPerSecond: 0,
  };
}

function macOf(port: Port): string {
  return macs.get(port) ?? '';
}

function tagged(ethernet: PacketBuilder, priority = 0): PacketBuilder {
  return ethernet.tag(0x88a8, TAGS.sVlan, priority).tag(0x8100, TAGS.cVlan, priority);
}

function fromStation(port: Port): PacketBuilder {
  return tagged(packet().ethernet(macOf(port), STATION));
}

function send(port: Port, frame: PacketBuilder): void {
  assert.ok(sockets.get(port)?.send(frame.bytes()));
}

/** The first frame at the far end of `port` that ends in `mark`, other than what was sent from there. */
async function arrival(port: Port, mark: string, own: Buffer | null = null): Promise<Buffer> {
  const found = (): Buffer | undefined =>
    seen.get(port)?.find((frame) => frame.includes(mark) && (own === null || !frame.equals(own)));
  await until(`${mark} on ${port}`, () => found() !== undefined);
  return found()!;
}

/** A UDP packet from FIRST, which nobody else sends. Returns the MAC of the next hop that it leaves to. */
async function hopOf(sourcePort: number, core: readonly Port[] = ['core0', 'core1']): Promise<string> {
  const mark = `mark-${nextId++}-`;
  send(
    'access0',
    fromStation('access0')
      .ipv4({ source: FIRST, destination: INTERNET })
      .udp({ source: sourcePort, destination: 9 })
      .payload(mark),
  );
  const found = (): Buffer | undefined =>
    core.flatMap((port) => seen.get(port) ?? []).find((frame) => frame.includes(mark));
  await until(`${mark} at a next hop`, () => found() !== undefined);
  return found()!
    .subarray(0, 6)
    .toString('hex')
    .replaceAll(/(..)(?=.)/g, '$1:');
}

async function open(localForwarding: boolean): Promise<KernelDataplane> {
  return KernelDataplane.open({
    binding,
    objectPath: OBJECT_PATH,
    clock: systemClock,
    access: { interfaces: ['access0', 'access1'], xdpMode: 'native', sTpid: 0x88a8, cTpid: 0x8100 },
    core: { interfaces: ['core0', 'core1'] },
    policy: compileGardenPolicy(
      {
        allow: [],
        resolvers: [],
        portal: { address: parseIpv4('10.255.0.1'), port: 80 },
        gateways: [parseIpv4(GATEWAY)],
      },
      GARDEN_LIMITS,
    ),
    pools: [{ network: parsePrefix('10.0.0.0/24'), gateway: parseIpv4(GATEWAY) }],
    burstMs: 100,
    localForwarding,
    maxSubscribers: 16,
    nftTable: 'ker-ports',
  });
}

before(async () => {
  for (const [near, far] of Object.entries(FAR_ENDS)) {
    makeVeth(near, far);
    // The far ends are watched by packet sockets only: this stack must not take part there.
    run(`ip link set ${near} up; ip link set ${far} arp off up`);
  }
  run(`ip addr add 192.0.2.1/24 dev core0; ip addr add 192.0.3.1/24 dev core1
    sysctl -qw net.ipv4.fib_multipath_hash_policy=1 net.ipv4.conf.all.rp_filter=1`);
  for (const [address, mac] of Object.entries(HOPS)) {
    const port = address.startsWith('192.0.2.') ? 'core0' : 'core1';
    run(`ip neigh replace ${address} lladdr ${mac} dev ${port} nud permanent`);
  }
  run('ip route add default via 192.0.2.2');
  passing = pass.attach(Object.values(FAR_ENDS));
  dataplane = await open(true);
  for (const port of Object.keys(FAR_ENDS) as Port[]) {
    macs.set(port, formatMac((await readLink(port, 5000)).mac));
    const frames: Buffer[] = [];
    seen.set(port, frames);
    const ifindex = binding.interfaceIndex(FAR_ENDS[port]);
    sockets.set(
      port,
      binding.openPacketSocket({ ifindex, onFrame: (frame) => frames.push(Buffer.from(frame)) }),
    );
  }
  assert.deepEqual(await dataplane.install(entry(FIRST, 'access0')), { ok: true });
});

after(async () => {
  for (const socket of sockets.values()) socket.close();
  await dataplane?.close();
  passing?.close();
});

test('the same station on two ports is two lines, each with an address of its own', async () => {
  assert.deepEqual(await dataplane.install(entry(SECOND, 'access1')), { ok: true });
  assert.equal((await dataplane.install(entry('10.0.0.30', 'access1'))).ok, false);
  const spoofed = dataplane.drops()['spoofed_address'] ?? 0n;
  const probe = (port: Port, source: string, mark: string): void =>
    send(
      port,
      fromStation(port)
        .ipv4({ source, destination: INTERNET })
        .udp({ source: 7, destination: 9 })
        .payload(mark),
    );
  probe('access0', SECOND, 'wrong-port');
  probe('access1', FIRST, 'wrong-port');
  await until('two refusals', () => (dataplane.drops()['spoofed_address'] ?? 0n) === spoofed + 2n);
  probe('access0', FIRST, 'from-first');
  probe('access1', SECOND, 'from-second');
  await arrival('core0', 'from-first');
  await arrival('core0', 'from-second');
  assert.ok(!seen.get('core0')?.some((frame) => frame.includes('wrong-port')));
  for (const address of [FIRST, SECOND]) {
    assert.equal(dataplane.traffic(parseIpv4(address))?.upstreamPackets, 1n);
  }
});

for (const [port, address] of [
  ['access0', FIRST],
  ['access1', SECOND],
] as const) {
  test(`ARP for the gateway is answered on ${port} with that port's own MAC`, async () => {
    const asked = { senderMac: STATION, senderAddress: address, targetAddress: GATEWAY };
    send(port, tagged(packet().ethernet('ff:ff:ff:ff:ff:ff', STATION), 5).arp({ operation: 1, ...asked }));
    const answer = tagged(packet().ethernet(STATION, macOf(port)), 5)
      .arp({
        operation: 2,
        senderMac: macOf(port),
        senderAddress: GATEWAY,
        targetMac: STATION,
        targetAddress: address,
      })
      .bytes();
    await until('the answer, with the priority of the question', () =>
      (seen.get(port) ?? []).some((frame) => frame.equals(answer)),
    );
  });

  test(`a packet from either core port reaches the subscriber on ${port}`, async () => {
    for (const core of ['core0', 'core1'] as const) {
      const mark = `down-${core}-${port}`;
      const make = (ethernet: PacketBuilder, ttl: number): PacketBuilder =>
        ethernet
          .ipv4({ source: INTERNET, destination: address, ttl })
          .udp({ source: 9, destination: 7 })
          .payload(mark);
      send(core, make(packet().ethernet(macOf(core), HOPS['192.0.2.2']), 64));
      const expected = make(tagged(packet().ethernet(STATION, macOf(port))), 63).bytes();
      assert.equal((await arrival(port, mark)).toString('hex'), expected.toString('hex'));
    }
  });

  test(`the stack's answer to a ping leaves on ${port} under its tags and is counted once`, async () => {
    const before = dataplane.traffic(parseIpv4(address));
    const mark = `ping-${port}-`;
    const ask = fromStation(port).ipv4({ source: address, destination: GATEWAY }).icmp(8).payload(mark);
    send(port, ask);
    const answer = await arrival(port, mark, ask.bytes());
    const head = tagged(packet().ethernet(STATION, macOf(port)))
      .etherType(0x0800)
      .bytes();
    assert.equal(answer.subarray(0, head.length).toString('hex'), head.toString('hex'));
    const now = dataplane.traffic(parseIpv4(address));
    assert.equal((now?.downstreamPackets ?? 0n) - (before?.downstreamPackets ?? 0n), 1n);
    assert.equal((now?.upstreamPackets ?? 0n) - (before?.upstreamPackets ?? 0n), 1n);
  });
}

test('a subscriber reaches one on the other port, counted for both, and the priority of its tags is kept', async () => {
  const before = [FIRST, SECOND].map((address) => dataplane.traffic(parseIpv4(address)));
  const make = (ethernet: PacketBuilder, ttl: number): PacketBuilder =>
    ethernet
      .ipv4({ source: FIRST, destination: SECOND, ttl })
      .udp({ source: 1, destination: 2 })
      .payload('across');
  send('access0', make(tagged(packet().ethernet(macOf('access0'), STATION), 6), 64));
  const expected = make(tagged(packet().ethernet(STATION, macOf('access1')), 6), 63).bytes();
  assert.equal((await arrival('access1', 'across')).toString('hex'), expected.toString('hex'));
  const after = [FIRST, SECOND].map((address) => dataplane.traffic(parseIpv4(address)));
  assert.equal((after[0]?.upstreamPackets ?? 0n) - (before[0]?.upstreamPackets ?? 0n), 1n);
  assert.equal((after[1]?.downstreamPackets ?? 0n) - (before[1]?.downstreamPackets ?? 0n), 1n);
});

test('what the stack forwards between the ports arrives too: TTL of the slow path, tags of the other port', async () => {
  const options = Buffer.from([148, 4, 0, 0]);
  send(
    'access0',
    fromStation('access0')
      .ipv4({ source: FIRST, destination: SECOND, options })
      .udp({ source: 1, destination: 2 })
      .payload('slow-way'),
  );
  const found = await arrival('access1', 'slow-way');
  const head = tagged(packet().ethernet(STATION, macOf('access1')))
    .etherType(0x0800)
    .bytes();
  assert.equal(found.subarray(0, head.length).toString('hex'), head.toString('hex'));
  assert.equal(found[head.length + 8], 63);
});

test('DHCP is punted with its port, and a frame is transmitted on the port that it is for alone', async () => {
  const punted: PuntedFrame[] = [];
  dataplane.onPunt((frame) => punted.push({ ...frame, frame: frame.frame.slice() }));
  for (const port of ['access0', 'access1'] as const) {
    const broadcast = tagged(packet().ethernet('ff:ff:ff:ff:ff:ff', STATION));
    const ports = { source: 68, destination: 67 };
    send(
      port,
      broadcast
        .ipv4({ source: '0.0.0.0', destination: '255.255.255.255' })
        .udp(ports)
        .payload(`dhcp ${port}`),
    );
    await until('punt', () => punted.some(({ frame }) => Buffer.from(frame).includes(`dhcp ${port}`)));
    assert.equal(punted.at(-1)?.ifindex, binding.interfaceIndex(port));
    assert.equal(formatMac(dataplane.accessMac(binding.interfaceIndex(port))), macOf(port));
  }
  const reply = tagged(packet().ethernet(STATION, macOf('access1')))
    .etherType(0x0800)
    .payload('reply to the second');
  assert.ok(dataplane.transmit(binding.interfaceIndex('access1'), reply.bytes()));
  await arrival('access1', 'reply to the second');
  assert.ok(!seen.get('access0')?.some((frame) => frame.includes('reply to the second')));
  assert.throws(
    () => dataplane.transmit(binding.interfaceIndex('core0'), reply.bytes()),
    /expected an access interface/,
  );
});

test('an access port that is shut does not take the others with it', async () => {
  run('ip link set access0 down');
  const ask = fromStation('access1')
    .ipv4({ source: SECOND, destination: GATEWAY })
    .icmp(8)
    .payload('one-is-shut');
  send('access1', ask);
  await arrival('access1', 'one-is-shut', ask.bytes());
  const routes = (): string => run('ip route show 10.0.0.0/24');
  assert.doesNotMatch(routes(), /dev access0/);
  run('ip link set access0 up');
  await until('the route by it is back', () =>
    /^10\.0\.0\.0\/24 dev access0 .*src 10\.0\.0\.1 mtu 1500/m.test(routes()),
  );
});

const several = (hops: readonly string[]): string =>
  `ip route replace default ${hops.map((hop) => `nexthop via ${hop}`).join(' ')}`;

async function spread(): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (let port = 2000; port < 2064; port++) {
    const hop = await hopOf(port);
    counts.set(hop, (counts.get(hop) ?? 0) + 1);
  }
  return counts;
}

test('flows spread over the next hops of a route on one port, and a flow stays with its own', async () => {
  run(several(['192.0.2.2', '192.0.2.3']));
  const counts = await spread();
  assert.deepEqual([...counts.keys()].sort(), [HOPS['192.0.2.2'], HOPS['192.0.2.3']]);
  // 64 flows: fewer than 16 on either side would be a hash that ignores the ports.
  assert.ok(
    [...counts.values()].every((count) => count >= 16),
    JSON.stringify([...counts]),
  );
  const first = await hopOf(3000);
  for (let again = 0; again < 20; again++) assert.equal(await hopOf(3000), first);
});

test('flows spread over next hops on several ports, and leave a dead one at once', async () => {
  run(several(['192.0.2.2', '192.0.3.2']));
  assert.deepEqual([...(await spread()).keys()].sort(), [HOPS['192.0.2.2'], HOPS['192.0.3.2']]);
  run('ip link set net1 down');
  await until('link down', () => !run('ip link show core1').includes('LOWER_UP'));
  assert.deepEqual([...(await spread()).keys()], [HOPS['192.0.2.2']]);
  run('ip link set net1 up');
  await until('link up', () => run('ip link show core1').includes('LOWER_UP'));
  await until('both next hops again', async () => (await spread()).size === 2);
});

test('a changed route, and a changed neighbour, are followed by the very next packet of a flow', async () => {
  run('ip route replace default via 192.0.2.2');
  assert.equal(await hopOf(4000), HOPS['192.0.2.2']);
  run('ip route replace default via 192.0.2.4');
  assert.equal(await hopOf(4000), HOPS['192.0.2.4']);
  run('ip route replace default via 192.0.3.2');
  assert.equal(await hopOf(4000), HOPS['192.0.3.2']);
  run('ip neigh replace 192.0.3.2 lladdr 02:00:00:00:0d:77 dev core1 nud permanent');
  assert.equal(await hopOf(4000), '02:00:00:00:0d:77');
  run('ip route add 198.51.100.0/24 via 192.0.2.3');
  assert.equal(await hopOf(4000), HOPS['192.0.2.3']);
});

test('subscriber to subscriber is forbidden between ports where the configuration says so', async () => {
  await dataplane.close();
  dataplane = await open(false);
  for (const [address, port] of [
    [FIRST, 'access0'],
    [SECOND, 'access1'],
  ] as const) {
    assert.deepEqual(await dataplane.install(entry(address, port)), { ok: true });
  }
  const refused = dataplane.drops()['local_forbidden'] ?? 0n;
  send(
    'access0',
    fromStation('access0')
      .ipv4({ source: FIRST, destination: SECOND })
      .udp({ source: 1, destination: 2 })
      .payload('forbidden'),
  );
  await until('refusal', () => (dataplane.drops()['local_forbidden'] ?? 0n) === refused + 1n);
});
