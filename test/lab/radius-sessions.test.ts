/** Real clients, the real BNG and FreeRADIUS: who is let in to what, what is billed, and why it ended. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CORE_ADDRESSES } from '../../src/lab/core-network.js';
import { exec, shell } from '../../src/lab/exec.js';
import { labProgram } from '../../src/lab/lab-paths.js';
import { LAB_NAS_IDENTIFIER } from '../../src/lab/lab-radius.js';
import type { OntHost } from '../../src/lab/ont-host.js';
import { detailValue, hasFreeRadius } from '../../src/lab/radius-server.js';
import { patience } from '../../src/lab/patience.js';
import { formatMac } from '../../src/model/mac.js';
import { BUSINESS, GARDEN, leaseIn, ordered, REFUSED_MS, RESIDENTIAL, until } from '../support/lab-house.js';
import { octetsOf, RadiusHouse, valueOf } from '../support/radius-house.js';
import { sumOf, WireCount } from '../support/wire-count.js';

const { internet } = CORE_ADDRESSES;
const ANSWER_MS = 10_000;
const FIXED = '10.16.0.77';
const IN_EVERY_RECORD = [
  'User-Name',
  'NAS-Identifier',
  'NAS-IP-Address',
  'NAS-Port-Type',
  'NAS-Port-Id',
  'Calling-Station-Id',
  'Framed-IP-Address',
  'ADSL-Agent-Circuit-Id',
  'ADSL-Agent-Remote-Id',
  'Acct-Session-Id',
  'Acct-Multi-Session-Id',
  'Acct-Delay-Time',
  'Event-Timestamp',
  'Class',
  'Bng-Subscriber-Id',
];
const ACCEPT = 'Auth-Type := Accept';
const USERS = `GARDEN01 ${ACCEPT}
  Class = 0x67617264656e

RESID001 ${ACCEPT}
  Framed-Pool = "isp-residential",
  WISPr-Bandwidth-Max-Down = 200000000,
  WISPr-Bandwidth-Max-Up = 100000000,
  Class = 0x0001ff,
  Class += "second"

FIXED001 ${ACCEPT}
  Framed-IP-Address = ${FIXED}

FIXED002 ${ACCEPT}
  Framed-IP-Address = ${FIXED}

NAMED001 ${ACCEPT}
  User-Name = "customer-7",
  Filter-Id = "gold"

BADFILT1 ${ACCEPT}
  Filter-Id = "no-such-filter"

SESSION1 ${ACCEPT}
  Session-Timeout = 4

IDLE0001 ${ACCEPT}
  Framed-Pool = "isp-residential",
  Idle-Timeout = 3

PULLED01 ${ACCEPT}
`;

describe('subscribers of a RADIUS server', { timeout: 120_000, skip: !hasFreeRadius }, () => {
  let radius: RadiusHouse;
  let port = 0;
  const hosts = new Map<string, OntHost>();
  const ont = (serial: string): OntHost => hosts.get(serial)!;

  async function plug(ontSerial: string): Promise<OntHost> {
    port += 1;
    const line = { ontSerial, port: `1/1/${port}`, tagging: 'qinq', cVlan: port, client: 'udhcpc' } as const;
    const host = await radius.house.lab.plug(line);
    hosts.set(ontSerial, host);
    return host;
  }

  before(async () => {
    radius = await RadiusHouse.start({
      prefix: 'rla',
      users: USERS,
      radius: {
        interimInterval: '2s',
        filters: { gold: { pool: 'isp-business', serviceId: 'gold-service', downloadBps: 300_000_000 } },
      },
    });
    await Promise.all(['GARDEN01', 'RESID001', 'FIXED001', 'NAMED001', 'STRANGER', 'PULLED01'].map(plug));
  });
  after(() => radius?.close());

  it('accepted without a word about a pool: the garden', async () => {
    await leaseIn(ont('GARDEN01'), GARDEN);
    assert.equal((await radius.house.session('GARDEN01'))?.state, 'wgar');
    assert.equal(await ont('GARDEN01').tcpConnect(internet, 443, REFUSED_MS), 'refused');
  });

  it('accepted with Framed-Pool: its lease is of that pool, and the internet is open at once', async () => {
    await leaseIn(ont('RESID001'), RESIDENTIAL);
    const session = await radius.house.session('RESID001');
    assert.deepEqual([session?.state, session?.pool], ['active', 'isp-residential']);
    assert.equal(await ont('RESID001').tcpConnect(internet, 443), 'connected');
  });

  it('accepted with Filter-Id: pool and service of the named profile, and the User-Name that the server gave', async () => {
    await leaseIn(ont('NAMED001'), BUSINESS);
    const session = await radius.house.session('NAMED001');
    assert.deepEqual([session?.state, session?.pool], ['active', 'isp-business']);
    assert.equal(
      detailValue(await radius.record('customer-7', 'Start'), 'Bng-Subscriber-Id'),
      'ont:NAMED001',
    );
  });

  it('Framed-IP-Address is honoured, in the pool that it lies in', async () => {
    assert.equal((await leaseIn(ont('FIXED001'), BUSINESS)).address, FIXED);
    assert.equal(valueOf(await radius.record('FIXED001', 'Start'), 'Framed-IP-Address'), FIXED);
    assert.equal((await radius.house.session(FIXED))?.state, 'active');
  });

  it('the same Framed-IP-Address for another line is refused: no lease, no Start, the first keeps it', async () => {
    const twin = await plug('FIXED002');
    await radius.accessRequest('FIXED002');
    const refusal = `fixed address ${FIXED} is held by another`;
    await until('the log tells of it', 5_000, () =>
      radius.house.bng.process.logTail(50_000).includes(refusal) ? true : null,
    );
    assert.equal(await twin.waitForLease(1_500), null);
    assert.deepEqual(
      [(await radius.house.session('FIXED002'))?.state, radius.records('FIXED002')],
      ['discovered', []],
    );
    assert.equal((await radius.house.session('FIXED001'))?.address, FIXED);
    await radius.house.lab.unplug('FIXED002');
  });

  it('an unknown Filter-Id lets nobody in, and says so', async () => {
    const host = await plug('BADFILT1');
    await until('the log tells of it', 5_000, () =>
      radius.house.bng.process.logTail(50_000).includes('Filter-Id names no profile') ? true : null,
    );
    assert.equal(await host.waitForLease(1_000), null);
    await radius.house.lab.unplug('BADFILT1');
  });

  it('rejected: with onReject garden it gets the garden', async () => {
    await leaseIn(ont('STRANGER'), GARDEN);
    assert.equal((await radius.house.session('STRANGER'))?.state, 'wgar');
  });

  it('the Access-Request names line and NAS, with an empty password and a signature that FreeRADIUS accepts', async () => {
    const request = await radius.accessRequest('RESID001');
    const [kind, first] = request;
    assert.deepEqual([kind?.[1], first?.[0]], ['Access-Request', 'Message-Authenticator']);
    const wanted = {
      'User-Name': 'RESID001',
      'User-Password': '',
      'NAS-Identifier': LAB_NAS_IDENTIFIER,
      'NAS-IP-Address': CORE_ADDRESSES.bng,
      'NAS-Port-Type': 'Ethernet',
      'Service-Type': 'Framed-User',
      // Before any frame: what the access node told of the line, which is not the MAC.
      'NAS-Port-Id': `access0:100.${ont('RESID001').port.split('/')[2]}`,
      'ADSL-Agent-Circuit-Id': hex((await radius.house.session('RESID001'))?.circuit_id ?? ''),
      'ADSL-Agent-Remote-Id': hex('RESID001'),
      'Bng-Subscriber-Id': 'ont:RESID001',
    };
    for (const [name, value] of Object.entries(wanted)) assert.equal(valueOf(request, name), value, name);
    assert.equal(detailValue(request, 'Calling-Station-Id'), null);
    assert.doesNotMatch(radius.server.log(), /error|invalid|discard/i);
  });

  it('bngctl session shows the last exchange with the server attribute by attribute, and no password', async () => {
    const { paths } = radius.house.lab;
    const bngctl = [process.execPath, labProgram('../bin/bngctl.js'), '--socket', paths.apiSocket];
    const shown = await until('accounting is answered', ANSWER_MS, async () => {
      const { stdout } = await exec([...bngctl, 'session', 'RESID001'], { timeoutMs: ANSWER_MS * patience });
      return /^Accounting-Response after /m.test(stdout) ? stdout : null;
    });
    const [, exchanges = ''] = shown.split('\nRADIUS AUTHENTICATION\n');
    assert.match(exchanges, /^Access-Request until [^\n]+\n {2}User-Name = RESID001\n/);
    assert.match(exchanges, /^ {2}ADSL-Agent-Remote-Id = RESID001$/m);
    assert.match(exchanges, /^Access-Accept after [\d.]+ ms, [\d.]+:1812\n/m);
    assert.match(exchanges, /^ {2}Framed-Pool = isp-residential$/m);
    assert.match(exchanges, /^ {2}Class = 0x0001ff\n {2}Class = second$/m);
    assert.match(exchanges, /^RADIUS ACCOUNTING\nAccounting-Request until [^\n]+\n {2}Acct-Status-Type = /m);
    assert.doesNotMatch(shown, /User-Password|Message-Authenticator/);
  });

  it('a line that speaks again is asked for with MAC, tags and what option 82 said', async () => {
    const host = ont('STRANGER');
    ordered(await radius.house.order('terminate', 'STRANGER'));
    const [, request] = await until('a second Access-Request', 5_000, () => {
      const asked = radius.server.accessRequests().filter((r) => detailValue(r, 'User-Name') === 'STRANGER');
      return asked.length >= 2 ? asked : null;
    });
    assert.equal(valueOf(request!, 'NAS-Port-Id'), `access0:100.${host.port.split('/')[2]}`);
    assert.equal(valueOf(request!, 'Calling-Station-Id'), stationId(host));
    assert.equal(valueOf(request!, 'ADSL-Agent-Remote-Id'), hex('STRANGER'));
  });

  it('a Start has every attribute, and the Class as the server gave it', async () => {
    const host = ont('RESID001');
    const session = await radius.house.session('RESID001');
    const start = await radius.record('RESID001', 'Start');
    const wanted = {
      'User-Name': 'RESID001',
      'NAS-Identifier': LAB_NAS_IDENTIFIER,
      'NAS-IP-Address': CORE_ADDRESSES.bng,
      'NAS-Port-Type': 'Ethernet',
      'NAS-Port-Id': `access0:200.${session?.attachment?.c_vlan}`,
      'Calling-Station-Id': stationId(host),
      'Framed-IP-Address': host.lease!.address,
      'ADSL-Agent-Circuit-Id': hex(session?.circuit_id ?? ''),
      'ADSL-Agent-Remote-Id': hex('RESID001'),
      'Acct-Multi-Session-Id': session?.id,
      'Acct-Delay-Time': '0',
    };
    for (const [name, value] of Object.entries(wanted)) assert.equal(valueOf(start, name), value, name);
    const classes = start.filter(([name]) => name === 'Class').map(([, value]) => value);
    assert.deepEqual(classes, ['0x0001ff', hex('second')]);
    assert.ok(Math.abs(timestampMs(valueOf(start, 'Event-Timestamp')) - host.lease!.time) < 3_000);
    assert.equal(radius.records('RESID001', 'Start').length, 1);
  });

  it('Stop after a release: User-Request, and octets and packets are those on the wire of the ONT, to the last', async () => {
    const host = ont('RESID001');
    const { address } = host.lease!;
    const { lab } = radius.house;
    // One frame on the wire is one packet: nothing is merged on its way.
    await shell('ethtool -K trunk0 gro off gso off tso off >/dev/null', { namespace: lab.namespaces.olt });
    await shell('ethtool -K access0 tso off gso on >/dev/null', { namespace: lab.namespaces.bng });
    await shell('ethtool -K eth0 tso off gso off gro off >/dev/null; ip link set eth0 gso_max_segs 1', {
      namespace: host.namespace,
    });
    // A lease of its own, so that everything from its first packet on is on this wire.
    await host.release();
    await radius.record('RESID001', 'Stop');
    const wire = await WireCount.start(lab, host.namespace, 'not udp port 67');
    await host.askAgain();
    await radius.record('RESID001', 'Start', 2);
    await leaseIn(host, RESIDENTIAL);
    const [down, up] = await Promise.all([
      host.download(`http://${internet}/bytes/3000000`, 15_000),
      host.upload(`http://${internet}/upload`, 1_000_000, 15_000),
    ]);
    assert.ok(down.ok && up.ok, JSON.stringify([down, up]));
    assert.equal((await host.ping(internet, { count: 5 })).received, 5);
    const id = valueOf(radius.records('RESID001', 'Start')[1]!, 'Acct-Session-Id');
    const interim = await until('an interim record with the transfer', 8_000, () => {
      const mine = radius
        .records('RESID001', 'Interim-Update')
        .filter((r) => valueOf(r, 'Acct-Session-Id') === id);
      return mine.find((record) => octetsOf(record, 'Output') > 3_000_000) ?? null;
    });
    await host.release();
    const stop = await radius.record('RESID001', 'Stop', 2);
    const seen = await wire.stop();
    const onWire = { up: sumOf(seen, 'from', address), down: sumOf(seen, 'to', address) };
    assert.deepEqual(
      {
        up: { packets: Number(valueOf(stop, 'Acct-Input-Packets')), bytes: octetsOf(stop, 'Input') },
        down: { packets: Number(valueOf(stop, 'Acct-Output-Packets')), bytes: octetsOf(stop, 'Output') },
      },
      onWire,
    );
    assert.ok(onWire.down.bytes > 3_000_000 && onWire.up.bytes > 1_000_000);
    assert.ok(
      octetsOf(interim, 'Output') <= onWire.down.bytes && octetsOf(interim, 'Input') <= onWire.up.bytes,
    );
    for (const name of IN_EVERY_RECORD) {
      for (const record of [radius.records('RESID001', 'Start')[1]!, interim, stop]) valueOf(record, name);
    }
    assert.deepEqual(
      [valueOf(stop, 'Acct-Session-Id'), valueOf(stop, 'Acct-Terminate-Cause'), detailValue(stop, 'Class')],
      [id, 'User-Request', '0x0001ff'],
    );
    const lasted =
      timestampMs(valueOf(stop, 'Event-Timestamp')) -
      timestampMs(valueOf(radius.records('RESID001', 'Start')[1]!, 'Event-Timestamp'));
    assert.ok(Math.abs(lasted / 1000 - Number(valueOf(stop, 'Acct-Session-Time'))) <= 1);
  });

  it('activation: a Stop with its octets and a Start under the same Acct-Multi-Session-Id, the Class with both', async () => {
    const before_ = (await leaseIn(ont('GARDEN01'), GARDEN)).address;
    ordered(await radius.house.activate('GARDEN01'));
    const { address } = await leaseIn(ont('GARDEN01'), RESIDENTIAL);
    const stop = await radius.record('GARDEN01', 'Stop');
    const start = await radius.record('GARDEN01', 'Start', 2);
    const first = radius.records('GARDEN01', 'Start')[0]!;
    assert.deepEqual(
      [first, stop, start].map((record) => valueOf(record, 'Framed-IP-Address')),
      [before_, before_, address],
    );
    assert.equal(new Set([first, stop, start].map((r) => valueOf(r, 'Acct-Multi-Session-Id'))).size, 1);
    assert.equal(valueOf(stop, 'Acct-Session-Id'), valueOf(first, 'Acct-Session-Id'));
    assert.notEqual(valueOf(start, 'Acct-Session-Id'), valueOf(first, 'Acct-Session-Id'));
    for (const record of [first, stop, start]) assert.equal(valueOf(record, 'Class'), hex('garden'));
    assert.equal(valueOf(stop, 'Acct-Terminate-Cause'), 'NAS-Request');
  });

  it('termination by the operator is Admin-Reset, a fibre that is pulled Lost-Carrier', async () => {
    ordered(await radius.house.order('terminate', 'FIXED001'));
    await radius.house.lab.unplug('PULLED01');
    const causes = await Promise.all(
      ['FIXED001', 'PULLED01'].map(async (serial) =>
        valueOf(await radius.record(serial, 'Stop'), 'Acct-Terminate-Cause'),
      ),
    );
    assert.deepEqual(causes, ['Admin-Reset', 'Lost-Carrier']);
  });

  it('Session-Timeout and Idle-Timeout end sessions in time, and not before; who is not idle stays', async () => {
    const [limited, idle] = await Promise.all(['SESSION1', 'IDLE0001'].map(plug));
    await leaseIn(limited!, GARDEN);
    await leaseIn(idle!, RESIDENTIAL);
    // Longer than the idle timeout.
    const busy = await idle!.ping(internet, { count: 25 });
    assert.deepEqual([busy.received, radius.records('IDLE0001', 'Stop')], [25, []]);
    const stopped = await radius.record('SESSION1', 'Stop');
    assert.equal(valueOf(stopped, 'Acct-Terminate-Cause'), 'Session-Timeout');
    assert.ok(['4', '5'].includes(valueOf(stopped, 'Acct-Session-Time')), JSON.stringify(stopped));
    const idled = await radius.record('IDLE0001', 'Stop');
    assert.equal(valueOf(idled, 'Acct-Terminate-Cause'), 'Idle-Timeout');
    assert.ok(Number(valueOf(idled, 'Acct-Session-Time')) >= 8, JSON.stringify(idled));
  });

  it('a stop tells the server nothing; a teardown stops what is left with NAS-Request, and Accounting-Off comes last', async () => {
    const of = (status: string): string[] =>
      radius.server
        .accounting()
        .filter((record) => detailValue(record, 'Acct-Status-Type') === status)
        .map((record) => valueOf(record, 'User-Name'));
    // Whose time is limited is ended by that, again and again.
    const stops = (): string[] => of('Stop').filter((name) => !['SESSION1', 'IDLE0001'].includes(name));
    const { process: bng } = radius.house.bng;
    const before = stops();
    await bng.stop();
    assert.deepEqual(bng.exit, { exitCode: 0, signal: null });
    assert.deepEqual(stops(), before);
    const { exitCode, stderr } = await radius.house.bng.teardown();
    assert.equal(exitCode, 0, stderr);
    const all = radius.server.accounting().map((record) => valueOf(record, 'Acct-Status-Type'));
    assert.deepEqual(of('Stop').toSorted(), of('Start').toSorted());
    assert.deepEqual([all[0], all.at(-1)], ['Accounting-On', 'Accounting-Off']);
    const stop =
      radius.records('NAMED001').length === 0 ? radius.records('customer-7', 'Stop')[0] : undefined;
    assert.equal(valueOf(stop!, 'Acct-Terminate-Cause'), 'NAS-Request');
  });
});

function hex(text: string): string {
  return `0x${Buffer.from(text).toString('hex')}`;
}

function stationId(host: OntHost): string {
  return formatMac(host.mac).toUpperCase().replaceAll(':', '-');
}

/** FreeRADIUS prints dates in the machine's own time zone: `Nov 23 2026 17:21:29 UTC`. */
function timestampMs(text: string): number {
  const ms = Date.parse(text);
  assert.ok(Number.isFinite(ms), text);
  return ms;
}
