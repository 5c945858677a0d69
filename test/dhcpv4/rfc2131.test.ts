/**
 * RFC 2131 §3 and §4, sentence by sentence, as far as they are about a server on a subscriber's path: each MUST and SHOULD
 * named by its section and asked in frames. Where the answer of a BNG differs, ARCHITECTURE.md says why.
 */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Ipv4 } from '../../src/model/ipv4.js';
import { IPV4_ANY, IPV4_BROADCAST } from '../../src/model/ipv4.js';
import { DhcpOption } from '../../src/wire/dhcpv4-option-codes.js';
import type { DhcpClient, Heard } from '../support/dhcp-client.js';
import { kindOf, leaseTimesOf, serverIdOf } from '../support/dhcp-client.js';
import { settled } from '../support/fake-clock.js';
import { GARDEN, HOME, InnerBng, ip } from '../support/inner-bng.js';

const WRONG = ip('10.255.0.250');
const RELAY = ip('10.255.0.77');
const OTHER_SERVER = ip('192.0.2.1');
const CLIENT_ID = Uint8Array.of(1, 2, 0, 0, 0, 0, 1);

let bng: InnerBng;
let client: DhcpClient;
let address: Ipv4;

beforeEach(async () => {
  bng = new InnerBng();
  await bng.detect('ONT1');
  client = bng.ont('ONT1', { clientId: CLIENT_ID });
  address = bng.manager.operator.sessionByOnt('ONT1')!.address!;
});
afterEach(() => assert.deepEqual(bng.bugs, []));

/** Options by code and value, without 53. */
function parameters(heard: Heard | null): readonly (readonly [number, string])[] {
  assert.ok(heard !== null);
  const { MessageType } = DhcpOption;
  return [...heard.message.options.entries()]
    .filter(([code]) => code !== MessageType)
    .map(([code, value]) => [code, Buffer.from(value).toString('hex')]);
}

function has(heard: Heard | null, ...codes: readonly number[]): readonly boolean[] {
  assert.ok(heard !== null);
  return codes.map((code) => heard.message.options.has(code));
}

/** OFFER, ACK and NAK of one client. */
async function three(of: DhcpClient): Promise<readonly [Heard, Heard, Heard]> {
  const offer = await of.discover();
  const ack = await of.select(offer!.message.yiaddr, serverIdOf(offer!));
  const nak = await of.reboot(WRONG);
  assert.deepEqual([offer, ack, nak].map(kindOf), ['DHCPOFFER', 'DHCPACK', 'DHCPNAK']);
  return [offer!, ack!, nak!];
}

type Case = readonly [name: string, act: () => Promise<void>];

const cases: Readonly<Record<string, readonly Case[]>> = {
  '§2 and §3: messages and the exchange': [
    [
      'RFC 2131 §2: the bits of flags behind the broadcast bit are ignored and given back',
      async () => {
        const frame = client.frame('DHCPDISCOVER');
        // flags, behind Ethernet, IPv4, UDP and 10 bytes of BOOTP.
        frame[14 + 28 + 11] = 0x7f;
        // A changed datagram without a checksum.
        frame.fill(0, 14 + 20 + 6, 14 + 20 + 8);
        client.punt(frame);
        await settled();
        const [offer] = client.heard();
        assert.equal(offer?.destinationIp, address);
        assert.equal(offer?.message.flags, 0x7f);
      },
    ],
    [
      'RFC 2131 §2: an answer needs no more than the 576 bytes that every client takes',
      async () => {
        for (const { bytes, ethernet } of await three(client))
          assert.ok(bytes.length - ethernet.payloadOffset <= 576);
      },
    ],
    [
      'RFC 2131 §3.1.2: the offer names an available address in yiaddr',
      async () => assert.equal((await client.discover())?.message.yiaddr, address),
    ],
    [
      'RFC 2131 §3.1.3: a request that selects another server is a refusal of our offer: silence, and nothing is bound',
      async () => {
        await client.discover();
        assert.equal(await client.select(address, OTHER_SERVER), null);
        assert.equal(bng.dataplane.installed(address), null);
      },
    ],
    [
      'RFC 2131 §3.1.4: the parameters of the ACK do not conflict with those of the OFFER',
      async () => {
        const [offer, ack] = await three(client);
        assert.deepEqual(parameters(ack), parameters(offer));
        assert.equal(ack.message.yiaddr, offer.message.yiaddr);
      },
    ],
    [
      'RFC 2131 §3.1.4: the address is not looked for again when the client selects it',
      async () => {
        const probing = new InnerBng({ probeWaitMs: 100 });
        const one = probing.ont('ONT1');
        one.punt(one.frame('DHCPDISCOVER'));
        await settled();
        await probing.clock.advance(100);
        const [offer] = one.heard();
        const before = probing.dataplane.transmitted.length;
        const ack = await one.select(offer!.message.yiaddr, GARDEN.gateway);
        assert.equal(kindOf(ack), 'DHCPACK');
        assert.equal(probing.dataplane.transmitted.length, before + 1);
      },
    ],
    [
      'RFC 2131 §3.1.4: a request that cannot be satisfied is answered with NAK',
      async () => assert.equal(kindOf(await client.select(WRONG, GARDEN.gateway)), 'DHCPNAK'),
    ],
    [
      'RFC 2131 §3.1: an offer binds nothing before the client requests it',
      async () => {
        await client.discover();
        assert.equal(bng.dataplane.installed(address), null);
        assert.equal(bng.accounted.length, 0);
      },
    ],
    [
      'RFC 2131 §3.1.5: after a DECLINE another address is offered',
      async () => {
        await client.lease();
        await client.say('DHCPDECLINE', { requestedAddress: address, serverId: GARDEN.gateway });
        assert.notEqual((await client.discover())?.message.yiaddr, address);
      },
    ],
    [
      'RFC 2131 §3.2: a client that remembers its address is acknowledged without a DISCOVER',
      async () => assert.equal(kindOf(await client.reboot(address)), 'DHCPACK'),
    ],
    [
      'RFC 2131 §3.2: one that remembers a wrong address is refused with NAK',
      async () => assert.equal(kindOf(await client.reboot(ip('192.0.2.9'))), 'DHCPNAK'),
    ],
    [
      'RFC 2131 §3.3: times are relative to the message: every ACK states the whole lease',
      async () => {
        const first = leaseTimesOf(await client.lease());
        await bng.clock.advance(200_000);
        assert.deepEqual(leaseTimesOf((await client.renew(address))!), first);
      },
    ],
    [
      'RFC 2131 §3.4: a client with an address of its own is told parameters by unicast to it',
      async () => {
        const answer = await client.say('DHCPINFORM', { ciaddr: WRONG });
        assert.equal(kindOf(answer), 'DHCPACK');
        assert.equal(answer?.destinationIp, WRONG);
      },
    ],
  ],
  '§4.1: constructing and sending messages': [
    [
      'RFC 2131 §4.1: from port 67 to port 68 of a client, to port 67 of a relay',
      async () => {
        for (const answer of await three(client))
          assert.deepEqual([answer.sourcePort, answer.destinationPort], [67, 68]);
        for (const answer of await three(bng.ont('ONT1', { giaddr: RELAY }))) {
          assert.deepEqual([answer.sourcePort, answer.destinationPort], [67, 67]);
        }
      },
    ],
    [
      'RFC 2131 §4.1: giaddr first: whatever else is set, the relay gets the answer',
      async () => {
        const relayed = bng.ont('ONT1', { giaddr: RELAY, broadcast: true });
        for (const answer of await three(relayed)) assert.equal(answer.destinationIp, RELAY);
        assert.equal((await relayed.renew(address))?.destinationIp, RELAY);
      },
    ],
    [
      'RFC 2131 §4.1: then ciaddr: a client that renews is answered there, whatever its flags',
      async () => {
        const loud = bng.ont('ONT1', { broadcast: true });
        await loud.lease();
        assert.equal((await loud.renew(address))?.destinationIp, address);
      },
    ],
    [
      'RFC 2131 §4.1: then the broadcast bit: 255.255.255.255',
      async () => {
        const offer = await bng.ont('ONT1', { broadcast: true }).discover();
        assert.equal(offer?.destinationIp, IPV4_BROADCAST);
      },
    ],
    [
      'RFC 2131 §4.1: then yiaddr, at the hardware address of the client',
      async () => {
        const offer = await client.discover();
        assert.equal(offer?.destinationIp, address);
        assert.equal(offer?.ethernet.destination, client.mac);
      },
    ],
    [
      'RFC 2131 §4.1: a NAK without a relay goes to 255.255.255.255',
      async () => assert.equal((await client.reboot(WRONG))?.destinationIp, IPV4_BROADCAST),
    ],
    [
      'RFC 2131 §4.1: xid, flags, giaddr and chaddr are those of the question',
      async () => {
        const relayed = bng.ont('ONT1', { giaddr: RELAY, broadcast: true });
        const frame = relayed.frame('DHCPDISCOVER');
        relayed.punt(frame);
        await settled();
        const [{ message }] = relayed.heard() as readonly [Heard];
        assert.equal(message.giaddr, RELAY);
        assert.equal(message.flags, 0x8000);
        assert.equal(message.chaddr, relayed.mac);
        assert.equal(message.xid, Buffer.from(frame).readUInt32BE(14 + 28 + 4));
      },
    ],
    [
      'RFC 2131 §4.1: every answer names its server, and servers that are not meant stay silent',
      async () => {
        for (const answer of await three(client)) assert.equal(serverIdOf(answer), GARDEN.gateway);
        const { length } = bng.dataplane.transmitted;
        await client.say('DHCPREQUEST', { requestedAddress: address, serverId: OTHER_SERVER });
        await client.say('DHCPRELEASE', { ciaddr: address, serverId: OTHER_SERVER });
        assert.equal(bng.dataplane.transmitted.length, length);
        assert.notEqual(bng.dataplane.installed(address), null);
      },
    ],
  ],
  '§4.2 and §4.3.1: who a client is, and DISCOVER': [
    [
      'RFC 2131 §4.2: another MAC or client identifier on the same line is the same subscriber: the access node names it',
      async () => {
        const mac = (client.mac + 9) as typeof client.mac;
        const other = bng.ont('ONT1', { mac, clientId: Uint8Array.of(0, 9, 9) });
        assert.equal((await other.discover())?.message.yiaddr, address);
        assert.equal([...bng.manager.operator.sessions()].length, 1);
      },
    ],
    [
      'RFC 2131 §4.3.1: the address is the one of the current binding',
      async () => {
        await client.lease();
        assert.equal((await client.discover())?.message.yiaddr, address);
      },
    ],
    [
      'RFC 2131 §4.3.1: else the one of the last binding, which has ended',
      async () => {
        await client.lease();
        await client.say('DHCPRELEASE', { ciaddr: address, serverId: GARDEN.gateway });
        assert.equal((await client.discover())?.message.yiaddr, address);
      },
    ],
    [
      'RFC 2131 §4.3.1: an address that the client wishes for may be declined, and is: AAA grants, the client does not',
      async () => {
        const offer = await client.say('DHCPDISCOVER', { requestedAddress: WRONG });
        assert.equal(offer?.message.yiaddr, address);
      },
    ],
    [
      'RFC 2131 §4.3.1: a lease time that the client wishes for is not promised beyond the configured one',
      async () => {
        const wish: readonly [number, Uint8Array] = [DhcpOption.LeaseTime, Uint8Array.of(255, 255, 255, 254)];
        assert.deepEqual(
          leaseTimesOf((await client.say('DHCPDISCOVER', { options: [wish] }))!),
          [600, 300, 525],
        );
      },
    ],
    [
      'RFC 2131 §4.3.1: without an address to offer there is silence',
      async () => {
        const tiny = new InnerBng({ defaultPool: 'tiny' });
        assert.equal(kindOf(await tiny.ont('ONT1').discover()), 'DHCPOFFER');
        assert.equal(await tiny.ont('ONT2', { mac: (client.mac + 1) as typeof client.mac }).discover(), null);
      },
    ],
    [
      'RFC 2131 §4.3.1: explicit values of the requested parameters are in the answer: mask, router, resolvers',
      async () => {
        const list: readonly [number, Uint8Array] = [DhcpOption.ParameterRequestList, Uint8Array.of(1, 3, 6)];
        assert.deepEqual(has(await client.say('DHCPDISCOVER', { options: [list] }), 1, 3, 6), [
          true,
          true,
          true,
        ]);
      },
    ],
    [
      'RFC 2131 §4.3.1 table 3: OFFER and ACK have 51, 53 and 54, and never 50, 55 or 57',
      async () => {
        const [offer, ack] = await three(client);
        for (const answer of [offer, ack]) {
          assert.deepEqual(has(answer, 51, 53, 54, 50, 55, 57), [true, true, true, false, false, false]);
        }
      },
    ],
    [
      'RFC 2131 §4.3.1 table 3: a NAK has 53, 54 and 56, and neither lease time nor any parameter, and no address',
      async () => {
        const [, , nak] = await three(client);
        assert.deepEqual(has(nak, 53, 54, 56, 50, 51, 55, 57, 1, 3, 6, 58, 59), [
          ...[true, true, true],
          ...Array.from({ length: 9 }, () => false),
        ]);
        const { yiaddr, ciaddr, siaddr } = nak.message;
        assert.deepEqual([yiaddr, ciaddr, siaddr], [0, 0, 0]);
      },
    ],
    [
      'RFC 2131 §4.3.1 table 3: op is BOOTREPLY, hops, secs and siaddr are 0, ciaddr of an OFFER is 0, of an ACK the client’s',
      async () => {
        const [offer] = await three(client);
        const renewed = await client.renew(address);
        for (const { message } of [offer, renewed!]) {
          assert.deepEqual([message.op, message.hops, message.secs, message.siaddr], ['BOOTREPLY', 0, 0, 0]);
        }
        assert.equal(offer.message.ciaddr, IPV4_ANY);
        assert.equal(renewed?.message.ciaddr, address);
      },
    ],
  ],
  '§4.3.2: REQUEST': [
    [
      'RFC 2131 §4.3.2 SELECTING: server identifier and requested address are those of the offer: ACK',
      async () => {
        await client.discover();
        assert.equal(kindOf(await client.select(address, GARDEN.gateway)), 'DHCPACK');
      },
    ],
    [
      'RFC 2131 §4.3.2 INIT-REBOOT: a network that is not this one is refused with NAK',
      async () => {
        for (const wrong of ['10.0.0.9', '192.0.2.9', '10.16.0.2']) {
          assert.equal(kindOf(await client.reboot(ip(wrong))), 'DHCPNAK', wrong);
        }
      },
    ],
    [
      'RFC 2131 §4.3.2 INIT-REBOOT: the right network and a wrong address: NAK, for we know the client',
      async () => assert.equal(kindOf(await client.reboot(WRONG)), 'DHCPNAK'),
    ],
    [
      'RFC 2131 §4.3.2 INIT-REBOOT: of a client of whom nobody has a record there is silence',
      async () => {
        const strict = new InnerBng({
          authenticator: {
            authenticate: async () => ({ kind: 'rejected', reason: 'nobody knows it' }),
            assign: () => undefined,
            forget: () => undefined,
          },
        });
        assert.equal(await strict.ont('ONT7').reboot(address), null);
      },
    ],
    [
      'RFC 2131 §4.3.2: a NAK through a relay asks it to broadcast, which the client may be on the wrong network for',
      async () => {
        const nak = await bng.ont('ONT1', { giaddr: RELAY }).reboot(WRONG);
        assert.equal(nak?.message.flags, 0x8000);
        assert.equal(nak?.destinationIp, RELAY);
      },
    ],
    [
      'RFC 2131 §4.3.2 RENEWING and REBINDING: the lease is extended, and ciaddr is trusted for the way back',
      async () => {
        await client.lease();
        for (const answer of [await client.renew(address), await client.rebind(address)]) {
          assert.equal(kindOf(answer), 'DHCPACK');
          assert.equal(answer?.destinationIp, address);
        }
      },
    ],
    [
      'RFC 2131 §4.3.2 REBINDING: an address that the client does not have here is refused',
      async () => assert.equal(kindOf(await client.rebind(WRONG)), 'DHCPNAK'),
    ],
    [
      'RFC 2131 §4.3.2: a message with neither ciaddr nor requested address fits no state and gets silence',
      async () => {
        assert.equal(await client.say('DHCPREQUEST'), null);
        assert.equal(bng.server.drops().get('inconsistent'), 1);
      },
    ],
  ],
  '§4.3.3 to §4.4: DECLINE, RELEASE, INFORM, times': [
    [
      'RFC 2131 §4.3.3: a declined address is marked as not available',
      async () => {
        await client.lease();
        await client.say('DHCPDECLINE', { requestedAddress: address, serverId: GARDEN.gateway });
        assert.equal(bng.pools.usage()[0]?.quarantined, 1);
        assert.equal(bng.dataplane.installed(address), null);
      },
    ],
    [
      'RFC 2131 §4.3.3: of an address of another line it changes nothing',
      async () => {
        await client.lease();
        const mac = (client.mac + 1) as typeof client.mac;
        await bng.ont('ONT2', { mac }).say('DHCPDECLINE', { requestedAddress: address });
        assert.equal(bng.pools.usage()[0]?.quarantined, 0);
      },
    ],
    [
      'RFC 2131 §4.3.4: a released address is no longer in use, without an answer, and is kept for the client',
      async () => {
        await client.lease();
        assert.equal(await client.say('DHCPRELEASE', { ciaddr: address, serverId: GARDEN.gateway }), null);
        assert.equal(bng.dataplane.installed(address), null);
        assert.equal((await client.discover())?.message.yiaddr, address);
      },
    ],
    [
      'RFC 2131 §4.3.4: of another line, or another station of the line, it changes nothing',
      async () => {
        await client.lease();
        const mac = (client.mac + 1) as typeof client.mac;
        for (const stranger of [bng.ont('ONT2', { mac }), bng.ont('ONT1', { mac })]) {
          await stranger.say('DHCPRELEASE', { ciaddr: address });
        }
        assert.notEqual(bng.dataplane.installed(address), null);
      },
    ],
    [
      'RFC 2131 §4.3.5: INFORM: parameters, no yiaddr, no lease time, whether there is a lease or not',
      async () => {
        for (const lease of [false, true]) {
          if (lease) await client.lease();
          const answer = await client.say('DHCPINFORM', { ciaddr: address });
          assert.equal(kindOf(answer), 'DHCPACK');
          assert.equal(answer?.message.yiaddr, IPV4_ANY);
          assert.deepEqual(leaseTimesOf(answer), [undefined, undefined, undefined]);
          assert.deepEqual(answer?.message.options.dnsServers, GARDEN.dns);
        }
      },
    ],
    [
      'RFC 2131 §4.3.5: INFORM from an address of another network is not consistent and gets silence',
      async () => assert.equal(await client.say('DHCPINFORM', { ciaddr: ip('192.0.2.7') }), null),
    ],
    [
      'RFC 2131 §4.3.5: INFORM through a relay is answered to it',
      async () => {
        const answer = await bng.ont('ONT1', { giaddr: RELAY }).say('DHCPINFORM', { ciaddr: address });
        assert.equal(answer?.destinationIp, RELAY);
      },
    ],
    [
      'RFC 2131 §4.4.5: T1 is half of the lease and T2 seven eighths, unless configured',
      async () => {
        assert.deepEqual(leaseTimesOf((await client.discover())!), [600, 300, 525]);
        const pool = { ...GARDEN, renewSeconds: 100, rebindSeconds: 400 };
        const timed = new InnerBng({ pools: [pool, HOME] });
        const ack = await timed.ont('ONT1').lease();
        assert.deepEqual(leaseTimesOf(ack), [600, 100, 400]);
      },
    ],
    [
      'RFC 2131 §4.4.5: T1 is earlier than T2, and T2 earlier than the end, also of the shortest lease',
      async () => {
        for (const leaseSeconds of [8, 60, 86_400]) {
          const short = new InnerBng({ pools: [{ ...GARDEN, leaseSeconds }, HOME] });
          const [lease = 0, renew = 0, rebind = 0] = leaseTimesOf((await short.ont('ONT1').discover())!);
          assert.ok(renew < rebind && rebind < lease, `${renew} ${rebind} ${lease}`);
        }
      },
    ],
  ],
};

for (const [section, list] of Object.entries(cases)) {
  describe(section, () => {
    for (const [name, act] of list) it(name, act);
  });
}
