/** What the access node does to frames, seen at both its ends on the real kernel. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Lab } from '../../src/lab/lab.js';
import { MAC_BROADCAST, parseMac } from '../../src/model/mac.js';
import type { Tagging } from '../../src/olt/protocol.js';
import { ontListSchema } from '../../src/olt/protocol.js';
import type { DhcpFrame } from '../../src/wire/dhcpv4-frame.js';
import { encodeDhcpFrame } from '../../src/wire/dhcpv4-frame.js';
import { encodeDhcpMessage } from '../../src/wire/dhcpv4-message.js';
import { DhcpOptionsBuilder } from '../../src/wire/dhcpv4-options-builder.js';
import { decodeEthernet, encodeEthernet } from '../../src/wire/ethernet.js';
import { IPV4_ANY, IPV4_BROADCAST } from '../../src/model/ipv4.js';
import { asDhcp, dhcpOf, FakeGateway } from './lab-fake-gateway.js';
import { WireTap } from './lab-wire-tap.js';

const GARDEN = 4000;
const EXPERIMENTAL = 0x88b5;

interface Line {
  readonly ontSerial: string;
  readonly port: string;
  readonly tagging: Tagging;
  readonly tags: readonly (readonly [number, number])[];
}

const LINES: readonly Line[] = [
  {
    ontSerial: 'QINQ0001',
    port: '1/1/1',
    tagging: 'qinq',
    tags: [
      [0x88a8, GARDEN],
      [0x8100, 1],
    ],
  },
  { ontSerial: 'SINGLE01', port: '1/1/2', tagging: 'single', tags: [[0x8100, GARDEN]] },
  { ontSerial: 'UNTAG001', port: '1/1/3', tagging: 'untagged', tags: [] },
  { ontSerial: 'SINGLE02', port: '1/1/4', tagging: 'single', tags: [[0x8100, GARDEN]] },
];

function discover(source: ReturnType<typeof parseMac>, withOption82: boolean): Uint8Array {
  const options = new DhcpOptionsBuilder().messageType('DHCPDISCOVER');
  if (withOption82) options.relayAgentInformation({ circuitId: Buffer.from('agg-01|1/1/1') });
  return encodeDhcpFrame({
    destinationMac: MAC_BROADCAST,
    sourceMac: source,
    tags: [],
    sourceIp: IPV4_ANY,
    destinationIp: IPV4_BROADCAST,
    sourcePort: 68,
    destinationPort: 67,
    payload: encodeDhcpMessage({
      op: 'BOOTREQUEST',
      xid: 0x7a7a7a7a,
      chaddr: source,
      options: options.build(),
    }),
  });
}

function marked(
  source: ReturnType<typeof parseMac>,
  destination: ReturnType<typeof parseMac>,
  text: string,
): Uint8Array {
  return encodeEthernet(
    { source, destination, tags: [], etherType: EXPERIMENTAL },
    Buffer.from(text.padEnd(50)),
  );
}

const carries =
  (text: string) =>
  (frame: Buffer): Buffer | null =>
    frame.includes(text) ? frame : null;

describe('frames through the access node', { timeout: 90_000 }, () => {
  let lab: Lab;
  let trunk: WireTap;
  let gateway: FakeGateway;
  const taps = new Map<string, WireTap>();
  const tapOf = (ontSerial: string): WireTap => taps.get(ontSerial)!;

  before(async () => {
    lab = await Lab.create({ prefix: 'lbf', gardenSVlan: GARDEN });
    trunk = await WireTap.open(lab.namespaces.bng, 'access0');
    gateway = new FakeGateway(trunk);
    await Promise.all(LINES.map((line) => lab.plug({ ...line, client: 'udhcpc' })));
    await Promise.all(
      lab.onts.map(async (ont) => taps.set(ont.ontSerial, await WireTap.open(ont.namespace, 'eth0'))),
    );
  });
  after(async () => {
    await Promise.all([trunk, ...taps.values()].map((tap) => tap?.close()));
    await lab?.close();
  });

  /** Everything sent to an ONT before is on its tap when the answer to a ping is. */
  async function settle(): Promise<void> {
    for (const ont of lab.onts) {
      const tap = tapOf(ont.ontSerial);
      const from = tap.frames.length;
      assert.deepEqual(await ont.ping('10.0.0.1'), { sent: 1, received: 1 });
      await tap.waitFor('echo reply', (frame) => (frame[23] === 1 && frame[34] === 0 ? frame : null), from);
    }
  }

  async function waitForCount(name: string, expected: number): Promise<void> {
    const deadline = performance.now() + 5_000;
    for (;;) {
      const found = (await lab.oltStats()).counts[name];
      if (found === expected) return;
      assert.ok(performance.now() < deadline, `expected ${name} to become ${expected}, found ${found}`);
    }
  }

  for (const line of LINES) {
    it(`a DISCOVER of ${line.ontSerial} (${line.tagging}) reaches the BNG with the line's tags and option 82`, async () => {
      const { ethernet, message } = await trunk.waitFor<DhcpFrame>(
        'DISCOVER',
        dhcpOf('DHCPDISCOVER', line.ontSerial),
      );
      assert.deepEqual(
        ethernet.tags.map((tag) => [tag.tpid, tag.vlanId]),
        line.tags,
      );
      const information = message.options.relayAgentInformation!;
      assert.equal(Buffer.from(information.circuitId!).toString(), `agg-01|${line.port}`);
      assert.equal(message.chaddr, lab.ont(line.ontSerial).mac);
    });

    it(`the client of ${line.ontSerial} gets a lease, and ARP and ping pass both ways`, async () => {
      const ont = lab.ont(line.ontSerial);
      const lease = await ont.waitForLease(10_000);
      assert.ok(lease !== null, 'no lease');
      assert.equal((await ont.address())?.address, lease.address);
      assert.equal(lease.router, '10.0.0.1');
      assert.deepEqual(await ont.ping('10.0.0.1', { count: 2 }), { sent: 2, received: 2 });
      // 1500 bytes of IP and both tags fit the trunk.
      assert.deepEqual(await ont.ping('10.0.0.1', { size: 1472 }), { sent: 1, received: 1 });
    });
  }

  it('a reply goes to the ONT that option 82 names, without option 82, and to no other on the same VLAN', async () => {
    const request = trunk.frames.map(dhcpOf('DHCPDISCOVER', 'SINGLE01')).find((found) => found !== null)!;
    const marker = { ...request.message, xid: 0x5eed5eed, flags: 0x8000 };
    gateway.reply(request.ethernet, marker, 'DHCPOFFER', 'SINGLE01');
    const pick = (frame: Buffer): DhcpFrame | null => {
      const found = asDhcp(frame);
      return found?.message.xid === 0x5eed5eed ? found : null;
    };
    const received = await tapOf('SINGLE01').waitFor('OFFER', pick);
    assert.equal(received.ethernet.tags.length, 0);
    assert.equal(received.message.options.has(82), false);
    await settle();
    for (const line of LINES.filter(({ ontSerial }) => ontSerial !== 'SINGLE01')) {
      assert.equal(
        tapOf(line.ontSerial)
          .frames.map(pick)
          .filter((found) => found !== null).length,
        0,
        line.ontSerial,
      );
    }
  });

  it('a reply with the tags of another line is dropped and counted', async () => {
    const single = trunk.frames.map(dhcpOf('DHCPDISCOVER', 'SINGLE01')).find((found) => found !== null)!;
    const untagged = trunk.frames.map(dhcpOf('DHCPDISCOVER', 'UNTAG001')).find((found) => found !== null)!;
    const before_ = (await lab.oltStats()).counts['dhcpWrongVlan']!;
    gateway.reply(untagged.ethernet, single.message, 'DHCPOFFER', 'SINGLE01');
    await waitForCount('dhcpWrongVlan', before_ + 1);
  });

  it('a customer who brings an option 82 is dropped and counted', async () => {
    const ont = lab.ont('QINQ0001');
    const from = trunk.frames.length;
    tapOf(ont.ontSerial).send(discover(ont.mac, true));
    tapOf(ont.ontSerial).send(discover(ont.mac, false));
    const passed = await trunk.waitFor(
      'DISCOVER',
      (frame) => {
        const found = asDhcp(frame);
        return found?.message.xid === 0x7a7a7a7a ? found : null;
      },
      from,
    );
    assert.equal(
      Buffer.from(passed.message.options.relayAgentInformation!.remoteId!).toString(),
      ont.ontSerial,
    );
    const same = trunk.frames.slice(from).filter((frame) => asDhcp(frame)?.message.xid === 0x7a7a7a7a);
    assert.equal(same.length, 1);
    await waitForCount('dhcpForgedOption82', 1);
  });

  it('a broadcast of one ONT reaches the trunk and no other ONT', async () => {
    const ont = lab.ont('SINGLE01');
    tapOf('SINGLE01').send(marked(ont.mac, MAC_BROADCAST, 'shout'));
    const frame = await trunk.waitFor('broadcast', carries('shout'));
    assert.deepEqual(
      decodeEthernet(frame).tags.map((tag) => tag.vlanId),
      [GARDEN],
    );
    await settle();
    for (const line of LINES) assert.ok(!tapOf(line.ontSerial).frames.some(carries('shout')), line.ontSerial);
  });

  it('a broadcast from the trunk on a VLAN that several ONTs share is dropped', async () => {
    const header = {
      source: parseMac('02:00:00:00:ff:01'),
      destination: MAC_BROADCAST,
      etherType: EXPERIMENTAL,
    };
    const tags = [{ tpid: 0x8100, vlanId: GARDEN, priority: 0, dropEligible: false }];
    trunk.send(encodeEthernet({ ...header, tags }, Buffer.from('flood'.padEnd(50))));
    await settle();
    for (const line of LINES) assert.ok(!tapOf(line.ontSerial).frames.some(carries('flood')), line.ontSerial);
    assert.ok((await lab.oltStats()).counts['dropNotFlooded']! >= 1);
  });

  it('nobody on a shared VLAN takes over the MAC address of a neighbour', async () => {
    const victim = lab.ont('SINGLE02');
    const from = trunk.frames.length;
    tapOf('SINGLE01').send(marked(victim.mac, MAC_BROADCAST, 'thief'));
    assert.deepEqual(await victim.ping('10.0.0.1'), { sent: 1, received: 1 });
    assert.ok(!trunk.frames.slice(from).some((frame) => frame.includes('thief')));
    await waitForCount('dropStationMoved', 1);
  });

  it('reconfiguring moves the line to other tags and bounces the link, so that the client asks again', async () => {
    const ont = lab.ont('QINQ0001');
    const from = trunk.frames.length;
    await lab.askOlt('reconfigure', {
      ontSerial: ont.ontSerial,
      sVlan: 200,
      qosDownloadBps: 9,
      qosUploadBps: 8,
    });
    assert.ok(await ont.waitForCarrierLosses(1, 5_000), 'no carrier loss');
    const request = await trunk.waitFor('REQUEST', dhcpOf('DHCPREQUEST', ont.ontSerial), from);
    assert.deepEqual(
      request.ethernet.tags.map((tag) => tag.vlanId),
      [200, 1],
    );
    assert.deepEqual(await ont.ping('10.0.0.1'), { sent: 1, received: 1 });
  });

  it('reconfiguring to what already is does not bounce the link', async () => {
    const ont = lab.ont('QINQ0001');
    const losses = ont.carrierLosses;
    await lab.askOlt('reconfigure', {
      ontSerial: ont.ontSerial,
      sVlan: 200,
      qosDownloadBps: 9,
      qosUploadBps: 8,
    });
    assert.deepEqual(await ont.ping('10.0.0.1'), { sent: 1, received: 1 });
    assert.equal(ont.carrierLosses, losses);
  });

  it('an unplugged ONT is gone from the access node, and its VLAN neighbour goes on', async () => {
    await tapOf('SINGLE02').close();
    taps.delete('SINGLE02');
    await lab.unplug('SINGLE02');
    assert.deepEqual(
      ontListSchema
        .parse(await lab.askOlt('onts', {}))
        .map((ont) => ont.ontSerial)
        .sort(),
      ['QINQ0001', 'SINGLE01', 'UNTAG001'],
    );
    assert.deepEqual(await lab.ont('SINGLE01').ping('10.0.0.1'), { sent: 1, received: 1 });
  });
});
