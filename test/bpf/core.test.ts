/** Packet table of bng_core: what the network sends to subscribers. */
import { after } from 'node:test';
import { type PacketBuilder, Protocol, packet } from '../support/packet.js';
import { CORE_MAC, NEXT_HOP_MAC, enterNamespace } from './namespace.js';
import { Rig, type Station, Stations } from './rig.js';
import { type Row, drops, fromCore, runTable, towards } from './table.js';

enterNamespace(import.meta.url);

const rig = new Rig();
after(() => rig.close());

const INTERNET = '198.51.100.7';
const ROUTER_ALERT = Buffer.from([148, 4, 0, 0]);
const { untagged, single, service, qinq, stacked, walled, slow, elsewhere } = Stations;

type Make = (ethernet: PacketBuilder, ttl?: number) => PacketBuilder;

function udp(station: Station, source = INTERNET, port = 4000): Make {
  return (ethernet, ttl = 64) =>
    ethernet
      .ipv4({ source, destination: station.address, ttl })
      .udp({ source: port, destination: 1024 })
      .payload('down');
}

function tcp(station: Station, source: string, port: number): Make {
  return (ethernet, ttl = 64) =>
    ethernet
      .ipv4({ source, destination: station.address, ttl })
      .tcp({ source: port, destination: 1024, flags: 0x12 });
}

const UDP_BYTES = 20 + 8 + 4;

function forwarded(name: string, station: Station, make: Make, bytes: number): Row {
  return {
    name,
    frame: make(fromCore).bytes(),
    verdict: 'forward_down',
    out: make(towards(station), 63).bytes(),
    traffic: { [station.slot]: { downstream: [1, bytes] } },
  };
}

function passed(name: string, verdict: 'stack_down' | 'foreign', frame: PacketBuilder): Row {
  return { name, frame: frame.bytes(), verdict };
}

function toWalled(source: string): PacketBuilder {
  return fromCore.ipv4({ source, destination: walled.address, moreFragments: true });
}

runTable(() => rig, 'bng_core', [
  forwarded('a packet for an untagged line gets its MAC', untagged, udp(untagged), UDP_BYTES),
  forwarded('a packet for an 802.1Q line gets one tag', single, udp(single), UDP_BYTES),
  forwarded('a packet for an 802.1ad line gets one tag', service, udp(service), UDP_BYTES),
  forwarded('a packet for a QinQ line gets the S-tag outside the C-tag', qinq, udp(qinq), UDP_BYTES),
  forwarded('a packet for a line of two 802.1Q tags gets both', stacked, udp(stacked), UDP_BYTES),
  forwarded(
    'a fragment is forwarded to an open subscriber',
    qinq,
    (ethernet, ttl = 64) =>
      ethernet
        .ipv4({
          source: INTERNET,
          destination: qinq.address,
          ttl,
          fragmentOffset: 9,
          protocol: Protocol.tcp,
        })
        .payload('tail'),
    24,
  ),
  {
    ...forwarded('padding is forwarded, but counted by nobody', qinq, udp(qinq), UDP_BYTES),
    frame: Buffer.concat([udp(qinq)(fromCore).bytes(), Buffer.alloc(14)]),
    out: Buffer.concat([udp(qinq)(towards(qinq), 63).bytes(), Buffer.alloc(14)]),
  },

  passed('TTL 1 goes to the stack uncounted', 'stack_down', udp(qinq)(fromCore, 1)),
  passed(
    'IP options go to the stack uncounted',
    'stack_down',
    fromCore
      .ipv4({ source: INTERNET, destination: qinq.address, options: ROUTER_ALERT })
      .udp({ source: 1, destination: 2 }),
  ),
  passed(
    'a port that takes no redirects is reached through the stack',
    'stack_down',
    udp(elsewhere)(fromCore),
  ),
  passed(
    'an address that nobody holds is none of our business',
    'foreign',
    udp({ ...qinq, address: '10.0.9.9' })(fromCore),
  ),
  passed(
    'ARP of the core link goes to the stack untouched',
    'foreign',
    fromCore.arp({
      operation: 1,
      senderMac: NEXT_HOP_MAC,
      senderAddress: '192.0.2.1',
      targetAddress: '192.0.2.2',
    }),
  ),
  drops(
    'a packet for a subscriber in a broadcast frame is not routed (RFC 1812 §5.3.4)',
    'multicast',
    udp(qinq)(packet().ethernet('ff:ff:ff:ff:ff:ff', NEXT_HOP_MAC)),
  ),
  passed('IPv6 goes to the stack untouched', 'foreign', fromCore.etherType(0x86dd).payload('v6')),
  passed(
    'a tagged frame on the core port goes to the stack untouched',
    'foreign',
    udp(qinq)(fromCore.tag(0x8100, 5)),
  ),
  passed(
    'three tags on the core port go to the stack untouched',
    'foreign',
    udp(qinq)(packet().ethernet(CORE_MAC, NEXT_HOP_MAC).tag(0x88a8, 1).tag(0x8100, 2).tag(0x8100, 3)),
  ),
  drops(
    'a malformed packet for a subscriber',
    'malformed',
    fromCore.ipv4({ source: INTERNET, destination: qinq.address, totalLength: 900 }).payload('x'),
  ),
  passed(
    'a malformed packet for somebody else is not ours to judge',
    'foreign',
    fromCore.ipv4({ source: INTERNET, destination: '10.0.9.9', totalLength: 900 }).payload('x'),
  ),

  forwarded('the resolver answers a walled subscriber', walled, udp(walled, '8.8.8.8', 53), UDP_BYTES),
  forwarded('an open destination answers from every port', walled, tcp(walled, '203.0.113.10', 22), 40),
  forwarded('a listed port of a prefix answers', walled, tcp(walled, '203.0.113.77', 443), 40),
  drops('the internet does not reach a walled subscriber', 'garden', udp(walled)(fromCore)),
  drops('the resolver does not reach it from another port', 'garden', udp(walled, '8.8.8.8', 54)(fromCore)),
  drops(
    'an established TCP connection does not survive the garden',
    'garden',
    tcp(walled, INTERNET, 443)(fromCore),
  ),
  drops(
    'ICMP does not reach a walled subscriber',
    'garden',
    fromCore.ipv4({ source: '8.8.8.8', destination: walled.address }).icmp(3, 4),
  ),
  drops('TTL 1 does not get round the garden', 'garden', udp(walled)(fromCore, 1)),
  drops(
    'a fragment of a destination open by port cannot be judged',
    'garden_fragment',
    toWalled('8.8.8.8').udp({ source: 53, destination: 9 }),
  ),
  drops('a fragment of the internet', 'garden', toWalled(INTERNET).udp({ source: 53, destination: 9 })),

  forwarded('a packet within the burst passes the policer', slow, udp(slow), UDP_BYTES),
  forwarded('the burst is counted in bytes of IP', slow, udp(slow), UDP_BYTES),
  forwarded('a third packet still fits the burst of 100 bytes', slow, udp(slow), UDP_BYTES),
  drops('what exceeds the burst is policed', 'policed_down', udp(slow)(fromCore)),
]);
