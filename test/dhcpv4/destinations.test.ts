/** Where answers go and what surrounds them (RFC 2131 §4.1): destinations, tags, sizes. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { IPV4_BROADCAST } from '../../src/model/ipv4.js';
import { parseMac } from '../../src/model/mac.js';
import { DhcpOption } from '../../src/wire/dhcpv4-option-codes.js';
import type { VlanTag } from '../../src/wire/ethernet.js';
import { kindOf } from '../support/dhcp-client.js';
import type { Heard } from '../support/dhcp-client.js';
import { GARDEN, InnerBng, ip } from '../support/inner-bng.js';

const WRONG = ip('10.255.0.250');
const tag = (tpid: number, vlanId: number): VlanTag => ({ tpid, vlanId, priority: 0, dropEligible: false });

let bng: InnerBng;
beforeEach(() => {
  bng = new InnerBng();
});
afterEach(() => assert.deepEqual(bng.bugs, []));

/** OFFER, ACK and NAK of one client. */
async function three(client: ReturnType<InnerBng['ont']>): Promise<readonly [Heard, Heard, Heard]> {
  const offer = await client.discover();
  const ack = await client.select(offer!.message.yiaddr, GARDEN.gateway);
  const nak = await client.reboot(WRONG);
  assert.deepEqual([offer, ack, nak].map(kindOf), ['DHCPOFFER', 'DHCPACK', 'DHCPNAK']);
  return [offer!, ack!, nak!];
}

describe('the IP destination of an answer', () => {
  it('is yiaddr for a client that takes unicast', async () => {
    const [offer, ack] = await three(bng.ont('ONT1'));
    assert.equal(offer.destinationIp, offer.message.yiaddr);
    assert.equal(ack.destinationIp, ack.message.yiaddr);
    assert.deepEqual([ack.sourcePort, ack.destinationPort], [67, 68]);
  });

  it('is broadcast when the broadcast flag is set, and the flag comes back', async () => {
    for (const answer of await three(bng.ont('ONT1', { broadcast: true }))) {
      assert.equal(answer.destinationIp, IPV4_BROADCAST);
      assert.equal(answer.message.flags, 0x8000);
    }
  });

  it('is ciaddr for a client that has its address', async () => {
    const client = bng.ont('ONT1', { broadcast: true });
    const address = (await client.lease()).message.yiaddr;
    assert.equal((await client.renew(address))?.destinationIp, address);
  });

  it('is broadcast for every NAK without a relay', async () => {
    const [, , nak] = await three(bng.ont('ONT1'));
    assert.equal(nak.destinationIp, IPV4_BROADCAST);
    assert.equal(nak.message.flags, 0);
  });

  it('is the relay at port 67 when giaddr is set, and a NAK then asks it to broadcast', async () => {
    const giaddr = ip('10.255.0.77');
    for (const answer of await three(bng.ont('ONT1', { giaddr }))) {
      assert.equal(answer.destinationIp, giaddr);
      assert.deepEqual([answer.sourcePort, answer.destinationPort], [67, 67]);
      assert.equal(answer.message.giaddr, giaddr);
      assert.equal(answer.message.flags, kindOf(answer) === 'DHCPNAK' ? 0x8000 : 0);
    }
  });
});

describe('the frame of an answer', () => {
  it('goes to the asking station only, from the gateway MAC, on the interface of the request', async () => {
    const mac = parseMac('02:00:00:00:00:42');
    for (const answer of await three(bng.ont('ONT1', { mac, ifindex: 9, broadcast: true }))) {
      assert.equal(answer.ethernet.destination, mac);
      assert.equal(answer.ethernet.source, bng.dataplane.accessMac());
      assert.equal(answer.ifindex, 9);
    }
    assert.ok(bng.dataplane.transmitted.every(({ ifindex }) => ifindex === 9));
  });

  const stacks: Readonly<Record<string, readonly VlanTag[]>> = {
    untagged: [],
    'one tag 0x8100': [tag(0x8100, 100)],
    'one tag 0x88a8': [tag(0x88a8, 100)],
    'QinQ 0x88a8 outside': [tag(0x88a8, 100), tag(0x8100, 7)],
    'QinQ 0x8100 outside': [tag(0x8100, 100), tag(0x8100, 7)],
    'QinQ with priorities': [
      { tpid: 0x88a8, vlanId: 4094, priority: 5, dropEligible: true },
      { tpid: 0x8100, vlanId: 1, priority: 3, dropEligible: false },
    ],
  };
  for (const [name, tags] of Object.entries(stacks)) {
    it(`has the tags of the request: ${name}`, async () => {
      for (const answer of await three(bng.ont('ONT1', { tags })))
        assert.deepEqual(answer.ethernet.tags, tags);
      const { attachment } = bng.manager.operator.sessionByOnt('ONT1')!;
      assert.equal(attachment?.sVlan, tags[0]?.vlanId ?? 0);
      assert.equal(attachment?.cVlan, tags[1]?.vlanId ?? 0);
    });
  }

  it('carries a message of 300 bytes or more', async () => {
    for (const answer of await three(bng.ont('ONT1'))) {
      assert.ok(answer.bytes.length - answer.ethernet.payloadOffset - 28 >= 300);
    }
  });
});

describe('the size of an answer', () => {
  const long = new Uint8Array(255).fill(7);
  const sized = (bytes: number): Uint8Array => Uint8Array.of(bytes >>> 8, bytes & 255);
  const ask = async (size: Uint8Array | null, clientId = long): Promise<Heard | null> =>
    bng
      .ont('ONT1', { clientId, circuitId: 'c'.repeat(100) })
      .say('DHCPDISCOVER', size === null ? {} : { options: [[DhcpOption.MaxMessageSize, size]] });
  const ipLength = (heard: Heard | null): number => heard!.bytes.length - heard!.ethernet.payloadOffset;

  it('stays within 576 bytes of IP for a client that says nothing, long options and all', async () => {
    const offer = await ask(null);
    assert.equal(kindOf(offer), 'DHCPOFFER');
    assert.ok(ipLength(offer) <= 576);
    assert.deepEqual(offer?.message.options.clientIdentifier, long);
  });

  it('may be longer for a client that takes more', async () => {
    const length = ipLength(await ask(sized(1400), new Uint8Array(500).fill(7)));
    assert.ok(length > 576 && length <= 1400, String(length));
  });

  it('never passes 1500 bytes, whatever the client says it takes', async () => {
    const offer = await ask(sized(65535), new Uint8Array(1000).fill(7));
    assert.ok(ipLength(offer) <= 1500);
  });

  it('that no message can hold makes silence, counted, and no defect', async () => {
    assert.equal(await ask(sized(576), new Uint8Array(900).fill(7)), null);
    assert.equal(bng.server.drops().get('reply-too-long'), 1);
  });

  it('is asked for with two bytes, or the message is malformed and the session not bothered', async () => {
    for (const size of [Uint8Array.of(5), Uint8Array.of(1, 2, 3)]) assert.equal(await ask(size), null);
    assert.equal(bng.server.drops().get('malformed'), 2);
    assert.deepEqual([...bng.manager.operator.sessions()], []);
  });
});
