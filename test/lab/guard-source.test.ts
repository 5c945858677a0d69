/** Who is not the holder of a lease gets nowhere: spoofed addresses, MACs, lines, ARP and DHCP, on the trunk's wire. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CORE_ADDRESSES } from '../../src/lab/core-network.js';
import { eventually } from '../support/eventually.js';
import { ipv4At } from '../support/frame-fields.js';
import type { Subscriber } from '../support/garden-lab.js';
import { GardenLab, growth } from '../support/garden-lab.js';
import type { PacketBuilder } from '../support/packet.js';
import { packet } from '../support/packet.js';

const { internet } = CORE_ADDRESSES;
const STRANGE_MAC = '02:00:5e:77:77:77';
const BROADCAST = 'ff:ff:ff:ff:ff:ff';
const ports = { source: 40_000, destination: 443 };

describe('the source guard', () => {
  let garden: GardenLab;
  /** Two on lines of their own, two on one shared VLAN, one without tags. */
  let alice: Subscriber;
  let bob: Subscriber;
  let shared: Subscriber;
  let neighbour: Subscriber;
  let plain: Subscriber;
  let everyone: readonly Subscriber[];
  let marks = 0;
  before(async () => {
    garden = await GardenLab.open('l2g');
    everyone = [alice, bob, shared, neighbour, plain] = await Promise.all([
      garden.subscribe('ALCL00000001'),
      garden.subscribe('ALCL00000002'),
      garden.subscribe('ALCL00000003', { tagging: 'single' }),
      garden.subscribe('ALCL00000004', { tagging: 'single' }),
      garden.subscribe('ALCL00000005', { tagging: 'untagged' }),
    ]);
    await Promise.all(everyone.map((subscriber) => garden.activate(subscriber)));
  });
  after(() => garden.close());

  interface Seen {
    readonly drops: Readonly<Record<string, number>>;
    /** What arrived at the core and at subscribers beside the marks. */
    readonly arrived: readonly string[];
  }

  /** Runs `act`, then has each way passed by a mark; tells what else came out and what was dropped. */
  async function observe(act: () => Promise<void>): Promise<Seen> {
    marks += 1;
    for (const peer of [garden.core, ...everyone.map(({ peer }) => peer)]) peer.forget();
    const earlier = await garden.frames();
    await act();
    const up = `up-mark-${marks}-`;
    await alice.peer.send(
      alice
        .toGateway()
        .ipv4({ source: alice.address(), destination: internet })
        .udp(ports)
        .payload(up)
        .bytes(),
    );
    await garden.core.frame(up, (frame) => frame.includes(up));
    await Promise.all(
      everyone.map(async (subscriber) => {
        const down = `down-mark-${marks}-`;
        await garden.core.send(
          garden
            .fromCore()
            .ipv4({ source: internet, destination: subscriber.address() })
            .udp(ports)
            .payload(down)
            .bytes(),
        );
        await subscriber.peer.frame(`${down} at ${subscriber.serial}`, (frame) => frame.includes(down));
      }),
    );
    const later = await garden.frames();
    const names: readonly (readonly [string, readonly Buffer[]])[] = [
      ['core', garden.core.frames.filter((frame) => ipv4At(frame) !== null)],
      ...everyone.map(({ serial, peer }) => [serial, peer.frames] as const),
    ];
    const arrived = names.flatMap(([name, frames]) =>
      frames.filter((frame) => !frame.includes('-mark-')).map((frame) => `${name}: ${frame.toString('hex')}`),
    );
    return { drops: growth(earlier.drops, later.drops), arrived };
  }

  const udp = (head: PacketBuilder, source: string, destination: string = internet): Buffer =>
    head.ipv4({ source, destination }).udp(ports).payload('spoof').bytes();

  it("another's, an unused and an outside address are spoofed addresses of a known line", async () => {
    for (const subscriber of everyone) {
      const victim = subscriber === bob ? alice : bob;
      const sources = [
        victim.address(),
        '10.0.200.200',
        '10.255.200.200',
        '192.0.2.1',
        '10.0.0.1',
        '127.0.0.1',
        '0.0.0.0',
        '255.255.255.255',
        '224.0.0.1',
      ];
      const head = garden.onTrunk(subscriber);
      const options = Uint8Array.of(1, 1, 1, 1);
      const frames = sources.flatMap((source) => [
        udp(head, source),
        udp(head, source, victim.address()),
        head.ipv4({ source, destination: '10.0.0.1', options }).icmp(8).bytes(),
        head
          .ipv4({ source, destination: internet, moreFragments: true })
          .udp(ports)
          .payload(Buffer.alloc(8))
          .bytes(),
        head.ipv4({ source, destination: internet, ttl: 1 }).tcp(ports).bytes(),
      ]);
      const seen = await observe(() => garden.trunk.send(...frames));
      assert.deepEqual(seen, { drops: { spoofed_address: frames.length }, arrived: [] }, subscriber.serial);
    }
  });

  it('a MAC that is not the lease holder’s is a spoofed MAC, on every kind of line', async () => {
    for (const subscriber of everyone) {
      const head = garden.onTrunk(subscriber, { mac: STRANGE_MAC });
      const seen = await observe(() =>
        garden.trunk.send(udp(head, subscriber.address()), udp(head, subscriber.address(), '10.0.0.1')),
      );
      assert.deepEqual(seen, { drops: { spoofed_mac: 2 }, arrived: [] }, subscriber.serial);
    }
  });

  it("a subscriber's address and MAC from another line go nowhere", async () => {
    const elsewhere = [
      garden.onTrunk(bob, { mac: alice.mac }),
      garden.onTrunk(shared, { mac: alice.mac }),
      garden.onTrunk(plain, { mac: alice.mac }),
      // The outer tag alone, the tags swapped, one more than there may be apart.
      packet().ethernet(garden.gatewayMac, alice.mac).tag(0x88a8, alice.tags()[0]!.vlan),
      packet()
        .ethernet(garden.gatewayMac, alice.mac)
        .tag(0x88a8, alice.tags()[1]!.vlan)
        .tag(0x8100, alice.tags()[0]!.vlan),
    ];
    const seen = await observe(() =>
      garden.trunk.send(...elsewhere.map((head) => udp(head, alice.address()))),
    );
    assert.deepEqual(seen, { drops: { unknown_line: elsewhere.length }, arrived: [] });
    const tooDeep = garden.onTrunk(alice).tag(0x8100, 7);
    const deeper = await observe(() => garden.trunk.send(udp(tooDeep, alice.address())));
    assert.deepEqual(deeper, { drops: { too_many_tags: 1 }, arrived: [] });
  });

  it("a subscriber's address with its own MAC, from another known subscriber's line, is a spoofed address", async () => {
    const seen = await observe(() =>
      garden.trunk.send(
        udp(garden.onTrunk(bob), alice.address()),
        udp(garden.onTrunk(neighbour), shared.address()),
      ),
    );
    assert.deepEqual(seen, { drops: { spoofed_address: 2 }, arrived: [] });
  });

  const arpOf = (
    head: PacketBuilder,
    operation: number,
    senderMac: string,
    senderAddress: string,
    targetAddress: string,
  ): Buffer => head.arp({ operation, senderMac, senderAddress, targetAddress }).bytes();

  it('ARP that claims the gateway or another subscriber reaches nobody and changes nothing', async () => {
    const rows: readonly [reason: string, frame: Buffer][] = [];
    const add = (reason: string, frame: Buffer): void =>
      void (rows as [string, Buffer][]).push([reason, frame]);
    for (const operation of [1, 2]) {
      for (const claimed of ['10.0.0.1', bob.address(), neighbour.address(), '10.0.200.200']) {
        for (const to of [BROADCAST, garden.gatewayMac]) {
          add(
            'spoofed_address',
            arpOf(garden.onTrunk(alice, { to }), operation, alice.mac, claimed, claimed),
          );
          add(
            'spoofed_address',
            arpOf(garden.onTrunk(shared, { to }), operation, shared.mac, claimed, bob.address()),
          );
        }
      }
    }
    add(
      'spoofed_mac',
      arpOf(garden.onTrunk(alice, { to: BROADCAST }), 1, bob.mac, alice.address(), '10.0.0.1'),
    );
    add(
      'spoofed_mac',
      arpOf(garden.onTrunk(alice, { to: BROADCAST }), 2, garden.gatewayMac, '10.0.0.1', bob.address()),
    );
    add(
      'unknown_line',
      arpOf(
        garden.onTrunk(alice, { mac: STRANGE_MAC, to: BROADCAST }),
        1,
        STRANGE_MAC,
        alice.address(),
        '10.0.0.1',
      ),
    );
    add(
      'unknown_line',
      arpOf(
        garden.onTrunk(bob, { mac: alice.mac, to: BROADCAST }),
        1,
        alice.mac,
        alice.address(),
        '10.0.0.1',
      ),
    );
    // Gratuitous ARP of one's own address, and an answer nobody asked for.
    add(
      'arp_unanswered',
      arpOf(garden.onTrunk(alice, { to: BROADCAST }), 1, alice.mac, alice.address(), alice.address()),
    );
    add(
      'arp_unanswered',
      arpOf(garden.onTrunk(alice, { to: BROADCAST }), 2, alice.mac, alice.address(), bob.address()),
    );
    const expected: Record<string, number> = {};
    for (const [reason] of rows) expected[reason] = (expected[reason] ?? 0) + 1;
    const seen = await observe(() => garden.trunk.send(...rows.map(([, frame]) => frame)));
    assert.deepEqual(seen, { drops: expected, arrived: [] });
  });

  it('the gateway answers ARP on the leased line, to its holder alone, and never a probe of its own address', async () => {
    const request = (subscriber: Subscriber, sender: string, target: string): Promise<void> =>
      subscriber.peer.send(
        arpOf(packet().ethernet(BROADCAST, subscriber.mac), 1, subscriber.mac, sender, target),
      );
    for (const subscriber of everyone) {
      const seen = await observe(() => request(subscriber, subscriber.address(), '10.0.0.1'));
      assert.deepEqual(seen.drops, {});
      const [answer = ''] = seen.arrived;
      const bare = garden.gatewayMac.replaceAll(':', '');
      const own = subscriber.mac.replaceAll(':', '');
      assert.equal(seen.arrived.length, 1, subscriber.serial);
      assert.ok(
        answer.startsWith(`${subscriber.serial}: ${own}${bare}08060001080006040002${bare}0a000001${own}`),
        answer,
      );
      const probe = await observe(() => request(subscriber, '0.0.0.0', subscriber.address()));
      assert.deepEqual(probe, { drops: { arp_unanswered: 1 }, arrived: [] });
    }
    const unleased = await observe(() =>
      garden.trunk.send(
        arpOf(
          packet().ethernet(BROADCAST, STRANGE_MAC).tag(0x88a8, 200).tag(0x8100, 4000),
          1,
          STRANGE_MAC,
          '0.0.0.0',
          '10.0.0.1',
        ),
      ),
    );
    assert.deepEqual(unleased, { drops: { unknown_line: 1 }, arrived: [] });
  });

  it("a DHCP server's messages from a subscriber are dropped, broadcast and unicast", async () => {
    const offer = Buffer.alloc(300);
    offer.set([2, 1, 6, 0], 0);
    const frames = [alice, shared, plain].flatMap((subscriber) =>
      [subscriber.address(), '10.0.0.1', '192.168.1.1'].flatMap((source) =>
        [
          garden.onTrunk(subscriber, { to: BROADCAST }).ipv4({ source, destination: '255.255.255.255' }),
          garden.onTrunk(subscriber).ipv4({ source, destination: bob.address() }),
        ].map((head) => head.udp({ source: 67, destination: 68 }).payload(offer).bytes()),
      ),
    );
    const seen = await observe(() => garden.trunk.send(...frames));
    assert.deepEqual(seen, { drops: { dhcp_server: frames.length }, arrived: [] });
  });

  it('what one subscriber broadcasts nobody else hears, on lines of their own and on a shared VLAN', async () => {
    for (const [index, sender] of everyone.entries()) {
      const text = `broadcast-${index}`;
      const groups = [BROADCAST, '01:00:5e:00:00:fb', '01:80:c2:00:00:00', '33:33:00:00:00:01', STRANGE_MAC];
      const frames = groups.flatMap((to) => {
        const head = packet().ethernet(to, sender.mac);
        return [
          head
            .ipv4({ source: sender.address(), destination: '255.255.255.255' })
            .udp({ source: 1, destination: 9 })
            .payload(text)
            .bytes(),
          head
            .ipv4({ source: sender.address(), destination: '224.0.0.251' })
            .udp({ source: 5353, destination: 5353 })
            .payload(text)
            .bytes(),
          head
            .ipv4({ source: sender.address(), destination: '10.15.255.255' })
            .udp({ source: 137, destination: 137 })
            .payload(text)
            .bytes(),
          head
            .arp({
              operation: 1,
              senderMac: sender.mac,
              senderAddress: sender.address(),
              targetAddress: '10.0.200.200',
            })
            .payload(text)
            .bytes(),
          head.etherType(0x86dd).payload(Buffer.alloc(60, 0x60)).payload(text).bytes(),
          head.etherType(0x88b5).payload(text).payload(Buffer.alloc(46)).bytes(),
        ];
      });
      const discover = Buffer.alloc(300);
      discover.set([1, 1, 6, 0], 0);
      frames.push(
        packet()
          .ethernet(BROADCAST, sender.mac)
          .ipv4({ source: '0.0.0.0', destination: '255.255.255.255' })
          .udp({ source: 68, destination: 67 })
          .payload(discover)
          .bytes(),
      );
      const seen = await observe(() => sender.peer.send(...frames));
      const others = everyone.filter((subscriber) => subscriber !== sender);
      for (const { serial } of others)
        assert.deepEqual(
          seen.arrived.filter((line) => line.startsWith(serial)),
          [],
          `${sender.serial} → ${serial}`,
        );
      assert.deepEqual(
        seen.arrived.filter(
          (line) => line.includes(Buffer.from(text).toString('hex')) && !line.startsWith('core'),
        ),
        [],
      );
    }
  });

  it("a neighbour on the shared VLAN cannot take another's traffic by using its MAC", async () => {
    const stolen = packet().ethernet(garden.gatewayMac, shared.mac);
    const seen = await observe(async () => {
      await neighbour.peer.send(
        udp(stolen, shared.address()),
        udp(stolen, neighbour.address()),
        arpOf(packet().ethernet(BROADCAST, shared.mac), 1, shared.mac, shared.address(), '10.0.0.1'),
        stolen
          .ipv4({ source: '0.0.0.0', destination: '255.255.255.255' })
          .udp({ source: 68, destination: 67 })
          .payload(Buffer.alloc(300))
          .bytes(),
      );
    });
    assert.deepEqual(seen.arrived, []);
    const { body } = await garden.bng.get(`/api/v1/sessions/${shared.serial}`);
    assert.deepEqual([body['state'], body['address']], ['active', shared.address()]);
    const mark = 'to-the-rightful-holder';
    await garden.core.send(
      garden
        .fromCore()
        .ipv4({ source: internet, destination: shared.address() })
        .udp(ports)
        .payload(mark)
        .bytes(),
    );
    await shared.peer.frame(mark, (frame) => frame.includes(mark));
    assert.deepEqual(
      neighbour.peer.frames.filter((frame) => frame.includes(mark)),
      [],
    );
    await eventually('both still pass', async () => {
      const pings = await Promise.all([shared, neighbour].map(({ host }) => host.ping(internet)));
      return pings.every(({ received }) => received === 1) ? true : null;
    });
  });
  it("DHCP with another's MAC on the shared VLAN takes neither its lease nor its line", async () => {
    // As if the access node let it through: the neighbour's own option 82 around the other's MAC.
    const option82 = (circuit: string, remote: string): Buffer => {
      const parts = [
        [1, circuit],
        [2, remote],
      ] as const;
      const inner = Buffer.concat(
        parts.map(([code, text]) => Buffer.from([code, text.length, ...Buffer.from(text)])),
      );
      return Buffer.concat([Buffer.from([82, inner.length]), inner]);
    };
    const onts = (await garden.lab.askOlt('onts', {})) as { ontSerial: string; circuitId: string }[];
    const circuit = onts.find(({ ontSerial }) => ontSerial === neighbour.serial)?.circuitId ?? '';
    const message = (type: number, ...options: readonly Uint8Array[]): Buffer => {
      const fixed = Buffer.alloc(240);
      fixed.set([1, 1, 6, 0, 0xde, 0xad, 0xbe, type], 0);
      fixed.write(shared.mac.replaceAll(':', ''), 28, 'hex');
      fixed.writeUInt32BE(0x63825363, 236);
      const all = [
        Buffer.from([53, 1, type]),
        ...options,
        option82(circuit, neighbour.serial),
        Buffer.from([255]),
      ];
      return garden
        .onTrunk(shared, { to: BROADCAST })
        .ipv4({ source: '0.0.0.0', destination: '255.255.255.255' })
        .udp({ source: 68, destination: 67 })
        .payload(Buffer.concat([fixed, ...all, Buffer.alloc(40)]))
        .bytes();
    };
    const rightful = shared.address();
    const ours = Buffer.from([50, 4, ...rightful.split('.').map(Number)]);
    const server = Buffer.from([54, 4, 10, 0, 0, 1]);
    const punted = (await garden.frames()).verdicts['punt']!;
    await garden.trunk.send(
      message(1),
      message(1, ours),
      message(3, ours),
      message(3, ours, server),
      message(7, server),
    );
    await eventually('all reached the control plane', async () =>
      (await garden.frames()).verdicts['punt']! >= punted + 5 ? true : null,
    );
    const { body } = await garden.bng.get(`/api/v1/sessions/${shared.serial}`);
    assert.deepEqual([body['state'], body['lease_phase'], body['address']], ['active', 'bound', rightful]);
    assert.equal((await shared.host.ping(internet)).received, 1);
    const mark = 'still-to-the-rightful-holder';
    await garden.core.send(
      garden.fromCore().ipv4({ source: internet, destination: rightful }).udp(ports).payload(mark).bytes(),
    );
    await shared.peer.frame(mark, (frame) => frame.includes(mark));
  });
  it('two who may reach each other do so through the gateway, counted once each, and are never redirected', async () => {
    const lengths = { quick: 20 + 8 + 5, slow: 24 + 8 + 4 };
    const to = (options?: Uint8Array): PacketBuilder =>
      alice
        .toGateway()
        .ipv4({
          source: alice.address(),
          destination: bob.address(),
          ...(options === undefined ? {} : { options }),
        })
        .udp(ports);
    const earlier = await Promise.all([alice, bob].map(({ serial }) => garden.traffic(serial)));
    alice.peer.forget();
    bob.peer.forget();
    // Options send a packet through the stack, which would tell its sender of the short way (RFC 792, redirect).
    await alice.peer.send(
      to().payload('quick').bytes(),
      to(Uint8Array.of(1, 1, 1, 1))
        .payload('slow')
        .bytes(),
    );
    for (const text of ['quick', 'slow']) await bob.peer.frame(text, (frame) => frame.includes(text));
    const mark = 'after-a-redirect-would-be-here';
    await garden.core.send(
      garden
        .fromCore()
        .ipv4({ source: internet, destination: alice.address() })
        .udp(ports)
        .payload(mark)
        .bytes(),
    );
    await alice.peer.frame(mark, (frame) => frame.includes(mark));
    const others = alice.peer.frames.filter((frame) => !frame.includes(mark));
    assert.deepEqual(
      others.map((frame) => frame.toString('hex')),
      [],
    );
    const [a, b] = await Promise.all([alice, bob].map(({ serial }) => garden.traffic(serial)));
    assert.equal(a!.upstreamPackets - earlier[0]!.upstreamPackets, 2);
    assert.equal(a!.upstreamBytes - earlier[0]!.upstreamBytes, lengths.quick + lengths.slow);
    assert.equal(b!.downstreamPackets - earlier[1]!.downstreamPackets, 2);
    assert.equal(b!.downstreamBytes - earlier[1]!.downstreamBytes, lengths.quick + lengths.slow);
  });
});
