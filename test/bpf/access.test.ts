/** Packet table of bng_access: IPv4 and ARP from subscribers. DHCP is in punt.test.ts. */
import { after } from 'node:test';
import { type PacketBuilder, Protocol, packet } from '../support/packet.js';
import { ACCESS_MAC, enterNamespace } from './namespace.js';
import { Rig, type Station, Stations } from './rig.js';
import { type Row, drops, from, runTable, towards, towardsCore, towardsStack } from './table.js';

enterNamespace(import.meta.url);

const rig = new Rig();
after(() => rig.close());

const INTERNET = '198.51.100.7';
const { untagged, single, service, qinq, stacked, walled, slow } = Stations;

function udp(
  source: Station,
  destination: string,
  more: { readonly ttl?: number; readonly options?: Uint8Array } = {},
) {
  return (ethernet: PacketBuilder, ttl = more.ttl ?? 64): PacketBuilder =>
    ethernet
      .ipv4({ source: source.address, destination, ...more, ttl })
      .udp({ source: 1024, destination: 4000 })
      .payload('up');
}

function tcp(source: Station, destination: string, port: number) {
  return (ethernet: PacketBuilder, ttl = 64): PacketBuilder =>
    ethernet.ipv4({ source: source.address, destination, ttl }).tcp({ source: 1024, destination: port });
}

const UDP_BYTES = 20 + 8 + 2;
const TCP_BYTES = 40;

const ROUTER_ALERT = Buffer.from([148, 4, 0, 0]);

function ping(source: Station, destination: string): Make {
  return (ethernet, ttl = 64) => ethernet.ipv4({ source: source.address, destination, ttl }).icmp(8);
}

function dns(source: Station, destination: string): Make {
  return (ethernet, ttl = 64) =>
    ethernet.ipv4({ source: source.address, destination, ttl }).udp({ source: 1024, destination: 53 });
}

function long(ethernet: PacketBuilder): PacketBuilder {
  return ethernet
    .ipv4({ source: qinq.address, destination: '198.18.2.1' })
    .udp({ source: 1, destination: 2 })
    .payload(Buffer.alloc(1200, 7));
}

function request(station: Station, target: string): PacketBuilder {
  return from(station, 'ff:ff:ff:ff:ff:ff').arp({
    operation: 1,
    senderMac: station.mac,
    senderAddress: station.address,
    targetAddress: target,
  });
}

type Make = (ethernet: PacketBuilder, ttl?: number) => PacketBuilder;

function forwarded(name: string, station: Station, make: Make, bytes: number): Row {
  return {
    name,
    frame: make(from(station)).bytes(),
    verdict: 'forward_up',
    out: make(towardsCore, 63).bytes(),
    traffic: { [station.slot]: { upstream: [1, bytes] } },
  };
}

function handedUp(name: string, station: Station, make: Make, bytes: number): Row {
  return {
    name,
    frame: make(from(station)).bytes(),
    verdict: 'stack_up',
    out: make(towardsStack(station)).bytes(),
    traffic: { [station.slot]: { upstream: [1, bytes] } },
  };
}

function at(station: Station, source: PacketBuilder): PacketBuilder {
  return source.ipv4({ source: station.address, destination: INTERNET }).udp({ source: 1, destination: 2 });
}

runTable(() => rig, 'bng_access', [
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

  handedUp('a ping of the gateway is answered by the stack', qinq, ping(qinq, '10.0.0.1'), 28),
  handedUp('the portal is open to everybody', qinq, tcp(qinq, '10.255.0.1', 80), TCP_BYTES),
  drops(
    'port 80 of another gateway is closed to an open subscriber',
    'local_service',
    tcp(qinq, '10.0.0.1', 80)(from(qinq)),
  ),
  drops('SSH of the gateway is closed', 'local_service', tcp(qinq, '10.0.0.1', 22)(from(qinq))),
  drops('UDP to the gateway is closed', 'local_service', udp(qinq, '10.0.0.1')(from(qinq))),
  drops(
    'a fragment to the gateway is refused',
    'local_service',
    from(qinq).ipv4({ source: qinq.address, destination: '10.0.0.1', moreFragments: true }).icmp(8),
  ),
  drops(
    'an echo reply to the gateway is refused',
    'local_service',
    from(qinq).ipv4({ source: qinq.address, destination: '10.0.0.1' }).icmp(0),
  ),
  drops('our own address on the core link is closed', 'local_service', ping(qinq, '192.0.2.2')(from(qinq))),

  forwarded('a walled subscriber reaches the configured resolver', walled, dns(walled, '8.8.8.8'), 28),
  forwarded(
    'a walled subscriber reaches every port of an open destination',
    walled,
    tcp(walled, '203.0.113.10', 22),
    TCP_BYTES,
  ),
  forwarded('a walled subscriber pings an open destination', walled, ping(walled, '203.0.113.10'), 28),
  forwarded(
    'a walled subscriber reaches the ports listed for a prefix',
    walled,
    tcp(walled, '203.0.113.77', 8443),
    TCP_BYTES,
  ),
  handedUp(
    'TCP port 80 of a walled subscriber goes to the stack for DNAT',
    walled,
    tcp(walled, INTERNET, 80),
    TCP_BYTES,
  ),
  handedUp(
    'TCP port 80 to a destination open on other ports goes to the stack',
    walled,
    tcp(walled, '203.0.113.77', 80),
    TCP_BYTES,
  ),
  handedUp('a walled subscriber reaches the portal', walled, tcp(walled, '10.255.0.1', 80), TCP_BYTES),
  handedUp(
    'port 80 of any gateway leads a walled subscriber to the portal',
    walled,
    tcp(walled, '10.0.0.1', 80),
    TCP_BYTES,
  ),
  handedUp('a walled subscriber pings the gateway', walled, ping(walled, '10.255.0.1'), 28),
  drops(
    'a walled subscriber does not reach SSH of the gateway',
    'local_service',
    tcp(walled, '10.255.0.1', 22)(from(walled)),
  ),
  drops(
    'a walled subscriber does not reach TCP 443 of the internet',
    'garden',
    tcp(walled, INTERNET, 443)(from(walled)),
  ),
  drops(
    'a walled subscriber does not reach UDP of the internet',
    'garden',
    udp(walled, INTERNET)(from(walled)),
  ),
  drops('a walled subscriber does not ping the internet', 'garden', ping(walled, INTERNET)(from(walled))),
  drops(
    'a walled subscriber reaches no other port of the resolver',
    'garden',
    udp(walled, '8.8.8.8')(from(walled)),
  ),
  drops(
    'a walled subscriber does not ping a destination open by port',
    'garden',
    ping(walled, '8.8.8.8')(from(walled)),
  ),
  drops('TTL 1 does not get round the garden', 'garden', udp(walled, INTERNET, { ttl: 1 })(from(walled))),
  drops(
    'IP options do not get round the garden',
    'garden',
    udp(walled, INTERNET, { options: ROUTER_ALERT })(from(walled)),
  ),
  drops(
    'an unresolved next hop does not get round the garden',
    'garden',
    udp(walled, '198.18.1.1')(from(walled)),
  ),
  drops(
    'a fragment to a destination open by port cannot be judged',
    'garden_fragment',
    from(walled)
      .ipv4({ source: walled.address, destination: '8.8.8.8', moreFragments: true })
      .udp({ source: 9, destination: 53 }),
  ),
  drops(
    'a fragment of TCP port 80 is not passed to the stack',
    'garden',
    from(walled)
      .ipv4({ source: walled.address, destination: INTERNET, moreFragments: true })
      .tcp({ source: 9, destination: 80 }),
  ),
  drops(
    'a TCP header cut short is not judged by its ports',
    'malformed',
    from(walled)
      .ipv4({ source: walled.address, destination: '203.0.113.77', protocol: Protocol.tcp })
      .payload(Buffer.from([0, 1, 0x01, 0xbb])),
  ),
  drops(
    'a walled subscriber does not reach another subscriber',
    'garden',
    udp(walled, qinq.address)(from(walled)),
  ),

  forwarded('a packet within the burst passes the policer', slow, udp(slow, INTERNET, {}), UDP_BYTES),
  forwarded('the burst is counted in bytes of IP', slow, udp(slow, INTERNET, {}), UDP_BYTES),
  forwarded('a third packet still fits the burst of 100 bytes', slow, udp(slow, INTERNET, {}), UDP_BYTES),
  drops('what exceeds the burst is policed', 'policed_up', udp(slow, INTERNET, {})(from(slow))),

  {
    name: 'an ARP request for the gateway is answered in place, under its tags',
    frame: request(qinq, '10.0.0.1').bytes(),
    verdict: 'arp_reply',
    out: towards(qinq)
      .arp({
        operation: 2,
        senderMac: ACCESS_MAC,
        senderAddress: '10.0.0.1',
        targetMac: qinq.mac,
        targetAddress: qinq.address,
      })
      .bytes(),
  },
  {
    name: 'an untagged ARP probe (sender 0.0.0.0) of the gateway is answered',
    frame: request({ ...untagged, address: '0.0.0.0' }, '10.255.0.1').bytes(),
    verdict: 'arp_reply',
    out: towards(untagged)
      .arp({
        operation: 2,
        senderMac: ACCESS_MAC,
        senderAddress: '10.255.0.1',
        targetMac: untagged.mac,
        targetAddress: '0.0.0.0',
      })
      .bytes(),
  },
  drops(
    "a probe of one's own address stays unanswered (RFC 5227 §2.1.1)",
    'arp_unanswered',
    request({ ...qinq, address: '0.0.0.0' }, qinq.address),
  ),
  drops('a gratuitous ARP stays unanswered', 'arp_unanswered', request(qinq, qinq.address)),
  drops('ARP for another subscriber stays unanswered', 'arp_unanswered', request(qinq, single.address)),
  drops(
    'ARP for an address of ours that is no gateway stays unanswered',
    'arp_unanswered',
    request(qinq, '10.255.0.2'),
  ),
  drops(
    'an ARP reply stays unanswered',
    'arp_unanswered',
    from(qinq).arp({
      operation: 2,
      senderMac: qinq.mac,
      senderAddress: qinq.address,
      targetAddress: '10.0.0.1',
    }),
  ),
  drops('ARP from an unknown line', 'unknown_line', request({ ...qinq, tags: [[0x88a8, 4]] }, '10.0.0.1')),
  drops(
    'ARP with another sender address',
    'spoofed_address',
    request({ ...qinq, address: single.address }, '10.0.0.1'),
  ),
  drops(
    "ARP with another sender MAC than the frame's",
    'spoofed_mac',
    from(qinq).arp({
      operation: 1,
      senderMac: single.mac,
      senderAddress: qinq.address,
      targetAddress: '10.0.0.1',
    }),
  ),
  drops(
    'ARP of another hardware than Ethernet',
    'malformed',
    from(qinq).arp({
      operation: 1,
      hardware: 6,
      senderMac: qinq.mac,
      senderAddress: qinq.address,
      targetAddress: '10.0.0.1',
    }),
  ),
]);
