/** CoA and Disconnect from the bytes of a client to real sessions, pools and accounting, with the dataplane in memory. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { CoaServer } from '../../src/aaa/coa-server.js';
import type { Ipv4 } from '../../src/model/ipv4.js';
import { formatIpv4, prefixContains } from '../../src/model/ipv4.js';
import type { Mac } from '../../src/model/mac.js';
import { formatMac } from '../../src/model/mac.js';
import { Attribute as A } from '../../src/wire/radius-dictionary.js';
import type { DhcpClient } from '../support/dhcp-client.js';
import { kindOf } from '../support/dhcp-client.js';
import { settled } from '../support/fake-clock.js';
import { HOME, InnerBng, ip, orderFor } from '../support/inner-bng.js';
import { attributes, Dac, openServer } from './coa-dac.js';

const TRAFFIC = { upstreamPackets: 1n, upstreamBytes: 10n, downstreamPackets: 2n, downstreamBytes: 20n };

let bng: InnerBng;
let server: CoaServer;
let dac: Dac;
let client: DhcpClient;
let garden: Ipv4;

beforeEach(async () => {
  bng = new InnerBng();
  server = await openServer({
    inlet: bng.manager.authorization,
    clock: bng.clock,
    filters: new Map([
      [
        'home-100',
        { poolName: 'isp', serviceId: 'home-100', downloadBitsPerSecond: 1e8, uploadBitsPerSecond: 2e7 },
      ],
    ]),
    onBug: (error) => bng.bugs.push(error),
  });
  dac = await Dac.open(server.port, bng.clock);
  await bng.detect('ONT1');
  client = bng.ont('ONT1');
  garden = (await client.lease()).message.yiaddr;
});
afterEach(async () => {
  await server.close();
  dac.close();
  assert.deepEqual(bng.bugs, []);
});

const ont1 = () => attributes().add(A.UserName, 'ONT1');
const accountingId = () => bng.accounted.at(-1)!.session.accountingId;

async function move(from: Ipv4): Promise<Ipv4> {
  assert.equal(kindOf(await client.renew(from)), 'DHCPNAK');
  return (await client.lease()).message.yiaddr;
}

describe('a CoA', () => {
  it('changes rates in place: the dataplane is updated, nothing is removed, accounting goes on', async () => {
    const before = bng.dataplane.calls.length;
    const told = await dac.ask({
      attributes: attributes()
        .add(A.AcctSessionId, accountingId())
        .add(A.WisprBandwidthMaxDown, 5_000_000)
        .add(A.BngUploadRate, 2_000),
    });
    assert.equal(told.code, 'CoA-ACK');
    assert.deepEqual(
      bng.dataplane.calls.slice(before).map(({ verb }) => verb),
      ['update'],
    );
    const entry = bng.dataplane.installed(garden)!;
    assert.deepEqual([entry.downloadBitsPerSecond, entry.uploadBitsPerSecond], [5e6, 2e6]);
    assert.equal(entry.walled, true);
    assert.deepEqual(
      bng.accounted.map(({ kind }) => kind),
      ['start'],
    );
  });

  it('is refused when the dataplane refuses, and the session is what it was', async () => {
    bng.dataplane.refuseNext('busy');
    const told = await dac.ask({ attributes: ont1().add(A.WisprBandwidthMaxDown, 5_000_000) });
    assert.deepEqual([told.code, told.errorCause], ['CoA-NAK', 'ResourcesUnavailable']);
    assert.equal(bng.manager.operator.sessionByOnt('ONT1')?.profile?.downloadBitsPerSecond, 0);
  });

  it('walks from the garden to the ISP and back, as activation and suspension do', async () => {
    assert.equal((await dac.ask({ attributes: ont1().add(A.FilterId, 'home-100') })).code, 'CoA-ACK');
    assert.equal(bng.stateOf('ONT1'), 'activating');
    assert.equal(bng.dataplane.installed(garden)?.walled, true);
    const home = await move(garden);
    assert.ok(prefixContains(HOME.network, home));
    assert.equal(bng.stateOf('ONT1'), 'active');
    const entry = bng.dataplane.installed(home)!;
    assert.deepEqual(
      [entry.walled, entry.downloadBitsPerSecond, entry.uploadBitsPerSecond],
      [false, 1e8, 2e7],
    );

    assert.equal((await dac.ask({ attributes: ont1().add(A.FramedPool, 'wgar') })).code, 'CoA-ACK');
    assert.equal(bng.stateOf('ONT1'), 'suspended');
    assert.equal(bng.dataplane.installed(home)?.walled, true, 'walled before the client asks');
    const back = await move(home);
    assert.equal(
      bng.dataplane.installed(back)?.downloadBitsPerSecond,
      0,
      'the garden has no rate of the ISP',
    );

    assert.equal((await dac.ask({ attributes: ont1().add(A.FramedPool, 'isp') })).code, 'CoA-ACK');
    const again = await move(back);
    assert.equal(bng.stateOf('ONT1'), 'active');
    assert.deepEqual(bng.manager.operator.sessionByOnt('ONT1')?.profile, {
      serviceId: 'home-100',
      poolName: 'isp',
      walled: false,
      downloadBitsPerSecond: 1e8,
      uploadBitsPerSecond: 2e7,
    });
    assert.equal(bng.dataplane.installed(again)?.walled, false);
    assert.deepEqual([bng.allocated('wgar'), bng.allocated('isp')], [0, 1]);
  });

  it('changes pool and timers together: the new address has both', async () => {
    await dac.ask({ attributes: ont1().add(A.FramedPool, 'isp').add(A.SessionTimeout, 120) });
    const home = await move(garden);
    assert.equal(bng.accounted.at(-1)?.session.terms.sessionTimeoutSeconds, 120);
    assert.equal(
      bng.manager.operator.sessionByOnt('ONT1')?.profile?.serviceId,
      'isp',
      'the garden is no service to sell',
    );
    await bng.clock.advance(121_000);
    assert.equal(bng.dataplane.installed(home), null);
    assert.equal(bng.accounted.at(-1)?.final?.cause, 'Session-Timeout');
  });

  it('reaches the accounting of a client that gets back what it still holds', async () => {
    await bng.manager.operator.activate(orderFor('ONT1'));
    const home = await move(garden);
    await dac.ask({ attributes: ont1().add(A.FramedPool, 'wgar') });
    await dac.ask({ attributes: ont1().add(A.FramedPool, 'isp').add(A.SessionTimeout, 60) });
    assert.equal(bng.stateOf('ONT1'), 'active');
    assert.equal(kindOf(await client.renew(home)), 'DHCPACK');
    await bng.clock.advance(61_000);
    assert.equal(bng.accounted.at(-1)?.final?.cause, 'Session-Timeout');
  });

  it('for a pool that does not exist, or has no room, is refused', async () => {
    const lost = await dac.ask({ attributes: ont1().add(A.FramedPool, 'lost') });
    assert.equal(lost.errorCause, 'InvalidAttributeValue');
    await bng.detect('ONT2');
    await bng.manager.operator.activate(orderFor('ONT2', 'tiny'));
    const full = await dac.ask({ attributes: ont1().add(A.FramedPool, 'tiny') });
    assert.equal(full.errorCause, 'ResourcesUnavailable');
    assert.equal(bng.stateOf('ONT1'), 'wgar');
  });

  it('takes limits away with 0', async () => {
    await dac.ask({ attributes: ont1().add(A.SessionTimeout, 60) });
    await dac.ask({ attributes: ont1().add(A.SessionTimeout, 0) });
    await bng.clock.advance(100_000);
    assert.equal(bng.stateOf('ONT1'), 'wgar');
  });
});

describe('a Disconnect', () => {
  it('ends the session with its final counters, and Admin-Reset as the cause', async () => {
    bng.dataplane.setTraffic(garden, TRAFFIC);
    const told = await dac.ask({
      kind: 'Disconnect',
      attributes: attributes().add(A.FramedIpAddress, garden),
    });
    assert.equal(told.code, 'Disconnect-ACK');
    assert.equal(bng.dataplane.installed(garden), null);
    const stop = bng.accounted.at(-1)!;
    assert.deepEqual([stop.kind, stop.final?.cause, stop.final?.traffic], ['stop', 'Admin-Reset', TRAFFIC]);
    const gone = await dac.ask({
      kind: 'Disconnect',
      attributes: attributes().add(A.AcctSessionId, stop.session.accountingId),
    });
    assert.equal(gone.errorCause, 'SessionContextNotFound');
  });

  it('that the dataplane refuses is not removable, and can be tried again', async () => {
    bng.dataplane.refuseNext('busy');
    const refused = await dac.ask({ kind: 'Disconnect', attributes: ont1() });
    assert.equal(refused.errorCause, 'SessionContextNotRemovable');
    assert.equal((await dac.ask({ kind: 'Disconnect', attributes: ont1() })).code, 'Disconnect-ACK');
  });

  it('leaves the line to begin anew', async () => {
    await dac.ask({ kind: 'Disconnect', attributes: ont1() });
    await settled();
    assert.equal(kindOf(await client.discover()), 'DHCPOFFER');
  });
});

describe('the session that is meant', () => {
  const mac = () => formatMac(client.mac).replaceAll(':', '-').toUpperCase();

  it('is found by each identification, and by all of them together', async () => {
    const circuit = Buffer.from('agg-01|1/1/ONT1');
    const each = [
      () => attributes().add(A.AcctSessionId, accountingId()),
      ont1,
      () => attributes().add(A.FramedIpAddress, garden),
      () => attributes().add(A.CallingStationId, mac()),
      () => attributes().add(A.AdslAgentCircuitId, circuit),
      () =>
        ont1()
          .add(A.AcctSessionId, accountingId())
          .add(A.FramedIpAddress, garden)
          .add(A.CallingStationId, formatMac(client.mac))
          .add(A.AdslAgentCircuitId, circuit),
    ];
    for (const [n, by] of each.entries()) {
      const told = await dac.ask({ attributes: by().add(A.WisprBandwidthMaxDown, 1000 + n) });
      assert.equal(told.code, 'CoA-ACK', `${n}: ${told.errorCause}`);
      assert.equal(bng.dataplane.installed(garden)?.downloadBitsPerSecond, 1000 + n);
    }
  });

  it('is nobody when one identification disagrees, or names nobody', async () => {
    const before = bng.dataplane.calls.length;
    const wrong = [
      () => ont1().add(A.AcctSessionId, 'ffff-1'),
      () => ont1().add(A.FramedIpAddress, ip('10.255.0.250')),
      () => ont1().add(A.CallingStationId, '02-00-00-99-99-99'),
      () => ont1().add(A.AdslAgentCircuitId, Buffer.from('other')),
      () => attributes().add(A.UserName, 'ONT9').add(A.AcctSessionId, accountingId()),
      () => attributes().add(A.UserName, ''),
    ];
    for (const by of wrong) {
      const told = await dac.ask({ attributes: by().add(A.WisprBandwidthMaxDown, 1000) });
      assert.equal(told.errorCause, 'SessionContextNotFound');
    }
    assert.equal(bng.dataplane.calls.length, before);
  });

  it('is not chosen among several', async () => {
    await bng.detect('ONT2');
    const twin = bng.ont('ONT2', { mac: client.mac, ifindex: 4 });
    const address = (await twin.lease()).message.yiaddr;
    const both = await dac.ask({
      kind: 'Disconnect',
      attributes: attributes().add(A.CallingStationId, mac()),
    });
    assert.equal(both.errorCause, 'MultipleSessionSelectionUnsupported');
    const one = await dac.ask({
      kind: 'Disconnect',
      attributes: attributes().add(A.CallingStationId, mac()).add(A.FramedIpAddress, address),
    });
    assert.equal(one.code, 'Disconnect-ACK');
    assert.equal(bng.dataplane.installed(address), null, formatIpv4(address));
    assert.notEqual(bng.dataplane.installed(garden), null);
  });

  it('is the one with the address now, not the one that will have it', async () => {
    await bng.manager.operator.activate(orderFor('ONT1'));
    const granted = bng.manager.operator.sessionByOnt('ONT1')!.address!;
    const early = await dac.ask({
      attributes: attributes().add(A.FramedIpAddress, granted).add(A.WisprBandwidthMaxDown, 1),
    });
    assert.equal(early.errorCause, 'SessionContextNotFound');
  });

  it('is the only one that is touched', async () => {
    const addresses: Ipv4[] = [];
    for (let n = 0; n < 50; n++) {
      await bng.detect(`X${n}`);
      const other = bng.ont(`X${n}`, { mac: (0x02_00_00_01_00_00 + n) as Mac });
      addresses.push((await other.lease()).message.yiaddr);
    }
    await dac.ask({ kind: 'Disconnect', attributes: ont1() });
    assert.ok(addresses.every((address) => bng.dataplane.installed(address) !== null));
  });
});
