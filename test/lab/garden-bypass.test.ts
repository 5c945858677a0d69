/** Every way past the garden that a frame of its own making might find: through XDP and through the kernel's stack. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CORE_ADDRESSES } from '../../src/lab/core-network.js';
import { shell } from '../../src/lab/exec.js';
import { eventually } from '../support/eventually.js';
import { destinationOf, openingFrom, sourceOf } from '../support/frame-fields.js';
import type { Subscriber } from '../support/garden-lab.js';
import { GardenLab, growth } from '../support/garden-lab.js';
import type { Ipv4Fields, PacketBuilder } from '../support/packet.js';
import { packet } from '../support/packet.js';
import {
  deniedPackets,
  GATEWAY,
  LOOSE_ROUTE,
  NOP_OPTIONS,
  PORT_LIMITED,
  RECORD_ROUTE,
} from './garden-denied.js';

const { internet, gardenAllowed, resolvers } = CORE_ADDRESSES;
const dns = resolvers[0];

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

  // The rows are made when they run: the addresses are not known before.
  for (const [what, reason, build] of deniedPackets({
    from: (destination, fields) => from(member, destination, fields),
    head: (to) => packet().ethernet(to ?? garden.gatewayMac, member.mac),
    address: () => member.address(),
    other: () => other.address(),
    active: () => active.address(),
  })) {
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
    // Whom earlier tests have opened connections with, as they may, says so again and again to who does not go on; the portal
    // in the name of whomever port 80 was asked of.
    const opened = [`${dns}:53`, `${gardenAllowed}:443`];
    const isRepeated = (frame: Buffer): boolean => {
      const from_ = openingFrom(frame);
      return from_ !== null && (from_.endsWith(':80') || opened.includes(from_));
    };
    const came = member.peer.frames.filter((frame) => destinationOf(frame) === to && !isRepeated(frame));
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
