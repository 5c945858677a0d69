/**
 * Every rule at every tag depth (none, one tag, two; S-tag of either TPID), in both directions: what a line's tags are
 * must change the frame and nothing else. The rules themselves are told one by one in the tables beside this one.
 */
import { after } from 'node:test';
import { BngSettingsFlag } from '../../src/dataplane/abi.js';
import { type PacketBuilder, Protocol, packet } from '../support/packet.js';
import { ACCESS_MAC, enterNamespace, SECOND_MAC } from './namespace.js';
import { Rig, SLOW, type Station, Stations, type Tags } from './rig.js';
import { type Row, drops, from, fromCore, refuses, runTable, tagged, towards } from './table.js';
import {
  INTERNET,
  ROUTER_ALERT,
  TCP_BYTES,
  UDP_BYTES,
  dns,
  forwarded,
  handedUp,
  ping,
  tcp,
  udp,
} from './upstream.js';

enterNamespace(import.meta.url);

const { untagged, single, service, qinq, stacked } = Stations;
const DEPTHS = {
  untagged,
  '802.1Q': single,
  '802.1ad': service,
  QinQ: qinq,
  'two 802.1Q tags': stacked,
} as const;
const depths = Object.entries(DEPTHS);

/** The station of each depth again, in the garden or with a burst of 100 bytes, at VLANs of its own. */
function another(station: Station, index: number, change: Partial<Station>): Station {
  const tags: Tags = station.tags.map(([tpid, vlan]) => [tpid, vlan + 1000] as const);
  return {
    ...station,
    address: `10.0.1.${index}`,
    mac: `02:00:00:00:01:0${index}`,
    tags,
    slot: 9 + index,
    ...change,
  };
}
const walledAt = depths.map(
  ([name, station], index) => [name, another(station, index, { walled: true })] as const,
);
const slowAt = depths.map(
  ([name, station], index) => [name, another(station, index, { upstream: SLOW, downstream: SLOW })] as const,
);

const open = new Rig();
const garden = new Rig();
const local = new Rig({ flags: BngSettingsFlag.localForwarding });
const policed = new Rig({ flags: BngSettingsFlag.localForwarding });
for (const [, station] of walledAt) garden.install(station);
for (const [, station] of walledAt) local.install(station);
for (const [, station] of slowAt) policed.install(station);
after(() => [open, garden, local, policed].forEach((rig) => rig.close()));

const long = (source: string, destination: string): ((ethernet: PacketBuilder) => PacketBuilder) => {
  return (ethernet) =>
    ethernet.ipv4({ source, destination }).udp({ source: 1, destination: 2 }).payload(Buffer.alloc(1600, 7));
};
const fragment = (source: string, destination: string, offset: number) => {
  return (ethernet: PacketBuilder, ttl = 64): PacketBuilder =>
    ethernet
      .ipv4({ source, destination, ttl, fragmentOffset: offset, moreFragments: true, protocol: Protocol.udp })
      .payload('12345678');
};
const arp = (ethernet: PacketBuilder, station: Station, target: string): PacketBuilder =>
  ethernet.arp({
    operation: 1,
    senderMac: station.mac,
    senderAddress: station.address,
    targetAddress: target,
  });

function upstreamRows(depth: string, station: Station): Row[] {
  const named = (what: string): string => `${depth}, upstream: ${what}`;
  const other = station === single ? qinq : single;
  const stranger: Station = { ...station, mac: '02:00:00:00:00:99' };
  const nowhere: Station = { ...station, tags: [[0x8100, 4000]] };
  const dhcp = (ports: { readonly source: number; readonly destination: number }): PacketBuilder =>
    from(station, 'ff:ff:ff:ff:ff:ff').ipv4({ source: '0.0.0.0', destination: '255.255.255.255' }).udp(ports);
  const punted = dhcp({ source: 68, destination: 67 }).bytes();
  return [
    forwarded(named('forwarded'), station, udp(station, INTERNET), UDP_BYTES),
    forwarded(named('a first fragment is forwarded'), station, fragment(station.address, INTERNET, 0), 28),
    forwarded(named('a later fragment is forwarded'), station, fragment(station.address, INTERNET, 9), 28),
    handedUp(named('TTL 1'), station, udp(station, INTERNET, { ttl: 1 }), UDP_BYTES),
    handedUp(named('IP options'), station, udp(station, INTERNET, { options: ROUTER_ALERT }), UDP_BYTES + 4),
    handedUp(named('an unresolved next hop'), station, udp(station, '198.18.1.1'), UDP_BYTES),
    handedUp(named('longer than the next link'), station, long(station.address, '198.18.2.1'), 1628),
    handedUp(named('a ping of the gateway'), station, ping(station, '10.0.0.1'), 28),
    handedUp(named('the portal'), station, tcp(station, '10.255.0.1', 80), TCP_BYTES),
    drops(named('no route'), 'no_route', udp(station, '198.18.3.1')(from(station))),
    drops(named('loopback'), 'no_route', udp(station, '127.0.0.1')(from(station))),
    drops(named('another port of ours'), 'local_service', tcp(station, '10.0.0.1', 22)(from(station))),
    drops(
      named('our address on the core side'),
      'local_service',
      tcp(station, '192.0.2.2', 8080)(from(station)),
    ),
    drops(named('a ping of the core side'), 'local_service', ping(station, '192.0.2.2')(from(station))),
    drops(named('an address of another line'), 'spoofed_address', udp(other, INTERNET)(from(station))),
    drops(named('another MAC'), 'spoofed_mac', udp(station, INTERNET)(from(stranger))),
    drops(named('another line'), 'unknown_line', udp(station, INTERNET)(from(nowhere))),
    drops(named('multicast'), 'multicast', udp(station, '239.1.1.1')(from(station))),
    drops(
      named('a broadcast frame'),
      'multicast',
      udp(station, INTERNET)(from(station, 'ff:ff:ff:ff:ff:ff')),
    ),
    drops(named('another subscriber'), 'local_forbidden', udp(station, other.address)(from(station))),
    drops(named('a DHCP server'), 'dhcp_server', dhcp({ source: 67, destination: 68 })),
    { name: named('DHCP is punted'), frame: punted, verdict: 'punt' },
    drops(named('IPv6'), 'ethertype', from(station).etherType(0x86dd).payload('v6')),
    drops(
      named('malformed'),
      'malformed',
      from(station).ipv4({ source: station.address, destination: INTERNET, totalLength: 400 }).payload('x'),
    ),
    {
      name: named('ARP for the gateway, answered in place with the priority of the question'),
      frame: arp(
        priority(packet().ethernet('ff:ff:ff:ff:ff:ff', station.mac), station, 5),
        station,
        '10.0.0.1',
      ).bytes(),
      verdict: 'arp_reply',
      out: priority(packet().ethernet(station.mac, ACCESS_MAC), station, 5)
        .arp({
          operation: 2,
          senderMac: ACCESS_MAC,
          senderAddress: '10.0.0.1',
          targetMac: station.mac,
          targetAddress: station.address,
        })
        .bytes(),
    },
    drops(named("ARP for one's own address"), 'arp_unanswered', arp(from(station), station, station.address)),
    drops(
      named("a probe of one's own address"),
      'arp_unanswered',
      arp(from(station), { ...station, address: '0.0.0.0' }, station.address),
    ),
    drops(
      named('ARP with another sender'),
      'spoofed_address',
      arp(from(station), { ...station, address: other.address }, '10.0.0.1'),
    ),
    drops(named('ARP of another line'), 'unknown_line', arp(from(nowhere), nowhere, '10.0.0.1')),
  ];
}

function priority(ethernet: PacketBuilder, station: Station, value: number): PacketBuilder {
  return station.tags.reduce((outer, [tpid, vlan]) => outer.tag(tpid, vlan, value), ethernet);
}

function down(station: Station, source = INTERNET, port = 4000) {
  return (ethernet: PacketBuilder, ttl = 64): PacketBuilder =>
    ethernet
      .ipv4({ source, destination: station.address, ttl })
      .udp({ source: port, destination: 9 })
      .payload('dn');
}

function delivered(
  name: string,
  station: Station,
  make: (of: PacketBuilder, ttl?: number) => PacketBuilder,
  bytes: number,
): Row {
  return {
    name,
    frame: make(fromCore).bytes(),
    verdict: 'forward_down',
    out: make(towards(station), 63).bytes(),
    traffic: { [station.slot]: { downstream: [1, bytes] } },
  };
}

function downstreamRows(depth: string, station: Station): Row[] {
  const named = (what: string): string => `${depth}, downstream: ${what}`;
  const to = { source: INTERNET, destination: station.address };
  const passed = (what: string, frame: PacketBuilder): Row => ({
    name: named(what),
    frame: frame.bytes(),
    verdict: 'stack_down',
  });
  return [
    delivered(named('forwarded'), station, down(station), 30),
    delivered(named('a first fragment'), station, fragment(INTERNET, station.address, 0), 28),
    delivered(named('a later fragment'), station, fragment(INTERNET, station.address, 9), 28),
    passed('TTL 1', down(station)(fromCore, 1)),
    passed('IP options', fromCore.ipv4({ ...to, options: ROUTER_ALERT }).udp({ source: 1, destination: 2 })),
    passed('longer than its MTU', long(INTERNET, station.address)(fromCore)),
    drops(
      named('a broadcast frame'),
      'multicast',
      down(station)(packet().ethernet('ff:ff:ff:ff:ff:ff', '02:00:00:00:cc:01')),
    ),
    drops(named('malformed'), 'malformed', fromCore.ipv4({ ...to, totalLength: 900 }).payload('x')),
  ];
}

for (const [depth, station] of depths) {
  runTable(() => open, 'bng_access', upstreamRows(depth, station));
  runTable(() => open, 'bng_core', downstreamRows(depth, station));
  // A test run shows the inner tag only; the outer one is in the skb's metadata.
  const inner = (station.tags as Tags).slice(1);
  const stackSends = (ethernet: PacketBuilder): PacketBuilder =>
    ethernet.ipv4({ source: '10.0.0.1', destination: station.address }).icmp(0);
  const fromStack = packet().ethernet('00:00:00:00:00:00', ACCESS_MAC);
  runTable(() => open, 'bng_egress', [
    {
      name: `${depth}, from the stack: MAC and tags are given`,
      frame: stackSends(fromStack).bytes(),
      verdict: 'egress',
      out: stackSends(tagged(packet().ethernet(station.mac, ACCESS_MAC), inner)).bytes(),
      traffic: { [station.slot]: { downstream: [1, 28] } },
    },
    {
      name: `${depth}, from the stack by another access port: redirected untouched and uncounted`,
      frame: stackSends(fromStack).bytes(),
      port: 'access2',
      verdict: 'elsewhere',
    },
  ]);
}

for (const [depth, station] of walledAt) {
  const up = (what: string): string => `${depth}, walled, upstream: ${what}`;
  const dn = (what: string): string => `${depth}, walled, downstream: ${what}`;
  runTable(() => garden, 'bng_access', [
    forwarded(up('the resolver'), station, dns(station, '8.8.8.8'), 28),
    forwarded(up('an open destination'), station, tcp(station, '203.0.113.10', 22), TCP_BYTES),
    forwarded(up('a listed port'), station, tcp(station, '203.0.113.77', 443), TCP_BYTES),
    handedUp(
      up('port 80 of the internet becomes the portal'),
      station,
      tcp(station, INTERNET, 80),
      TCP_BYTES,
    ),
    handedUp(
      up('too long for the next link, where allowed'),
      station,
      long(station.address, '203.0.113.10'),
      1628,
    ),
    drops(
      up('too long for the next link opens no way out'),
      'garden',
      long(station.address, '198.18.2.1')(from(station)),
    ),
    drops(up('the internet'), 'garden', udp(station, INTERNET)(from(station))),
    drops(
      up('a fragment by port'),
      'garden_fragment',
      fragment(station.address, '8.8.8.8', 9)(from(station)),
    ),
    refuses(up('another port of ours'), 'local_service', station, { destination: '10.0.0.1', port: 22 }),
  ]);
  runTable(() => garden, 'bng_core', [
    delivered(dn('the resolver'), station, down(station, '8.8.8.8', 53), 30),
    drops(dn('the internet'), 'garden', down(station)(fromCore)),
    drops(dn('longer than its MTU opens no way in'), 'garden', long(INTERNET, station.address)(fromCore)),
    drops(dn('a fragment by port'), 'garden_fragment', fragment('8.8.8.8', station.address, 0)(fromCore)),
  ]);
  const peer = station.tags.length === 0 ? qinq : untagged;
  runTable(() => local, 'bng_access', [
    drops(`${depth}, walled: to another subscriber`, 'garden', udp(station, peer.address)(from(station))),
    drops(`${depth}, walled: from another subscriber`, 'garden', udp(peer, station.address)(from(peer))),
  ]);
}

for (const [depth, source] of depths) {
  for (const [otherDepth, destination] of depths) {
    if (source === destination) continue;
    const make = udp(source, destination.address);
    const kept = source.tags.length === 0 ? 0 : 3;
    runTable(() => local, 'bng_access', [
      {
        name: `${depth} to ${otherDepth}: under the tags of the other, with the priority that it came with`,
        frame: make(priority(packet().ethernet(ACCESS_MAC, source.mac), source, kept)).bytes(),
        verdict: 'forward_local',
        out: make(priority(packet().ethernet(destination.mac, ACCESS_MAC), destination, kept), 63).bytes(),
        traffic: {
          [source.slot]: { upstream: [1, UDP_BYTES] },
          [destination.slot]: { downstream: [1, UDP_BYTES] },
        },
      },
    ]);
  }
  const { second } = Stations;
  runTable(() => local, 'bng_access', [
    {
      name: `${depth} to another access port: the MAC of that port`,
      frame: udp(source, second.address)(from(source)).bytes(),
      verdict: 'forward_local',
      out: udp(source, second.address)(
        tagged(packet().ethernet(second.mac, SECOND_MAC), second.tags),
        63,
      ).bytes(),
      traffic: { [source.slot]: { upstream: [1, UDP_BYTES] }, [second.slot]: { downstream: [1, UDP_BYTES] } },
    },
    handedUp(
      `${depth} to another subscriber, longer than its MTU`,
      source,
      long(source.address, second.address),
      1628,
    ),
  ]);
}

for (const [depth, station] of slowAt) {
  const within = [1, 2, 3];
  runTable(() => policed, 'bng_access', [
    ...within.map((n) =>
      forwarded(`${depth}, policed upstream: ${n} in the burst`, station, udp(station, INTERNET), UDP_BYTES),
    ),
    drops(`${depth}, policed upstream: beyond it`, 'policed_up', udp(station, INTERNET)(from(station))),
  ]);
  runTable(() => policed, 'bng_core', [
    ...within.map((n) =>
      delivered(`${depth}, policed downstream: ${n} in the burst`, station, down(station), 30),
    ),
    drops(`${depth}, policed downstream: beyond it`, 'policed_down', down(station)(fromCore)),
  ]);
  runTable(() => policed, 'bng_access', [
    drops(
      `${depth}, policed downstream: from another subscriber too`,
      'policed_down',
      udp(qinq, station.address)(from(qinq)),
    ),
  ]);
  runTable(() => policed, 'bng_egress', [
    drops(
      `${depth}, policed downstream: from the stack too`,
      'policed_down',
      packet()
        .ethernet('00:00:00:00:00:00', ACCESS_MAC)
        .ipv4({ source: '10.0.0.1', destination: station.address })
        .icmp(0)
        .payload('more than is left of it'),
    ),
  ]);
}

// On the second access port: its MAC, its lines; the station of the same tags and MAC on the first is another line.
const { second } = Stations;
runTable(() => open, 'bng_access', [
  {
    ...forwarded('second port: forwarded', second, udp(second, INTERNET), UDP_BYTES),
    frame: udp(second, INTERNET)(from(second, SECOND_MAC)).bytes(),
    port: 'access2',
  },
  {
    name: "second port: handed up under that port's MAC",
    frame: udp(second, INTERNET, { ttl: 1 })(from(second, SECOND_MAC)).bytes(),
    port: 'access2',
    verdict: 'stack_up',
    out: udp(second, INTERNET, { ttl: 1 })(packet().ethernet(SECOND_MAC, second.mac)).bytes(),
    traffic: { [second.slot]: { upstream: [1, UDP_BYTES] } },
  },
  {
    ...drops(
      'a line of the second port is unknown on the first',
      'unknown_line',
      udp(second, INTERNET)(from(second)),
    ),
  },
  {
    ...drops(
      'a station of the first port is unknown on the second, though its tags are known there',
      'unknown_line',
      udp(qinq, INTERNET)(from(qinq)),
    ),
    port: 'access2',
  },
]);
