/** Sessions and pools that are drained: who stays, who is moved and when, who is refused; groups of pools from end to end. */
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import type { Authenticator } from '../../src/aaa/port.js';
import { formatIpv4 } from '../../src/model/ipv4.js';
import { parseMac } from '../../src/model/mac.js';
import { plainTerms } from '../../src/model/session-terms.js';
import type { Drain } from '../../src/pool/port.js';
import { kindOf } from '../support/dhcp-client.js';
import type { DhcpClient } from '../support/dhcp-client.js';
import { settled } from '../support/fake-clock.js';
import { GARDEN, gardenProfile, HOME, InnerBng, ip, orderFor, poolOf } from '../support/inner-bng.js';

const NEXT = poolOf('isp-2', '10.32.0.0/24', { leaseSeconds: 86_400 });
const GROUP = 'home';

let bng: InnerBng;
afterEach(() => assert.deepEqual(bng.bugs, []));

function world(options: ConstructorParameters<typeof InnerBng>[0] = {}): InnerBng {
  bng = new InnerBng({ pools: [GARDEN, HOME, NEXT], poolGroups: { [GROUP]: ['isp', 'isp-2'] }, ...options });
  return bng;
}

async function drain(poolName: string, how: Drain): Promise<void> {
  bng.pools.drain(poolName, how);
  bng.manager.pools.changed();
  await settled();
}

/** Activated to the group, with a lease of it. */
async function homeLine(ontSerial: string): Promise<DhcpClient> {
  await bng.detect(ontSerial);
  const client = bng.ont(ontSerial, { mac: parseMac(`02:00:00:00:00:0${ontSerial.at(-1)}`) });
  await client.lease();
  const order = await bng.manager.operator.activate(orderFor(ontSerial, GROUP));
  assert.equal(order.ok, true, JSON.stringify(order));
  await client.lease();
  return client;
}

const sessionOf = (ontSerial: string) => bng.manager.operator.sessionByOnt(ontSerial)!;
const poolOfLine = (ontSerial: string): string | null => sessionOf(ontSerial).poolName;
const held = (name: string): number | undefined => bng.pools.usage().find((pool) => pool.name === name)?.held;

describe('a group of pools', () => {
  it('is what an order names; the lease, its terms, accounting and the picture are of the pool itself', async () => {
    world();
    const client = await homeLine('ONT1');
    const { profile, poolName, address } = sessionOf('ONT1');
    assert.deepEqual([profile?.poolName, poolName], [GROUP, 'isp']);
    assert.equal(bng.accounted.at(-1)?.session.profile.poolName, 'isp');
    assert.ok(bng.lifecycle.some((event) => event.type === 'lease-bound' && event.poolName === 'isp'));
    const renewed = await client.renew(address!, HOME.gateway);
    assert.equal(kindOf(renewed), 'DHCPACK');
    assert.deepEqual(renewed?.message.options.serverIdentifier, HOME.gateway);
    assert.deepEqual((await bng.manager.operator.activate(orderFor('ONT1', GROUP))).ok, true);
    assert.equal(poolOfLine('ONT1'), 'isp');
  });

  it('that nobody has configured is refused with its name', async () => {
    world();
    await bng.detect('ONT1');
    const order = await bng.manager.operator.activate(orderFor('ONT1', 'houses'));
    assert.deepEqual(order, { ok: false, kind: 'invalid', field: 'pool', reason: 'there is no pool houses' });
  });

  it('a suspended subscriber comes back to the group, wherever there is room by then', async () => {
    world();
    const client = await homeLine('ONT1');
    await bng.manager.operator.suspend('ONT1', 'unpaid');
    await client.lease();
    await drain('isp', 'keep');
    assert.equal(bng.manager.pools.comingBackTo('isp'), 0);
    assert.equal((await bng.manager.operator.resume('ONT1')).ok, true);
    await client.lease();
    assert.deepEqual([bng.stateOf('ONT1'), poolOfLine('ONT1')], ['active', 'isp-2']);
  });

  it('an address that the AAA server fixes in one of its pools is of that pool and of the group', async () => {
    const authenticator: Authenticator = {
      authenticate: ({ subscriberId }) =>
        Promise.resolve({
          kind: 'accepted',
          profile: { ...gardenProfile, poolName: GROUP, serviceId: 'home', walled: false },
          terms: { ...plainTerms(subscriberId), fixedAddress: ip('10.32.0.77') },
          resumeTo: null,
        }),
      assign: () => undefined,
      forget: () => undefined,
    };
    world({ authenticator });
    const client = bng.ont('ONT1');
    const ack = await client.lease();
    assert.equal(formatIpv4(ack.message.yiaddr), '10.32.0.77');
    assert.deepEqual([sessionOf('ONT1').profile?.poolName, poolOfLine('ONT1')], [GROUP, 'isp-2']);
    // Its address is somebody's word: it stays, and only a session that begins anew is refused.
    await drain('isp-2', 'move');
    assert.equal(kindOf(await client.renew(ack.message.yiaddr, NEXT.gateway)), 'DHCPACK');
    await bng.manager.operator.terminate('ONT1');
    assert.equal(kindOf(await client.discover()), 'silence');
    const why = bng.lifecycle.flatMap((event) => (event.type === 'trouble' ? [event.reason] : []));
    assert.deepEqual(why, ['fixed address 10.32.0.77 is in pool isp-2, which is drained']);
  });
});

describe('draining a pool', () => {
  it('keep: who has a lease renews it and keeps it over a reboot; who comes anew gets another pool', async () => {
    world();
    const client = await homeLine('ONT1');
    const { address } = sessionOf('ONT1');
    await drain('isp', 'keep');
    assert.equal(kindOf(await client.renew(address!, HOME.gateway)), 'DHCPACK');
    assert.equal(kindOf(await client.reboot(address!)), 'DHCPACK');
    assert.equal((await client.lease()).message.yiaddr, address);
    await homeLine('ONT2');
    assert.deepEqual([poolOfLine('ONT1'), poolOfLine('ONT2')], ['isp', 'isp-2']);
  });

  it('move: a renewal is told NAK and the client gets its address elsewhere, with the service it has', async () => {
    world();
    const client = await homeLine('ONT1');
    const { address, profile } = sessionOf('ONT1');
    const reconfigured = bng.reconfigured.length;
    await drain('isp', 'move');
    // Nothing happens to it before it asks, and it is not answered below us.
    assert.equal(sessionOf('ONT1').address, address);
    assert.equal(bng.dataplane.promisedUntilMs(sessionOf('ONT1').attachment!), null);
    const nak = await client.renew(address!, HOME.gateway);
    assert.deepEqual([kindOf(nak), nak?.message.options.serverIdentifier], ['DHCPNAK', HOME.gateway]);
    assert.deepEqual([sessionOf('ONT1').state, sessionOf('ONT1').heldAddress], ['active', address]);
    assert.notEqual(bng.dataplane.installed(address!), null);
    const ack = await client.lease();
    const now = sessionOf('ONT1');
    assert.deepEqual([now.state, now.poolName, now.heldAddress], ['active', 'isp-2', null]);
    assert.equal(now.address, ack.message.yiaddr);
    assert.deepEqual(now.profile, profile);
    assert.equal(bng.dataplane.installed(address!), null);
    assert.equal(held('isp'), 0);
    assert.equal(bng.reconfigured.length, reconfigured);
    // Stop of the old address before the Start of the new one.
    assert.deepEqual(
      bng.accounted.slice(-2).map(({ kind, session }) => [kind, session.profile.poolName]),
      [
        ['stop', 'isp'],
        ['start', 'isp-2'],
      ],
    );
  });

  it('move: a client that comes anew with a DISCOVER is offered its new address at once', async () => {
    world();
    const client = await homeLine('ONT1');
    await drain('isp', 'move');
    await client.lease();
    assert.deepEqual([poolOfLine('ONT1'), held('isp')], ['isp-2', 0]);
  });

  it('move: a client that never asks again loses the address with its lease, and the pool is empty', async () => {
    world();
    const client = await homeLine('ONT1');
    const { address } = sessionOf('ONT1');
    await drain('isp', 'move');
    assert.equal(kindOf(await client.renew(address!, HOME.gateway)), 'DHCPNAK');
    await bng.clock.advance(HOME.leaseSeconds * 1000 + 1);
    assert.deepEqual([held('isp'), bng.dataplane.installed(address!)], [0, null]);
  });

  it('move: without room elsewhere the lease goes on', async () => {
    world({ pools: [GARDEN, HOME], poolGroups: { [GROUP]: ['isp'] } });
    const client = await homeLine('ONT1');
    const { address } = sessionOf('ONT1');
    await drain('isp', 'move');
    assert.equal(kindOf(await client.renew(address!, HOME.gateway)), 'DHCPACK');
    assert.equal(poolOfLine('ONT1'), 'isp');
  });

  for (const how of ['keep', 'move'] as const) {
    it(`${how}: an address that is granted and that nobody uses leaves the pool at once`, async () => {
      world({ defaultPool: GROUP });
      await bng.detect('ONT1');
      const client = bng.ont('ONT2');
      await client.discover();
      assert.equal(held('isp'), 2);
      await drain('isp', how);
      assert.deepEqual([held('isp'), held('isp-2')], [0, 2]);
      assert.equal((await client.lease()).message.yiaddr, sessionOf('ONT2').address);
    });

    it(`${how}: what is released leaves the pool with it, though the line stays`, async () => {
      world({ defaultPool: GROUP });
      await bng.detect('ONT1');
      const client = bng.ont('ONT1');
      const { yiaddr } = (await client.lease()).message;
      await drain('isp', how);
      assert.equal(held('isp'), 1);
      await client.say('DHCPRELEASE', { ciaddr: yiaddr, serverId: HOME.gateway });
      assert.deepEqual([held('isp'), poolOfLine('ONT1')], [0, 'isp-2']);
    });

    it(`${how}: without another pool new sessions are refused with the reason, and unused grants end`, async () => {
      world({ pools: [GARDEN, HOME], poolGroups: {}, defaultPool: 'isp' });
      await bng.detect('ONT1');
      const client = bng.ont('ONT2');
      await client.lease();
      await drain('isp', how);
      assert.deepEqual([held('isp'), bng.stateOf('ONT1'), bng.stateOf('ONT2')], [1, 'discovered', 'active']);
      assert.equal(kindOf(await bng.ont('ONT3').discover()), 'silence');
      const why = bng.lifecycle.flatMap((event) => (event.type === 'trouble' ? [event.reason] : []));
      assert.ok(why.includes('pool isp is drained'), JSON.stringify(why));
    });
  }

  it('a pool that suspended subscribers come back to by its own name is known as such', async () => {
    world();
    await bng.detect('ONT1');
    const client = bng.ont('ONT1');
    await client.lease();
    await bng.manager.operator.activate(orderFor('ONT1', 'isp'));
    await client.lease();
    await bng.manager.operator.suspend('ONT1', 'unpaid');
    await client.lease();
    assert.equal(bng.manager.pools.comingBackTo('isp'), 1);
    assert.equal(bng.manager.pools.comingBackTo('isp-2'), 0);
  });
});
