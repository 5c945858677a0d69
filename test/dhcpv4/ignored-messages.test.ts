/** Messages that get no answer because of what they are: each is counted by its reason, and no session is made. */
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import type { DhcpDropReason } from '../../src/dhcpv4/server.js';
import { MAC_BROADCAST, parseMac } from '../../src/model/mac.js';
import type { DhcpClientOptions, Said } from '../support/dhcp-client.js';
import { kindOf } from '../support/dhcp-client.js';
import type { DhcpMessageType } from '../../src/wire/dhcpv4-option-codes.js';
import type { InnerBngOptions } from '../support/inner-bng.js';
import { InnerBng, ip } from '../support/inner-bng.js';

const OTHER_MAC = parseMac('02:00:00:00:00:99');
const ADDRESS = ip('10.255.0.9');
const FOREIGN = ip('192.0.2.1');

interface Case {
  readonly name: string;
  readonly reason: DhcpDropReason;
  readonly type: DhcpMessageType | null;
  readonly said?: Said;
  readonly line?: Partial<DhcpClientOptions>;
  readonly bng?: InnerBngOptions;
}

const cases: readonly Case[] = [
  { name: 'a BOOTREPLY', reason: 'not-a-request', type: 'DHCPOFFER', said: { op: 'BOOTREPLY' } },
  { name: 'BOOTP without option 53', reason: 'bootp', type: null },
  { name: 'an OFFER of a rogue server', reason: 'server-message', type: 'DHCPOFFER' },
  { name: 'an ACK', reason: 'server-message', type: 'DHCPACK' },
  { name: 'a NAK', reason: 'server-message', type: 'DHCPNAK' },
  {
    name: 'a REQUEST that selects another server',
    reason: 'other-server',
    type: 'DHCPREQUEST',
    said: { requestedAddress: ADDRESS, serverId: FOREIGN },
  },
  {
    name: 'a RELEASE to another server',
    reason: 'other-server',
    type: 'DHCPRELEASE',
    said: { ciaddr: ADDRESS, serverId: FOREIGN },
  },
  {
    name: 'a DECLINE to another server',
    reason: 'other-server',
    type: 'DHCPDECLINE',
    said: { requestedAddress: ADDRESS, serverId: FOREIGN },
  },
  { name: 'a REQUEST without any address', reason: 'inconsistent', type: 'DHCPREQUEST' },
  { name: 'an INFORM without ciaddr', reason: 'no-address', type: 'DHCPINFORM' },
  { name: 'a RELEASE without ciaddr', reason: 'no-address', type: 'DHCPRELEASE' },
  { name: 'a DECLINE without option 50', reason: 'no-address', type: 'DHCPDECLINE' },
  {
    name: 'a chaddr that is not the source MAC',
    reason: 'spoofed-chaddr',
    type: 'DHCPDISCOVER',
    said: { chaddr: OTHER_MAC },
  },
  {
    name: 'a chaddr that is a group',
    reason: 'spoofed-chaddr',
    type: 'DHCPDISCOVER',
    said: { chaddr: MAC_BROADCAST, sourceMac: MAC_BROADCAST },
  },
  {
    name: 'option 82 where the access node is not trusted',
    reason: 'untrusted-option82',
    type: 'DHCPDISCOVER',
    bng: { trustOption82: false },
  },
  {
    name: 'option 54 of a wrong length',
    reason: 'malformed',
    type: 'DHCPREQUEST',
    said: { requestedAddress: ADDRESS, options: [[54, Uint8Array.of(1, 2, 3)]] },
  },
  {
    name: 'a message type of no RFC',
    reason: 'malformed',
    type: null,
    said: { options: [[53, Uint8Array.of(99)]] },
  },
];

describe('messages that are not handled', () => {
  let bng: InnerBng;
  afterEach(() => assert.deepEqual(bng.bugs, []));

  for (const one of cases) {
    it(`${one.name}: silence, counted as ${one.reason}`, async () => {
      bng = new InnerBng(one.bng);
      assert.equal(await bng.ont('ONT1', one.line).say(one.type, one.said), null);
      assert.deepEqual([...bng.server.drops()], [[one.reason, 1]]);
      assert.deepEqual([...bng.manager.operator.sessions()], []);
      assert.deepEqual(bng.decided, []);
    });
  }

  it('not a DHCP frame at all: counted as malformed', () => {
    bng = new InnerBng();
    const client = bng.station();
    for (const frame of [
      new Uint8Array(0),
      new Uint8Array(60),
      client.frame('DHCPDISCOVER').subarray(0, 200),
    ]) {
      client.punt(frame);
    }
    assert.deepEqual([...bng.server.drops()], [['malformed', 3]]);
  });

  it('a relay that is not trusted is not heard: giaddr is anybody’s to set, and would get round the MAC check', async () => {
    bng = new InnerBng({ trustOption82: false });
    assert.equal(await bng.ont('ONT1', { giaddr: ip('10.255.0.77') }).discover(), null);
    assert.deepEqual([...bng.server.drops()], [['untrusted-relay', 1]]);
    assert.equal(bng.manager.operator.sessionByOnt('ONT1'), null);
  });

  it('without an access node, two stations on one line are two subscribers', async () => {
    bng = new InnerBng({ trustOption82: false });
    const one = await bng.station().lease();
    const two = await bng.station({ mac: OTHER_MAC }).lease();
    assert.notEqual(one.message.yiaddr, two.message.yiaddr);
  });

  it('answers that the transmit queue does not take are counted', async () => {
    bng = new InnerBng();
    bng.dataplane.setQueueFull(true);
    assert.equal(await bng.ont('ONT1').discover(), null);
    assert.deepEqual([...bng.server.drops()], [['transmit-queue-full', 1]]);
    bng.dataplane.setQueueFull(false);
    assert.equal(kindOf(await bng.ont('ONT1').discover()), 'DHCPOFFER');
  });

  it('a closed inlet takes nothing more', async () => {
    bng = new InnerBng();
    await bng.server.close();
    await bng.server.close();
    assert.equal(await bng.ont('ONT1').discover(), null);
    assert.deepEqual([...bng.manager.operator.sessions()], []);
  });
});
