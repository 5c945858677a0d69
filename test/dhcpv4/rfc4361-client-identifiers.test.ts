/** RFC 4361, 6842 and 7844: client identifiers as they come, and clients that say no more of themselves than they must. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { parseMac } from '../../src/model/mac.js';
import { DhcpOption } from '../../src/wire/dhcpv4-option-codes.js';
import { kindOf, rawOption } from '../support/dhcp-client.js';
import { GARDEN, InnerBng, ip } from '../support/inner-bng.js';

const MAC = parseMac('02:00:00:00:00:01');
/** Type 255, IAID, DUID-LLT. */
const DUID = Uint8Array.from(Buffer.from('ff00000001000100012a3b4c5d020000000001', 'hex'));
const BY_MAC = Uint8Array.of(1, 2, 0, 0, 0, 0, 1);
const WRONG = ip('10.255.0.250');

let bng: InnerBng;
beforeEach(() => {
  bng = new InnerBng();
});
afterEach(() => assert.deepEqual(bng.bugs, []));

describe('RFC 6842: the client identifier in answers', () => {
  const identifiers: readonly (readonly [string, Uint8Array])[] = [
    ['of type 1 with the MAC', BY_MAC],
    ['of type 255 with IAID and DUID (RFC 4361 §6.1)', DUID],
    ['of type 0 with text', Uint8Array.of(0, 97, 98)],
    ['of one byte, which RFC 2132 §9.14 does not allow', Uint8Array.of(1)],
    ['without a byte', new Uint8Array(0)],
    ['of 255 bytes', new Uint8Array(255).fill(9)],
  ];
  for (const [name, identifier] of identifiers) {
    it(`RFC 6842 §3: ${name} comes back unaltered in OFFER, ACK and NAK`, async () => {
      const client = bng.ont('ONT1');
      const options = [[DhcpOption.ClientIdentifier, identifier]] as const;
      const offer = await client.say('DHCPDISCOVER', { options });
      const requestedAddress = offer!.message.yiaddr;
      const ack = await client.say('DHCPREQUEST', { requestedAddress, serverId: GARDEN.gateway, options });
      const nak = await client.say('DHCPREQUEST', { requestedAddress: WRONG, options });
      assert.deepEqual([offer, ack, nak].map(kindOf), ['DHCPOFFER', 'DHCPACK', 'DHCPNAK']);
      for (const answer of [offer, ack, nak]) {
        assert.equal(
          rawOption(answer!, DhcpOption.ClientIdentifier),
          Buffer.from(identifier).toString('hex'),
        );
      }
    });
  }

  it('RFC 6842 §3: of a client that sends none there is none', async () => {
    const client = bng.ont('ONT1');
    for (const answer of [await client.discover(), await client.reboot(WRONG)]) {
      assert.equal(rawOption(answer!, DhcpOption.ClientIdentifier), undefined);
    }
  });
});

describe('RFC 4361: node-specific client identifiers', () => {
  it('RFC 4361 §6.3: a client with its identifier in place of the MAC is served, and the identifier is opaque', async () => {
    const ack = await bng.ont('ONT1', { clientId: DUID }).lease();
    assert.equal(bng.dataplane.installed(ack.message.yiaddr)?.attachment.mac, MAC);
  });

  it('RFC 4361 §6.4: a change of identifier on a line does not change its subscriber', async () => {
    const { yiaddr } = (await bng.ont('ONT1', { clientId: BY_MAC }).lease()).message;
    assert.equal((await bng.ont('ONT1', { clientId: DUID }).lease()).message.yiaddr, yiaddr);
    assert.equal(bng.accounted.filter(({ kind }) => kind === 'start').length, 1);
  });
});

describe('RFC 7844: anonymity profiles', () => {
  const anonymous = [
    [DhcpOption.ClientIdentifier, BY_MAC],
    [DhcpOption.ParameterRequestList, Uint8Array.of(1, 3, 6)],
  ] as const;

  it('RFC 7844 §3.1: DISCOVER and REQUEST with the least that can be said are served', async () => {
    const client = bng.ont('ONT1');
    const offer = await client.say('DHCPDISCOVER', { options: anonymous });
    const requestedAddress = offer!.message.yiaddr;
    const ack = await client.say('DHCPREQUEST', {
      requestedAddress,
      serverId: GARDEN.gateway,
      options: anonymous,
    });
    assert.equal(kindOf(ack), 'DHCPACK');
  });

  it('RFC 7844 §3.5: a MAC that changes keeps the subscriber where the access node names the line', async () => {
    const { yiaddr } = (await bng.ont('ONT1').lease()).message;
    const mac = parseMac('06:5e:11:22:33:44');
    const again = await bng.ont('ONT1', { mac }).lease();
    assert.equal(again.message.yiaddr, yiaddr);
    assert.equal(bng.dataplane.installed(yiaddr)?.attachment.mac, mac);
  });

  it('RFC 7844 §3.1: without an access node, another MAC is another subscriber: nothing links the two', async () => {
    bng = new InnerBng({ trustOption82: false });
    const one = await bng.station().lease();
    const two = await bng.station({ mac: parseMac('06:5e:11:22:33:44') }).lease();
    assert.notEqual(one.message.yiaddr, two.message.yiaddr);
  });

  it('RFC 7844 §3.3: a client that does not say which address it had gets one all the same', async () => {
    assert.equal(kindOf(await bng.ont('ONT1').say('DHCPDISCOVER', { options: anonymous })), 'DHCPOFFER');
  });

  it('RFC 7844 §3.9: the answer says nothing that the client did not: no host name', async () => {
    const client = bng.ont('ONT1');
    const named = await client.say('DHCPDISCOVER', {
      options: [[DhcpOption.HostName, Buffer.from('laptop')]],
    });
    assert.equal(rawOption(named!, DhcpOption.HostName), undefined);
  });
});
