/** Every way past the garden that a frame of its own making might find: through XDP and through the kernel's stack. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CORE_ADDRESSES } from '../../src/lab/core-network.js';
import { shell } from '../../src/lab/exec.js';
import type { Subscriber } from '../support/garden-lab.js';
import { destinationOf, eventually, GardenLab, growth, sourceOf } from '../support/garden-lab.js';
import type { Ipv4Fields, PacketBuilder } from '../support/packet.js';
import { packet } from '../support/packet.js';

const { internet, gardenAllowed, resolvers } = CORE_ADDRESSES;
const dns = resolvers[0];
/** Allowed on port 443 only. */
const PORT_LIMITED = '198.18.9.9';
const GATEWAY = '10.255.0.1';
const NOP_OPTIONS = Uint8Array.of(1, 1, 1, 1);
const RECORD_ROUTE = Uint8Array.of(7, 7, 4, 0, 0, 0, 0, 0);
/** Loose source route over 192.0.2.80. */
const LOOSE_ROUTE = Uint8Array.of(131, 7, 4, 192, 0, 2, 80, 1);

describe('ways past the garden', () => {
  let garden: GardenLab;
  let member: Subscriber;
  let other: Subscriber;
  let active: Subscriber;
  let marks = 0;
  before(async () => {
    garden = await GardenLab.open('l2b', {
      walledGarden: {
        pool: 'wgar',
        portal: `${GATEWAY}:80`,
        allow: [`${gardenAllowed}/32`, `${PORT_LIMITED}/32:443`],
      },
    });
    [member, other, active] = await Promise.all([
      garden.subscribe('ALCL00000001'),
      garden.subscribe('ALCL00000002'),
      garden.subscribe('ALCL00000003'),
    ]);
    await garden.activate(active);
  });
  after(() => garden.close());

  const from = (
    subscriber: Subscriber,
    destination: string,
    fields: Partial<Ipv4Fields> = {},
  ): PacketBuilder => subscriber.toGateway().ipv4({ source: subscriber.address(), destination, ...fields });
  const to443 = { source: 40_000, destination: 443 };
  const to80 = { source: 40_000, destination: 80 };

  /** Sends what is allowed, by the quick way and through the stack, and waits until both are at the core. */
  async function flush(): Promise<void> {
    marks += 1;
    const [quick, slow] = [`quick-mark-${marks}`, `slow-mark-${marks}`];
    await member.peer.send(
      from(member, gardenAllowed, { options: NOP_OPTIONS })
        .udp({ source: 9, destination: 9 })
        .payload(slow)
        .bytes(),
      from(member, gardenAllowed).udp({ source: 9, destination: 9 }).payload(quick).bytes(),
    );
    for (const mark of [slow, quick]) await garden.core.frame(mark, (frame) => frame.includes(mark));
  }

  interface Seen {
    /** Frames at the core or at another subscriber that come from the member, marks apart. */
    readonly forwarded: readonly string[];
    readonly drops: Readonly<Record<string, number>>;
    readonly toStack: number;
  }

  /** What becomes of frames that the member sends. */
  async function send(...frames: readonly Uint8Array[] | [() => Promise<void>]): Promise<Seen> {
    const watched = [garden.core, other.peer, active.peer];
    for (const peer of watched) peer.forget();
    const earlier = await garden.frames();
    const [first] = frames;
    // Past the access node where it has its own idea of a frame.
    if (typeof first === 'function') await first();
    else await member.peer.send(...(frames as readonly Uint8Array[]));
    await flush();
    const later = await garden.frames();
    const forwarded = watched.flatMap((peer) =>
      peer.frames
        .filter((frame) => sourceOf(frame) === member.address() && !frame.includes('-mark-'))
        .map((frame) => `${destinationOf(frame)} ${frame.toString('hex')}`),
    );
    return {
      forwarded,
      drops: growth(earlier.drops, later.drops),
      // One mark goes through the stack.
      toStack: later.verdicts['stack_up']! - earlier.verdicts['stack_up']! - 1,
    };
  }

  const nftDrops = async (): Promise<number> => {
    const tables = await shell('nft list counters', { namespace: garden.lab.namespaces.bng });
    return Number(/garden_drops[^}]*packets ([0-9]+)/s.exec(tables)?.[1] ?? assert.fail(tables));
  };

  type Row = readonly [what: string, reason: string, build: () => readonly PacketBuilder[]];
  const anyInner = (): PacketBuilder => packet().payload(Buffer.alloc(40, 0x45));
  const denied: readonly Row[] = [
    ['TCP/443', 'garden', () => [from(member, internet).tcp(to443)]],
    [
      'other TCP',
      'garden',
      () =>
        [22, 25, 81, 8080, 65535].map((destination) =>
          from(member, internet).tcp({ source: 1, destination }),
        ),
    ],
    [
      'TCP from the ports of allowed services',
      'garden',
      () => [53, 80, 443].map((source) => from(member, internet).tcp({ source, destination: 443 })),
    ],
    [
      'UDP',
      'garden',
      () =>
        [53, 80, 123, 443, 500, 4500, 4789, 51820].map((destination) =>
          from(member, internet).udp({ source: 5353, destination }),
        ),
    ],
    [
      'UDP from the ports of allowed services',
      'garden',
      () => [53, 67, 68, 80].map((source) => from(member, internet).udp({ source, destination: 443 })),
    ],
    [
      'ICMP of any type',
      'garden',
      () => [0, 3, 5, 8, 11, 13, 15, 17].map((type) => from(member, internet).icmp(type).payload('12345678')),
    ],
    [
      'encapsulation',
      'garden',
      () =>
        [4, 41, 47, 50, 51, 94, 103, 115, 132, 255].map((protocol) =>
          from(member, internet, { protocol }).payload(anyInner().bytes()),
        ),
    ],
    [
      'other services of a resolver',
      'garden',
      () => [from(member, dns).tcp(to443), from(member, dns).udp(to443), from(member, dns).icmp(8)],
    ],
    [
      'encapsulation to a resolver',
      'garden',
      () => [4, 47, 50].map((protocol) => from(member, dns, { protocol }).payload(anyInner().bytes())),
    ],
    [
      'UDP encapsulation to a resolver that is none',
      'garden',
      () => [from(member, '1.1.1.1').udp({ source: 53, destination: 53 })],
    ],
    [
      'another port of a destination allowed on one',
      'garden',
      () => [
        from(member, PORT_LIMITED).tcp({ source: 443, destination: 444 }),
        from(member, PORT_LIMITED).icmp(8),
      ],
    ],
    [
      'a first fragment to an allowed port',
      'garden_fragment',
      () => [from(member, PORT_LIMITED, { moreFragments: true }).tcp(to443).payload(Buffer.alloc(12))],
    ],
    [
      'a first fragment to a refused port',
      'garden',
      () => [from(member, internet, { moreFragments: true }).tcp(to443).payload(Buffer.alloc(12))],
    ],
    [
      'a first fragment to TCP/80',
      'garden',
      () => [from(member, internet, { moreFragments: true }).tcp(to80).payload(Buffer.alloc(12))],
    ],
    [
      'later fragments to a resolver',
      'garden_fragment',
      () =>
        [1, 2, 185, 8191].map((fragmentOffset) =>
          from(member, dns, { fragmentOffset, protocol: 17 }).payload(Buffer.alloc(16)),
        ),
    ],
    [
      'later fragments to anywhere',
      'garden',
      () =>
        [1, 2, 185].map((fragmentOffset) =>
          from(member, internet, { fragmentOffset, protocol: 6 }).payload(Buffer.alloc(16)),
        ),
    ],
    [
      'tiny fragments of a TCP header',
      'garden_fragment',
      () => [
        from(member, PORT_LIMITED, { moreFragments: true, protocol: 6 }).payload(
          Buffer.from('9c4001bb00000001', 'hex'),
        ),
        from(member, PORT_LIMITED, { moreFragments: true, fragmentOffset: 1, protocol: 6 }).payload(
          Buffer.from('0000000050020000', 'hex'),
        ),
        from(member, PORT_LIMITED, { fragmentOffset: 2, protocol: 6 }).payload(Buffer.alloc(8)),
      ],
    ],
    [
      'overlapping fragments that turn an allowed port into another',
      'garden_fragment',
      () =>
        [
          from(member, PORT_LIMITED, { moreFragments: true }).tcp(to443).payload(Buffer.alloc(4)),
          from(member, PORT_LIMITED, { protocol: 6 })
            .payload(Buffer.from('9c4000160000000100000000', 'hex'))
            .payload(Buffer.alloc(4)),
          from(member, PORT_LIMITED, { fragmentOffset: 1, protocol: 6 }).payload(Buffer.alloc(16)),
        ].filter((_, index) => index !== 1),
    ],
    [
      'fragments with options',
      'garden_fragment',
      () =>
        [0, 1, 8].map((fragmentOffset) =>
          from(member, dns, {
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
          from(member, internet, { ttl }).tcp(to443),
          from(member, internet, { ttl }).udp(to443),
          from(member, internet, { ttl }).icmp(8),
        ]),
    ],
    [
      'IP options',
      'garden',
      () =>
        [NOP_OPTIONS, RECORD_ROUTE, LOOSE_ROUTE].flatMap((options) => [
          from(member, internet, { options }).tcp(to443),
          from(member, internet, { options }).udp({ source: 53, destination: 53 }),
          from(member, internet, { options }).icmp(8),
        ]),
    ],
    [
      'an address of this machine that serves nobody',
      'garden',
      () => [
        from(member, CORE_ADDRESSES.bng).tcp({ source: 1, destination: 22 }),
        from(member, CORE_ADDRESSES.bng).icmp(8),
        from(member, CORE_ADDRESSES.bng).udp({ source: 1, destination: 53 }),
      ],
    ],
    [
      'loopback and nowhere',
      'garden',
      () =>
        ['127.0.0.1', '127.255.255.255', '0.0.0.0', '169.254.1.1'].map((address) =>
          from(member, address).tcp({ source: 1, destination: 8080 }),
        ),
    ],
    [
      'other services of gateways',
      'local_service',
      () =>
        [GATEWAY, '10.0.0.1', '10.16.0.1'].flatMap((address) => [
          from(member, address).tcp({ source: 80, destination: 22 }),
          from(member, address).tcp(to443),
          from(member, address).udp({ source: 1, destination: 53 }),
          from(member, address).icmp(0),
          from(member, address).icmp(3),
          from(member, address).icmp(5),
          from(member, address).icmp(13),
          from(member, address).icmp(17),
          from(member, address, { protocol: 47 }).payload('encapsulated'),
        ]),
    ],
    [
      'fragments to a gateway',
      'local_service',
      () => [
        from(member, GATEWAY, { moreFragments: true }).icmp(8).payload(Buffer.alloc(8)),
        from(member, GATEWAY, { moreFragments: true }).tcp(to80).payload(Buffer.alloc(12)),
        from(member, GATEWAY, { fragmentOffset: 2, protocol: 6 }).payload(Buffer.alloc(8)),
      ],
    ],
    [
      'another garden member',
      'garden',
      () => [
        from(member, other.address()).tcp(to443),
        from(member, other.address()).udp(to443),
        from(member, other.address()).icmp(8),
        from(member, other.address(), { options: NOP_OPTIONS }).icmp(8),
        from(member, other.address(), { ttl: 1 }).udp(to443),
      ],
    ],
    [
      'an active subscriber',
      'garden',
      () => [
        from(member, active.address()).tcp(to443),
        from(member, active.address()).udp(to443),
        from(member, active.address()).icmp(8),
        from(member, active.address(), { options: RECORD_ROUTE }).icmp(8),
      ],
    ],
    [
      'unused addresses of pools',
      'garden',
      () =>
        ['10.255.200.200', '10.0.200.200', '10.255.0.0', '10.255.255.255', '10.15.255.255'].map((address) =>
          from(member, address).udp(to443),
        ),
    ],
    [
      'broadcast and multicast addresses',
      'multicast',
      () =>
        ['255.255.255.255', '224.0.0.1', '239.1.2.3', '240.0.0.1'].map((address) =>
          from(member, address).udp(to443),
        ),
    ],
    [
      'group frames around an allowed packet',
      'multicast',
      () =>
        ['ff:ff:ff:ff:ff:ff', '01:00:5e:00:00:01'].map((group) =>
          packet()
            .ethernet(group, member.mac)
            .ipv4({ source: member.address(), destination: gardenAllowed })
            .udp(to443),
        ),
    ],
    [
      'EtherTypes other than IPv4 and ARP',
      'ethertype',
      () =>
        [0x86dd, 0x8863, 0x8864, 0x8847, 0x88cc, 0x0806 + 0x100, 0x05dc, 0x888e, 0x9000].map((type) =>
          member.toGateway().etherType(type).payload(Buffer.alloc(60, 0x60)),
        ),
    ],
    [
      'a transport header cut short',
      'malformed',
      () => [
        from(member, dns, { protocol: 6 }).payload(Buffer.from('9c400035', 'hex')),
        from(member, dns, { protocol: 17 }).payload(Buffer.from('9c40', 'hex')),
      ],
    ],
  ];
  for (const [what, reason, build] of denied) {
    it(`${what}: dropped in XDP as ${reason}, seen by nobody`, async () => {
      const frames = build().map((builder) => builder.bytes());
      const seen = await send(...frames);
      assert.deepEqual(seen, { forwarded: [], drops: { [reason]: frames.length }, toStack: 0 });
    });
  }

  it('DHCP to a foreign server is garden traffic like any other', async () => {
    const line = garden.onTrunk(member);
    const seen = await send(() =>
      garden.trunk.send(
        line
          .ipv4({ source: member.address(), destination: internet })
          .udp({ source: 68, destination: 67 })
          .bytes(),
      ),
    );
    assert.deepEqual(seen, { forwarded: [], drops: { garden: 1 }, toStack: 0 });
  });

  it('TCP/80 whose connection the stack cannot track is not forwarded past the redirection', async () => {
    const earlier = await nftDrops();
    const flags = [0x00, 0x03, 0x04, 0x29, 0x3f];
    const everywhere = [internet, PORT_LIMITED, dns, active.address(), other.address()];
    const frames = everywhere.flatMap((destination) =>
      flags.map((value) =>
        from(member, destination).tcp({ source: 41_000, destination: 80, flags: value }).bytes(),
      ),
    );
    const wrongSum = from(member, internet).tcp(to80).bytes();
    wrongSum[wrongSum.length - 4]! ^= 0xff;
    frames.push(wrongSum);
    const seen = await send(...frames);
    assert.deepEqual(seen, { forwarded: [], drops: {}, toStack: frames.length });
    assert.ok((await nftDrops()) > earlier, 'nftables refused what was not redirected');
  });

  it('TCP/80 with odd TTLs, options or midstream segments ends at the portal, never at the core', async () => {
    const frames = [
      from(member, internet, { ttl: 1 }).tcp({ source: 42_001, destination: 80 }),
      from(member, internet, { ttl: 0 }).tcp({ source: 42_002, destination: 80 }),
      from(member, internet, { options: RECORD_ROUTE }).tcp({ source: 42_003, destination: 80 }),
      from(member, internet, { options: LOOSE_ROUTE }).tcp({ source: 42_004, destination: 80 }),
      from(member, internet).tcp({ source: 42_005, destination: 80, flags: 0x10 }),
      from(member, internet).tcp({ source: 80, destination: 80 }),
      from(member, active.address()).tcp({ source: 42_006, destination: 80 }),
      from(member, other.address()).tcp({ source: 42_007, destination: 80 }),
    ];
    const seen = await send(...frames.map((builder) => builder.bytes()));
    assert.deepEqual(seen, { forwarded: [], drops: {}, toStack: frames.length });
  });

  it('a loose source route over a gateway or an allowed destination leads nowhere', async () => {
    // Even on a machine that obeys source routes.
    await shell('for f in /proc/sys/net/ipv4/conf/*/accept_source_route; do echo 1 >$f; done', {
      namespace: garden.lab.namespaces.bng,
    });
    const frames = [
      from(member, GATEWAY, { options: LOOSE_ROUTE }).icmp(8),
      from(member, GATEWAY, { options: LOOSE_ROUTE }).tcp({ source: 43_001, destination: 80 }),
      from(member, internet, { options: Uint8Array.of(131, 7, 4, 203, 0, 113, 10, 1) }).udp(to443),
    ].map((builder) => builder.bytes());
    const { forwarded } = await send(...frames);
    await shell('for f in /proc/sys/net/ipv4/conf/*/accept_source_route; do echo 0 >$f; done', {
      namespace: garden.lab.namespaces.bng,
    });
    assert.deepEqual(forwarded, []);
  });

  it('an allowed destination is reached by every protocol, in fragments, with options, and never redirected', async () => {
    garden.core.forget();
    const frames = [
      from(member, gardenAllowed).tcp(to443),
      from(member, gardenAllowed).tcp({ source: 1, destination: 80 }),
      from(member, gardenAllowed, { options: NOP_OPTIONS }).tcp({ source: 2, destination: 80 }),
      from(member, gardenAllowed, { options: RECORD_ROUTE }).udp({ source: 3, destination: 1234 }),
      from(member, gardenAllowed).icmp(8),
      from(member, gardenAllowed, { protocol: 47 }).payload('gre'),
      from(member, gardenAllowed, { moreFragments: true }).udp(to443).payload(Buffer.alloc(8)),
      from(member, gardenAllowed, { fragmentOffset: 2, protocol: 17 }).payload(Buffer.alloc(8)),
      from(member, dns).udp({ source: 5, destination: 53 }),
      from(member, dns, { options: NOP_OPTIONS }).tcp({ source: 6, destination: 53 }),
      from(member, PORT_LIMITED).tcp(to443),
      from(member, PORT_LIMITED, { options: NOP_OPTIONS }).udp(to443),
    ];
    const seen = await send(...frames.map((builder) => builder.bytes()));
    assert.deepEqual(seen.drops, {});
    assert.equal(seen.forwarded.length, frames.length);
    const reached = new Set(seen.forwarded.map((text) => text.split(' ')[0]));
    assert.deepEqual([...reached].sort(), [PORT_LIMITED, gardenAllowed, dns].sort());
  });

  it('a packet that needs the neighbour resolved first: allowed ones arrive, refused ones ask for nothing', async () => {
    const { bng } = garden.lab.namespaces;
    const forget = (): Promise<string> => shell('ip neigh flush dev core0', { namespace: bng });
    const isArp = (frame: Buffer): boolean => frame.readUInt16BE(12) === 0x0806;
    await forget();
    garden.core.forget();
    const earlier = await garden.frames();
    const refused = [
      from(member, internet).tcp(to443),
      from(member, internet).icmp(8),
      from(member, dns).udp(to443),
    ];
    await member.peer.send(...refused.map((builder) => builder.bytes()));
    await eventually('all are dropped', async () => {
      const { drops } = await garden.frames();
      return drops['garden'] === earlier.drops['garden']! + refused.length ? true : null;
    });
    assert.deepEqual(garden.core.frames.filter(isArp), [], 'nobody asked for the router');
    const mark = 'waited-for-a-neighbour';
    await member.peer.send(from(member, gardenAllowed).udp(to443).payload(mark).bytes());
    await garden.core.frame(mark, (frame) => frame.includes(mark));
    assert.ok(garden.core.frames.some(isArp), 'the router was asked for');
  });

  it('from the core nothing that the garden does not allow comes down, whichever way it takes', async () => {
    const to = member.address();
    const down = (source: string, fields: Partial<Ipv4Fields> = {}): PacketBuilder =>
      garden.fromCore().ipv4({ source, destination: to, ...fields });
    const back = { source: 443, destination: 40_000 };
    const refused: readonly [reason: string, frames: readonly PacketBuilder[]][] = [
      [
        'garden',
        [
          down(internet).tcp({ ...back, flags: 0x12 }),
          down(internet).udp(back),
          down(internet).icmp(0),
          down(internet).icmp(3).payload(Buffer.alloc(28, 0x45)),
          down(internet).tcp({ source: 80, destination: 40_000, flags: 0x12 }),
        ],
      ],
      [
        'garden',
        [
          down(internet, { ttl: 1 }).udp(back),
          down(internet, { options: NOP_OPTIONS }).udp(back),
          down(internet, { options: RECORD_ROUTE }).icmp(8),
          down(internet, { ttl: 0 }).tcp(back),
        ],
      ],
      [
        'garden',
        [
          down(dns).tcp(back),
          down(dns).icmp(0),
          down(dns, { protocol: 47 }).payload('x'),
          down(PORT_LIMITED).tcp({ source: 444, destination: 443 }),
        ],
      ],
      [
        'garden_fragment',
        [
          down(dns, { moreFragments: true }).udp({ source: 53, destination: 4000 }).payload(Buffer.alloc(8)),
          down(dns, { fragmentOffset: 2, protocol: 17 }).payload(Buffer.alloc(8)),
        ],
      ],
      [
        'garden',
        [
          down(internet, { protocol: 4 }).payload(Buffer.alloc(40, 0x45)),
          down(internet, { protocol: 50 }).payload('esp'),
          down(GATEWAY).udp({ source: 53, destination: 1 }),
          down(active.address()).udp(back),
        ],
      ],
    ];
    member.peer.forget();
    for (const [reason, frames] of refused) {
      const earlier = await garden.frames();
      await garden.core.send(...frames.map((builder) => builder.bytes()));
      const later = await eventually(`${frames.length} are dropped as ${reason}`, async () => {
        const { drops } = await garden.frames();
        return drops[reason]! - earlier.drops[reason]! >= frames.length ? drops : null;
      });
      assert.deepEqual(growth(earlier.drops, later), { [reason]: frames.length });
    }
    const allowed = [
      down(gardenAllowed)
        .tcp({ ...back, flags: 0x12 })
        .payload('mark-1'),
      down(gardenAllowed, { options: NOP_OPTIONS }).udp({ source: 9, destination: 9 }).payload('mark-2'),
      down(dns).udp({ source: 53, destination: 4000 }).payload('mark-3'),
      down(PORT_LIMITED, { options: NOP_OPTIONS }).udp(back).payload('mark-4'),
    ];
    await garden.core.send(...allowed.map((builder) => builder.bytes()));
    for (const mark of ['mark-1', 'mark-2', 'mark-3', 'mark-4'])
      await member.peer.frame(mark, (frame) => frame.includes(mark));
    const came = member.peer.frames.filter((frame) => destinationOf(frame) === to);
    assert.deepEqual(
      came.filter((frame) => !frame.includes('mark-')).map((frame) => frame.toString('hex')),
      [],
    );
  });

  it('an active subscriber and another member reach a garden member no more than it reaches them', async () => {
    const to = member.address();
    member.peer.forget();
    for (const sender of [active, other]) {
      const earlier = await garden.frames();
      const frames = [
        from(sender, to).tcp(to443),
        from(sender, to).udp({ source: 53, destination: 53 }),
        from(sender, to).icmp(8),
        from(sender, to, { options: NOP_OPTIONS }).icmp(8),
        from(sender, to, { ttl: 1 }).icmp(8),
        from(sender, to, { moreFragments: true }).udp(to443).payload(Buffer.alloc(8)),
      ].map((builder) => builder.bytes());
      await sender.peer.send(...frames);
      const later = await eventually('all are dropped', async () => {
        const { drops } = await garden.frames();
        return drops['garden']! - earlier.drops['garden']! >= frames.length ? drops : null;
      });
      assert.deepEqual(growth(earlier.drops, later), { garden: frames.length });
    }
    // The portal answers in the name of whomever TCP/80 was meant for: port 80 is its own.
    const fromPort80 = (frame: Buffer): boolean => frame[23] === 6 && frame.readUInt16BE(34) === 80;
    const came = member.peer.frames
      .filter((frame) => [active.address(), other.address()].includes(sourceOf(frame) ?? ''))
      .filter((frame) => !fromPort80(frame));
    assert.deepEqual(
      came.map((frame) => frame.toString('hex')),
      [],
    );
  });
});
