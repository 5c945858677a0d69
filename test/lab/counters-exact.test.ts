/** Counters equal what was sent, to the byte: the API, the metrics and the accounting record against both ends. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { CORE_ADDRESSES } from '../../src/lab/core-network.js';
import { shell } from '../../src/lab/exec.js';
import { eventually } from '../support/eventually.js';
import type { Subscriber, Traffic } from '../support/garden-lab.js';
import { GardenLab, growth } from '../support/garden-lab.js';
import type { Sum } from '../support/raw-peer.js';
import { sumOf, WireCount } from '../support/wire-count.js';
import type { Ipv4Fields, PacketBuilder } from '../support/packet.js';
import { seededRandom } from '../support/seeded-random.js';

const { internet, gardenAllowed } = CORE_ADDRESSES;
const NOP_OPTIONS = Uint8Array.of(1, 1, 1, 1);
const ports = { source: 40_000, destination: 40_001 };
const ipLength = (frame: Buffer): number => frame.readUInt16BE(16);
const sumFrames = (frames: readonly Buffer[]): Sum => ({
  packets: frames.length,
  bytes: frames.reduce((sum, frame) => sum + ipLength(frame), 0),
});

describe('counters', () => {
  let garden: GardenLab;
  let subscriber: Subscriber;
  before(async () => {
    garden = await GardenLab.open('l2c');
    // One frame on the wire is one packet: nothing is merged on its way, and this stack's bursts are cut before the wire.
    await shell('ethtool -K trunk0 gro off gso off tso off >/dev/null', {
      namespace: garden.lab.namespaces.olt,
    });
    await shell('ethtool -K access0 tso off gso on >/dev/null', { namespace: garden.lab.namespaces.bng });
    subscriber = await garden.subscribe('ALCL00000001');
    await shell('ethtool -K eth0 tso off gso off gro off >/dev/null; ip link set eth0 gso_max_segs 1', {
      namespace: subscriber.host.namespace,
    });
  });
  after(() => garden.close());

  const difference = (later: Traffic, earlier: Traffic): { up: Sum; down: Sum } => ({
    up: {
      packets: later.upstreamPackets - earlier.upstreamPackets,
      bytes: later.upstreamBytes - earlier.upstreamBytes,
    },
    down: {
      packets: later.downstreamPackets - earlier.downstreamPackets,
      bytes: later.downstreamBytes - earlier.downstreamBytes,
    },
  });

  /** Waits until what the API counted since `earlier` is what `wire` says now; fails with both when it never is. */
  async function agrees(
    earlier: Traffic,
    wire: () => { up: Sum; down: Sum },
  ): Promise<{ up: Sum; down: Sum }> {
    await inTime(async () => difference(await garden.traffic(subscriber.serial), earlier), wire);
    return wire();
  }

  /** Waits until both say the same; fails with both when they never do. */
  async function inTime<T>(actual: () => T | Promise<T>, expected: () => T): Promise<void> {
    const deadline = performance.now() + 4_000;
    for (;;) {
      const pair = [await actual(), expected()];
      if (isDeepStrictEqual(pair[0], pair[1])) return;
      if (performance.now() > deadline) return assert.deepEqual(pair[0], pair[1]);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** A veth's ring is short: never more at once than fit. */
  async function inBatches({ peer }: Pick<Subscriber, 'peer'>, frames: readonly Buffer[]): Promise<void> {
    for (let at = 0; at < frames.length; at += 50) await peer.send(...frames.slice(at, at + 50));
  }

  it('the portal: TCP that this machine answers itself, its bursts counted as what leaves on the wire', async () => {
    // Small segments, so that one page is several of them and leaves the stack as one burst.
    await shell('ip route replace 10.255.0.1 dev eth0 advmss 200', { namespace: subscriber.host.namespace });
    const wire = await WireCount.start(garden.lab, subscriber.host.namespace);
    const earlier = await garden.traffic(subscriber.serial);
    const { verdicts: before_ } = await garden.frames();
    for (let round = 0; round < 10; round++) {
      const page = await subscriber.host.httpGet('http://10.255.0.1/');
      assert.ok(page.ok && page.status === 200);
    }
    const counted = await agrees(earlier, () => ({
      up: sumOf(wire.read(), 'from', subscriber.address()),
      down: sumOf(wire.read(), 'to', subscriber.address()),
    }));
    await wire.stop();
    const { verdicts } = await garden.frames();
    assert.equal(verdicts['stack_up']! - before_['stack_up']!, counted.up.packets);
    const bursts = verdicts['egress']! - before_['egress']!;
    assert.ok(bursts < counted.down.packets, `${bursts} bursts were ${counted.down.packets} packets`);
  });

  it('in the garden what is refused counts nothing', async () => {
    const earlier = await garden.traffic(subscriber.serial);
    const { drops: before_ } = await garden.frames();
    const frames = [internet, '10.0.0.1', '224.0.0.1'].map((destination) =>
      subscriber.toGateway().ipv4({ source: subscriber.address(), destination }).udp(ports).bytes(),
    );
    await subscriber.peer.send(...frames);
    await garden.core.send(
      garden.fromCore().ipv4({ source: internet, destination: subscriber.address() }).udp(ports).bytes(),
    );
    const dropped = await eventually('all are dropped', async () => {
      const grown = growth(before_, (await garden.frames()).drops);
      return Object.values(grown).reduce((a, b) => a + b, 0) >= 4 ? grown : null;
    });
    assert.deepEqual(dropped, { garden: 2, local_service: 1, multicast: 1 });
    assert.deepEqual(await garden.traffic(subscriber.serial), earlier);
  });

  it('UDP of mixed sizes, fragments, padding, and every way through the stack: each packet once, to the byte', async () => {
    await garden.activate(subscriber);
    const address = subscriber.address();
    const random = seededRandom(20_261_123);
    const sizes = Array.from({ length: 400 }, () => Math.floor(random() * 1473));
    sizes.push(0, 1, 17, 18, 1471, 1472);
    const cut = (head: (fields: Partial<Ipv4Fields>) => PacketBuilder): Buffer[] => [
      head({ moreFragments: true }).udp(ports).payload(Buffer.alloc(1472)).bytes(),
      head({ moreFragments: true, fragmentOffset: 185, protocol: 17 }).payload(Buffer.alloc(1480)).bytes(),
      head({ fragmentOffset: 370, protocol: 17 }).payload(Buffer.alloc(33)).bytes(),
    ];
    const up = (fields: Partial<Ipv4Fields> = {}): PacketBuilder =>
      subscriber.toGateway().ipv4({ source: address, destination: internet, ...fields });
    const down = (fields: Partial<Ipv4Fields> = {}): PacketBuilder =>
      garden.fromCore().ipv4({ source: internet, destination: address, ...fields });
    const withOptions = (head: typeof up): Buffer[] =>
      [0, 100, 1400].map((size) =>
        head({ options: NOP_OPTIONS }).udp(ports).payload(Buffer.alloc(size)).bytes(),
      );
    const padded = (head: typeof up): Buffer[] => [
      Buffer.concat([head().udp(ports).payload('x').bytes(), Buffer.alloc(17)]),
      Buffer.concat([head({ options: NOP_OPTIONS }).udp(ports).payload('x').bytes(), Buffer.alloc(100)]),
    ];
    const upFrames = [
      ...sizes.map((size) => up().udp(ports).payload(Buffer.alloc(size)).bytes()),
      ...cut(up),
      ...withOptions(up),
      ...padded(up),
    ];
    const downFrames = [
      ...sizes.toReversed().map((size) => down().udp(ports).payload(Buffer.alloc(size)).bytes()),
      ...cut(down),
      ...withOptions(down),
      ...padded(down),
    ];
    // TTL 1 ends here: upstream it is counted as accepted and answered, downstream it never gets to the subscriber.
    const expiring = up({ ttl: 1 }).udp(ports).payload('expiring').bytes();
    const expiringDown = down({ ttl: 1 }).udp(ports).payload('expiring').bytes();
    const waiting = [0, 1, 2, 3, 4].map((size) => up().udp(ports).payload(Buffer.alloc(size)).bytes());
    const atCore = await WireCount.start(garden.lab, garden.lab.namespaces.core);
    const atOnt = await WireCount.start(garden.lab, subscriber.host.namespace);
    const earlier = await garden.traffic(subscriber.serial);
    const metricsBefore = await garden.bng.metrics();

    await inBatches(subscriber, upFrames);
    await inBatches({ peer: garden.core }, downFrames);
    await subscriber.peer.send(expiring);
    await garden.core.send(expiringDown);
    await shell('ip neigh flush dev core0', { namespace: garden.lab.namespaces.bng });
    await subscriber.peer.send(...waiting);

    const sentUp = sumFrames([...upFrames, ...waiting]);
    const sentDown = sumFrames(downFrames);
    await inTime(
      () => [sumOf(atCore.read(), 'from', address), atOnt.read()[`${internet}>${address}`]],
      () => [sentUp, sentDown],
    );
    // Upstream one more was taken in than came out, and its answer (time exceeded) went down.
    const everythingDown = sumOf(await atOnt.stop(), 'to', address);
    await atCore.stop();
    assert.equal(everythingDown.packets, sentDown.packets + 1);
    const counted = difference(await garden.traffic(subscriber.serial), earlier);
    assert.deepEqual(counted, {
      up: { packets: sentUp.packets + 1, bytes: sentUp.bytes + ipLength(expiring) },
      down: everythingDown,
    });
    const metrics = await garden.bng.metrics();
    const moved = (name: string, direction: string): number => {
      const sample = `${name}{direction="${direction}",pool="isp-residential"}`;
      return metrics.get(sample)! - metricsBefore.get(sample)!;
    };
    assert.deepEqual(
      {
        up: {
          packets: moved('bng_traffic_packets_total', 'in'),
          bytes: moved('bng_traffic_bytes_total', 'in'),
        },
        down: {
          packets: moved('bng_traffic_packets_total', 'out'),
          bytes: moved('bng_traffic_bytes_total', 'out'),
        },
      },
      counted,
    );
  });

  it('TCP through the fast path, both ways: the bytes that tcpdump saw at the ONT', async () => {
    const wire = await WireCount.start(garden.lab, subscriber.host.namespace);
    const earlier = await garden.traffic(subscriber.serial);
    const [download, upload] = await Promise.all([
      subscriber.host.download(`http://${internet}/bytes/4000000`, 15_000),
      subscriber.host.upload(`http://${gardenAllowed}/`, 2_000_000, 15_000),
    ]);
    assert.ok(download.ok && upload.ok, JSON.stringify([download, upload]));
    const counted = await agrees(earlier, () => ({
      up: sumOf(wire.read(), 'from', subscriber.address()),
      down: sumOf(wire.read(), 'to', subscriber.address()),
    }));
    await wire.stop();
    assert.ok(counted.down.bytes > 4_000_000 && counted.up.bytes > 2_000_000);
  });

  it('the accounting record of the end says the same as both ends did', async () => {
    const address = subscriber.address();
    const before_ = await garden.traffic(subscriber.serial);
    // Equipment may talk to its gateway before it says good-bye.
    const wire = await WireCount.start(garden.lab, subscriber.host.namespace, 'not udp port 67');
    await subscriber.host.release();
    const record = await eventually('an accounting stop', () => stopRecord(address));
    const seen = await wire.stop();
    const last = addUp(before_, sumOf(seen, 'from', address), sumOf(seen, 'to', address));
    assert.deepEqual(
      {
        upstreamPackets: Number(record['Acct-Input-Packets']),
        upstreamBytes: Number(record['Acct-Input-Octets']),
        downstreamPackets: Number(record['Acct-Output-Packets']),
        downstreamBytes: Number(record['Acct-Output-Octets']),
      },
      last,
    );
    const metrics = await garden.bng.metrics();
    const total = metrics.get('bng_traffic_bytes_total{direction="in",pool="isp-residential"}');
    assert.equal(total, last.upstreamBytes, 'the metric keeps what has ended');
  });

  function addUp(traffic: Traffic, up: Sum, down: Sum): Traffic {
    return {
      upstreamPackets: traffic.upstreamPackets + up.packets,
      upstreamBytes: traffic.upstreamBytes + up.bytes,
      downstreamPackets: traffic.downstreamPackets + down.packets,
      downstreamBytes: traffic.downstreamBytes + down.bytes,
    };
  }

  /** The stop record of an address in the log of the BNG. */
  function stopRecord(address: string): Record<string, unknown> | null {
    for (const line of readFileSync(garden.bng.process.logFile, 'utf8').split('\n')) {
      if (!line.includes('"Stop"') || !line.includes(`"${address}"`)) continue;
      return JSON.parse(line) as Record<string, unknown>;
    }
    return null;
  }
});
