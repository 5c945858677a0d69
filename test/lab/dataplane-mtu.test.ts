/**
 * Packets longer than the next link, and links for jumbo frames: real stacks on both sides of the kernel dataplane.
 * The stack of the BNG fragments or says so (RFC 1191), and the garden stands on that way too.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { release } from 'node:os';
import { afterEach, before, test } from 'node:test';
import { compileGardenPolicy } from '../../src/dataplane/garden-policy.js';
import { KernelDataplane } from '../../src/dataplane/kernel-dataplane.js';
import { jumboProblem } from '../../src/dataplane/jumbo.js';
import { GARDEN_LIMITS } from '../../src/dataplane/kernel-load.js';
import { loadNative } from '../../src/dataplane/load-native.js';
import { systemClock } from '../../src/model/system-clock.js';
import { parseIpv4, parsePrefix } from '../../src/model/ipv4.js';
import { parseMac } from '../../src/model/mac.js';
import { enterNamespaces, makeVeth, OBJECT_PATH, run, runIn, pass } from './dataplane-world.js';

const BNG = 'ker-mtu-bng';
const SUBSCRIBER = 'ker-mtu-sub';
const CORE = 'ker-mtu-core';
enterNamespaces(import.meta.url, [BNG, SUBSCRIBER, CORE]);

const SUBSCRIBER_MAC = '02:00:00:00:00:11';
const ADDRESS = '10.0.0.10';
const INTERNET = '198.51.100.7';
const ALLOWED = '203.0.113.10';
const HEADERS = 28;

const binding = loadNative();
const warnings: string[] = [];
let dataplane: KernelDataplane | null = null;

interface Mtus {
  /** Of the link to the core, and of packets towards the subscriber. */
  readonly core: number;
  readonly subscriber: number;
  readonly walled?: boolean;
}

/** The dataplane on links of these sizes; the access port has room for two tags more. */
async function open({ core, subscriber, walled = false }: Mtus): Promise<KernelDataplane> {
  run(`ip link set core0 mtu ${core}; ip link set access0 mtu ${subscriber + 8}`);
  runIn(CORE, `ip link set net0 mtu ${core}; ip route flush cache`);
  runIn(SUBSCRIBER, `ip link set sub0 mtu ${subscriber}; ip route flush cache`);
  dataplane = await KernelDataplane.open({
    binding,
    objectPath: OBJECT_PATH,
    clock: systemClock,
    access: { interfaces: ['access0'], mtu: subscriber, xdpMode: 'native', sTpid: 0x88a8, cTpid: 0x8100 },
    core: { interfaces: ['core0'] },
    policy: compileGardenPolicy(
      {
        allow: [{ prefix: parsePrefix(`${ALLOWED}/32`), port: null }],
        resolvers: [],
        portal: { address: parseIpv4('10.0.0.1'), port: 80 },
        gateways: [parseIpv4('10.0.0.1')],
      },
      GARDEN_LIMITS,
    ),
    pools: [{ network: parsePrefix('10.0.0.0/24'), gateway: parseIpv4('10.0.0.1') }],
    burstMs: 100,
    localForwarding: false,
    maxSubscribers: 16,
    nftTable: 'ker-mtu',
    onWarning: (warning) => warnings.push(warning),
  });
  const ifindex = binding.interfaceIndex('access0');
  const installed = await dataplane.install({
    address: parseIpv4(ADDRESS),
    attachment: { ifindex, sVlan: 0, cVlan: 0, mac: parseMac(SUBSCRIBER_MAC) },
    walled,
    downloadBitsPerSecond: 0,
    uploadBitsPerSecond: 0,
  });
  assert.deepEqual(installed, { ok: true });
  return dataplane;
}

/** What ping says of one packet of `bytes` of IP; it fails when no answer comes. */
function ping(namespace: string, destination: string, bytes: number, fragment: 'do' | 'dont'): string {
  return runIn(namespace, `ping -c 1 -W 1 -M ${fragment} -s ${bytes - HEADERS} ${destination} 2>&1 || true`);
}

const ANSWERED = /1 received/;
const UNANSWERED = /0 received/;

before(() => {
  makeVeth('access0', 'sub0');
  makeVeth('core0', 'net0');
  run(`ip link set sub0 netns ${SUBSCRIBER}; ip link set net0 netns ${CORE}`);
  run('ip link set core0 up; ip addr add 192.0.2.1/24 dev core0; ip route add default via 192.0.2.2');
  runIn(
    SUBSCRIBER,
    `ip link set sub0 address ${SUBSCRIBER_MAC} up; ip addr add ${ADDRESS}/24 dev sub0;
     ip route add default via 10.0.0.1`,
  );
  runIn(
    CORE,
    `ip link set net0 up; ip addr add 192.0.2.2/24 dev net0; ip addr add ${INTERNET}/32 dev lo;
     ip addr add ${ALLOWED}/32 dev lo; ip route add 10.0.0.0/8 via 192.0.2.1`,
  );
  pass.attachIn(SUBSCRIBER, 'sub0');
  pass.attachIn(CORE, 'net0');
});

afterEach(async () => {
  await dataplane?.close();
  dataplane = null;
});

test('fragments of a subscriber and for one are forwarded in XDP, the first and the later ones', async () => {
  const opened = await open({ core: 1500, subscriber: 1500 });
  ping(SUBSCRIBER, INTERNET, 100, 'dont');
  const before = opened.verdicts();
  assert.match(ping(SUBSCRIBER, INTERNET, 4000, 'dont'), ANSWERED);
  const now = opened.verdicts();
  for (const verdict of ['forward_up', 'forward_down']) {
    assert.equal((now[verdict] ?? 0n) - (before[verdict] ?? 0n), 3n, verdict);
  }
});

test('a packet for a subscriber that is longer than its MTU comes in fragments, or its sender is told', async () => {
  const opened = await open({ core: 3000, subscriber: 1500 });
  ping(SUBSCRIBER, INTERNET, 100, 'dont');
  assert.match(ping(CORE, ADDRESS, 2500, 'do'), /Frag needed and DF set \(mtu = 1500\)/);
  runIn(CORE, 'ip route flush cache');
  const before = opened.verdicts();
  assert.match(ping(CORE, ADDRESS, 2500, 'dont'), ANSWERED);
  const now = opened.verdicts();
  assert.equal((now['stack_down'] ?? 0n) - (before['stack_down'] ?? 0n), 1n);
  // Both fragments met bng_egress, which gave them the subscriber's MAC.
  assert.equal((now['egress'] ?? 0n) - (before['egress'] ?? 0n), 2n);
});

test('a packet of a subscriber that is longer than the core link is fragmented, or its sender is told', async () => {
  await open({ core: 1400, subscriber: 1500 });
  ping(SUBSCRIBER, INTERNET, 100, 'dont');
  assert.match(ping(SUBSCRIBER, INTERNET, 1500, 'do'), /Frag needed and DF set \(mtu = 1400\)/);
  runIn(SUBSCRIBER, 'ip route flush cache');
  assert.match(ping(SUBSCRIBER, INTERNET, 1500, 'dont'), ANSWERED);
});

test('fragmentation is no way out of the garden, nor into it', async () => {
  await open({ core: 1400, subscriber: 1500, walled: true });
  ping(SUBSCRIBER, ALLOWED, 100, 'dont');
  assert.match(ping(SUBSCRIBER, ALLOWED, 1500, 'dont'), ANSWERED);
  assert.match(ping(SUBSCRIBER, INTERNET, 1500, 'dont'), UNANSWERED);
  await dataplane?.close();
  const opened = await open({ core: 3000, subscriber: 1500, walled: true });
  const refused = opened.drops()['garden'] ?? 0n;
  assert.match(ping(CORE, ADDRESS, 2500, 'dont'), UNANSWERED);
  assert.ok((opened.drops()['garden'] ?? 0n) > refused);
});

test('jumbo frames pass native XDP whole, both ways, and TCP fills them, or it is said that this kernel cannot', async () => {
  const opened = await open({ core: 9000, subscriber: 9000 });
  const problem = jumboProblem(9000, release());
  assert.deepEqual(warnings, problem === null ? [] : [problem]);
  if (problem !== null) return;
  assert.deepEqual(
    opened.ports().map(({ xdpMode }) => xdpMode),
    ['native', 'native'],
  );
  ping(SUBSCRIBER, INTERNET, 100, 'dont');
  const before = opened.verdicts();
  const counted = opened.traffic(parseIpv4(ADDRESS));
  assert.match(ping(SUBSCRIBER, INTERNET, 9000, 'do'), ANSWERED);
  const now = opened.verdicts();
  for (const verdict of ['forward_up', 'forward_down']) {
    assert.equal((now[verdict] ?? 0n) - (before[verdict] ?? 0n), 1n, verdict);
  }
  const traffic = opened.traffic(parseIpv4(ADDRESS));
  assert.equal((traffic?.upstreamBytes ?? 0n) - (counted?.upstreamBytes ?? 0n), 9000n);
  assert.equal((traffic?.downstreamBytes ?? 0n) - (counted?.downstreamBytes ?? 0n), 9000n);
  await bulk(4 << 20);
  const last = opened.traffic(parseIpv4(ADDRESS));
  const packets = (last?.downstreamPackets ?? 0n) - (traffic?.downstreamPackets ?? 0n);
  const bytes = (last?.downstreamBytes ?? 0n) - (traffic?.downstreamBytes ?? 0n);
  assert.ok(bytes > 4n << 20n && bytes / packets > 4000n, `${bytes} bytes in ${packets} packets`);
});

/** So many bytes over TCP from the core host to the subscriber. */
async function bulk(bytes: number): Promise<void> {
  const server = spawn(
    'nsenter',
    [
      `--net=/run/netns/${CORE}`,
      process.execPath,
      '-e',
      `require('net').createServer((s) => s.end(Buffer.alloc(${bytes}))).listen(9000, () => console.log('up'))`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  try {
    await new Promise((resolve) => server.stdout.once('data', resolve));
    const got = runIn(
      SUBSCRIBER,
      `timeout 20 ${process.execPath} -e "let n = 0; require('net').connect(9000, '${INTERNET}')
        .on('data', (d) => { n += d.length; }).on('end', () => { console.log(n); process.exit(); })"`,
    );
    assert.equal(Number(got), bytes);
  } finally {
    server.kill();
  }
}
