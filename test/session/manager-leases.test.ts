/** Leases in time: install before promise, renewal, expiry, removal, and what accounting is told. */
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import type { DataplaneOutcome } from '../../src/dataplane/port.js';
import { parseMac } from '../../src/model/mac.js';
import { kindOf } from '../support/dhcp-client.js';
import { settled } from '../support/fake-clock.js';
import { GARDEN, InnerBng, TINY, ip, orderFor } from '../support/inner-bng.js';

const TRAFFIC = { upstreamPackets: 3n, upstreamBytes: 300n, downstreamPackets: 4n, downstreamBytes: 4000n };

let bng: InnerBng;
afterEach(() => assert.deepEqual(bng.bugs, []));

describe('install before promise', () => {
  it('no ACK leaves before the dataplane says that it is installed', async () => {
    let resolve: (outcome: DataplaneOutcome) => void = () => assert.fail('nothing was installed');
    bng = new InnerBng({
      wrapDataplane: (inner) => ({
        install: (entry) =>
          new Promise<DataplaneOutcome>((done) => (resolve = done)).then((outcome) =>
            outcome.ok ? inner.install(entry) : outcome,
          ),
        update: (entry) => inner.update(entry),
        remove: (address) => inner.remove(address),
        promise: (lease) => inner.promise(lease),
        promisedUntilMs: (attachment) => inner.promisedUntilMs(attachment),
        withdraw: (attachment) => inner.withdraw(attachment),
        forget: (receipts) => inner.forget(receipts),
        traffic: (address) => inner.traffic(address),
      }),
    });
    const client = bng.ont('ONT1');
    const address = (await client.discover())!.message.yiaddr;
    assert.equal(await client.select(address, GARDEN.gateway), null);
    assert.equal(bng.manager.operator.sessionByOnt('ONT1')?.leasePhase, 'offered');
    assert.deepEqual(bng.accounted, []);
    resolve({ ok: true });
    await settled();
    assert.deepEqual(client.heard().map(kindOf), ['DHCPACK']);
    assert.deepEqual(
      bng.accounted.map(({ kind, installed }) => [kind, installed]),
      [['start', true]],
    );
  });

  it('no ACK leaves before accounting has the start where a crash cannot lose it', async () => {
    bng = new InnerBng();
    let resolve: (value: unknown) => void = () => assert.fail('accounting was not asked');
    bng.accountingStored = new Promise((done) => (resolve = done));
    const client = bng.ont('ONT1');
    const address = (await client.discover())!.message.yiaddr;
    assert.equal(await client.select(address, GARDEN.gateway), null);
    assert.equal(bng.manager.operator.sessionByOnt('ONT1')?.leasePhase, 'bound');
    resolve(null);
    await settled();
    assert.deepEqual(client.heard().map(kindOf), ['DHCPACK']);
  });

  it('the set-up is timed from the first message of the client, for the first lease of a session only', async () => {
    bng = new InnerBng();
    await bng.detect('ONT1');
    // The access node told of the line long before anything was plugged into it.
    await bng.clock.advance(3_600_000);
    const client = bng.ont('ONT1');
    const address = (await client.discover())!.message.yiaddr;
    await bng.clock.advance(30);
    await client.select(address, GARDEN.gateway);
    await bng.manager.operator.activate(orderFor('ONT1'));
    await client.lease();
    assert.deepEqual(
      bng.lifecycle.flatMap((event) =>
        event.type === 'lease-bound' ? [[event.poolName, event.setupMs]] : [],
      ),
      [
        ['wgar', 30],
        ['isp', null],
      ],
    );
  });

  it('a refused install is silence, and the next REQUEST tries again', async () => {
    bng = new InnerBng();
    const client = bng.ont('ONT1');
    const address = (await client.discover())!.message.yiaddr;
    bng.dataplane.refuseNext('map is full');
    assert.equal(await client.select(address, GARDEN.gateway), null);
    assert.deepEqual(bng.accounted, []);
    assert.ok(bng.lifecycle.some((event) => event.type === 'trouble' && event.reason === 'map is full'));
    assert.equal(kindOf(await client.select(address, GARDEN.gateway)), 'DHCPACK');
  });

  it('a station that moves to other tags is acknowledged after the entry has followed', async () => {
    bng = new InnerBng();
    const { yiaddr } = (await bng.ont('ONT1').lease()).message;
    const moved = bng.ont('ONT1', {
      tags: [{ tpid: 0x8100, vlanId: 9, priority: 0, dropEligible: false }],
    });
    bng.dataplane.refuseNext('busy');
    assert.equal(await moved.reboot(yiaddr), null);
    assert.equal(kindOf(await moved.reboot(yiaddr)), 'DHCPACK');
    assert.equal(bng.dataplane.installed(yiaddr)?.attachment.sVlan, 9);
    assert.equal((await bng.dataplane.dump()).length, 1);
    assert.equal(bng.accounted.length, 1);
  });
});

describe('a lease in time', () => {
  it('runs out when nobody renews it: out of the dataplane, final counters told, address freed, in this order', async () => {
    bng = new InnerBng();
    const { yiaddr } = (await bng.station().lease()).message;
    bng.dataplane.setTraffic(yiaddr, TRAFFIC);
    await bng.clock.advance(599_999);
    assert.notEqual(bng.dataplane.installed(yiaddr), null);
    await bng.clock.advance(1);
    const stop = bng.accounted.at(-1);
    assert.equal(stop?.kind, 'stop');
    assert.deepEqual(stop?.final, { traffic: TRAFFIC, cause: 'Lost-Carrier', durationMs: 600_000 });
    assert.equal(stop?.installed, false, 'removed before it is reported');
    assert.equal(stop?.allocated, 1, 'freed only after it is reported');
    assert.equal(bng.allocated('wgar'), 0);
    assert.deepEqual([...bng.manager.operator.sessions()], []);
    assert.equal(bng.manager.operator.stateCounts().terminated, 1);
    assert.equal(bng.manager.operator.sessionByAddress(yiaddr), null);
  });

  it('is extended by each renewal, from the moment of the renewal', async () => {
    bng = new InnerBng();
    const client = bng.station();
    const { yiaddr } = (await client.lease()).message;
    for (let round = 0; round < 5; round++) {
      await bng.clock.advance(300_000);
      assert.equal(kindOf(await client.renew(yiaddr)), 'DHCPACK');
    }
    await bng.clock.advance(599_999);
    assert.notEqual(bng.dataplane.installed(yiaddr), null);
    await bng.clock.advance(1);
    assert.equal(bng.dataplane.installed(yiaddr), null);
    assert.equal(bng.accounted.at(-1)?.final?.durationMs, 5 * 300_000 + 600_000);
    assert.equal(bng.accounted.length, 2);
  });

  it('of an ONT that is still there is followed by a new session with the same address', async () => {
    bng = new InnerBng();
    await bng.detect('ONT1');
    const client = bng.ont('ONT1');
    const { yiaddr } = (await client.lease()).message;
    const { id } = bng.manager.operator.sessionByOnt('ONT1')!;
    await bng.clock.advance(600_000);
    const next = bng.manager.operator.sessionByOnt('ONT1');
    assert.notEqual(next?.id, id);
    assert.deepEqual([next?.state, next?.leasePhase, next?.address], ['wgar', 'none', yiaddr]);
    assert.equal((await client.lease()).message.yiaddr, yiaddr);
    const ids = bng.accounted.map(({ session }) => session.accountingId);
    assert.equal(new Set(ids).size, 2, 'an accounting id is never used for another lease');
  });

  it('of an ONT that goes away ends with Lost-Carrier, and no session follows', async () => {
    bng = new InnerBng();
    await bng.detect('ONT1');
    const { yiaddr } = (await bng.ont('ONT1').lease()).message;
    bng.manager.onts.ontDisconnected('ONT1');
    await settled();
    assert.equal(bng.stateOf('ONT1'), null);
    assert.equal(bng.accounted.at(-1)?.final?.cause, 'Lost-Carrier');
    assert.equal(bng.dataplane.installed(yiaddr), null);
    assert.equal(bng.allocated('wgar'), 0);
  });

  it('that the dataplane does not let go of keeps its address out of reach of others', async () => {
    bng = new InnerBng();
    const { yiaddr } = (await bng.station().lease()).message;
    bng.dataplane.refuseNext('busy');
    await bng.clock.advance(600_000);
    assert.notEqual(bng.dataplane.installed(yiaddr), null);
    assert.equal(bng.allocated('wgar'), 1);
  });
});

describe('a declined address', () => {
  it('with no other in the pool ends the session, and what the client still held goes too', async () => {
    bng = new InnerBng({ pools: [GARDEN, TINY] });
    await bng.detect('ONT1');
    const client = bng.ont('ONT1');
    const held = (await client.lease()).message.yiaddr;
    await bng.manager.operator.activate(orderFor('ONT1', 'tiny'));
    const offer = await client.discover();
    assert.equal(offer?.message.yiaddr, ip('10.16.0.2'));
    await client.say('DHCPDECLINE', { requestedAddress: ip('10.16.0.2'), serverId: TINY.gateway });
    assert.deepEqual(await bng.dataplane.dump(), []);
    assert.equal(bng.dataplane.installed(held), null);
    assert.equal(bng.accounted.at(-1)?.kind, 'stop');
    assert.equal(bng.allocated('tiny'), 0);
  });
});

describe('close', () => {
  it('ends every session in every phase with its final counters, and may be called again', async () => {
    bng = new InnerBng();
    for (const serial of ['ONT1', 'ONT2', 'ONT3', 'ONT4']) await bng.detect(serial);
    const bound = (await bng.ont('ONT1').lease()).message.yiaddr;
    bng.dataplane.setTraffic(bound, TRAFFIC);
    const mac = parseMac('02:00:00:00:00:02');
    await bng.ont('ONT2', { mac }).lease();
    await bng.manager.operator.activate(orderFor('ONT2'));
    await bng.ont('ONT3', { mac: parseMac('02:00:00:00:00:03') }).discover();
    await Promise.all([bng.manager.close(), bng.manager.close()]);
    await bng.manager.close();
    assert.deepEqual([...bng.manager.operator.sessions()], []);
    assert.deepEqual(await bng.dataplane.dump(), []);
    assert.deepEqual(
      bng.pools.usage().map(({ allocated }) => allocated),
      [0, 0, 0],
    );
    const stops = bng.accounted.filter(({ kind }) => kind === 'stop');
    assert.deepEqual(
      stops.map(({ final }) => final?.cause),
      ['NAS-Request', 'NAS-Request'],
    );
    assert.deepEqual(stops[0]?.final?.traffic, TRAFFIC);
    assert.equal(bng.manager.operator.stateCounts().terminated, 4);
    assert.equal(bng.clock.pendingTimers, 0);
  });

  it('takes no new session afterwards', async () => {
    bng = new InnerBng();
    await bng.manager.close();
    await bng.detect('ONT1');
    assert.equal(await bng.ont('ONT2').discover(), null);
    assert.deepEqual([...bng.manager.operator.sessions()], []);
  });
});
