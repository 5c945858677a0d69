/** One line floods with everything it has; another goes on as if nothing were. Counts answers, asserts no times. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { CORE_ADDRESSES } from '../../src/lab/core-network.js';
import type { Subscriber } from '../support/garden-lab.js';
import { GardenLab, growth } from '../support/garden-lab.js';
import { address as numberOf, mac as macBytes } from '../support/packet.js';
import { sumOf, WireCount } from '../support/wire-count.js';

const { internet } = CORE_ADDRESSES;
const BROADCAST = 'ff:ff:ff:ff:ff:ff';
const GATEWAY = '10.0.0.1';
const FLOOD_MS = 4_000;
/** Slower than an installed line may ask (20 a second), so that none is the line's own fault. */
const RENEWALS = 30;
const RENEWAL_PAUSE_MS = 100;
const MADE_UP = 512;

interface Asked {
  readonly type: 1 | 3;
  readonly xid: number;
  readonly mac: string;
  readonly ciaddr?: string;
}

/** A message of a client, laid out by hand (RFC 2131 §2). */
function dhcp({ type, xid, mac, ciaddr = '0.0.0.0' }: Asked): Buffer {
  const message = Buffer.alloc(300);
  message.set([1, 1, 6, 0]);
  message.writeUInt32BE(xid, 4);
  message.writeUInt32BE(numberOf(ciaddr), 12);
  message.set(macBytes(mac), 28);
  message.writeUInt32BE(0x63825363, 236);
  message.set([53, 1, type, 255], 240);
  return message;
}

const madeUpMac = (n: number): string =>
  `02:66:00:00:${(n >> 8).toString(16).padStart(2, '0')}:${(n & 255).toString(16).padStart(2, '0')}`;

describe('a line that floods', () => {
  let garden: GardenLab;
  let flooder: Subscriber;
  let victim: Subscriber;
  before(async () => {
    garden = await GardenLab.open('d4p');
    flooder = await garden.subscribe('ALCL00000001');
    victim = await garden.subscribe('ALCL00000002');
    await garden.activate(victim);
  });
  after(() => garden.close());

  /** DHCP under made-up MACs and transaction ids, ARP, and packets under addresses of others, all with the line's tags. */
  function everything(): Uint8Array[] {
    return Array.from({ length: MADE_UP }, (_, n) => {
      const mac = madeUpMac(n);
      const to = (destination: string) => garden.onTrunk(flooder, { mac, to: destination });
      const discover = to(BROADCAST)
        .ipv4({ source: '0.0.0.0', destination: '255.255.255.255' })
        .udp({ source: 68, destination: 67 })
        .payload(dhcp({ type: 1, xid: 0x66000000 + n, mac }));
      const arp = to(BROADCAST).arp({
        operation: 1,
        senderMac: mac,
        senderAddress: victim.address(),
        targetAddress: GATEWAY,
      });
      const spoofed = garden
        .onTrunk(flooder)
        .ipv4({ source: victim.address(), destination: internet })
        .udp({ source: 1, destination: 2 })
        .payload(Buffer.alloc(64));
      const renewalOfAnother = garden
        .onTrunk(flooder, { mac: victim.mac, to: BROADCAST })
        .ipv4({ source: '0.0.0.0', destination: '255.255.255.255' })
        .udp({ source: 68, destination: 67 })
        .payload(dhcp({ type: 3, xid: n, mac: victim.mac, ciaddr: victim.address() }));
      return [discover, arp, spoofed, renewalOfAnother].map((frame) => frame.bytes());
    }).flat();
  }

  async function renewals(): Promise<number> {
    let answered = 0;
    for (let n = 0; n < RENEWALS; n++) {
      const xid = 0x11000000 + n;
      await victim.peer.send(
        victim
          .toGateway()
          .ipv4({ source: victim.address(), destination: GATEWAY })
          .udp({ source: 68, destination: 67 })
          .payload(dhcp({ type: 3, xid, mac: victim.mac, ciaddr: victim.address() }))
          .bytes(),
      );
      await victim.peer.frame(`an ACK of renewal ${n}`, (frame) => isAck(frame, xid));
      answered += 1;
      await pause(RENEWAL_PAUSE_MS);
    }
    return answered;
  }

  /** UDP 67 → 68 with this transaction id and message type ACK, untagged as the equipment has it. */
  function isAck(frame: Buffer, xid: number): boolean {
    if (frame.length < 286 || frame.readUInt16BE(12) !== 0x0800 || frame[23] !== 17) return false;
    const message = frame.subarray(42);
    return message.readUInt32BE(4) === xid && message.includes(Buffer.from([53, 1, 5]), 240);
  }

  it('costs another neither a renewal nor a packet, and is held to its own share', async () => {
    const address = victim.address();
    const stream = victim
      .toGateway()
      .ipv4({ source: address, destination: internet })
      .udp({ source: 40_000, destination: 40_001 })
      .payload(Buffer.alloc(472))
      .bytes();
    const atCore = await WireCount.start(garden.lab, garden.lab.namespaces.core);
    const earlier = await garden.frames();
    const [flooded, answered, sent] = await Promise.all([
      garden.trunk.barrage(everything(), FLOOD_MS),
      renewals(),
      victim.peer.flood(stream, 2_000_000, FLOOD_MS),
    ]);
    assert.equal(answered, RENEWALS);
    const later = await garden.frames();
    const passed = sumOf(await atCore.stop(), 'from', address);
    assert.deepEqual(passed, { packets: sent.packets, bytes: sent.bytes });

    const drops = growth(earlier.drops, later.drops);
    const verdicts = growth(earlier.verdicts, later.verdicts);
    const each = flooded / 4;
    assert.ok(flooded > 20_000, `${flooded} frames are a flood`);
    // 16 messages at once and 20 a second, whatever MACs there are.
    const share = 16 + 20 * ((FLOOD_MS + 2_000) / 1000);
    assert.ok(verdicts['punt']! <= share + RENEWALS, `${verdicts['punt']} messages of ${flooded} got up`);
    assert.ok(drops['punt_line_rate']! >= 2 * each - share - 4, JSON.stringify(drops));
    // Under the flooder's own MAC it is a known line with another's address; all else is a station that nobody knows.
    assert.ok(drops['spoofed_address']! >= each - 4, JSON.stringify(drops));
    assert.ok(drops['unknown_line']! >= each - 4, JSON.stringify(drops));
    assert.equal(drops['punt_total_rate'] ?? 0, 0, 'the share of all is not touched');
    assert.equal(verdicts['arp_reply'] ?? 0, 0);
    assert.equal((await victim.host.ping(internet)).received, 1);
    assert.equal(
      (await flooder.host.ping(CORE_ADDRESSES.gardenAllowed)).received,
      1,
      'its own service goes on',
    );
  });
});
