/** What each DHCP message gets for an answer (RFC 2131 §4.3 and table 4), asked in frames. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { formatIpv4 } from '../../src/model/ipv4.js';
import type { Ipv4 } from '../../src/model/ipv4.js';
import { DhcpOption } from '../../src/wire/dhcpv4-option-codes.js';
import type { DhcpClient } from '../support/dhcp-client.js';
import { kindOf, leaseTimesOf, rawOption, serverIdOf } from '../support/dhcp-client.js';
import { GARDEN, HOME, InnerBng, ip, orderFor } from '../support/inner-bng.js';
import { settled } from '../support/fake-clock.js';

const CLIENT_ID = Uint8Array.of(0xff, 1, 2, 3, 4, 0, 3, 0, 1, 0xaa);

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

describe('DISCOVER, OFFER, REQUEST, ACK', () => {
  it('offers and acknowledges the address that authentication allocated', async () => {
    const offer = await client.discover();
    assert.equal(kindOf(offer), 'DHCPOFFER');
    assert.equal(offer?.message.yiaddr, address);
    assert.equal(offer?.message.op, 'BOOTREPLY');
    const ack = await client.select(address, serverIdOf(offer));
    assert.equal(kindOf(ack), 'DHCPACK');
    assert.equal(ack?.message.yiaddr, address);
    assert.equal(bng.dataplane.installed(address)?.attachment.mac, client.mac);
    assert.deepEqual(bng.decided, [
      ['offer', 'wgar'],
      ['ack', 'wgar'],
    ]);
  });

  it('states the terms of the pool in OFFER and ACK: options 1, 3, 6, 51, 54, 58, 59', async () => {
    const offer = await client.discover();
    const ack = await client.select(address, GARDEN.gateway);
    for (const answer of [offer!, ack!]) {
      const { options } = answer.message;
      assert.equal(formatIpv4(options.subnetMask!), '255.255.255.0');
      assert.deepEqual(options.routers, [GARDEN.gateway]);
      assert.deepEqual(options.dnsServers, GARDEN.dns);
      assert.deepEqual(leaseTimesOf(answer), [600, 300, 525]);
      assert.equal(serverIdOf(answer), GARDEN.gateway);
      assert.equal(answer.sourceIp, GARDEN.gateway);
    }
  });

  it('gives the same offer to every repeated DISCOVER', async () => {
    for (let round = 0; round < 3; round++) assert.equal((await client.discover())?.message.yiaddr, address);
    assert.equal(bng.allocated('wgar'), 1);
  });
});

describe('the four kinds of REQUEST', () => {
  it('SELECTING for the offered address is acknowledged, for any other address refused with NAK', async () => {
    await client.discover();
    assert.equal(kindOf(await client.select(ip('10.255.0.250'), GARDEN.gateway)), 'DHCPNAK');
    assert.equal(kindOf(await client.select(address, GARDEN.gateway)), 'DHCPACK');
  });

  it('SELECTING of another server gets silence, and nothing is installed', async () => {
    await client.discover();
    assert.equal(await client.select(address, ip('192.0.2.1')), null);
    assert.equal(bng.dataplane.installed(address), null);
    assert.equal(bng.server.drops().get('other-server'), 1);
  });

  it('INIT-REBOOT for the right address is acknowledged without a DISCOVER', async () => {
    assert.equal(kindOf(await client.reboot(address)), 'DHCPACK');
    assert.notEqual(bng.dataplane.installed(address), null);
  });

  it('INIT-REBOOT for an address of another line or network is refused with NAK', async () => {
    for (const wrong of ['10.255.0.250', '10.0.0.9', '192.0.2.9']) {
      assert.equal(kindOf(await client.reboot(ip(wrong))), 'DHCPNAK', wrong);
    }
  });

  it('RENEWING and REBINDING extend the lease of the right address, with ciaddr given back', async () => {
    await client.lease();
    for (const answer of [await client.renew(address), await client.rebind(address)]) {
      assert.equal(kindOf(answer), 'DHCPACK');
      assert.equal(answer?.message.ciaddr, address);
      assert.equal(answer?.message.yiaddr, address);
      assert.deepEqual(leaseTimesOf(answer), [600, 300, 525]);
    }
    assert.equal(bng.accounted.length, 1);
  });

  it('RENEWING and REBINDING of an address that the line does not have are refused with NAK', async () => {
    await client.lease();
    assert.equal(kindOf(await client.renew(ip('10.255.0.250'))), 'DHCPNAK');
    assert.equal(kindOf(await client.rebind(ip('10.255.0.250'))), 'DHCPNAK');
    assert.notEqual(bng.dataplane.installed(address), null);
  });

  it('a line that asks before it is known is authenticated first and then answered', async () => {
    const other = bng.ont('ONT2', { mac: (client.mac + 1) as typeof client.mac });
    const answer = await other.reboot(ip('10.255.0.250'));
    assert.equal(kindOf(answer), 'DHCPNAK');
    assert.equal(bng.stateOf('ONT2'), 'wgar');
  });
});

describe('NAK', () => {
  it('carries 53, 54, 56 and no address or lease time', async () => {
    const nak = await client.reboot(ip('10.255.0.250'));
    assert.equal(nak?.message.yiaddr, 0);
    assert.equal(nak?.message.ciaddr, 0);
    assert.deepEqual(leaseTimesOf(nak), [undefined, undefined, undefined]);
    assert.match(nak?.message.options.message ?? '', /10\.255\.0\.250/);
  });

  it('carries the server id of the pool of the address asked for', async () => {
    await client.lease();
    await bng.manager.operator.activate(orderFor('ONT1'));
    assert.equal(serverIdOf((await client.renew(address))!), GARDEN.gateway);
    assert.equal(serverIdOf((await client.rebind(ip('10.0.0.250')))!), HOME.gateway);
    assert.equal(serverIdOf((await client.rebind(ip('192.0.2.1')))!), HOME.gateway);
  });

  it('carries that server id also when the client had to wait for its authentication', async () => {
    const other = bng.ont('ONT2', { mac: (client.mac + 1) as typeof client.mac });
    assert.equal(serverIdOf((await other.renew(ip('10.0.0.9'), HOME.gateway))!), HOME.gateway);
  });
});

describe('options 61 and 82', () => {
  it('come back byte for byte in OFFER, ACK and NAK', async () => {
    const answers = [
      await client.discover(),
      await client.select(address, GARDEN.gateway),
      await client.rebind(ip('10.255.0.250')),
    ];
    assert.deepEqual(answers.map(kindOf), ['DHCPOFFER', 'DHCPACK', 'DHCPNAK']);
    const circuitId = Buffer.from('agg-01|1/1/ONT1');
    const option82 = Buffer.concat([
      Buffer.of(1, circuitId.length),
      circuitId,
      Buffer.of(2, 4),
      Buffer.from('ONT1'),
    ]);
    for (const answer of answers) {
      assert.equal(rawOption(answer!, DhcpOption.ClientIdentifier), Buffer.from(CLIENT_ID).toString('hex'));
      assert.equal(rawOption(answer!, DhcpOption.RelayAgentInformation), option82.toString('hex'));
    }
  });

  it('are absent from the answer when absent from the question', async () => {
    const offer = await bng.station({ mac: (client.mac + 7) as typeof client.mac }).discover();
    assert.equal(rawOption(offer!, DhcpOption.ClientIdentifier), undefined);
    assert.equal(rawOption(offer!, DhcpOption.RelayAgentInformation), undefined);
  });
});

describe('INFORM', () => {
  it('gets the parameters without lease times and without yiaddr, unicast to ciaddr', async () => {
    await client.lease();
    const answer = await client.say('DHCPINFORM', { ciaddr: address });
    assert.equal(kindOf(answer), 'DHCPACK');
    assert.equal(answer?.message.yiaddr, 0);
    assert.equal(answer?.message.ciaddr, address);
    assert.equal(answer?.destinationIp, address);
    assert.deepEqual(leaseTimesOf(answer), [undefined, undefined, undefined]);
    assert.deepEqual(answer?.message.options.dnsServers, GARDEN.dns);
  });

  it('from an address of another network, or of a line that is not known, gets silence', async () => {
    await client.lease();
    assert.equal(await client.say('DHCPINFORM', { ciaddr: ip('10.0.0.9') }), null);
    assert.equal(await bng.ont('ONT9').say('DHCPINFORM', { ciaddr: address }), null);
  });
});

describe('RELEASE', () => {
  it('from its own line ends the lease and keeps the allocation', async () => {
    await client.lease();
    assert.equal(await client.say('DHCPRELEASE', { ciaddr: address, serverId: GARDEN.gateway }), null);
    await settled();
    assert.equal(bng.dataplane.installed(address), null);
    assert.equal(bng.accounted.at(-1)?.kind, 'stop');
    assert.equal(bng.accounted.at(-1)?.final?.cause, 'User-Request');
    assert.equal((await client.discover())?.message.yiaddr, address);
  });

  it('from another line, or by another station of the line, changes nothing', async () => {
    await client.lease();
    const mac = (client.mac + 1) as typeof client.mac;
    const strangers = [bng.ont('ONT2', { mac }), bng.ont('ONT1', { mac }), bng.station({ mac })];
    for (const stranger of strangers) await stranger.say('DHCPRELEASE', { ciaddr: address });
    await client.say('DHCPRELEASE', { ciaddr: address, serverId: ip('192.0.2.1') });
    assert.notEqual(bng.dataplane.installed(address), null);
    assert.equal(bng.accounted.length, 1);
  });
});

describe('DECLINE', () => {
  it('takes the address out of use for ten minutes and gives another', async () => {
    await client.lease();
    assert.equal(
      await client.say('DHCPDECLINE', { requestedAddress: address, serverId: GARDEN.gateway }),
      null,
    );
    assert.equal(bng.dataplane.installed(address), null);
    assert.equal(bng.pools.usage()[0]?.quarantined, 1);
    const other = (await client.lease()).message.yiaddr;
    assert.notEqual(other, address);
    await bng.clock.advance(599_999);
    assert.equal(bng.pools.usage()[0]?.quarantined, 1);
    await bng.clock.advance(1);
    assert.equal(bng.pools.usage()[0]?.quarantined, 0);
  });

  it('of an address that was never offered to the line changes nothing', async () => {
    await client.lease();
    await client.say('DHCPDECLINE', { requestedAddress: ip('10.255.0.250') });
    await bng.ont('ONT2').say('DHCPDECLINE', { requestedAddress: address });
    assert.equal(bng.pools.usage()[0]?.quarantined, 0);
    assert.notEqual(bng.dataplane.installed(address), null);
  });
});
