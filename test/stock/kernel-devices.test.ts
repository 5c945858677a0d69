/** With what only a stock kernel has: subscribers behind its 802.1ad and 802.1Q devices, netem in the core, flowtables beside us. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { SubscriberEntry } from '../../src/dataplane/port.js';
import type { Child } from '../../src/lab/exec.js';
import { enterNamespaces, makeVeth, run, runIn, pass } from '../lab/dataplane-world.js';
import {
  BNG,
  CORE,
  download,
  INTERNET,
  type Line,
  serveBytes,
  StockWorld,
  SUBSCRIBERS,
} from './stock-world.js';

enterNamespaces(import.meta.url, [BNG, SUBSCRIBERS, CORE]);

const DOWNLOAD_BYTES = 400_000;
const LINES: Readonly<Record<string, Line>> = {
  '802.1ad over 802.1Q': { address: '10.0.0.10', sVlan: 100, cVlan: 7, outer: '802.1ad' },
  '802.1Q over 802.1Q': { address: '10.0.0.11', sVlan: 200, cVlan: 8, outer: '802.1Q' },
  '802.1Q alone': { address: '10.0.0.12', sVlan: 300, cVlan: 0, outer: '802.1Q' },
};
/** The line that the tests of the core's side use. */
const { '802.1ad over 802.1Q': first = assert.fail() } = LINES;

describe('the dataplane on a stock kernel', () => {
  const entries = new Map<string, SubscriberEntry>();
  let world: StockWorld;
  let server: Child;

  before(async () => {
    makeVeth('access0', 'sub0');
    makeVeth('core0', 'net0');
    run(`ip link set sub0 netns ${SUBSCRIBERS}; ip link set net0 netns ${CORE}`);
    pass.attachIn(SUBSCRIBERS, 'sub0');
    pass.attachIn(CORE, 'net0');
    world = await StockWorld.open();
    server = await serveBytes(DOWNLOAD_BYTES);
  });
  after(async () => {
    await server?.stop('SIGKILL');
    await world?.close();
  });

  for (const [what, line] of Object.entries(LINES)) {
    test(`a line of the kernel's own devices (${what}) passes pings of full length and TCP, counted to the packet and byte`, async () => {
      const entry = world.plug(line);
      entries.set(line.address, entry);
      assert.deepEqual(await world.dataplane.install(entry), { ok: true });
      runIn(SUBSCRIBERS, `ping -q -c 5 -i 0.05 -s 1472 -M do -W 10 -I ${line.address} ${INTERNET}`);
      assert.equal(download(line.address).bytes, DOWNLOAD_BYTES);
      assertCounted(line);
    });
  }

  test('with delay and loss in the core TCP arrives whole, and every packet that reached the subscriber is counted once', () => {
    runIn(CORE, 'tc qdisc add dev net0 root netem delay 10ms 2ms loss 2%');
    assert.equal(download(first.address).bytes, DOWNLOAD_BYTES);
    runIn(SUBSCRIBERS, `ping -q -c 20 -i 0.05 -W 10 -I ${first.address} ${INTERNET} || true`);
    runIn(CORE, 'tc qdisc del dev net0 root');
    assertCounted(first);
    const sent = runIn(SUBSCRIBERS, `ping -q -c 5 -i 0.05 -W 10 -I ${first.address} ${INTERNET}`);
    assert.match(sent, / 0% packet loss/);
  });

  test('over a delay of 20 ms a policed download is no faster than its rate and its burst', async () => {
    // Ten segments, with which TCP begins, are more than its burst.
    const downloadBitsPerSecond = 1_000_000;
    const entry = entries.get(first.address) ?? assert.fail();
    assert.deepEqual(await world.dataplane.update({ ...entry, downloadBitsPerSecond }), { ok: true });
    runIn(CORE, 'tc qdisc add dev net0 root netem delay 20ms');
    const { bytes, seconds } = download(first.address);
    runIn(CORE, 'tc qdisc del dev net0 root');
    assert.equal(bytes, DOWNLOAD_BYTES);
    // The burst is 100 ms of the rate.
    assert.ok(seconds >= (bytes * 8) / downloadBitsPerSecond - 0.1, `${seconds} s`);
    assert.ok((world.dataplane.drops()['policed_down'] ?? 0n) > 0n);
    assert.deepEqual(await world.dataplane.update(entry), { ok: true });
  });

  test('a flowtable on our interfaces sees nothing of what XDP forwards, and costs no packet', () => {
    run(`nft 'table inet beside {
      flowtable fast { hook ingress priority 0; devices = { access0, core0 }; }
      chain forward { type filter hook forward priority 0; meta l4proto { tcp, udp } flow add @fast; }
    }'`);
    assert.equal(download(first.address).bytes, DOWNLOAD_BYTES);
    assert.equal(run(`conntrack -L -s ${first.address} 2>/dev/null || true`).trim(), '');
    assertCounted(first);
    run('nft delete table inet beside');
  });

  test('the kernel and the dataplane have nothing to complain of', () =>
    assert.deepEqual(world.warnings, []));

  function assertCounted({ address }: Line): void {
    const entry = entries.get(address) ?? assert.fail();
    const traffic = world.dataplane.traffic(entry.address) ?? assert.fail();
    const own = world.counted(address);
    assert.equal(traffic.downstreamPackets, own.down);
    assert.equal(traffic.downstreamBytes, own.downBytes);
    assert.equal(traffic.upstreamPackets, own.up);
  }
});
