/** A store that takes nothing is an alarm and a refusal of what is new; who has service keeps it. A damaged one is told. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { storeHealth } from '../../src/restore-parts.js';
import { openStore } from '../../src/store-parts.js';
import { parseMac } from '../../src/model/mac.js';
import { formatIpv4 } from '../../src/model/ipv4.js';
import { kindOf } from '../support/dhcp-client.js';
import { orderFor } from '../support/inner-bng.js';
import { World } from '../support/lives.js';
import { Sqlite } from '../../src/store/sqlite-library.js';

const FULL = { kind: 'full', reason: 'database or disk is full (SQLITE_FULL)' } as const;

describe('a full disk', () => {
  it('refuses new sessions and orders, with a reason that is counted, and says so in the health report', async (t) => {
    const world = new World(t);
    const life = await world.start();
    const client = world.ont('ONT1');
    const { yiaddr } = (await client.lease()).message;
    world.storeSays = FULL;
    const stranger = world.ont('ONT2', { mac: parseMac('02:00:00:00:00:02') });
    assert.equal(await stranger.discover(), null, 'the commit that finds out');
    assert.equal(await world.ont('ONT3', { mac: parseMac('02:00:00:00:00:03') }).discover(), null);
    const order = await life.manager.operator.activate(orderFor('ONT1'));
    assert.ok(!order.ok && order.kind === 'failed' && /full/.test(order.reason), JSON.stringify(order));
    assert.equal(life.manager.operator.sessionByOnt('ONT1')?.state, 'wgar');
    assert.equal(kindOf(await client.renew(yiaddr)), 'DHCPACK', 'who has service keeps it');
    const figures = life.manager.durabilityFigures();
    assert.deepEqual(
      [figures.refusedSessions, figures.refusedOrders, figures.withheldAnswers, figures.unstoredRenewals],
      [1, 1, 1, 1],
    );
    const health = storeHealth(figures, world.folder);
    assert.ok(health.ok && health.degraded === true && /full/.test(health.detail));
    assert.deepEqual(life.bugs, []);
  });

  it('that has room again takes what had waited, and new sessions, by itself', async (t) => {
    const world = new World(t);
    const life = await world.start();
    const client = world.ont('ONT1');
    const { yiaddr } = (await client.lease()).message;
    world.storeSays = FULL;
    await life.advance(400_000);
    assert.equal(kindOf(await client.renew(yiaddr)), 'DHCPACK');
    assert.notEqual(life.manager.durabilityFigures().failure, null);
    world.storeSays = null;
    await life.advance(20_000);
    assert.equal(life.manager.durabilityFigures().failure, null);
    assert.deepEqual(life.storeEvents, ['full', 'works again']);
    assert.equal(
      kindOf(await world.ont('ONT2', { mac: parseMac('02:00:00:00:00:02') }).discover()),
      'DHCPOFFER',
    );
    await world.kill();
    const next = await world.start();
    assert.equal(next.manager.operator.sessionByOnt('ONT1')?.leasePhase, 'bound');
    await next.advance(500_000);
    assert.notEqual(world.dataplane.installed(yiaddr), null, 'the renewal was kept');
  });

  it('leaves a client that is to move where it is until the move can be kept', async (t) => {
    const world = new World(t);
    const life = await world.start();
    const client = world.ont('ONT1');
    const old = (await client.lease()).message.yiaddr;
    assert.ok((await life.manager.operator.activate(orderFor('ONT1'))).ok);
    const offer = (await client.discover())!;
    world.storeSays = FULL;
    assert.equal(await client.select(offer.message.yiaddr, offer.message.options.serverIdentifier!), null);
    assert.notEqual(world.dataplane.installed(old), null);
    world.storeSays = null;
    await life.advance(20_000);
    assert.equal(kindOf(await client.reboot(offer.message.yiaddr)), 'DHCPACK');
    assert.equal(world.dataplane.installed(old), null);
  });

  it('met in the middle of an order does not let it be called done', async (t) => {
    const world = new World(t);
    const life = await world.start();
    await world.ont('ONT1').lease();
    world.storeSays = FULL;
    const order = await life.manager.operator.activate(orderFor('ONT1'));
    assert.ok(!order.ok && order.kind === 'failed', JSON.stringify(order));
    assert.equal(life.manager.operator.sessionByOnt('ONT1')?.state, 'wgar', 'and the session is as it was');
    const ended = await life.manager.operator.terminate('ONT1');
    assert.ok(!ended.ok && ended.kind === 'failed');
    assert.equal(life.manager.operator.sessionByOnt('ONT1')?.leasePhase, 'bound');
  });
});

describe('a damaged store', () => {
  it('is named and kept aside; every whole row is a session again', async (t) => {
    const world = new World(t);
    await world.start();
    const addresses: string[] = [];
    for (let n = 1; n <= 9; n += 1) {
      const mac = parseMac(`02:00:00:00:00:0${n}`);
      addresses.push(formatIpv4((await world.ont(`ONT${n}`, { mac }).lease()).message.yiaddr));
    }
    await world.stop('keep');
    const outside = new Sqlite(join(world.folder, 'bng.db'));
    const { changes } = outside
      .prepare(
        `UPDATE session SET value = replace(value, 'ont:ONT4', 'ont:ONT5') WHERE value LIKE '%ont:ONT4%'`,
      )
      .run();
    outside.close();
    assert.equal(changes, 1);
    const store = await openStore(world.folder, world.wallMs);
    assert.match(store.damage?.problem ?? '', /^row ".*" of session$/);
    await store.close();
    const life = await world.start();
    const serials = [...life.manager.operator.sessions()].map(({ ontSerial }) => ontSerial).toSorted();
    assert.equal(serials.length, 8);
    assert.ok(!serials.includes('ONT4'));
    const installed = (await world.dataplane.dump()).map(({ address }) => formatIpv4(address));
    assert.deepEqual(installed.toSorted(), addresses.filter((_, index) => index !== 3).toSorted());
    await life.quiet();
    const lost = world.records.find((r) => r['Acct-Status-Type'] === 'Stop');
    assert.ok(lost?.['Acct-Status-Type'] === 'Stop' && lost['User-Name'] === 'ONT4');
  });

  it('with a row that is no session names it, leaves it there, and serves the others', async (t) => {
    const world = new World(t);
    await world.start();
    await world.ont('ONT1').lease();
    await world.stop('keep');
    const store = await openStore(world.folder, world.wallMs);
    await store.write([{ op: 'put', table: 'session', key: 'what', value: '{"state":"active"}' }]);
    await store.close();
    const life = await world.start();
    assert.equal(life.manager.operator.sessionByOnt('ONT1')?.leasePhase, 'bound');
    const [line] = world.logged.filter(({ event }) => event === 'session-not-served');
    assert.equal(line?.['reason'], 'row "what" of session cannot be read');
  });
});
