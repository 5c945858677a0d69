/**
 * Packets of a garden member that must be dropped in XDP, with the reason they are dropped for. A table, no test.
 */
import { CORE_ADDRESSES } from '../../src/lab/core-network.js';
import type { Ipv4Fields, PacketBuilder } from '../support/packet.js';
import { packet } from '../support/packet.js';

const { internet, gardenAllowed, resolvers } = CORE_ADDRESSES;
const dns = resolvers[0];
/** Allowed on port 443 only. */
export const PORT_LIMITED = '198.18.9.9';
export const GATEWAY = '10.255.0.1';
export const NOP_OPTIONS = Uint8Array.of(1, 1, 1, 1);
export const RECORD_ROUTE = Uint8Array.of(7, 7, 4, 0, 0, 0, 0, 0);
/** Loose source route over 192.0.2.80. */
export const LOOSE_ROUTE = Uint8Array.of(131, 7, 4, 192, 0, 2, 80, 1);

const to443 = { source: 40_000, destination: 443 };
const to80 = { source: 40_000, destination: 80 };

export interface DeniedWorld {
  /** An IPv4 packet of the member to the gateway's MAC; layers follow. */
  readonly from: (destination: string, fields?: Partial<Ipv4Fields>) => PacketBuilder;
  /** An Ethernet header of the member, to the gateway unless told otherwise. */
  readonly head: (to?: string) => PacketBuilder;
  readonly address: () => string;
  readonly other: () => string;
  readonly active: () => string;
}

export type DeniedRow = readonly [what: string, reason: string, build: () => readonly PacketBuilder[]];

export function deniedPackets({ from, head, address, other, active }: DeniedWorld): readonly DeniedRow[] {
  const anyInner = (): PacketBuilder => packet().payload(Buffer.alloc(40, 0x45));
  return [
    ['TCP/443', 'garden', () => [from(internet).tcp(to443)]],
    [
      'other TCP',
      'garden',
      () => [22, 25, 81, 8080, 65535].map((destination) => from(internet).tcp({ source: 1, destination })),
    ],
    [
      'TCP from the ports of allowed services',
      'garden',
      () => [53, 80, 443].map((source) => from(internet).tcp({ source, destination: 443 })),
    ],
    [
      'UDP',
      'garden',
      () =>
        [53, 80, 123, 443, 500, 4500, 4789, 51820].map((destination) =>
          from(internet).udp({ source: 5353, destination }),
        ),
    ],
    [
      'UDP from the ports of allowed services',
      'garden',
      () => [53, 67, 68, 80].map((source) => from(internet).udp({ source, destination: 443 })),
    ],
    [
      'ICMP of any type',
      'garden',
      () => [0, 3, 5, 8, 11, 13, 15, 17].map((type) => from(internet).icmp(type).payload('12345678')),
    ],
    [
      'encapsulation',
      'garden',
      () =>
        [4, 41, 47, 50, 51, 94, 103, 115, 132, 255].map((protocol) =>
          from(internet, { protocol }).payload(anyInner().bytes()),
        ),
    ],
    [
      'other services of a resolver',
      'garden',
      () => [from(dns).tcp(to443), from(dns).udp(to443), from(dns).icmp(8)],
    ],
    [
      'encapsulation to a resolver',
      'garden',
      () => [4, 47, 50].map((protocol) => from(dns, { protocol }).payload(anyInner().bytes())),
    ],
    [
      'UDP encapsulation to a resolver that is none',
      'garden',
      () => [from('1.1.1.1').udp({ source: 53, destination: 53 })],
    ],
    [
      'another port of a destination allowed on one',
      'garden',
      () => [from(PORT_LIMITED).tcp({ source: 443, destination: 444 }), from(PORT_LIMITED).icmp(8)],
    ],
    [
      'a first fragment to an allowed port',
      'garden_fragment',
      () => [from(PORT_LIMITED, { moreFragments: true }).tcp(to443).payload(Buffer.alloc(12))],
    ],
    [
      'a first fragment to a refused port',
      'garden',
      () => [from(internet, { moreFragments: true }).tcp(to443).payload(Buffer.alloc(12))],
    ],
    [
      'a first fragment to TCP/80',
      'garden',
      () => [from(internet, { moreFragments: true }).tcp(to80).payload(Buffer.alloc(12))],
    ],
    [
      'later fragments to a resolver',
      'garden_fragment',
      () =>
        [1, 2, 185, 8191].map((fragmentOffset) =>
          from(dns, { fragmentOffset, protocol: 17 }).payload(Buffer.alloc(16)),
        ),
    ],
    [
      'later fragments to anywhere',
      'garden',
      () =>
        [1, 2, 185].map((fragmentOffset) =>
          from(internet, { fragmentOffset, protocol: 6 }).payload(Buffer.alloc(16)),
        ),
    ],
    [
      'tiny fragments of a TCP header',
      'garden_fragment',
      () => [
        from(PORT_LIMITED, { moreFragments: true, protocol: 6 }).payload(
          Buffer.from('9c4001bb00000001', 'hex'),
        ),
        from(PORT_LIMITED, { moreFragments: true, fragmentOffset: 1, protocol: 6 }).payload(
          Buffer.from('0000000050020000', 'hex'),
        ),
        from(PORT_LIMITED, { fragmentOffset: 2, protocol: 6 }).payload(Buffer.alloc(8)),
      ],
    ],
    [
      'overlapping fragments that turn an allowed port into another',
      'garden_fragment',
      () =>
        [
          from(PORT_LIMITED, { moreFragments: true }).tcp(to443).payload(Buffer.alloc(4)),
          from(PORT_LIMITED, { protocol: 6 })
            .payload(Buffer.from('9c4000160000000100000000', 'hex'))
            .payload(Buffer.alloc(4)),
          from(PORT_LIMITED, { fragmentOffset: 1, protocol: 6 }).payload(Buffer.alloc(16)),
        ].filter((_, index) => index !== 1),
    ],
    [
      'fragments with options',
      'garden_fragment',
      () =>
        [0, 1, 8].map((fragmentOffset) =>
          from(dns, {
            fragmentOffset,
            moreFragments: true,
            options: NOP_OPTIONS,
            protocol: 17,
          }).payload(Buffer.alloc(16)),
        ),
    ],
    [
      'the last TTLs',
      'garden',
      () =>
        [0, 1, 2].flatMap((ttl) => [
          from(internet, { ttl }).tcp(to443),
          from(internet, { ttl }).udp(to443),
          from(internet, { ttl }).icmp(8),
        ]),
    ],
    [
      'IP options',
      'garden',
      () =>
        [NOP_OPTIONS, RECORD_ROUTE, LOOSE_ROUTE].flatMap((options) => [
          from(internet, { options }).tcp(to443),
          from(internet, { options }).udp({ source: 53, destination: 53 }),
          from(internet, { options }).icmp(8),
        ]),
    ],
    [
      'an address of this machine that serves nobody',
      'garden',
      () => [
        from(CORE_ADDRESSES.bng).tcp({ source: 1, destination: 22 }),
        from(CORE_ADDRESSES.bng).icmp(8),
        from(CORE_ADDRESSES.bng).udp({ source: 1, destination: 53 }),
      ],
    ],
    [
      'loopback and “this network”',
      'no_route',
      () =>
        ['127.0.0.1', '127.255.255.255', '0.0.0.0', '0.1.2.3'].map((address) =>
          from(address).tcp({ source: 1, destination: 8080 }),
        ),
    ],
    [
      'a link-local address',
      'garden',
      () => ['169.254.1.1'].map((address) => from(address).tcp({ source: 1, destination: 8080 })),
    ],
    [
      'other services of gateways',
      'local_service',
      () =>
        [GATEWAY, '10.0.0.1', '10.16.0.1'].flatMap((address) => [
          from(address).tcp({ source: 80, destination: 22 }),
          from(address).tcp(to443),
          from(address).udp({ source: 1, destination: 53 }),
          from(address).icmp(0),
          from(address).icmp(3),
          from(address).icmp(5),
          from(address).icmp(13),
          from(address).icmp(17),
          from(address, { protocol: 47 }).payload('encapsulated'),
        ]),
    ],
    [
      'fragments to a gateway',
      'local_service',
      () => [
        from(GATEWAY, { moreFragments: true }).icmp(8).payload(Buffer.alloc(8)),
        from(GATEWAY, { moreFragments: true }).tcp(to80).payload(Buffer.alloc(12)),
        from(GATEWAY, { fragmentOffset: 2, protocol: 6 }).payload(Buffer.alloc(8)),
      ],
    ],
    [
      'another garden member',
      'garden',
      () => [
        from(other()).tcp(to443),
        from(other()).udp(to443),
        from(other()).icmp(8),
        from(other(), { options: NOP_OPTIONS }).icmp(8),
        from(other(), { ttl: 1 }).udp(to443),
      ],
    ],
    [
      'an active subscriber',
      'garden',
      () => [
        from(active()).tcp(to443),
        from(active()).udp(to443),
        from(active()).icmp(8),
        from(active(), { options: RECORD_ROUTE }).icmp(8),
      ],
    ],
    [
      'unused addresses of pools',
      'garden',
      () =>
        ['10.255.200.200', '10.0.200.200', '10.255.0.0', '10.255.255.255', '10.15.255.255'].map((address) =>
          from(address).udp(to443),
        ),
    ],
    [
      'broadcast and multicast addresses',
      'multicast',
      () =>
        ['255.255.255.255', '224.0.0.1', '239.1.2.3', '240.0.0.1'].map((address) => from(address).udp(to443)),
    ],
    [
      'group frames around an allowed packet',
      'multicast',
      () =>
        ['ff:ff:ff:ff:ff:ff', '01:00:5e:00:00:01'].map((group) =>
          head(group).ipv4({ source: address(), destination: gardenAllowed }).udp(to443),
        ),
    ],
    [
      'EtherTypes other than IPv4 and ARP',
      'ethertype',
      () =>
        [0x86dd, 0x8863, 0x8864, 0x8847, 0x88cc, 0x0806 + 0x100, 0x05dc, 0x888e, 0x9000].map((type) =>
          head().etherType(type).payload(Buffer.alloc(60, 0x60)),
        ),
    ],
    [
      'a transport header cut short',
      'malformed',
      () => [
        from(dns, { protocol: 6 }).payload(Buffer.from('9c400035', 'hex')),
        from(dns, { protocol: 17 }).payload(Buffer.from('9c40', 'hex')),
      ],
    ],
  ];
}
