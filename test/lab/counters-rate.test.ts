/** Policed rates, the metric families of design.md §6, and a flood of broken frames: the BNG under load. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CORE_ADDRESSES } from '../../src/lab/core-network.js';
import { eventually } from '../support/eventually.js';
import { sourceOf } from '../support/frame-fields.js';
import type { Subscriber } from '../support/garden-lab.js';
import { sumOf, WireCount } from '../support/wire-count.js';
import { GardenLab, growth } from '../support/garden-lab.js';
import { mutate, seededRandom } from '../support/mutate.js';
import { packet } from '../support/packet.js';

const { internet, gardenAllowed } = CORE_ADDRESSES;
const ports = { source: 40_000, destination: 40_001 };
const UP_BPS = 4_000_000;
const DOWN_BPS = 8_000_000;
const FLOOD_MS = 2_500;
/** The configuration's default: so much of the rate passes at once after a pause. */
const BURST_MS = 100;

describe('under load', () => {
  let garden: GardenLab;
  let limited: Subscriber;
  let member: Subscriber;
  before(async () => {
    garden = await GardenLab.open('l2l');
    limited = await garden.subscribe('ALCL00000001');
    member = await garden.subscribe('ALCL00000002');
  });
  after(() => garden.close());

  it('every metric family of the design is there and moves with what happens', async () => {
    const earlier = await garden.bng.metrics();
    await garden.activate(limited, { up: UP_BPS, down: DOWN_BPS });
    assert.equal((await limited.host.ping(internet)).received, 1);
    await member.host.ping(internet, { timeoutMs: 200 });
    const later = await garden.bng.metrics();
    const moved = (sample: string): number => (later.get(sample) ?? Number.NaN) - (earlier.get(sample) ?? 0);
    assert.equal(moved('bng_sessions_total{state="active"}'), 1);
    assert.equal(moved('bng_sessions_total{state="wgar"}'), -1);
    assert.equal(moved('bng_activations_total{result="success"}'), 1);
    assert.equal(moved('bng_activation_duration_seconds_count'), 1);
    assert.ok(moved('bng_session_duration_seconds_count{state="wgar"}') > 0);
    assert.ok(moved('bng_dhcp_requests_total{pool="isp-residential"}') > 0);
    assert.ok(moved('bng_dhcp_pool_utilization{pool="isp-residential"}') > 0);
    assert.equal(moved('bng_dhcp_pool_available_ips{pool="isp-residential"}'), -1);
    for (const direction of ['in', 'out']) {
      assert.equal(moved(`bng_traffic_packets_total{direction="${direction}",pool="isp-residential"}`), 1);
      assert.equal(moved(`bng_traffic_bytes_total{direction="${direction}",pool="isp-residential"}`), 84);
    }
    assert.equal(moved('bng_walled_garden_drops_total{reason="garden"}'), 1);
    assert.ok(later.has('bng_walled_garden_drops_total{reason="garden_fragment"}'));
  });

  it('a flood at twice the rate is policed to within 2 %, both ways, and what is policed is not counted', async () => {
    const address = limited.address();
    const frame = limited.toGateway().ipv4({ source: address, destination: internet }).udp(ports);
    const up = frame.payload(Buffer.alloc(972)).bytes();
    const down = garden
      .fromCore()
      .ipv4({ source: internet, destination: address })
      .udp(ports)
      .payload(Buffer.alloc(972))
      .bytes();
    const earlier = { frames: await garden.frames(), traffic: await garden.traffic(limited.serial) };
    // A peer's own socket loses frames on a busy machine; tcpdump has room, and says when it had not.
    for (const peer of [garden.core, limited.peer]) await peer.capture(false);
    const atCore = await WireCount.start(garden.lab, garden.lab.namespaces.core);
    const atOnt = await WireCount.start(garden.lab, limited.host.namespace);
    const [sentUp, sentDown] = await Promise.all([
      limited.peer.flood(up, 2 * UP_BPS, FLOOD_MS),
      garden.core.flood(down, 2 * DOWN_BPS, FLOOD_MS),
    ]);
    const later = await eventually('all are judged', async () => {
      const now = await garden.frames();
      const grown = growth({ ...earlier.frames.verdicts }, now.verdicts);
      const judged = (grown['drop'] ?? 0) + (grown['forward_up'] ?? 0) + (grown['forward_down'] ?? 0);
      return judged >= sentUp.packets + sentDown.packets ? now : null;
    });
    const traffic = await garden.traffic(limited.serial);
    const counted = {
      up: traffic.upstreamBytes - earlier.traffic.upstreamBytes,
      down: traffic.downstreamBytes - earlier.traffic.downstreamBytes,
    };
    await eventually('tcpdump has written all of it', () =>
      sumOf(atCore.read(), 'from', address).bytes >= counted.up &&
      sumOf(atOnt.read(), 'to', address).bytes >= counted.down
        ? true
        : null,
    );
    const passedUp = sumOf(await atCore.stop(), 'from', address);
    const passedDown = sumOf(await atOnt.stop(), 'to', address);
    assert.deepEqual(counted, { up: passedUp.bytes, down: passedDown.bytes });
    for (const [name, rate, sent, passed] of [
      ['up', UP_BPS, sentUp, passedUp],
      ['down', DOWN_BPS, sentDown, passedDown],
    ] as const) {
      assert.ok(
        sent.bytes * 8 > 1.8 * rate * (sent.milliseconds / 1000),
        `${name}: the flood is twice the rate`,
      );
      const most = (rate * (sent.milliseconds + BURST_MS)) / 8000;
      const least = (rate * (sent.milliseconds + BURST_MS - sent.idleMs)) / 8000;
      const text = `${name}: ${passed.bytes} of ${least.toFixed()} to ${most.toFixed()}, idle ${sent.idleMs.toFixed()} ms`;
      assert.ok(passed.bytes < most * 1.02 && passed.bytes > least * 0.98, text);
    }
    const drops = growth(earlier.frames.drops, later.drops);
    assert.deepEqual(drops, {
      policed_up: sentUp.packets - passedUp.packets,
      policed_down: sentDown.packets - passedDown.packets,
    });
    for (const peer of [garden.core, limited.peer]) await peer.capture(true);
  });

  it('20,000 broken frames of every tag depth harm nobody and reach nothing', async () => {
    const random = seededRandom(42);
    const address = member.address();
    const garbageTo = '192.0.2.200';
    const heads = [
      garden.onTrunk(member),
      packet().ethernet(garden.gatewayMac, member.mac),
      packet().ethernet(garden.gatewayMac, member.mac).tag(0x8100, 100),
      packet().ethernet('ff:ff:ff:ff:ff:ff', member.mac).tag(0x88a8, 100).tag(0x8100, 102),
      garden.onTrunk(member).tag(0x8100, 5),
    ];
    const bodies = heads.flatMap((head) => [
      head.ipv4({ source: address, destination: garbageTo }).tcp({ source: 1, destination: 443 }).bytes(),
      head.ipv4({ source: address, destination: garbageTo }).udp(ports).payload(Buffer.alloc(60)).bytes(),
      head
        .ipv4({ source: address, destination: garbageTo, options: Uint8Array.of(7, 7, 4, 0, 0, 0, 0, 0) })
        .icmp(8)
        .bytes(),
      head
        .ipv4({ source: '0.0.0.0', destination: '255.255.255.255' })
        .udp({ source: 68, destination: 67 })
        .payload(Buffer.alloc(300, 1))
        .bytes(),
      head
        .arp({ operation: 1, senderMac: member.mac, senderAddress: address, targetAddress: '10.255.0.1' })
        .bytes(),
      head.etherType(0x86dd).payload(Buffer.alloc(60)).bytes(),
    ]);
    // What happens to become an allowed destination may pass; everything else of the member must not.
    const allowed = (frame: Buffer): boolean =>
      [gardenAllowed, '8.8.8.8', '8.8.4.4'].some((text) =>
        frame.includes(Buffer.from(text.split('.').map(Number))),
      );
    const frames = Array.from({ length: 20_000 }, () =>
      Buffer.from(mutate(bodies[random(bodies.length)]!, random)),
    )
      .map((frame) => (frame.length < 14 ? Buffer.concat([frame, Buffer.alloc(14 - frame.length)]) : frame))
      .filter((frame) => frame.length <= 1522);
    garden.core.forget();
    const began = (await garden.frames()).verdicts;
    const pings = limited.host.ping(internet, { count: 10 });
    for (let at = 0; at < frames.length; at += 1_000)
      await garden.trunk.send(...frames.slice(at, at + 1_000));
    const judged = await eventually('every frame is judged', async () => {
      const { drops, verdicts } = await garden.frames();
      const up = ['drop', 'punt', 'arp_reply', 'forward_up', 'forward_local', 'stack_up'];
      const sum = up.reduce((total, name) => total + verdicts[name]! - began[name]!, 0);
      return sum >= frames.length ? { drops, verdicts } : null;
    });
    assert.ok(judged.verdicts['drop']! - began['drop']! > 15_000);
    assert.equal((await pings).received, 10, 'another subscriber goes on');
    const rightful: readonly (string | null)[] = [limited.address(), CORE_ADDRESSES.bng, null];
    const escaped = garden.core.frames.filter(
      (frame) => !rightful.includes(sourceOf(frame)) && !allowed(frame),
    );
    assert.deepEqual(
      escaped.map((frame) => frame.toString('hex')),
      [],
    );
    assert.equal(garden.bng.process.exit, null, 'the BNG is alive');
    const ready = await garden.bng.get('/readyz');
    assert.equal(ready.status, 200);
    assert.equal((await member.host.ping(gardenAllowed)).received, 1, 'the member itself goes on');
  });
});
