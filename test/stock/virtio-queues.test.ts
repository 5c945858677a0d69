/**
 * Native XDP on virtio-net with several queues: scripts/vm/test.sh gives the guest two cables of two cards each (eth0-eth1 the
 * access side, eth2-eth3 the core's), whose other ends are multi-queue tap devices.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Child } from '../../src/lab/exec.js';
import { enterNamespaces, run, runIn } from '../lab/dataplane-world.js';
import { BNG, CORE, download, INTERNET, serveBytes, StockWorld, SUBSCRIBERS } from './stock-world.js';

// The cards are in the machine's own namespace, which the test's is made from.
const CARDS = {
  eth0: ['access0', BNG],
  eth1: ['sub0', SUBSCRIBERS],
  eth2: ['core0', BNG],
  eth3: ['net0', CORE],
} as const;
enterNamespaces(import.meta.url, [BNG, SUBSCRIBERS, CORE]);

const DOWNLOAD_BYTES = 400_000;
const LINE = { address: '10.0.0.10', sVlan: 100, cVlan: 7, outer: '802.1ad' } as const;

describe('virtio-net with several queues', () => {
  let world: StockWorld;
  let server: Child;

  before(async () => {
    for (const [card, [name, namespace]] of Object.entries(CARDS)) {
      run(`nsenter --net=/proc/1/ns/net ip link set ${card} netns /run/netns/${namespace} name ${name}`);
      runIn(
        namespace,
        `sysctl -qw net.ipv6.conf.${name}.disable_ipv6=1; ethtool -L ${name} combined 2; ip link set ${name} mtu 1508`,
      );
    }
    runIn(SUBSCRIBERS, 'ethtool -K sub0 tx off; ip link set sub0 promisc on');
    runIn(CORE, 'ethtool -K net0 tx off');
    world = await StockWorld.open();
    server = await serveBytes(DOWNLOAD_BYTES);
  });
  after(async () => {
    await server?.stop('SIGKILL');
    await world?.close();
  });

  test('both cards of the gateway take XDP in native mode, and keep both queues', () => {
    assert.deepEqual(
      world.dataplane.ports().map(({ role, xdpMode }) => `${role} ${xdpMode}`),
      ['access native', 'core native'],
    );
    for (const name of ['access0', 'core0'])
      assert.match(run(`ethtool -l ${name}`), /Current[^]*Combined:\s+2/);
  });

  test('a subscriber behind tags pings at full length and downloads, counted to the packet', async () => {
    const entry = world.plug(LINE);
    assert.deepEqual(await world.dataplane.install(entry), { ok: true });
    runIn(SUBSCRIBERS, `ping -q -c 5 -i 0.05 -s 1472 -M do -W 10 -I ${LINE.address} ${INTERNET}`);
    for (let flow = 0; flow < 12; flow++) assert.equal(download(LINE.address).bytes, DOWNLOAD_BYTES);
    const traffic = world.dataplane.traffic(entry.address) ?? assert.fail();
    const own = world.counted(LINE.address);
    assert.deepEqual([traffic.downstreamPackets, traffic.upstreamPackets], [own.down, own.up]);
  });

  test('the flows came in by both queues of the core card, and XDP judged them there', () => {
    const statistics = run('ethtool -S core0');
    // rx_queue_0_… on 6.1, rx0_… on 6.12.
    for (const queue of [0, 1])
      assert.match(statistics, new RegExp(`rx(_queue_)?${queue}_xdp_packets: [1-9]`), statistics);
  });
});
