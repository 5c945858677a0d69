/** Packet table of bng_access: forwarding, source guard, malformed packets, policing. DHCP is in punt.test.ts. */
import { after } from 'node:test';
import { type PacketBuilder, Protocol, packet } from '../support/packet.js';
import { ACCESS_MAC, enterNamespace } from './namespace.js';
import { Rig, type Station, Stations } from './rig.js';
import { drops, from, runTable } from './table.js';
import { INTERNET, ROUTER_ALERT, TCP_BYTES, UDP_BYTES, forwarded, handedUp, tcp, udp } from './upstream.js';

enterNamespace(import.meta.url);

const rig = new Rig();
after(() => rig.close());

const { untagged, single, service, qinq, stacked, slow } = Stations;

function long(ethernet: PacketBuilder): PacketBuilder {
  return ethernet
    .ipv4({ source: qinq.address, destination: '198.18.2.1' })
    .udp({ source: 1, destination: 2 })
    .payload(Buffer.alloc(1200, 7));
}

function at(station: Station, source: PacketBuilder): PacketBuilder {
  return source.ipv4({ source: station.address, destination: INTERNET }).udp({ source: 1, destination: 2 });
}
/**
 * The destination that gives the header of an upstream packet the checksum 0xfeff, the one valid value at which a TTL
 * less by one carries over (RFC 1624 §3: the result is 0x0000, never 0xffff).
 */
function carryingDestination(): string {
  for (let low = 0; low < 0x10000; low++) {
    const destination = `198.51.${low >>> 8}.${low & 0xff}`;
    if (udp(untagged, destination)(from(untagged)).bytes().readUInt16BE(24) === 0xfeff) return destination;
  }
  throw new Error('expected a destination for each checksum');
}

runTable(() => rig, 'bng_access', [
  forwarded('the header checksum carries round', untagged, udp(untagged, carryingDestination()), UDP_BYTES),
  forwarded('an untagged packet leaves on the core port', untagged, udp(untagged, INTERNET), UDP_BYTES),
  forwarded('a packet under one 802.1Q tag leaves untagged', single, udp(single, INTERNET), UDP_BYTES),
  forwarded('a packet under one 802.1ad tag leaves untagged', service, udp(service, INTERNET), UDP_BYTES),
  forwarded('a packet under 802.1ad and 802.1Q leaves untagged', qinq, udp(qinq, INTERNET), UDP_BYTES),
  forwarded('a packet under two 802.1Q tags leaves untagged', stacked, udp(stacked, INTERNET), UDP_BYTES),
  {
    ...forwarded(
      'a priority tag is no part of the line and is taken off',
      untagged,
      udp(untagged, INTERNET),
      UDP_BYTES,
    ),
    frame: udp(untagged, INTERNET)(packet().ethernet(ACCESS_MAC, untagged.mac).tag(0x8100, 0, 5)).bytes(),
  },
  {
    ...forwarded(
      'a priority tag before the VLAN tag changes nothing',
      single,
      udp(single, INTERNET),
      UDP_BYTES,
    ),
    frame: udp(
      single,
      INTERNET,
    )(packet().ethernet(ACCESS_MAC, single.mac).tag(0x8100, 0).tag(0x8100, 100, 3)).bytes(),
  },
  forwarded(
    'TCP to any port of the internet is open to a subscriber',
    qinq,
    tcp(qinq, INTERNET, 80),
    TCP_BYTES,
  ),
  forwarded(
    'a fragment is forwarded for an open subscriber',
    qinq,
    (ethernet, ttl = 64) =>
      ethernet
        .ipv4({ source: qinq.address, destination: INTERNET, ttl, fragmentOffset: 8, protocol: Protocol.udp })
        .payload('tail'),
    24,
  ),

  handedUp('TTL 1 goes to the stack, which answers it', qinq, udp(qinq, INTERNET, { ttl: 1 }), UDP_BYTES),
  handedUp('IP options go to the stack', qinq, udp(qinq, INTERNET, { options: ROUTER_ALERT }), UDP_BYTES + 4),
  handedUp("an unresolved next hop is the stack's to resolve", qinq, udp(qinq, '198.18.1.1'), UDP_BYTES),
  handedUp("a packet too long for the next link is the stack's to fragment", qinq, long, 1228),
  handedUp(
    'a route over a port that takes no redirects goes to the stack',
    qinq,
    udp(qinq, '198.18.6.1'),
    UDP_BYTES,
  ),
  drops('a blackhole route drops', 'no_route', udp(qinq, '198.18.3.1')(from(qinq))),
  drops('an unreachable route drops', 'no_route', udp(qinq, '198.18.4.1')(from(qinq))),
  drops('a prohibit route drops', 'no_route', udp(qinq, '198.18.5.1')(from(qinq))),

  drops('a third tag is too many', 'too_many_tags', at(qinq, from(qinq).tag(0x8100, 9))),
  drops('IPv6 has no business on the access port', 'ethertype', from(qinq).etherType(0x86dd).payload('v6')),
  drops('an Ethernet length field is no EtherType', 'ethertype', from(qinq).etherType(38).payload('llc')),
  drops(
    'an address that nobody holds at a known line is spoofed',
    'spoofed_address',
    at({ ...qinq, address: '10.0.9.9' }, from(qinq)),
  ),
  drops('the address of another line is spoofed', 'spoofed_address', at(single, from(qinq))),
  drops(
    'the right address from the same MAC at another line is unknown',
    'unknown_line',
    at(single, from({ ...single, tags: [[0x8100, 999]] })),
  ),
  drops(
    'the right tags with another MAC is a spoofed MAC',
    'spoofed_mac',
    at(single, from({ ...single, mac: '02:00:00:00:00:99' })),
  ),
  drops(
    'nobody at an unknown line',
    'unknown_line',
    at({ ...single, address: '10.0.9.9' }, from({ ...single, tags: [[0x8100, 999]] })),
  ),
  drops(
    'an inner tag alone is not the whole line',
    'unknown_line',
    at(qinq, from({ ...qinq, tags: [[0x88a8, 200]] })),
  ),
  drops('multicast from a subscriber', 'multicast', udp(qinq, '239.1.1.1')(from(qinq))),
  drops('“this network” (RFC 1122 §3.2.1.3)', 'no_route', udp(qinq, '0.1.2.3')(from(qinq))),
  drops('the unspecified address', 'no_route', udp(qinq, '0.0.0.0')(from(qinq))),
  drops('loopback', 'no_route', udp(qinq, '127.0.0.1')(from(qinq))),
  drops('limited broadcast from a subscriber', 'multicast', udp(qinq, '255.255.255.255')(from(qinq))),
  drops(
    'a unicast packet in a broadcast frame',
    'multicast',
    udp(qinq, INTERNET)(from(qinq, 'ff:ff:ff:ff:ff:ff')),
  ),
  drops(
    'another subscriber is out of reach unless configured',
    'local_forbidden',
    udp(qinq, single.address)(from(qinq)),
  ),
  drops(
    'another subscriber is out of reach with IP options too',
    'local_forbidden',
    udp(qinq, single.address, { options: ROUTER_ALERT })(from(qinq)),
  ),
  drops(
    'another subscriber is out of reach with TTL 1 too',
    'local_forbidden',
    udp(qinq, single.address, { ttl: 1 })(from(qinq)),
  ),
  drops(
    'another subscriber is out of reach with a packet longer than the link',
    'local_forbidden',
    from(qinq)
      .ipv4({ source: qinq.address, destination: single.address })
      .udp({ source: 1, destination: 2 })
      .payload(Buffer.alloc(1600)),
  ),
  drops(
    'an address of the pool that nobody holds is out of reach',
    'local_forbidden',
    udp(qinq, '10.0.7.7')(from(qinq)),
  ),

  drops(
    'IP version 6 in an IPv4 frame',
    'malformed',
    from(qinq).ipv4({ source: qinq.address, destination: INTERNET, version: 6 }).payload('x'),
  ),
  drops(
    'a header length below 20',
    'malformed',
    from(qinq).ipv4({ source: qinq.address, destination: INTERNET, headerWords: 4 }).payload('x'),
  ),
  drops(
    'a header length beyond the total length',
    'malformed',
    from(qinq)
      .ipv4({ source: qinq.address, destination: INTERNET, headerWords: 15, totalLength: 40 })
      .payload(Buffer.alloc(60)),
  ),
  drops(
    'a total length beyond the frame',
    'malformed',
    from(qinq).ipv4({ source: qinq.address, destination: INTERNET, totalLength: 400 }).payload('x'),
  ),
  drops(
    'a UDP header cut short by the total length',
    'malformed',
    from(qinq)
      .ipv4({ source: qinq.address, destination: INTERNET, protocol: Protocol.udp })
      .payload('1234567'),
  ),

  forwarded('a packet within the burst passes the policer', slow, udp(slow, INTERNET, {}), UDP_BYTES),
  forwarded('the burst is counted in bytes of IP', slow, udp(slow, INTERNET, {}), UDP_BYTES),
  forwarded('a third packet still fits the burst of 100 bytes', slow, udp(slow, INTERNET, {}), UDP_BYTES),
  drops('what exceeds the burst is policed', 'policed_up', udp(slow, INTERNET, {})(from(slow))),
]);
