/** RFC 4388: access nodes ask who holds an address, by address, MAC and client identifier; nobody else may. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Ipv4 } from '../../src/model/ipv4.js';
import { IPV4_ANY } from '../../src/model/ipv4.js';
import type { Mac } from '../../src/model/mac.js';
import { MAC_BROADCAST } from '../../src/model/mac.js';
import type { Heard } from '../support/dhcp-client.js';
import { kindOf, leaseTimesOf, rawOption, serverIdOf } from '../support/dhcp-client.js';
import { DhcpClient } from '../support/dhcp-client.js';
import { settled } from '../support/fake-clock.js';
import { GARDEN, InnerBng, ip } from '../support/inner-bng.js';
import { encodeDhcpFrame } from '../../src/wire/dhcpv4-frame.js';
import { encodeDhcpMessage } from '../../src/wire/dhcpv4-message.js';
import { DhcpOption } from '../../src/wire/dhcpv4-option-codes.js';
import { DhcpOptionsBuilder } from '../../src/wire/dhcpv4-options-builder.js';

const RELAY = ip('172.16.0.1');
const RELAY_MAC = 0x02_00_00_00_aa_01 as Mac;
const CLIENT_ID = Uint8Array.of(0, 1, 2, 3);

interface Query {
  readonly ciaddr?: Ipv4;
  readonly mac?: Mac;
  readonly clientId?: Uint8Array;
  readonly list?: readonly number[];
  readonly giaddr?: Ipv4;
}

let bng: InnerBng;
let client: DhcpClient;
let address: Ipv4;

beforeEach(async () => {
  const relays = new Map([
    [RELAY, { pools: ['wgar', 'isp'], leasequery: true }],
    [ip('172.16.0.2'), { pools: [], leasequery: false }],
  ]);
  bng = new InnerBng({ rules: { relays } });
  client = bng.ont('ONT1', { clientId: CLIENT_ID });
  address = (await client.lease()).message.yiaddr;
});
afterEach(() => assert.deepEqual(bng.bugs, []));

/** What the relay hears to its question. */
async function asked({
  ciaddr = IPV4_ANY,
  mac,
  clientId,
  list,
  giaddr = RELAY,
}: Query): Promise<Heard | null> {
  const relay = new DhcpClient({ dataplane: bng.dataplane, mac: RELAY_MAC, ifindex: 5 });
  const options = new DhcpOptionsBuilder().messageType('DHCPLEASEQUERY');
  if (clientId !== undefined) options.clientIdentifier(clientId);
  if (list !== undefined) options.raw(DhcpOption.ParameterRequestList, Uint8Array.from(list));
  const payload = encodeDhcpMessage({
    op: 'BOOTREQUEST',
    xid: 0x4388,
    ciaddr,
    giaddr,
    chaddr: mac ?? (0 as Mac),
    ...(mac === undefined ? { htype: 0, hlen: 0 } : {}),
    options: options.build(),
  });
  relay.punt(
    encodeDhcpFrame({
      ...{ destinationMac: MAC_BROADCAST, sourceMac: RELAY_MAC, tags: [], payload },
      ...{ sourceIp: giaddr, destinationIp: GARDEN.gateway, sourcePort: 67, destinationPort: 67 },
    }),
  );
  await settled();
  const answers = relay.heard();
  assert.ok(answers.length <= 1);
  return answers[0] ?? null;
}

describe('RFC 4388: leasequery', () => {
  const keys: readonly (readonly [string, () => Query])[] = [
    ['by IP address', () => ({ ciaddr: address })],
    ['by MAC address', () => ({ mac: client.mac })],
    ['by client identifier', () => ({ clientId: CLIENT_ID })],
  ];
  for (const [name, query] of keys) {
    it(`RFC 4388 §6.4.2: ${name}: ACTIVE, with the address in ciaddr and the MAC in chaddr, to giaddr at port 67`, async () => {
      const answer = await asked(query());
      assert.equal(kindOf(answer), 'DHCPLEASEACTIVE');
      const { message } = answer!;
      assert.deepEqual([message.ciaddr, message.chaddr, message.yiaddr], [address, client.mac, IPV4_ANY]);
      assert.deepEqual([message.htype, message.hlen, message.xid, message.giaddr], [1, 6, 0x4388, RELAY]);
      assert.deepEqual([answer?.destinationIp, answer?.sourcePort, answer?.destinationPort], [RELAY, 67, 67]);
      assert.equal(serverIdOf(answer!), GARDEN.gateway);
    });
  }

  it('RFC 4388 §6.4.2: times are what is left: lease, T1 and T2, and how long ago the client was heard', async () => {
    await bng.clock.advance(200_000);
    const answer = await asked({ ciaddr: address });
    assert.deepEqual(leaseTimesOf(answer!), [400, 100, 325]);
    assert.equal(answer?.message.options.lastTransactionSeconds, 200);
    await bng.clock.advance(150_000);
    assert.deepEqual(leaseTimesOf((await asked({ ciaddr: address }))!), [250, undefined, 175]);
  });

  it('RFC 4388 §6.4.2: option 82 and 61 are those that the client last came with', async () => {
    const answer = await asked({ mac: client.mac });
    assert.equal(rawOption(answer!, DhcpOption.ClientIdentifier), Buffer.from(CLIENT_ID).toString('hex'));
    assert.equal(answer?.message.options.relayAgentInformation?.remoteId?.length, 4);
  });

  it('RFC 4388 §6.4.2: a parameter request list says which of them', async () => {
    const answer = await asked({ ciaddr: address, list: [51] });
    const codes = [...answer!.message.options.entries()].map(([code]) => code);
    assert.deepEqual(codes, [53, 54, 51]);
  });

  it('RFC 4388 §6.4.1: an address of ours that nobody holds is UNASSIGNED', async () => {
    const answer = await asked({ ciaddr: ip('10.255.0.250') });
    assert.equal(kindOf(answer), 'DHCPLEASEUNASSIGNED');
    assert.equal(answer?.message.ciaddr, ip('10.255.0.250'));
  });

  it('RFC 4388 §6.4.1: also one that is only offered', async () => {
    const other = bng.ont('ONT2', { mac: (client.mac + 1) as Mac });
    const { yiaddr } = (await other.discover())!.message;
    assert.equal(kindOf(await asked({ ciaddr: yiaddr })), 'DHCPLEASEUNASSIGNED');
  });

  it('RFC 4388 §6.4.1: what we know nothing of is UNKNOWN: another network, MAC, identifier', async () => {
    const queries = [{ ciaddr: ip('192.0.2.1') }, { mac: RELAY_MAC }, { clientId: Uint8Array.of(9, 9) }];
    for (const query of queries) assert.equal(kindOf(await asked(query)), 'DHCPLEASEUNKNOWN');
  });

  it('RFC 4388 §6.3: a query by nothing, or by two things, gets silence', async () => {
    for (const query of [
      {},
      { ciaddr: address, clientId: CLIENT_ID },
      { ciaddr: address, mac: client.mac },
    ]) {
      assert.equal(await asked(query), null);
    }
    assert.equal(bng.server.drops().get('inconsistent'), 3);
  });

  it('RFC 4388 §7: only relays that are configured for it may ask, and none without giaddr', async () => {
    for (const giaddr of [ip('172.16.0.2'), ip('172.16.0.3'), IPV4_ANY]) {
      assert.equal(await asked({ ciaddr: address, giaddr }), null);
    }
    assert.equal(bng.server.drops().get('untrusted-relay'), 3);
  });

  it('RFC 4388 §6.4: the question changes nothing', async () => {
    const before = JSON.stringify([...bng.manager.operator.sessions()]);
    for (const [, query] of keys) await asked(query());
    assert.equal(JSON.stringify([...bng.manager.operator.sessions()]), before);
  });

  it('what does not fit the relay’s message is not cut: silence, counted', async () => {
    await client.say('DHCPREQUEST', {
      ciaddr: address,
      options: [
        [DhcpOption.ClientIdentifier, new Uint8Array(600)],
        [DhcpOption.MaxMessageSize, Uint8Array.of(5, 220)],
      ],
    });
    assert.equal(await asked({ ciaddr: address }), null);
    assert.equal(bng.server.drops().get('reply-too-long'), 1);
  });

  it('a parameter request list without a byte is malformed', async () => {
    assert.equal(await asked({ ciaddr: address, list: [] }), null);
    assert.equal(bng.server.drops().get('malformed'), 1);
  });

  it('after a RELEASE the address is unassigned', async () => {
    await client.say('DHCPRELEASE', { ciaddr: address });
    assert.equal(kindOf(await asked({ ciaddr: address })), 'DHCPLEASEUNASSIGNED');
    assert.equal(kindOf(await asked({ mac: client.mac })), 'DHCPLEASEUNKNOWN');
  });
});
