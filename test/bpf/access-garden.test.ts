/** Packet table of bng_access: what our own addresses serve, and the walled garden. */
import { after } from 'node:test';
import { packet, Protocol } from '../support/packet.js';
import { enterNamespace } from './namespace.js';
import { Rig, Stations } from './rig.js';
import { drops, from, refuses, runTable, towards } from './table.js';
import { INTERNET, ROUTER_ALERT, TCP_BYTES, dns, forwarded, handedUp, ping, tcp, udp } from './upstream.js';

enterNamespace(import.meta.url);

const rig = new Rig();
after(() => rig.close());

const { qinq, walled } = Stations;

const QUIC_ENDS = { source: walled.address, destination: INTERNET };
const QUIC_PORTS = { source: 50_000, destination: 443 };
/** IPv4 and UDP header of the datagram that is refused, behind the Ethernet header. */
const QUIC_HEAD = packet()
  .ipv4(QUIC_ENDS)
  .udp(QUIC_PORTS)
  .payload(Buffer.alloc(1200, 0x55))
  .bytes()
  .subarray(2, 30);

runTable(() => rig, 'bng_access', [
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
  refuses('a walled subscriber is refused SSH of the gateway by a reset', 'local_service', walled, {
    destination: '10.255.0.1',
    port: 22,
  }),
  refuses('a walled subscriber is refused TCP 443 of the internet by a reset', 'garden', walled, {
    destination: INTERNET,
    port: 443,
  }),
  refuses('a reset acknowledges the data that a SYN brought', 'garden', walled, {
    destination: INTERNET,
    port: 443,
    data: 'hello',
  }),
  {
    name: 'QUIC of a walled subscriber is refused by an ICMP error that quotes it',
    frame: from(walled).ipv4(QUIC_ENDS).udp(QUIC_PORTS).payload(Buffer.alloc(1200, 0x55)).bytes(),
    verdict: 'drop',
    drop: 'garden',
    answered: true,
    out: towards(walled)
      .ipv4({ source: '10.255.0.1', destination: walled.address, id: 0, dontFragment: true })
      .icmp(3, 13, 0)
      .payload(QUIC_HEAD)
      .bytes(),
  },
  drops(
    'a datagram to port 443 that is shorter than the error about it is dropped without an answer',
    'garden',
    from(walled).ipv4(QUIC_ENDS).udp(QUIC_PORTS).payload(Buffer.alloc(27)),
  ),
  drops(
    'a long datagram to another port is dropped without an answer',
    'garden',
    from(walled)
      .ipv4(QUIC_ENDS)
      .udp({ ...QUIC_PORTS, destination: 8443 })
      .payload(Buffer.alloc(1200)),
  ),
  drops(
    'QUIC in fragments is dropped without an answer',
    'garden',
    from(walled)
      .ipv4({ ...QUIC_ENDS, moreFragments: true })
      .udp(QUIC_PORTS)
      .payload(Buffer.alloc(1200)),
  ),
  ...[0x10, 0x12, 0x14, 0x04, 0x11, 0x03, 0x00].map((flags) =>
    drops(
      `TCP flags 0x${flags.toString(16)} of a walled subscriber are dropped without an answer`,
      'garden',
      from(walled)
        .ipv4({ source: walled.address, destination: INTERNET })
        .tcp({ source: 1024, destination: 443, flags }),
    ),
  ),
  drops(
    'a SYN behind IP options is dropped without an answer',
    'garden',
    from(walled)
      .ipv4({ source: walled.address, destination: INTERNET, options: ROUTER_ALERT })
      .tcp({ source: 1024, destination: 443 }),
  ),
  drops(
    'a SYN in fragments is dropped without an answer',
    'garden',
    from(walled)
      .ipv4({ source: walled.address, destination: INTERNET, moreFragments: true })
      .tcp({ source: 1024, destination: 443 }),
  ),
  drops(
    'a SYN of an open subscriber to a closed service is dropped without an answer',
    'local_service',
    tcp(qinq, '10.0.0.1', 443)(from(qinq)),
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
]);
