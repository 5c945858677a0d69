/** Addresses that somebody else has: looked for before they are offered (RFC 2131 §3.1, §4.3.1), declined, out of use for a while. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Ipv4 } from '../../src/model/ipv4.js';
import { formatIpv4, IPV4_ANY } from '../../src/model/ipv4.js';
import type { Mac } from '../../src/model/mac.js';
import { MAC_BROADCAST } from '../../src/model/mac.js';
import type { VlanTag } from '../../src/wire/ethernet.js';
import { ArpPeer, type Asked, tagsOf } from '../support/arp-peer.js';
import type { DhcpClient } from '../support/dhcp-client.js';
import { kindOf } from '../support/dhcp-client.js';
import { settled } from '../support/fake-clock.js';
import { GARDEN, InnerBng, orderFor, poolOf } from '../support/inner-bng.js';

const WAIT_MS = 100;
const SQUATTER = 0x02_00_00_00_bb_01 as Mac;
const TAGS = tagsOf(100, 7);

let bng: InnerBng;
let client: DhcpClient;
let arp: ArpPeer;

beforeEach(() => {
  bng = new InnerBng({ probeWaitMs: WAIT_MS });
  client = bng.ont('ONT1', { tags: TAGS });
  arp = new ArpPeer(bng.dataplane);
});
afterEach(() => assert.deepEqual(bng.bugs, []));

const probes = (): readonly Asked[] => arp.asked();

/** Somebody on a line has the address and says so. */
function answer(address: Ipv4, from: Mac = SQUATTER, tags: readonly VlanTag[] = TAGS): void {
  arp.answers({ address, mac: from, tags });
}

async function said(of: DhcpClient = client): Promise<void> {
  of.heard();
  of.punt(of.frame('DHCPDISCOVER'));
  await settled();
}

const offered = (of: DhcpClient = client): readonly Ipv4[] => of.heard().map(({ message }) => message.yiaddr);
const quarantined = (): number => bng.pools.usage()[0]?.quarantined ?? 0;

describe('the probe before an address is offered', () => {
  it('RFC 2131 §4.3.1, RFC 5227 §2.1.1: is an ARP request from 0.0.0.0, broadcast on the line of the client and nowhere else', async () => {
    await said();
    const [probe, ...more] = probes();
    assert.equal(more.length, 0);
    assert.deepEqual([probe?.operation, probe?.senderIp, probe?.targetMac], ['request', IPV4_ANY, 0]);
    assert.deepEqual([probe?.vlans, probe?.to], [[100, 7], MAC_BROADCAST]);
    assert.equal(probe?.senderMac, bng.dataplane.accessMac());
    assert.equal(probe?.targetIp, bng.manager.operator.sessionByOnt('ONT1')?.address);
  });

  it('the offer follows when nobody has answered in time, and not before', async () => {
    await said();
    const [probe] = probes();
    await bng.clock.advance(WAIT_MS - 1);
    assert.deepEqual(offered(), []);
    await bng.clock.advance(1);
    assert.deepEqual(offered(), [probe?.targetIp]);
  });

  it('others do not wait for it', async () => {
    const other = bng.ont('ONT2', { mac: (client.mac + 1) as Mac });
    await said(other);
    await bng.clock.advance(WAIT_MS);
    await other.lease();
    await said();
    assert.equal(kindOf(await other.discover()), 'DHCPOFFER');
    assert.deepEqual(offered(), []);
  });

  it('an address that is answered for is taken out of use, and the next one is asked for and offered', async () => {
    await said();
    const [first] = probes();
    answer(first!.targetIp);
    await settled();
    const [second] = probes();
    assert.notEqual(second?.targetIp, first?.targetIp);
    assert.equal(quarantined(), 1);
    await bng.clock.advance(WAIT_MS);
    assert.deepEqual(offered(), [second?.targetIp]);
    assert.equal((await client.lease()).message.yiaddr, second?.targetIp);
  });

  it('is not made again for the same address: not for a renewed DISCOVER, not after a RELEASE', async () => {
    await said();
    await bng.clock.advance(WAIT_MS);
    const [address] = offered();
    probes();
    assert.equal((await client.discover())?.message.yiaddr, address);
    await client.lease();
    await client.say('DHCPRELEASE', { ciaddr: address! });
    assert.equal((await client.discover())?.message.yiaddr, address);
    assert.deepEqual(probes(), []);
  });

  it('is made again when a quarantine has ended', async () => {
    await said();
    const [first] = probes();
    answer(first!.targetIp);
    await settled();
    await bng.clock.advance(WAIT_MS);
    await bng.manager.operator.terminate('ONT1');
    await bng.clock.advance(600_000);
    assert.equal(quarantined(), 0);
    await said();
    assert.deepEqual(probes().at(-1)?.targetIp, first?.targetIp);
  });

  it('is also made for a client that waited for its authentication, and for the new address of an activation', async () => {
    await said();
    await bng.clock.advance(WAIT_MS);
    await client.lease();
    probes();
    await bng.manager.operator.activate(orderFor('ONT1'));
    await said();
    const [probe] = probes();
    assert.equal(formatIpv4(probe!.targetIp).startsWith('10.0.0.'), true);
    await bng.clock.advance(WAIT_MS);
    assert.deepEqual(offered(), [probe?.targetIp]);
  });

  it('an answer of the client itself, of another line, or of another address counts for nothing', async () => {
    await said();
    const [probe] = probes();
    answer(probe!.targetIp, client.mac);
    answer(probe!.targetIp, SQUATTER, []);
    answer((probe!.targetIp + 1) as Ipv4);
    await bng.clock.advance(WAIT_MS);
    assert.deepEqual(offered(), [probe?.targetIp]);
    assert.equal(quarantined(), 0);
  });

  it('a station that answers for everything takes three addresses out of use, and is then offered what is left', async () => {
    await said();
    for (let round = 0; round < 10; round++) {
      for (const { targetIp } of probes()) answer(targetIp);
      await settled();
    }
    assert.equal(quarantined(), 3);
    assert.equal(offered().length, 1);
  });

  it('ARP that is none is malformed, and no defect', async () => {
    const frame = new Uint8Array(40);
    frame.set([8, 6], 12);
    bng.dataplane.punt({ frame, ifindex: 3, sVlan: 0, cVlan: 0, sTpid: 0, cTpid: 0 });
    assert.equal(bng.server.drops().size, 1);
  });

  it('when the transmit queue is full nobody is asked, and the client is offered its address', async () => {
    bng.dataplane.setQueueFull(true);
    await said();
    bng.dataplane.setQueueFull(false);
    assert.equal(kindOf(await client.discover()), 'DHCPOFFER');
  });

  it('a line that runs out of addresses is closed and says why', async () => {
    bng = new InnerBng({
      probeWaitMs: WAIT_MS,
      pools: [GARDEN, poolOf('tiny', '10.16.0.0/30')],
      defaultPool: 'tiny',
    });
    client = bng.ont('ONT1', { tags: TAGS });
    arp = new ArpPeer(bng.dataplane);
    await said();
    answer(probes()[0]!.targetIp);
    await settled();
    assert.deepEqual(offered(), []);
    assert.ok(bng.lifecycle.some((event) => event.type === 'trouble' && /exhausted/.test(event.reason)));
  });
});

describe('DECLINE in a loop', () => {
  async function declineOnce(of: DhcpClient): Promise<void> {
    const offer = await of.discover();
    const { yiaddr } = offer!.message;
    await of.select(yiaddr, GARDEN.gateway);
    await of.say('DHCPDECLINE', { requestedAddress: yiaddr, serverId: GARDEN.gateway });
  }

  beforeEach(() => {
    bng = new InnerBng();
    client = bng.ont('ONT1');
  });

  it('takes three addresses out of use and no more; then the line keeps the one it has', async () => {
    for (let round = 0; round < 20; round++) await declineOnce(client);
    assert.equal(quarantined(), 3);
    const { yiaddr } = (await client.discover())!.message;
    assert.equal((await client.lease()).message.yiaddr, yiaddr);
    assert.ok(bng.lifecycle.some((event) => event.type === 'trouble' && /too many/.test(event.reason)));
  });

  it('another line may still decline', async () => {
    for (let round = 0; round < 5; round++) await declineOnce(client);
    await declineOnce(bng.ont('ONT2', { mac: (client.mac + 1) as Mac }));
    assert.equal(quarantined(), 4);
  });

  it('when the addresses are back, so is the line’s right', async () => {
    for (let round = 0; round < 5; round++) await declineOnce(client);
    await bng.clock.advance(600_000);
    assert.equal(quarantined(), 0);
    await declineOnce(client);
    assert.equal(quarantined(), 1);
  });

  it('where nobody names lines, another MAC is not another line', async () => {
    bng = new InnerBng({ trustOption82: false });
    for (let round = 0; round < 8; round++)
      await declineOnce(bng.station({ mac: (0x020000000100 + round) as Mac }));
    assert.equal(quarantined(), 3);
  });
});
