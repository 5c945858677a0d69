/** AAA servers that die and come back, and a BNG that is killed: who has service stays served, and no record is lost or twice. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CORE_ADDRESSES } from '../../src/lab/core-network.js';
import type { DhcpClientKind } from '../../src/lab/dhcp-client.js';
import type { OntHost } from '../../src/lab/ont-host.js';
import { radiusConfig } from '../../src/lab/lab-radius.js';
import type { DetailRecord } from '../../src/lab/radius-server.js';
import { detailValue, hasFreeRadius } from '../../src/lab/radius-server.js';
import { patience } from '../../src/lab/patience.js';
import { GARDEN, leaseIn, ordered, RESIDENTIAL, until } from '../support/lab-house.js';
import { octetsOf, RadiusHouse, valueOf } from '../support/radius-house.js';

const { internet } = CORE_ADDRESSES;
const STEADY = 'STEADY01';
const RESIDENT = 'RESIDE01';
const LEAVER = 'LEAVER01';
const LATER = 'LATER001';
const NEWCOMER = 'NEWCOM01';
const EVERYBODY = [STEADY, RESIDENT, LEAVER, LATER, NEWCOMER];
const IN_POOL = '\n  Framed-Pool = "isp-residential"\n';
const USERS = [STEADY, LEAVER, LATER]
  .map((serial) => `${serial} Auth-Type := Accept\n`)
  .concat([RESIDENT, NEWCOMER].map((serial) => `${serial} Auth-Type := Accept${IN_POOL}`))
  .join('\n');
/** Longer than the pause between two tries in an outage: five seconds. */
const RECOVERY_MS = 10_000;

describe('outages of RADIUS', { timeout: 150_000, skip: !hasFreeRadius }, () => {
  let radius: RadiusHouse;
  let port = 0;

  async function plug(ontSerial: string, client: DhcpClientKind = 'udhcpc'): Promise<OntHost> {
    port += 1;
    return radius.house.lab.plug({ ontSerial, port: `1/1/${port}`, tagging: 'qinq', cVlan: port, client });
  }
  const ont = (serial: string): OntHost => radius.house.lab.ont(serial);
  const renewals = (host: OntHost): number =>
    host.leaseEvents.filter(({ event }) => event === 'renewed').length;

  before(async () => {
    radius = await RadiusHouse.start({
      prefix: 'rlc',
      users: USERS,
      servers: 2,
      leaseTimes: { wgar: '20s' },
      auth: { onReject: 'refuse', onTimeout: 'garden' },
      radius: { interimInterval: '2s' },
    });
    await Promise.all([plug(STEADY, 'dhclient'), plug(RESIDENT), plug(LEAVER)]);
    await Promise.all([
      leaseIn(ont(STEADY), GARDEN),
      leaseIn(ont(RESIDENT), RESIDENTIAL),
      leaseIn(ont(LEAVER), GARDEN),
    ]);
    await Promise.all([STEADY, RESIDENT, LEAVER].map((serial) => radius.record(serial, 'Start')));
  });
  after(() => radius?.close());

  it('rejected: with onReject refuse there is no lease', async () => {
    const host = await plug('STRANGER');
    await radius.accessRequest('STRANGER');
    assert.equal(await host.waitForLease(2_000), null);
    assert.equal((await radius.house.session('STRANGER'))?.state, 'discovered');
    await radius.house.lab.unplug('STRANGER');
  });

  it('the second server is asked when the first dies, for access and for accounting', async () => {
    const [first, second] = radius.servers;
    assert.deepEqual(second?.accounting(), []);
    await first?.kill();
    await leaseIn(await plug(LATER), GARDEN);
    await until('the second server has the Start', 10_000, () =>
      second?.accounting().some((r) => detailValue(r, 'User-Name') === LATER && isA(r, 'Start')) === true
        ? true
        : null,
    );
    assert.ok(second?.accessRequests().some((r) => detailValue(r, 'User-Name') === LATER));
  });

  it('both dead: traffic and renewals go on, a new line gets what onTimeout says, the operator can order', async () => {
    const began = performance.now();
    await radius.servers[1]?.kill();
    const stream = ont(RESIDENT).run(
      ['ping', '-n', '-q', '-i', '0.02', '-c', '500', internet],
      20_000 * patience,
    );
    const renewed = renewals(ont(STEADY));
    const newcomer = plug(NEWCOMER);
    await radius.house.lab.unplug(LEAVER);
    ordered(await radius.house.activate(LATER));
    await leaseIn(ont(LATER), RESIDENTIAL);
    await leaseIn(await newcomer, GARDEN);
    await until('a lease is renewed meanwhile', 15_000, () =>
      renewals(ont(STEADY)) > renewed ? true : null,
    );
    assert.match((await stream).stdout, /500 packets transmitted, 500 received/);
    await until('a good while has passed', 20_000, () => (performance.now() - began > 15_000 ? true : null));
    assert.equal((await radius.house.session(STEADY))?.state, 'wgar');
    assert.deepEqual([radius.records(LEAVER, 'Stop'), radius.records(NEWCOMER)], [[], []]);
  });

  it('when a server is back it gets every record once and in order, each dated when it happened', async () => {
    await radius.server.resume();
    const late = await until('what had waited', RECOVERY_MS, () => {
      const stop = radius.records(LEAVER, 'Stop')[0];
      const rest = [
        radius.records(LATER, 'Stop')[0],
        radius.records(LATER, 'Start')[1],
        radius.records(NEWCOMER, 'Start')[0],
      ];
      return stop !== undefined && rest.every((record) => record !== undefined) ? stop : null;
    });
    assert.equal(valueOf(late, 'Acct-Terminate-Cause'), 'Lost-Carrier');
    const delay = Number(valueOf(late, 'Acct-Delay-Time'));
    const received = Number(valueOf(late, 'Timestamp'));
    const happened = Date.parse(valueOf(late, 'Event-Timestamp')) / 1000;
    assert.ok(delay >= 10 && Math.abs(received - happened - delay) <= 1, JSON.stringify(late));
    for (const serial of EVERYBODY) assertBooks(serial);
    // Back in service for questions as well.
    ordered(await radius.house.order('terminate', NEWCOMER));
    await ont(NEWCOMER).askAgain();
    await leaseIn(ont(NEWCOMER), RESIDENTIAL);
  });

  it('killed in an outage and started again, the BNG goes on with every session, and sends what had waited', async () => {
    const { house } = radius;
    const interimsOf = (serial: string): DetailRecord[] => {
      const id = openSession(serial);
      return radius.records(serial, 'Interim-Update').filter((r) => valueOf(r, 'Acct-Session-Id') === id);
    };
    await until('everybody has an interim', 8_000, () =>
      [STEADY, RESIDENT, LATER].every((serial) => interimsOf(serial).length > 0) ? true : null,
    );
    const down = await ont(RESIDENT).download(`http://${internet}/bytes/1000000`, 15_000);
    assert.ok(down.ok);
    await until('an interim with the transfer', 8_000, () =>
      interimsOf(RESIDENT).some((record) => octetsOf(record, 'Output') > 1_000_000) ? true : null,
    );
    await radius.server.kill();
    const open = [STEADY, RESIDENT, LATER, NEWCOMER].map(openSession);
    await house.lab.unplug(NEWCOMER);
    await until('its session is gone', 5_000, async () =>
      (await house.session(NEWCOMER)) === null ? true : null,
    );
    await house.bng.process.kill();
    await radius.server.resume();
    await house.restartBng();
    const stop = await until('the Stop of the one that ended', RECOVERY_MS, () => stopOf(open[3] ?? ''));
    assert.equal(valueOf(stop, 'Acct-Terminate-Cause'), 'Lost-Carrier');
    assert.equal(await ont(RESIDENT).tcpConnect(internet, 443), 'connected', 'it did not have to ask again');
    for (const [at, serial] of [STEADY, RESIDENT, LATER].entries()) {
      const before = interimsOf(serial).length;
      await until(`${serial} is accounted for as the same session`, RECOVERY_MS, () =>
        openSession(serial) === open[at] && interimsOf(serial).length > before ? true : null,
      );
    }
    const last = interimsOf(RESIDENT)
      .toSorted((a, b) => Number(valueOf(a, 'Timestamp')) - Number(valueOf(b, 'Timestamp')))
      .at(-1);
    assert.ok(last !== undefined && octetsOf(last, 'Output') > 1_000_000, 'what had been counted is billed');
    await house.bng.process.stop();
    for (const serial of EVERYBODY) assertBooks(serial);
    assert.deepEqual([STEADY, RESIDENT, LATER].map(openSession), open.slice(0, 3), 'a stop ends no session');
    assert.doesNotMatch(radius.server.log(), /error|invalid|discard/i);
  });

  it('started in an outage, with onTimeout silence: a new line waits, and has service soon after a server is back', async () => {
    const { house } = radius;
    await radius.server.kill();
    await house.lab.unplug(LATER);
    const { auth } = radiusConfig(house.lab, radius.servers, { auth: { onTimeout: 'silence' } });
    await house.restartBng({ auth });
    const host = await plug(NEWCOMER);
    await until('the question is given up', 10_000, () =>
      house.bng.process.logTail(50_000).includes('unreachable: no RADIUS server answered') ? true : null,
    );
    assert.deepEqual([host.lease, (await house.session(NEWCOMER))?.state], [null, 'discovered']);
    await radius.server.resume();
    await leaseIn(host, RESIDENTIAL);
    await until('its Start', RECOVERY_MS, () => openStart(NEWCOMER));
    assertBooks(NEWCOMER);
  });

  /** Each session of an ONT: one Start, then interims that only grow, then at most one Stop, which is not less. */
  function assertBooks(serial: string): void {
    // Two servers never answered at the same time: what one received later, it received later.
    const records = radius
      .records(serial)
      .toSorted((a, b) => Number(valueOf(a, 'Timestamp')) - Number(valueOf(b, 'Timestamp')));
    const ids = new Set(records.map((record) => valueOf(record, 'Acct-Session-Id')));
    assert.ok(ids.size > 0, serial);
    for (const id of ids) {
      const mine = records.filter((record) => valueOf(record, 'Acct-Session-Id') === id);
      const kinds = mine.map((record) => valueOf(record, 'Acct-Status-Type').charAt(0)).join('');
      assert.match(kinds, /^SI*S?$/, `${serial} ${id} ${JSON.stringify(mine)}`);
      const octets = mine.slice(1).map((record) => octetsOf(record, 'Output') + octetsOf(record, 'Input'));
      assert.deepEqual(
        octets,
        octets.toSorted((a, b) => a - b),
        `${serial} ${id}`,
      );
      const seconds = mine.slice(1).map((record) => Number(valueOf(record, 'Acct-Session-Time')));
      assert.deepEqual(
        seconds,
        seconds.toSorted((a, b) => a - b),
        `${serial} ${id}`,
      );
    }
  }

  function stopOf(id: string): DetailRecord | null {
    const all = EVERYBODY.flatMap((serial) => radius.records(serial, 'Stop'));
    return all.find((record) => valueOf(record, 'Acct-Session-Id') === id) ?? null;
  }

  function openStart(serial: string): DetailRecord | null {
    const isOpen = (start: DetailRecord): boolean => stopOf(valueOf(start, 'Acct-Session-Id')) === null;
    return radius.records(serial, 'Start').find(isOpen) ?? null;
  }

  function openSession(serial: string): string {
    const start = openStart(serial);
    assert.ok(start !== null, `${serial} has an open session`);
    return valueOf(start, 'Acct-Session-Id');
  }
});

function isA(record: DetailRecord | undefined, status: string): boolean {
  return record !== undefined && detailValue(record, 'Acct-Status-Type') === status;
}
