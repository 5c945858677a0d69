/** The kernel dataplane with real TCP/IP stacks as subscriber and as internet, each in a namespace of its own. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { compileGardenPolicy } from '../../src/dataplane/garden-policy.js';
import { KernelDataplane } from '../../src/dataplane/kernel-dataplane.js';
import { GARDEN_LIMITS } from '../../src/dataplane/kernel-load.js';
import type { KernelDataplaneOptions } from '../../src/dataplane/kernel-parts.js';
import { loadNative } from '../../src/dataplane/load-native.js';
import type { PuntedFrame, RemoveOutcome, SubscriberEntry } from '../../src/dataplane/port.js';
import { systemClock } from '../../src/model/system-clock.js';
import { parseIpv4, parsePrefix } from '../../src/model/ipv4.js';
import { parseMac } from '../../src/model/mac.js';
import type { Mac } from '../../src/model/mac.js';
import { addTraffic, NO_TRAFFIC } from '../../src/model/traffic-counters.js';
import { enterNamespaces, makeVeth, OBJECT_PATH, run, runIn, until, pass } from './dataplane-world.js';

const BNG = 'ker-fwd-bng';
const SUBSCRIBER = 'ker-fwd-sub';
const CORE = 'ker-fwd-core';
enterNamespaces(import.meta.url, [BNG, SUBSCRIBER, CORE]);

const SUBSCRIBER_MAC = '02:00:00:00:00:11';
const ADDRESS = '10.0.0.10';
const INTERNET = '198.51.100.7';
const ALLOWED = '203.0.113.10';
const PORTAL = '10.255.0.1';

const binding = loadNative();
const servers: ReturnType<typeof spawn>[] = [];
let dataplane: KernelDataplane;
let ruleset = '';
const warnings: string[] = [];

function entry(change: Partial<SubscriberEntry> = {}): SubscriberEntry {
  return {
    address: parseIpv4(ADDRESS),
    attachment: {
      ifindex: binding.interfaceIndex('access0'),
      sVlan: 0,
      cVlan: 0,
      mac: parseMac(SUBSCRIBER_MAC),
    },
    walled: false,
    downloadBitsPerSecond: 0,
    uploadBitsPerSecond: 0,
    ...change,
  };
}

/** A TCP server that says who it is and, on port 8080, a megabyte. */
async function serve(namespace: string, port: number, text: string): Promise<void> {
  const script = `require('net').createServer((s) => { s.on('error', () => {}); s.on('data', () => s.end(${text})); })
    .listen(${port}, '0.0.0.0', () => console.log('up'))`;
  const child = spawn('nsenter', [`--net=/run/netns/${namespace}`, process.execPath, '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  servers.push(child);
  await new Promise((resolve) => child.stdout?.once('data', resolve));
}

/** What a connection from the subscriber yields: the answer's first characters and length, or the error. */
async function ask(address: string, port: number): Promise<string> {
  const script = `const s = require('net').connect(${port}, '${address}', () => s.write('?')); let n = 0, t = '';
    s.on('data', (d) => { n += d.length; if (t.length < 20) t += d; }); s.on('error', (e) => { console.log(e.code); process.exit(); });
    s.on('end', () => { console.log(t.slice(0, 20) + ' ' + n); process.exit(); });
    setTimeout(() => { console.log('silence'); process.exit(); }, 1200)`;
  const child = spawn('nsenter', [`--net=/run/netns/${SUBSCRIBER}`, process.execPath, '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (text) => {
    said += text;
  });
  await new Promise((resolve) => child.once('close', resolve));
  return said.trim();
}

/** Nobody has to be told of its counters any more. */
function forget(removed: RemoveOutcome): void {
  assert.ok(removed.ok);
  if (removed.receipt !== null) dataplane.forget([removed.receipt]);
}

before(async () => {
  makeVeth('access0', 'sub0');
  makeVeth('core0', 'net0');
  run(`ip link set sub0 netns ${SUBSCRIBER}; ip link set net0 netns ${CORE}`);
  run('ip link set core0 up; ip addr add 192.0.2.1/24 dev core0; ip route add default via 192.0.2.2');
  runIn(
    SUBSCRIBER,
    `ip link set sub0 address ${SUBSCRIBER_MAC} mtu 1500 up; ip addr add ${ADDRESS}/24 dev sub0;
     ip route add default via 10.0.0.1`,
  );
  runIn(
    CORE,
    `ip link set net0 mtu 1500 up; ip addr add 192.0.2.2/24 dev net0; ip addr add ${INTERNET}/32 dev lo;
     ip addr add ${ALLOWED}/32 dev lo; ip route add 10.0.0.0/8 via 192.0.2.1`,
  );
  pass.attachIn(SUBSCRIBER, 'sub0');
  pass.attachIn(CORE, 'net0');
  ruleset = run('nft list ruleset');
  dataplane = await KernelDataplane.open({
    binding,
    objectPath: OBJECT_PATH,
    clock: systemClock,
    access: { interfaces: ['access0'], xdpMode: 'native', sTpid: 0x88a8, cTpid: 0x8100 },
    core: { interfaces: ['core0'] },
    policy: compileGardenPolicy(
      {
        allow: [{ prefix: parsePrefix(`${ALLOWED}/32`), port: null }],
        resolvers: [],
        portal: { address: parseIpv4(PORTAL), port: 8000 },
        gateways: [parseIpv4('10.0.0.1'), parseIpv4(PORTAL)],
      },
      GARDEN_LIMITS,
    ),
    pools: [
      { network: parsePrefix('10.0.0.0/24'), gateway: parseIpv4('10.0.0.1') },
      { network: parsePrefix('10.255.0.0/24'), gateway: parseIpv4(PORTAL) },
    ],
    burstMs: 100,
    localForwarding: false,
    maxSubscribers: 16,
    nftTable: 'ker-bng',
    onWarning: (warning) => warnings.push(warning),
  });
  await serve(CORE, 80, "'internet'");
  await serve(CORE, 8080, 'Buffer.alloc(1 << 20, 0x61)');
  await serve(BNG, 8000, "'portal'");
  await serve(BNG, 8081, "'operators'");
});

after(async () => {
  await dataplane?.close();
  for (const child of servers) child.kill();
});

test('a machine set up as kernel-notes say gives no warning', () => {
  assert.deepEqual(warnings, []);
  assert.deepEqual(
    dataplane.ports().map(({ role, xdpMode }) => `${role} ${xdpMode}`),
    ['access native', 'core native'],
  );
});

test('nothing passes before the subscriber is installed', async () => {
  assert.equal(await ask(INTERNET, 80), 'silence');
  assert.ok((dataplane.drops()['unknown_line'] ?? 0n) > 0n);
  assert.equal(dataplane.traffic(parseIpv4(ADDRESS)), null);
});

test('an installed subscriber pings the gateway and the internet, and both directions are counted to the byte', async () => {
  assert.deepEqual(await dataplane.install(entry()), { ok: true });
  // What the subscriber had queued while nobody answered its ARP leaves first, all at once.
  runIn(SUBSCRIBER, 'ping -q -c 1 -W 2 10.0.0.1');
  const before = dataplane.traffic(parseIpv4(ADDRESS)) ?? NO_TRAFFIC;
  runIn(SUBSCRIBER, 'ping -q -c 3 -i 0.01 -s 56 -W 2 10.0.0.1');
  runIn(SUBSCRIBER, `ping -q -c 7 -i 0.01 -s 1472 -M do -W 2 ${INTERNET}`);
  const expected = { packets: 10n, bytes: 3n * 84n + 7n * 1500n };
  assert.deepEqual(
    dataplane.traffic(parseIpv4(ADDRESS)),
    addTraffic(before, {
      upstreamPackets: expected.packets,
      upstreamBytes: expected.bytes,
      downstreamPackets: expected.packets,
      downstreamBytes: expected.bytes,
    }),
  );
});

test('TCP passes both ways in XDP, and its counters hold at least the payload', async () => {
  const before = dataplane.traffic(parseIpv4(ADDRESS));
  assert.equal(await ask(INTERNET, 8080), `${'a'.repeat(20)} ${1 << 20}`);
  const now = dataplane.traffic(parseIpv4(ADDRESS));
  assert.ok(now !== null && before !== null && now.downstreamBytes - before.downstreamBytes > 1n << 20n);
  assert.ok(
    (dataplane.verdicts()['forward_down'] ?? 0n) > 0n && (dataplane.verdicts()['forward_up'] ?? 0n) > 0n,
  );
});

test("of the box's own addresses a subscriber reaches pings of the gateways and the portal, and no other port", async () => {
  const refused = (): bigint => dataplane.drops()['local_service'] ?? 0n;
  // A service on all addresses, as an operator's: by either gateway, and by the address of the core side.
  for (const address of ['10.0.0.1', PORTAL, '192.0.2.1']) {
    const before = refused();
    assert.equal(await ask(address, 8081), 'silence', address);
    assert.ok(refused() > before, address);
  }
  const before = refused();
  assert.throws(() => runIn(SUBSCRIBER, 'ping -q -c 1 -W 1 192.0.2.1'));
  assert.ok(refused() > before);
  for (const address of ['10.0.0.1', PORTAL]) runIn(SUBSCRIBER, `ping -q -c 1 -W 2 ${address}`);
  assert.equal(await ask(PORTAL, 8000), 'portal 6');
});

test('what was installed is what the kernel holds', async () => {
  const rated = entry({ downloadBitsPerSecond: 100_000_000, uploadBitsPerSecond: 20_000_000 });
  assert.deepEqual(await dataplane.update(rated), { ok: true });
  const { attachment } = rated;
  const [found, ...others] = await dataplane.dump();
  assert.deepEqual(others, []);
  assert.deepEqual(found, {
    ...rated,
    attachment,
    slot: 0,
    gardenMember: false,
    traffic: dataplane.traffic(rated.address),
  });
  assert.deepEqual(await dataplane.update(entry()), { ok: true });
});

test('an address, and a line, can be installed once only', async () => {
  assert.equal((await dataplane.install(entry())).ok, false);
  assert.equal((await dataplane.install(entry({ address: parseIpv4('10.0.0.77') }))).ok, false);
  assert.equal((await dataplane.dump()).length, 1);
});

for (const port of [80, 8080]) {
  test(`an established connection to port ${port} is cut when its subscriber becomes walled`, async () => {
    assert.deepEqual(await dataplane.update(entry()), { ok: true });
    const script = `const s = require('net').connect(${port}, '${INTERNET}', () => console.log('connected'));
    s.on('error', () => {}); process.stdin.on('data', () => s.write('?')); s.on('data', (d) => console.log(String(d)))`;
    const child = spawn('nsenter', [`--net=/run/netns/${SUBSCRIBER}`, process.execPath, '-e', script]);
    let said = '';
    child.stdout.on('data', (text) => {
      said += text;
    });
    await until('connection', () => said.includes('connected'));
    assert.deepEqual(await dataplane.update(entry({ walled: true })), { ok: true });
    const refused = (): bigint =>
      (dataplane.drops()['garden'] ?? 0n) + (dataplane.verdicts()['egress'] ?? 0n);
    const before = refused();
    child.stdin.write('x');
    // Port 8080 is dropped in XDP; port 80 goes to the portal, which knows no such connection and resets it.
    await until('segment dropped or reset', () => refused() > before);
    child.kill();
    assert.equal(said, 'connected\n');
  });
}

test('a walled subscriber gets the portal for any TCP/80, what the garden allows, and nothing else', async () => {
  assert.equal(await ask(INTERNET, 80), 'portal 6');
  assert.equal(await ask('10.0.0.1', 80), 'portal 6');
  assert.equal(await ask(PORTAL, 8000), 'portal 6');
  assert.equal(await ask(ALLOWED, 80), 'internet 8');
  assert.equal(await ask(INTERNET, 8080), 'ECONNREFUSED');
  assert.throws(() => runIn(SUBSCRIBER, `ping -q -c 1 -W 1 ${INTERNET}`));
  runIn(SUBSCRIBER, `ping -q -c 1 -W 2 ${ALLOWED}`);
  assert.deepEqual(
    (await dataplane.dump()).map(({ walled, gardenMember }) => ({ walled, gardenMember })),
    [{ walled: true, gardenMember: true }],
  );
});

test('counters can be read in portions, and a membership taken away beside us is a mismatch', async () => {
  const installed = parseIpv4(ADDRESS);
  const other = entry({
    address: parseIpv4('10.0.0.78'),
    attachment: { ...entry().attachment, mac: (entry().attachment.mac + 1) as Mac },
  });
  assert.deepEqual(await dataplane.install(other), { ok: true });
  const portions = [...dataplane.trafficInPortions(1)];
  assert.deepEqual(
    portions.map((portion) => [...portion.keys()]),
    [[installed], [other.address]],
  );
  assert.deepEqual(new Map(portions.flatMap((portion) => [...portion])), dataplane.allTraffic());
  const removed = await dataplane.remove(other.address);
  assert.ok(removed.ok);
  assert.deepEqual(removed.traffic, portions[1]?.get(other.address));
  forget(removed);
  assert.deepEqual(
    [...dataplane.trafficInPortions(100)].map((portion) => [...portion.keys()]),
    [[installed]],
  );
  assert.equal(await dataplane.gardenMismatches(), 0);
  run(`nft delete element inet ker-bng garden_members { ${ADDRESS} }`);
  assert.equal(await dataplane.gardenMismatches(), 1);
  run(`nft add element inet ker-bng garden_members { 10.0.0.99, ${ADDRESS} }`);
  assert.equal(await dataplane.gardenMismatches(), 1);
  run('nft delete element inet ker-bng garden_members { 10.0.0.99 }');
  assert.equal(await dataplane.gardenMismatches(), 0);
});

test('the stack tracks the portal flows of walled subscribers, and nothing that only passes through', () => {
  const tracked = run(`conntrack -L -s ${ADDRESS} 2>/dev/null || true`)
    .trim()
    .split('\n')
    .filter((line) => line !== '');
  assert.ok(tracked.length > 0);
  for (const line of tracked) assert.match(line, /dport=(80|8000) .*(src=10\.255\.0\.1 )/);
});

test('an opened subscriber reaches the internet on port 80 again, and its counters have gone on', async () => {
  const before = dataplane.traffic(parseIpv4(ADDRESS));
  assert.deepEqual(await dataplane.update(entry()), { ok: true });
  assert.equal(await ask(INTERNET, 80), 'internet 8');
  const now = dataplane.traffic(parseIpv4(ADDRESS));
  assert.ok(before !== null && now !== null && now.upstreamPackets > before.upstreamPackets);
  assert.deepEqual(
    (await dataplane.dump()).map((found) => found.gardenMember),
    [false],
  );
});

test('DHCP from the line is punted with its frame, and a frame transmitted reaches the subscriber', async () => {
  const punted: PuntedFrame[] = [];
  dataplane.onPunt((frame) => punted.push({ ...frame, frame: frame.frame.slice() }));
  const ifindex = binding.interfaceIndex('access0');
  runIn(
    SUBSCRIBER,
    `${process.execPath} -e "const s = require('dgram').createSocket('udp4');
     s.bind(68, () => { s.setBroadcast(true); s.send('x'.repeat(300), 67, '255.255.255.255', () => s.close()); })"`,
  );
  await until('punt', () => punted.length === 1);
  assert.equal(punted[0]?.ifindex, ifindex);
  assert.equal(punted[0]?.frame.length, 14 + 20 + 8 + 300);
  assert.deepEqual([punted[0]?.sVlan, punted[0]?.cVlan, punted[0]?.sTpid], [0, 0, 0]);
  assert.equal(dataplane.brokenPunts, 0);
  const before = runIn(SUBSCRIBER, 'cat /proc/net/dev | grep sub0').trim().split(/\s+/)[2];
  assert.equal(
    dataplane.transmit(
      ifindex,
      Buffer.from(`${'ff'.repeat(6)}020000000001${'8100'}0064${'00'.repeat(50)}`, 'hex'),
    ),
    true,
  );
  await until('frame at the subscriber', () => {
    return runIn(SUBSCRIBER, 'cat /proc/net/dev | grep sub0').trim().split(/\s+/)[2] !== before;
  });
});

test('removing gives the final counters, and then nothing passes', async () => {
  const last = dataplane.traffic(parseIpv4(ADDRESS));
  const removed = await dataplane.remove(parseIpv4(ADDRESS));
  assert.ok(removed.ok);
  assert.deepEqual(removed.traffic, last);
  forget(removed);
  assert.throws(() => runIn(SUBSCRIBER, `ping -q -c 1 -W 1 ${INTERNET}`));
  assert.deepEqual(await dataplane.dump(), []);
  assert.equal(dataplane.allTraffic().size, 0);
});

test('a new subscriber of the same slot starts at zero', async () => {
  assert.deepEqual(await dataplane.install(entry()), { ok: true });
  assert.deepEqual(dataplane.traffic(parseIpv4(ADDRESS)), {
    upstreamPackets: 0n,
    upstreamBytes: 0n,
    downstreamPackets: 0n,
    downstreamBytes: 0n,
  });
});

test('full maps are an outcome, and everything can be removed again', async () => {
  const many = Array.from({ length: 20 }, (_, i) => ({
    ...entry({ walled: i % 2 === 0 }),
    address: parseIpv4(`10.255.0.${10 + i}`),
    attachment: { ...entry().attachment, sVlan: 100, cVlan: i + 1 },
  }));
  const outcomes = await Promise.all(many.map((one) => dataplane.install(one)));
  assert.equal(outcomes.filter((outcome) => outcome.ok).length, 15);
  const found = await dataplane.dump();
  assert.equal(found.length, 16);
  assert.ok(found.every((one) => one.gardenMember === one.walled));
  const removed = await Promise.all(found.map((one) => dataplane.remove(one.address)));
  assert.ok(removed.every((outcome) => outcome.ok));
  assert.deepEqual(await dataplane.dump(), []);
});

test('a driver that refuses native XDP is named with a remedy, nothing stays behind, and the remedy works', async () => {
  makeVeth('spare0', 'spare1');
  // Once up, a link keeps its queueing discipline when it goes down again.
  run('ip link set spare0 up; ip link set spare0 down');
  run('ip link add ker-plain type bridge; ip link set ker-plain up');
  const links = run('ip link; ip addr show dev lo');
  const routes = run('ip route');
  const options: KernelDataplaneOptions = {
    binding,
    objectPath: OBJECT_PATH,
    clock: systemClock,
    access: { interfaces: ['spare0'], xdpMode: 'native', sTpid: 0x88a8, cTpid: 0x8100 },
    core: { interfaces: ['ker-plain'] },
    policy: compileGardenPolicy(
      { allow: [], resolvers: [], portal: { address: parseIpv4('10.9.0.1'), port: 80 }, gateways: [] },
      GARDEN_LIMITS,
    ),
    pools: [{ network: parsePrefix('10.9.0.0/24'), gateway: parseIpv4('10.9.0.1') }],
    burstMs: 100,
    localForwarding: false,
    maxSubscribers: 16,
    nftTable: 'ker-other',
  };
  await assert.rejects(
    KernelDataplane.open(options),
    /ker-plain does not take XDP in native mode; .*xdpMode: generic/,
  );
  assert.equal(run('ip route'), routes);
  assert.equal(run('ip link; ip addr show dev lo'), links);
  assert.ok(!run('nft list tables').includes('ker-other'));

  const generic = await KernelDataplane.open({
    ...options,
    core: { interfaces: ['ker-plain'], xdpMode: 'generic' },
  });
  assert.deepEqual(generic.ports(), [
    { interface: 'spare0', role: 'access', xdpMode: 'native' },
    { interface: 'ker-plain', role: 'core', xdpMode: 'generic' },
  ]);
  assert.match(run('ip link show ker-plain'), /xdpgeneric/);
  await generic.close();
  assert.equal(run('ip link; ip addr show dev lo'), links);
});

test('closing leaves the machine as it was', async () => {
  await dataplane.close();
  await dataplane.close();
  assert.equal(run('nft list ruleset'), ruleset);
  assert.ok(!run('ip -d link show access0').includes('xdp'));
  assert.ok(!run('ip addr show dev lo').includes('10.0.0.1'));
  assert.ok(!run('ip link show access0').includes('NOARP'));
  assert.equal(run('tc filter show dev access0 egress').trim(), '');
});
