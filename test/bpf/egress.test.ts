/**
 * Packet table of bng_egress. A test run keeps the outer tag in the skb's metadata, so the table sees the inner one
 * only; a live link shows both.
 */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { after, test } from 'node:test';
import { type PacketBuilder, packet } from '../support/packet.js';
import { ACCESS_MAC, enterNamespace } from './namespace.js';
import { Rig, type Station, Stations } from './rig.js';
import { type Row, drops, runTable, tagged, towards } from './table.js';

enterNamespace(import.meta.url);

const rig = new Rig();
after(() => rig.close());

const { untagged, single, qinq, slow } = Stations;
const fromStack = packet().ethernet('00:00:00:00:00:00', ACCESS_MAC);

function udp(
  destination: string,
  source = '10.0.0.1',
  port = 80,
): (ethernet: PacketBuilder) => PacketBuilder {
  return (ethernet) =>
    ethernet.ipv4({ source, destination }).udp({ source: port, destination: 1024 }).payload('stack');
}

function delivered(name: string, station: Station, inner: Station['tags']): Row {
  return {
    name,
    frame: udp(station.address)(fromStack).bytes(),
    verdict: 'egress',
    out: udp(station.address)(tagged(packet().ethernet(station.mac, ACCESS_MAC), inner)).bytes(),
    traffic: { [station.slot]: { downstream: [1, 33] } },
  };
}

function untouched(name: string, frame: PacketBuilder): Row {
  return { name, frame: frame.bytes(), verdict: 'own' };
}

function dhcpReply(source: string, destination: string, port = 68): PacketBuilder {
  return fromStack.ipv4({ source, destination }).udp({ source: 67, destination: port }).payload('boot');
}

runTable(() => rig, 'bng_egress', [
  delivered('the stack reaches an untagged line', untagged, []),
  delivered('the stack reaches a single-tagged line', single, []),
  delivered('the stack reaches a QinQ line with the C-tag inside', qinq, [[0x8100, 7]]),
  drops('an address that nobody holds', 'egress_no_subscriber', udp('10.0.9.9')(fromStack)),
  drops('a multicast group', 'egress_no_subscriber', udp('224.0.0.1')(fromStack)),
  drops(
    'ARP of the stack stays inside',
    'egress_ethertype',
    fromStack.arp({
      operation: 1,
      senderMac: ACCESS_MAC,
      senderAddress: '10.0.0.1',
      targetAddress: qinq.address,
    }),
  ),
  drops(
    'IPv6 of the stack stays inside',
    'egress_ethertype',
    fromStack.etherType(0x86dd).payload(Buffer.alloc(40)),
  ),
  drops(
    'a malformed packet',
    'malformed',
    fromStack.ipv4({ source: '10.0.0.1', destination: qinq.address, totalLength: 900 }).payload('x'),
  ),
  untouched('a tagged frame of the control plane passes as it is', udp(qinq.address)(towards(qinq))),
  untouched(
    'a priority-tagged frame of the control plane passes',
    udp(qinq.address)(fromStack.tag(0x8100, 0, 3)),
  ),
  untouched('an untagged broadcast DHCP reply passes as it is', dhcpReply('10.0.0.1', '255.255.255.255')),
  untouched('an untagged unicast DHCP reply passes as it is', dhcpReply('10.255.0.1', '10.0.9.9')),
  untouched(
    'an untagged DHCP reply to a relay passes as it is (RFC 2131 §4.1)',
    dhcpReply('10.255.0.1', '172.16.0.1', 67),
  ),
  untouched(
    'an untagged ARP question from no address passes as it is (RFC 5227 §2.1.1)',
    fromStack.arp({
      operation: 1,
      senderMac: ACCESS_MAC,
      senderAddress: '0.0.0.0',
      targetAddress: '10.0.9.9',
    }),
  ),
  drops('a DHCP reply of a stranger', 'egress_no_subscriber', dhcpReply('192.0.2.1', '10.0.9.9')),
  delivered('the slow path is policed: a packet in the burst', slow, []),
  delivered('the slow path is policed: another', slow, []),
  delivered('the slow path is policed: a third', slow, []),
  drops('the slow path is policed beyond the burst', 'policed_down', udp(slow.address)(fromStack)),
]);

test('on the wire the S-tag is outside the C-tag', async () => {
  const link = rig.object.program('bng_egress').attachTc(rig.accessIfindex, 'egress');
  const sender = createSocket('udp4');
  const frames: Buffer[] = [];
  const capture = rig.native.openPacketSocket({
    ifindex: rig.native.interfaceIndex('access1'),
    onFrame: (frame) => frames.push(Buffer.from(frame)),
  });
  try {
    const deadline = Date.now() + 5000;
    await new Promise<void>((resolve, reject) =>
      sender.send('wire', 9, qinq.address, (error) => (error ? reject(error) : resolve())),
    );
    while (frames.length === 0 && Date.now() < deadline) await new Promise(setImmediate);
  } finally {
    sender.close();
    capture.close();
    link.close();
  }
  const head = tagged(packet().ethernet(qinq.mac, ACCESS_MAC), qinq.tags).etherType(0x0800).bytes();
  assert.equal(frames[0]?.subarray(0, head.length).toString('hex'), head.toString('hex'));
});
