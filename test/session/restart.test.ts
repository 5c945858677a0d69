/** What a BNG that was stopped, killed or booted anew finds again: sessions, leases, addresses, accounts, orders, times. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sessionJson } from '../../src/http/session-json.js';
import { formatIpv4 } from '../../src/model/ipv4.js';
import type { Ipv4 } from '../../src/model/ipv4.js';
import { parseMac } from '../../src/model/mac.js';
import { kindOf } from '../support/dhcp-client.js';
import { orderFor } from '../support/inner-bng.js';
import { World } from '../support/lives.js';

const used = (bytes: bigint) => ({
  upstreamPackets: bytes / 10n,
  upstreamBytes: bytes,
  downstreamPackets: bytes / 5n,
  downstreamBytes: 2n * bytes,
});

/** What operators see of all sessions. */
function seen(world: World): unknown[] {
  assert.ok(world.life !== null);
  return [...world.life.manager.operator.sessions()].sort((a, b) => (a.id < b.id ? -1 : 1)).map(sessionJson);
}

function addresses(world: World): Promise<string[]> {
  return world.dataplane.dump().then((all) => all.map(({ address }) => formatIpv4(address)).sort());
}

describe('a BNG that was killed and starts again', () => {
  it('has the same sessions with the same leases, counters that go on, and answers their renewals', async (t) => {
    const world = new World(t);
    await world.start();
    const garden = world.ont('ONT1');
    const open = world.ont('ONT2', { mac: parseMac('02:00:00:00:00:02') });
    const offered = world.ont('ONT3', { mac: parseMac('02:00:00:00:00:03') });
    const walled = (await garden.lease()).message.yiaddr;
    await open.lease();
    const order = await world.life!.manager.operator.activate(orderFor('ONT2'));
    assert.ok(order.ok);
    const { yiaddr } = (await open.lease()).message;
    await offered.discover();
    world.dataplane.setTraffic(yiaddr, used(1_000n));
    const before = seen(world);
    const installed = await world.dataplane.dump();
    await world.kill();

    world.passes(100_000);
    world.dataplane.setTraffic(yiaddr, used(5_000n));
    world.dataplane.calls.length = 0;
    const life = await world.start();
    assert.deepEqual(seen(world), before);
    assert.deepEqual(
      (await world.dataplane.dump()).map(({ traffic: _, ...entry }) => entry),
      installed.map(({ traffic: _, ...entry }) => entry),
    );
    assert.deepEqual(world.dataplane.calls, [], 'nobody is touched whose entry is as it should be');
    assert.equal(kindOf(await garden.renew(walled)), 'DHCPACK');
    assert.equal(kindOf(await open.renew(yiaddr)), 'DHCPACK');
    assert.equal(kindOf(await offered.lease()), 'DHCPACK');
    await world.stop('end');
    assert.deepEqual(life.bugs, []);
    const stop = world.records.find(
      (record) => record['Acct-Status-Type'] === 'Stop' && record['Framed-IP-Address'] === formatIpv4(yiaddr),
    );
    assert.ok(stop?.['Acct-Status-Type'] === 'Stop');
    assert.equal(stop['Acct-Input-Octets'], '5000');
    assert.equal(stop['Acct-Session-Time'], 100);
    const nas = world.records.filter((record) => record['Acct-Status-Type'].startsWith('Accounting-'));
    assert.deepEqual(
      nas.map((record) => record['Acct-Status-Type']),
      ['Accounting-On', 'Accounting-Off'],
    );
    const ids = world.records.flatMap((r) =>
      r['Acct-Status-Type'] === 'Start' ? [r['Acct-Session-Id']] : [],
    );
    assert.equal(new Set(ids).size, ids.length);
  });

  it('a stop leaves sessions, and what the dataplane has, and tells accounting nothing', async (t) => {
    const world = new World(t);
    await world.start();
    const { yiaddr } = (await world.ont('ONT1').lease()).message;
    const before = seen(world);
    const told = world.records.length;
    await world.stop('keep');
    assert.equal(world.records.length, told);
    assert.deepEqual(await addresses(world), [formatIpv4(yiaddr)]);
    await world.start();
    assert.deepEqual(seen(world), before);
  });

  it('where the dataplane lost its counters the account goes on from what was known, never backwards', async (t) => {
    const world = new World(t);
    const life = await world.start();
    const { yiaddr } = (await world.ont('ONT1').lease()).message;
    for (let round = 0; round < 2; round += 1) {
      await life.advance(200_000);
      await world.ont('ONT1').renew(yiaddr);
    }
    world.dataplane.setTraffic(yiaddr, used(7_000n));
    await life.advance(100_000);
    await world.ont('ONT1').renew(yiaddr);
    await world.kill();
    await world.dataplane.remove(yiaddr);
    await world.start();
    assert.deepEqual(await addresses(world), [formatIpv4(yiaddr)]);
    world.dataplane.setTraffic(yiaddr, used(30n));
    await world.stop('end');
    const octets = world.records.flatMap((record) =>
      'Acct-Input-Octets' in record ? [Number(record['Acct-Input-Octets'])] : [],
    );
    assert.equal(octets.at(-1), 7_030);
    assert.deepEqual(
      octets,
      octets.toSorted((a, b) => a - b),
    );
  });

  it('after a boot of the machine leases go on, and accounting begins anew: On, Stop with what was known, Start', async (t) => {
    const world = new World(t);
    const life = await world.start();
    const client = world.ont('ONT1');
    const { yiaddr } = (await client.lease()).message;
    world.dataplane.setTraffic(yiaddr, used(7_000n));
    await life.advance(200_000);
    await client.renew(yiaddr);
    await world.kill();
    world.records.length = 0;
    await world.reboot(60_000);
    world.ifindexOffset = 4;
    await world.start();
    const moved = world.ont('ONT1', { ifindex: 7 });
    assert.equal(kindOf(await moved.renew(yiaddr)), 'DHCPACK');
    assert.equal(world.dataplane.installed(yiaddr)?.attachment.ifindex, 7);
    await world.life!.quiet();
    assert.deepEqual(
      world.records.map((record) => record['Acct-Status-Type']),
      ['Accounting-On', 'Stop', 'Start'],
    );
    const [, stop, start] = world.records;
    assert.ok(stop?.['Acct-Status-Type'] === 'Stop' && start?.['Acct-Status-Type'] === 'Start');
    assert.equal(stop['Acct-Terminate-Cause'], 'NAS-Reboot');
    assert.equal(stop['Acct-Input-Octets'], '7000');
    assert.equal(stop['Acct-Session-Time'], 200);
    assert.notEqual(start['Acct-Session-Id'], stop['Acct-Session-Id']);
    assert.equal(start['Acct-Multi-Session-Id'], stop['Acct-Multi-Session-Id']);
  });

  it('a lease that ran out meanwhile is closed with its true counters, dated when it ran out, and its address is free', async (t) => {
    const world = new World(t);
    await world.start();
    const { yiaddr } = (await world.ont('ONT1').lease()).message;
    const startedMs = world.wallMs;
    await world.kill();
    world.dataplane.setTraffic(yiaddr, used(900n));
    world.passes(700_000);
    const life = await world.start();
    await life.advance(1);
    const stop = world.records.at(-1);
    assert.ok(stop?.['Acct-Status-Type'] === 'Stop');
    assert.equal(stop['Acct-Input-Octets'], '900');
    assert.equal(stop['Acct-Session-Time'], 600);
    assert.equal(stop['Event-Timestamp'], Math.floor((startedMs + 600_000) / 1000));
    assert.equal(stop['Acct-Terminate-Cause'], 'Lost-Carrier');
    assert.deepEqual(await addresses(world), []);
    assert.deepEqual(seen(world), []);
    assert.equal(life.pools.usage().find(({ name }) => name === 'wgar')?.allocated, 0);
  });

  it('an assigned service, a suspension and its reason outlive the session and the process', async (t) => {
    const world = new World(t);
    const life = await world.start();
    const client = world.ont('ONT1');
    await client.lease();
    assert.ok((await life.manager.operator.activate(orderFor('ONT1'))).ok);
    await client.lease();
    assert.ok((await life.manager.operator.suspend('ONT1', 'unpaid')).ok);
    life.manager.onts.ontDisconnected('ONT1');
    await life.quiet();
    assert.deepEqual(seen(world), []);
    await world.kill();
    const next = await world.start();
    await client.lease();
    const session = next.manager.operator.sessionByOnt('ONT1');
    assert.deepEqual([session?.state, session?.suspendedFor], ['suspended', 'unpaid']);
    const resumed = await next.manager.operator.resume('ONT1');
    assert.ok(resumed.ok && resumed.newState === 'activating', JSON.stringify(resumed));
  });

  it('a declined address stays out of use until the moment it would have come back', async (t) => {
    const world = new World(t);
    const life = await world.start();
    const client = world.ont('ONT1');
    const offer = (await client.discover())!.message.yiaddr;
    await client.say('DHCPDECLINE', { requestedAddress: offer });
    await life.quiet();
    const quarantined = (): number | undefined =>
      world.life!.pools.usage().find(({ name }) => name === 'wgar')?.quarantined;
    assert.equal(quarantined(), 1);
    await world.kill();
    world.passes(500_000);
    const next = await world.start();
    assert.equal(quarantined(), 1);
    await next.advance(99_000);
    assert.equal(quarantined(), 1);
    await next.advance(1_100);
    assert.equal(quarantined(), 0);
    await world.kill();
    await world.start();
    assert.equal(quarantined(), 0);
  });

  it('a session whose pool, address or interface is no longer there is closed and named', async (t) => {
    for (const change of ['pool', 'exclude', 'port'] as const) {
      const world = new World(t);
      await world.start();
      const { yiaddr } = (await world.ont('ONT1').lease()).message;
      world.dataplane.setTraffic(yiaddr, used(70n));
      await world.kill();
      const [garden, ...others] = world.pools;
      assert.ok(garden !== undefined);
      if (change === 'pool') world.pools = [{ ...garden, name: 'other' }, ...others];
      if (change === 'exclude') {
        world.pools = [{ ...garden, gateway: yiaddr }, ...others];
      }
      if (change === 'port') world.isPortGone = true;
      const life = await world.start();
      await life.quiet();
      const stop = world.records.at(-1);
      assert.ok(stop?.['Acct-Status-Type'] === 'Stop', change);
      assert.deepEqual(
        [stop['Acct-Input-Octets'], stop['Acct-Terminate-Cause']],
        ['70', 'Service-Unavailable'],
      );
      assert.deepEqual(await addresses(world), []);
      assert.deepEqual(seen(world), []);
      assert.ok(
        world.logged.some(({ event }) => event === 'session-not-served'),
        change,
      );
      await world.kill();
    }
  });

  it('an entry of no session is taken out of the dataplane and reported with what it had counted', async (t) => {
    const world = new World(t);
    await world.start();
    const client = world.ont('ONT1');
    const { yiaddr } = (await client.lease()).message;
    const entry = world.dataplane.installed(yiaddr)!;
    await client.say('DHCPRELEASE', { ciaddr: yiaddr });
    await world.life!.quiet();
    await world.kill();
    await world.dataplane.install({ ...entry, address: (yiaddr + 1) as Ipv4 });
    world.dataplane.setTraffic((yiaddr + 1) as Ipv4, used(40n));
    await world.start();
    assert.deepEqual(await addresses(world), []);
    const line = world.logged.find(({ event }) => event === 'dataplane-entry-of-no-session');
    assert.equal(line?.['upstreamBytes'], '40');
  });
});

describe('time over a restart', () => {
  it('a step of the wall clock, while it runs or while it does not, neither ends nor prolongs a lease', async (t) => {
    for (const step of [-86_400_000, 86_400_000]) {
      const world = new World(t);
      const life = await world.start();
      const { yiaddr } = (await world.ont('ONT1').lease()).message;
      life.clock.stepWall(step);
      await life.advance(100_000);
      await world.kill();
      world.wallMs += step;
      world.passes(100_000);
      const next = await world.start();
      await next.advance(399_000);
      assert.notEqual(world.dataplane.installed(yiaddr), null, `${step}: still there after 599 s`);
      await next.advance(1_100);
      assert.equal(world.dataplane.installed(yiaddr), null, `${step}: gone after 600 s`);
      await world.kill();
    }
  });

  it('over a boot of the machine the wall clock tells how much is left of it', async (t) => {
    const world = new World(t);
    await world.start();
    const { yiaddr } = (await world.ont('ONT1').lease()).message;
    await world.kill();
    await world.reboot(500_000);
    const life = await world.start();
    await life.advance(99_000);
    assert.notEqual(world.dataplane.installed(yiaddr), null);
    await life.advance(1_100);
    assert.equal(world.dataplane.installed(yiaddr), null);
  });
});
