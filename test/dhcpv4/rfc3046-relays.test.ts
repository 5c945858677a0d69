/** RFC 3046, 3527, 5010 and 5107: whose word on a line counts, and what a relay can say of its clients. */
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import type { Relay } from '../../src/dhcpv4/classify.js';
import type { Ipv4 } from '../../src/model/ipv4.js';
import { IPV4_ANY, ipv4ToBytes } from '../../src/model/ipv4.js';
import { DhcpOption } from '../../src/wire/dhcpv4-option-codes.js';
import type { DhcpClient, Heard } from '../support/dhcp-client.js';
import { kindOf, rawOption, serverIdOf } from '../support/dhcp-client.js';
import type { InnerBngOptions } from '../support/inner-bng.js';
import { GARDEN, HOME, InnerBng, ip, orderFor } from '../support/inner-bng.js';

const RELAY = ip('10.255.0.77');
const AWAY = ip('172.16.0.1');
const OVERRIDE = ip('10.255.0.5');
const REMOTE_ID: readonly [number, Uint8Array] = [2, Buffer.from('ONT1')];

let bng: InnerBng;
afterEach(() => assert.deepEqual(bng.bugs, []));

function open(more: InnerBngOptions = {}): InnerBng {
  bng = new InnerBng(more);
  return bng;
}

/** Option 82 of these sub-options, as an option to say. */
function told(...subOptions: readonly (readonly [number, Uint8Array])[]): readonly [number, Uint8Array] {
  const parts = subOptions.map(([code, value]) => Buffer.concat([Buffer.of(code, value.length), value]));
  return [DhcpOption.RelayAgentInformation, Buffer.concat(parts)];
}

function behind(giaddr: Ipv4, relays: Readonly<Record<string, Relay>> | null = null): DhcpClient {
  const known = relays && new Map(Object.entries(relays).map(([host, relay]) => [ip(host), relay] as const));
  return open({ rules: { relays: known } }).ont('ONT1', { giaddr });
}

async function offered(
  client: DhcpClient,
  ...subOptions: readonly (readonly [number, Uint8Array])[]
): Promise<Heard | null> {
  return client.say('DHCPDISCOVER', { options: [told(REMOTE_ID, ...subOptions)] });
}

describe('RFC 3046: option 82', () => {
  it('RFC 3046 §2.1: of an untrusted circuit, with a giaddr of 0, the message is refused', async () => {
    const client = open({ trustOption82: false }).ont('ONT1');
    assert.equal(await client.discover(), null);
    assert.equal(bng.server.drops().get('untrusted-option82'), 1);
  });

  it('RFC 3046 §2.1: or it counts for nothing, as configured: the line is the identity and nothing is given back', async () => {
    const client = open({ trustOption82: false, rules: { untrustedOption82: 'replace' } }).ont('ONT1');
    const ack = await client.lease();
    assert.equal(rawOption(ack, DhcpOption.RelayAgentInformation), undefined);
    assert.equal(bng.manager.operator.sessionByOnt('ONT1'), null);
    // Another serial from the same station names no other subscriber.
    const forged = await bng.ont('ONT2').lease();
    assert.equal(forged.message.yiaddr, ack.message.yiaddr);
    assert.equal([...bng.manager.operator.sessions()].length, 1);
  });

  it('RFC 3046 §2.2: it comes back byte for byte, unknown sub-options too, and last before END', async () => {
    const client = open().ont('ONT1');
    const value = [REMOTE_ID, [151, Uint8Array.of(1, 2, 3)], [152, new Uint8Array(0)]] as const;
    const offer = await client.say('DHCPDISCOVER', { options: [told(...value)] });
    assert.equal(
      rawOption(offer!, DhcpOption.RelayAgentInformation),
      Buffer.from(told(...value)[1]).toString('hex'),
    );
    assert.equal([...offer!.message.options.entries()].at(-1)?.[0], DhcpOption.RelayAgentInformation);
  });

  it('RFC 3046 §2.2: not where the question had none', async () => {
    const offer = await open().station().discover();
    assert.equal(rawOption(offer!, DhcpOption.RelayAgentInformation), undefined);
  });

  it('RFC 3046 §3: circuit-id and remote-id are opaque: bytes that are no text name a line as well', async () => {
    const client = open().ont('ONT1');
    const one = await client.say('DHCPDISCOVER', { options: [told([2, Uint8Array.of(0, 255)])] });
    const two = await client.say('DHCPDISCOVER', { options: [told([2, Uint8Array.of(0, 254)])] });
    assert.notEqual(one?.message.yiaddr, two?.message.yiaddr);
  });

  it('RFC 3046 §2.0: a sub-option that runs over the end, and one that comes twice, make the message malformed', async () => {
    const client = open().ont('ONT1');
    for (const value of [Uint8Array.of(1, 9, 1), Uint8Array.of(2, 1, 65, 2, 1, 66)]) {
      assert.equal(await client.say('DHCPDISCOVER', { options: [[82, value]] }), null);
    }
    assert.equal(bng.server.drops().get('malformed'), 2);
  });
});

describe('relays', () => {
  it('RFC 2131 §4.1: answers go to giaddr at port 67', async () => {
    const offer = await behind(RELAY, { '10.255.0.77': { pools: [], leasequery: false } }).discover();
    assert.deepEqual([offer?.destinationIp, offer?.destinationPort], [RELAY, 67]);
  });

  it('a relay that is not among those configured is not heard', async () => {
    const client = behind(RELAY, { '10.255.0.78': { pools: [], leasequery: true } });
    assert.equal(await client.discover(), null);
    assert.equal(bng.server.drops().get('untrusted-relay'), 1);
  });

  it('RFC 2131 §4.3.1: an address that is not good on the link of giaddr is not offered', async () => {
    const client = behind(ip('10.0.0.77'), { '10.0.0.77': { pools: [], leasequery: false } });
    assert.equal(await client.discover(), null);
    assert.equal(bng.server.drops().get('wrong-link'), 1);
  });

  it('RFC 2131 §4.3.1: pools may share a link, when it is configured so', async () => {
    const client = behind(AWAY, { '172.16.0.1': { pools: ['wgar', 'isp'], leasequery: false } });
    const { yiaddr } = (await client.lease()).message;
    await bng.manager.operator.activate(orderFor('ONT1'));
    assert.equal(kindOf(await client.rebind(yiaddr)), 'DHCPNAK');
    assert.equal(serverIdOf(await client.lease()), HOME.gateway);
  });

  it('RFC 2131 §4.3.2: a client that remembers an address of another link is refused before any session hears of it', async () => {
    const client = behind(AWAY, { '172.16.0.1': { pools: ['wgar'], leasequery: false } });
    const nak = await client.reboot(ip('10.0.0.9'));
    assert.equal(kindOf(nak), 'DHCPNAK');
    assert.equal(nak?.message.flags, 0x8000);
    assert.deepEqual([...bng.manager.operator.sessions()], []);
  });

  it('a relay whose own address lies in no pool may bring clients of any', async () => {
    const client = behind(AWAY, { '172.16.0.1': { pools: [], leasequery: false } });
    assert.equal(kindOf(await client.discover()), 'DHCPOFFER');
  });
});

describe('RFC 3527: link selection', () => {
  const link = (address: Ipv4): readonly [number, Uint8Array] => [5, ipv4ToBytes(address)];

  it('RFC 3527 §3: the link is that of the sub-option and not of giaddr, which stays the way back', async () => {
    const offer = await offered(behind(AWAY), link(ip('10.255.0.0')));
    assert.equal(kindOf(offer), 'DHCPOFFER');
    assert.equal(offer?.destinationIp, AWAY);
  });

  it('RFC 3527 §3: an address of another link is not offered, nor is any on a link that we do not have', async () => {
    for (const other of ['10.0.0.0', '192.0.2.0']) {
      assert.equal(await offered(behind(RELAY), link(ip(other))), null, other);
      assert.equal(bng.server.drops().get('wrong-link'), 1);
    }
  });

  it('RFC 3527 §3: it counts without a giaddr too, and XDP leaves such messages to us', async () => {
    const client = open().ont('ONT1');
    const options = [told(REMOTE_ID, link(ip('10.255.0.0')))];
    const offer = await client.say('DHCPDISCOVER', { options });
    const { yiaddr } = offer!.message;
    await client.say('DHCPREQUEST', { requestedAddress: yiaddr, serverId: GARDEN.gateway, options });
    assert.notEqual(bng.dataplane.installed(yiaddr), null);
    assert.equal(bng.dataplane.promised(bng.manager.operator.sessionByOnt('ONT1')!.attachment!), null);
  });

  it('RFC 3527 §3: a value that is no address makes the message malformed', async () => {
    assert.equal(await offered(behind(RELAY), [5, Uint8Array.of(1, 2, 3)]), null);
    assert.equal(bng.server.drops().get('malformed'), 1);
  });
});

describe('RFC 5010: relay agent flags', () => {
  const kinds: readonly (readonly [string, Ipv4, number | null, string])[] = [
    ['§4: with the unicast flag the message was a renewal', RELAY, 0x80, 'renewing'],
    ['§4: without it, it was broadcast: the client is rebinding', RELAY, 0, 'rebinding'],
    [
      '§4: without the sub-option nobody can tell: it is taken for a renewal, as it came',
      RELAY,
      null,
      'renewing',
    ],
    [
      '§4: without a relay the flags mean nothing: the message says itself that it was broadcast',
      IPV4_ANY,
      0x80,
      'rebinding',
    ],
  ];
  for (const [name, giaddr, flags, expected] of kinds) {
    it(`RFC 5010 ${name}`, async () => {
      const client = behind(giaddr);
      const { yiaddr } = (await client.lease()).message;
      const seen: string[] = [];
      const { inlet } = bng;
      inlet.request = (line, kind, address) => {
        seen.push(kind);
        return bng.manager.dhcp.request(line, kind, address);
      };
      const more = flags === null ? [] : [[10, Uint8Array.of(flags)] as const];
      const ack = await client.say('DHCPREQUEST', {
        ciaddr: yiaddr,
        ...(giaddr === IPV4_ANY ? {} : { destinationIp: GARDEN.gateway }),
        options: [told(REMOTE_ID, ...more)],
      });
      assert.equal(kindOf(ack), 'DHCPACK');
      assert.deepEqual(seen, [expected]);
    });
  }
});

describe('RFC 5107: server identifier override', () => {
  const override: readonly [number, Uint8Array] = [11, ipv4ToBytes(OVERRIDE)];
  const options = [told(REMOTE_ID, override)];

  it('RFC 5107 §4: the server identifier of every answer is that of the sub-option', async () => {
    const client = behind(RELAY);
    const offer = await offered(client, override);
    assert.equal(serverIdOf(offer!), OVERRIDE);
    assert.equal(offer?.sourceIp, GARDEN.gateway);
    const ack = await client.say('DHCPREQUEST', {
      requestedAddress: offer.message.yiaddr,
      serverId: OVERRIDE,
      options,
    });
    assert.equal(kindOf(ack), 'DHCPACK');
    assert.equal(serverIdOf(ack!), OVERRIDE);
    const nak = await client.say('DHCPREQUEST', { requestedAddress: ip('10.255.0.250'), options });
    assert.equal(serverIdOf(nak!), OVERRIDE);
  });

  it('RFC 5107 §4: a message for that server identifier is ours, where the sub-option comes with it', async () => {
    const client = behind(RELAY);
    const { yiaddr } = (await offered(client, override))!.message;
    const said = { requestedAddress: yiaddr, serverId: OVERRIDE };
    assert.equal(await client.say('DHCPREQUEST', { ...said, options: [told(REMOTE_ID)] }), null);
    assert.equal(bng.server.drops().get('other-server'), 1);
    assert.equal(kindOf(await client.say('DHCPREQUEST', { ...said, options })), 'DHCPACK');
    await client.say('DHCPRELEASE', { ciaddr: yiaddr, serverId: OVERRIDE, options });
    assert.equal(bng.dataplane.installed(yiaddr), null);
  });

  it('what XDP cannot say is not promised to it', async () => {
    const client = behind(RELAY);
    const { yiaddr } = (await offered(client, override))!.message;
    await client.say('DHCPREQUEST', { requestedAddress: yiaddr, serverId: OVERRIDE, options });
    assert.equal(bng.dataplane.promised(bng.manager.operator.sessionByOnt('ONT1')!.attachment!), null);
  });
});
