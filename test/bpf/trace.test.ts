/** What the programs tell of the frames of a traced line, how much, how long, and that they decide as they always do. */
import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import {
  BNG_TRACE_SWITCH_SIZE,
  BngLimit,
  readBngTraceSwitch,
  writeBngTraceSwitch,
} from '../../src/dataplane/abi.js';
import { FrameTrace } from '../../src/dataplane/frame-trace.js';
import type { TracedFrame } from '../../src/dataplane/port.js';
import { encodeLine, slotKey } from '../../src/dataplane/subscriber-maps.js';
import type { Attachment } from '../../src/model/access-line.js';
import { systemClock } from '../../src/model/system-clock.js';
import { formatIpv4 } from '../../src/model/ipv4.js';
import { parseMac } from '../../src/model/mac.js';
import { eventually } from '../support/eventually.js';
import type { PacketBuilder } from '../support/packet.js';
import { enterNamespace } from './namespace.js';
import { Rig, type Station, Stations } from './rig.js';
import { from, fromCore } from './table.js';
import { INTERNET } from './upstream.js';

enterNamespace(import.meta.url);

const rig = new Rig();
const frames = new FrameTrace({ binding: rig.native, object: rig.object, clock: systemClock });
after(() => {
  frames.close();
  rig.close();
});

const { single, qinq, untagged, walled } = Stations;

function attachmentOf({ tags, mac }: Station): Attachment {
  const [outer, inner] = tags;
  const vlans = { sVlan: outer?.[1] ?? 0, cVlan: inner?.[1] ?? 0 };
  return { ifindex: rig.accessIfindex, ...vlans, mac: parseMac(mac) };
}

function udp(station: Station, source: string = station.address): PacketBuilder {
  return from(station).ipv4({ source, destination: INTERNET }).udp({ source: 4711, destination: 53 });
}

function tcpTo(station: Station): PacketBuilder {
  return fromCore
    .ipv4({ source: INTERNET, destination: station.address })
    .tcp({ source: 443, destination: 4711 });
}

interface Following {
  readonly told: TracedFrame[];
  stop(): void;
}

let open: Following[] = [];
afterEach(() => {
  for (const { stop } of open) stop();
  open = [];
});

function follow(station: Station): Following {
  const told: TracedFrame[] = [];
  const outcome = frames.trace(attachmentOf(station), (frame) => told.push(frame));
  assert.ok(outcome.ok);
  const following = { told, stop: outcome.stop };
  open.push(following);
  return following;
}

async function oneOf({ told }: Following): Promise<TracedFrame> {
  return eventually('a frame is told', () => told[0] ?? null);
}

function untilNs(): bigint {
  const value = rig.object.map('bng_trace').lookup(slotKey(0));
  assert.ok(value !== null);
  return readBngTraceSwitch(new DataView(value.buffer, value.byteOffset), 0).untilNs;
}

describe('a traced line', () => {
  test('tells a frame from the subscriber as it came, with what became of it', async () => {
    const following = follow(qinq);
    const frame = udp(qinq).payload('hello').bytes();
    const { verdicts } = rig.run('bng_access', frame);
    const told = await oneOf(following);
    assert.deepEqual(
      { ...told, source: formatIpv4(told.source), destination: formatIpv4(told.destination) },
      {
        direction: 'upstream',
        verdict: verdicts[0],
        dropReason: null,
        frameBytes: frame.length,
        etherType: 0x0800,
        ip: { bytes: 33, protocol: 17 },
        source: qinq.address,
        destination: INTERNET,
        sourcePort: 4711,
        destinationPort: 53,
        untold: 0n,
      },
    );
  });

  test('tells a frame towards the subscriber', async () => {
    const following = follow(qinq);
    const { verdicts } = rig.run('bng_core', tcpTo(qinq).bytes());
    const { direction, verdict, sourcePort, ip } = await oneOf(following);
    assert.deepEqual(
      { direction, verdict, sourcePort, ip },
      { direction: 'downstream', verdict: verdicts[0], sourcePort: 443, ip: { bytes: 40, protocol: 6 } },
    );
  });

  test('tells what the stack sends to the subscriber', async () => {
    const following = follow(qinq);
    const { verdicts } = rig.run('bng_egress', tcpTo(qinq).bytes());
    assert.deepEqual(verdicts, ['egress']);
    assert.equal((await oneOf(following)).verdict, 'egress');
  });

  test('tells why a frame was dropped', async () => {
    const following = follow(walled);
    assert.deepEqual(rig.run('bng_access', udp(walled).bytes()).drops, ['garden']);
    const { verdict, dropReason } = await oneOf(following);
    assert.deepEqual([verdict, dropReason], ['drop', 'garden']);
  });

  test('with two tags tells of every station on it', async () => {
    const following = follow(qinq);
    const other: Station = { ...qinq, mac: '02:00:00:00:00:99' };
    rig.run('bng_access', udp(other).bytes());
    assert.equal((await oneOf(following)).dropReason, 'spoofed_mac');
  });

  test('with one tag tells of its station alone: the VLAN may be shared', async () => {
    const following = follow(single);
    rig.run('bng_access', udp({ ...single, mac: '02:00:00:00:00:99' }).bytes());
    rig.run('bng_access', udp(single).bytes());
    assert.equal((await oneOf(following)).dropReason, null);
    assert.equal(following.told.length, 1);
  });

  test('tells ARP with the addresses it asks about, and frames that are no IPv4 by their type', async () => {
    const following = follow(untagged);
    const gatewayRequest = {
      operation: 1,
      senderMac: untagged.mac,
      senderAddress: untagged.address,
      targetAddress: '10.0.0.1',
    };
    rig.run('bng_access', from(untagged).arp(gatewayRequest).bytes());
    const arp = await oneOf(following);
    assert.deepEqual(
      [arp.verdict, arp.etherType, formatIpv4(arp.source), formatIpv4(arp.destination), arp.ip],
      ['arp_reply', 0x0806, untagged.address, '10.0.0.1', null],
    );
    rig.run('bng_access', from(untagged).etherType(0x86dd).payload(Buffer.alloc(60)).bytes());
    const ipv6 = await eventually('IPv6 is told', () => following.told[1] ?? null);
    assert.deepEqual([ipv6.dropReason, ipv6.etherType], ['ethertype', 0x86dd]);
  });

  test('tells nothing of other lines', async () => {
    const following = follow(single);
    rig.run('bng_access', udp(qinq).bytes());
    rig.run('bng_core', tcpTo(qinq).bytes());
    rig.run('bng_access', udp(single).bytes());
    assert.equal(formatIpv4((await oneOf(following)).source), single.address);
    assert.equal(following.told.length, 1);
  });

  test('tells a few of many, how many it left out, and drops beside what passes', async () => {
    const following = follow(single);
    const many = BngLimit.tracePerSecond * 3;
    const frame = udp(single).bytes();
    const began = performance.now();
    for (let i = 0; i < many; i++) rig.runOnly('bng_access', frame);
    rig.runOnly('bng_access', udp(single, '10.0.0.99').bytes());
    const refused = await eventually(
      'the drop is told',
      () => following.told.find(({ verdict }) => verdict === 'drop') ?? null,
    );
    const passed = following.told.length - 1;
    const admitted = BngLimit.tracePerSecond * (1 + (performance.now() - began) / 1000) + 1;
    assert.ok(passed >= BngLimit.tracePerSecond && passed <= admitted, `${passed} of ${many}`);
    assert.equal(Number(refused.untold), many - passed);
  });
});

describe('a trace', () => {
  test('that is stopped leaves nothing in the kernel', () => {
    const first = follow(single);
    const second = follow(single);
    assert.notEqual(untilNs(), 0n);
    first.stop();
    assert.notEqual(untilNs(), 0n);
    second.stop();
    assert.equal(untilNs(), 0n);
    assert.equal(rig.object.map('bng_traced').readAll().count, 0);
  });

  test('that nobody renews is ended by the next frame', async () => {
    const following = follow(single);
    const value = new Uint8Array(BNG_TRACE_SWITCH_SIZE);
    writeBngTraceSwitch(new DataView(value.buffer), 0, { untilNs: 1n });
    rig.object.map('bng_trace').update(slotKey(0), value);
    rig.run('bng_access', udp(single).bytes());
    assert.equal(untilNs(), 0n);
    assert.equal(following.told.length, 0);
  });

  test('of a process that died is forgotten by the next one that traces', async () => {
    rig.object.map('bng_traced').update(encodeLine(attachmentOf(walled)), new Uint8Array(24));
    follow(single);
    assert.equal(rig.object.map('bng_traced').readAll().count, 1);
  });

  test('of more lines than there is room for is refused', () => {
    for (let vlan = 1; vlan <= BngLimit.maxTraced; vlan++) follow({ ...single, tags: [[0x8100, vlan]] });
    const outcome = frames.trace(attachmentOf(untagged), () => undefined);
    assert.ok(!outcome.ok && /E2BIG|ENOSPC|no room|bng_traced/.test(outcome.reason), JSON.stringify(outcome));
  });
});
