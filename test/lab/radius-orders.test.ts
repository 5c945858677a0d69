/** Orders of the AAA server by FreeRADIUS's own radclient: what changes without a packet lost, who moves, who is not believed. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { CORE_ADDRESSES } from '../../src/lab/core-network.js';
import { LAB_COA_PORT, LAB_RADIUS_SECRET } from '../../src/lab/lab-radius.js';
import type { OntHost } from '../../src/lab/ont-host.js';
import { hasFreeRadius } from '../../src/lab/radius-server.js';
import { patience } from '../../src/lab/patience.js';
import { LOG_EVENTS } from '../../src/log-events.js';
import { parseIpv4 } from '../../src/model/ipv4.js';
import { RadiusAttributesBuilder } from '../../src/wire/radius-attributes-builder.js';
import { Attribute } from '../../src/wire/radius-dictionary.js';
import { encodeSignedRequest } from '../../src/wire/radius-encode.js';
import { RadiusCode } from '../../src/wire/radius-packet.js';
import { RadiusSecret } from '../../src/wire/radius-secret.js';
import { GARDEN, leaseIn, REFUSED_MS, RESIDENTIAL, until } from '../support/lab-house.js';
import { RadiusHouse, valueOf } from '../support/radius-house.js';

const { internet } = CORE_ADDRESSES;
const RATED = 'RATED001';
const MOVED = 'MOVED001';
const USERS = `${RATED} Auth-Type := Accept
  Framed-Pool = "isp-residential",
  Class = 0x01

${MOVED} Auth-Type := Accept
  Class = 0x02
`;
const ACK = { answer: 'CoA-ACK', errorCause: null };
const SILENCE = { answer: null, errorCause: null };

/** Sends `hex` in turn from sockets by name; prints what each send was answered with. From `other` nothing is expected. */
const SENDER = `
const { createSocket } = require('node:dgram');
const [address, port, hex, ...order] = process.argv.slice(1);
const sockets = new Map();
(async () => {
  for (const name of order) {
    if (!sockets.has(name)) sockets.set(name, createSocket('udp4').bind());
    const socket = sockets.get(name);
    const answer = await new Promise((resolve) => {
      const timer = setTimeout(() => resolve('none'), name === 'other' ? 700 : 10_000);
      socket.once('message', (bytes) => { clearTimeout(timer); resolve(bytes.toString('hex')); });
      socket.send(Buffer.from(hex, 'hex'), Number(port), address);
    });
    socket.removeAllListeners('message');
    console.log(answer);
  }
  for (const socket of sockets.values()) socket.close();
})();`;

describe('orders of a RADIUS server', { timeout: 90_000, skip: !hasFreeRadius }, () => {
  let radius: RadiusHouse;
  let rated: OntHost;
  let moved: OntHost;

  before(async () => {
    radius = await RadiusHouse.start({
      prefix: 'rlb',
      users: USERS,
      radius: { filters: { slow: { downloadBps: 8_000_000, uploadBps: 8_000_000 } } },
    });
    const line = { tagging: 'qinq', client: 'udhcpc' } as const;
    const hosts = await radius.house.plugAll([
      { ...line, ontSerial: RATED, port: '1/1/1', cVlan: 1 },
      { ...line, ontSerial: MOVED, port: '1/1/2', cVlan: 2 },
    ]);
    [rated, moved] = [hosts[0]!, hosts[1]!];
    await Promise.all([leaseIn(rated, RESIDENTIAL), leaseIn(moved, GARDEN)]);
  });
  after(() => radius?.close());

  const named = (serial: string): string => `User-Name = "${serial}"`;
  const accountingId = async (serial: string): Promise<string> =>
    valueOf((await radius.record(serial, 'Start')).slice(), 'Acct-Session-Id');

  async function megabits(host: OntHost): Promise<number> {
    const got = await host.download(`http://${internet}/bytes/1500000`, 20_000);
    assert.ok(got.ok, JSON.stringify(got));
    return (got.bytes * 8) / got.seconds / 1e6;
  }

  it('a change of rates works in place: no packet of a stream under way is lost, no link bounced, no record made', async () => {
    const { address } = rated.lease!;
    const losses = rated.carrierLosses;
    assert.ok((await megabits(rated)) > 15);
    const stream = rated.run(['ping', '-n', '-q', '-i', '0.01', '-c', '300', internet], 15_000 * patience);
    await until('the stream flows', 5_000, async () => ((await packetsOf(RATED)) > 20 ? true : null));
    const id = `Acct-Session-Id = "${await accountingId(RATED)}"`;
    const rates = ['WISPr-Bandwidth-Max-Down = 4000000', 'WISPr-Bandwidth-Max-Up = 4000000'];
    assert.deepEqual(await radius.radclient('coa', [id, named(RATED), ...rates]), ACK);
    assert.deepEqual(
      await radius.radclient('coa', [`Framed-IP-Address = ${address}`, 'Filter-Id = "slow"']),
      ACK,
    );
    assert.match((await stream).stdout, /300 packets transmitted, 300 received/);
    const { body } = await radius.house.bng.get(`/api/v1/sessions/${RATED}`);
    assert.deepEqual([body['download_bps'], body['address']], [8_000_000, address]);
    const exchanges = body['radius_exchanges'] as { readonly kind: string }[];
    const order = JSON.stringify(exchanges.find(({ kind }) => kind === 'order'));
    assert.match(order, /"code":"CoA-Request","attributes":.*\{"name":"Filter-Id","value":"slow"\}/);
    assert.match(order, /"response":\{"code":"CoA-ACK"/);
    const rate = await megabits(rated);
    assert.ok(rate > 1.5 && rate < 9, `${rate} Mbit/s`);
    assert.deepEqual([rated.lease?.address, rated.carrierLosses], [address, losses]);
    assert.deepEqual([radius.records(RATED, 'Start').length, radius.records(RATED, 'Stop').length], [1, 0]);
  });

  it('Calling-Station-Id and circuit id name a session too; who does not agree with all that is given is not meant', async () => {
    const mac = `Calling-Station-Id = "02-00-5E-00-00-01"`;
    const circuit = `ADSL-Agent-Circuit-Id = "${(await radius.house.session(RATED))?.circuit_id ?? ''}"`;
    const change = 'Idle-Timeout = 3600';
    assert.deepEqual(await radius.radclient('coa', [mac, circuit, change]), ACK);
    for (const selector of [[mac, named(MOVED)], ['User-Name = "nobody"'], ['Acct-Session-Id = "0-0"']]) {
      const outcome = await radius.radclient('coa', [...selector, change]);
      assert.deepEqual(outcome, { answer: 'CoA-NAK', errorCause: 'Session-Context-Not-Found' });
    }
    const unknown = await radius.radclient('disconnect', ['User-Name = "nobody"']);
    assert.deepEqual(unknown, { answer: 'Disconnect-NAK', errorCause: 'Session-Context-Not-Found' });
  });

  it('what cannot be done is refused with its Error-Cause', async () => {
    for (const [attributes, errorCause] of [
      [[named(RATED), 'Filter-Id = "no-such-filter"'], 'Invalid-Attribute-Value'],
      [[named(RATED), 'Framed-Pool = "no-such-pool"'], 'Invalid-Attribute-Value'],
      [[named(RATED), 'Framed-MTU = 1400'], 'Unsupported-Attribute'],
      [[named(RATED)], 'Missing-Attribute'],
      [['Idle-Timeout = 3600'], 'Missing-Attribute'],
      [[named(RATED), 'NAS-Identifier = "another"', 'Idle-Timeout = 3600'], 'NAS-Identification-Mismatch'],
    ] as const) {
      const outcome = await radius.radclient('coa', attributes);
      assert.deepEqual(outcome, { answer: 'CoA-NAK', errorCause }, attributes.join(', '));
    }
  });

  it('a wrong secret and a timestamp of an hour ago get no answer and change nothing', async () => {
    const before_ = await radius.house.session(RATED);
    const order = [named(RATED), 'Framed-Pool = "wgar"'];
    assert.deepEqual(
      await radius.radclient('coa', order, { secret: 'not-the-secret', silent: true }),
      SILENCE,
    );
    const old = `Event-Timestamp = ${Math.floor(Date.now() / 1000) - 3600}`;
    assert.deepEqual(await radius.radclient('coa', [...order, old], { silent: true }), SILENCE);
    assert.deepEqual(
      { ...(await radius.house.session(RATED)), lease_expires_at: before_?.lease_expires_at },
      before_,
    );
  });

  it('a retransmission gets the very same answer, the same bytes from another port none', async () => {
    const bytes = encodeSignedRequest({
      code: RadiusCode['CoA-Request'],
      identifier: 7,
      attributes: new RadiusAttributesBuilder()
        .add(Attribute.FramedIpAddress, parseIpv4(rated.lease!.address))
        .add(Attribute.IdleTimeout, 1800)
        .add(Attribute.EventTimestamp, Math.floor(Date.now() / 1000))
        .build(),
      secret: new RadiusSecret(Buffer.from(LAB_RADIUS_SECRET)),
      messageAuthenticator: true,
    });
    const hex = Buffer.from(bytes).toString('hex');
    const target = [CORE_ADDRESSES.bng, `${LAB_COA_PORT}`];
    const command = [process.execPath, '-e', SENDER, ...target, hex, 'first', 'other', 'first'];
    const answers = (await radius.core.run(command, 30_000 * patience)).stdout.split('\n');
    assert.match(answers[0] ?? '', /^2c07/);
    assert.deepEqual(answers.slice(1), ['none', answers[0]]);
  });

  it('a change of pool out of the garden moves the client into the ISP pool, and back', async () => {
    const garden = moved.lease!.address;
    assert.equal(await moved.tcpConnect(internet, 443, REFUSED_MS), 'refused');
    const into = await radius.radclient('coa', [named(MOVED), 'Framed-Pool = "isp-residential"']);
    assert.deepEqual(into, ACK);
    const { address } = await leaseIn(moved, RESIDENTIAL);
    assert.equal(await moved.tcpConnect(internet, 443), 'connected');
    assert.deepEqual(await radius.radclient('coa', [named(MOVED), 'Framed-Pool = "wgar"']), ACK);
    assert.equal((await leaseIn(moved, GARDEN)).address, garden);
    assert.equal(await moved.tcpConnect(internet, 443, REFUSED_MS), 'refused');
    await radius.record(MOVED, 'Start', 3);
    const starts = radius.records(MOVED, 'Start');
    assert.deepEqual(
      starts.map((start) => [valueOf(start, 'Framed-IP-Address'), valueOf(start, 'Class')]),
      [garden, address, garden].map((leased) => [leased, '0x02']),
    );
    assert.equal(new Set(starts.map((start) => valueOf(start, 'Acct-Multi-Session-Id'))).size, 1);
    assert.equal(radius.records(MOVED, 'Stop').length, 2);
  });

  it('a Session-Timeout that comes by CoA ends the session when it has lasted that long', async () => {
    const old = await radius.house.session(MOVED);
    const stops = radius.records(MOVED, 'Stop').length;
    assert.deepEqual(await radius.radclient('coa', [named(MOVED), 'Session-Timeout = 3']), ACK);
    const stop = await radius.record(MOVED, 'Stop', stops + 1);
    assert.equal(valueOf(stop, 'Acct-Terminate-Cause'), 'Session-Timeout');
    assert.ok(Number(valueOf(stop, 'Acct-Session-Time')) >= 3, JSON.stringify(stop));
    assert.equal(await radius.house.session(old!.id), null);
  });

  it('Disconnect ends the session with a Stop, Admin-Reset, and makes the equipment ask anew', async () => {
    const id = `Acct-Session-Id = "${await accountingId(RATED)}"`;
    const old = await radius.house.session(RATED);
    const losses = rated.carrierLosses;
    const outcome = await radius.radclient('disconnect', [id]);
    assert.deepEqual(outcome, { answer: 'Disconnect-ACK', errorCause: null });
    assert.equal(await radius.house.session(old!.id), null);
    const stop = await radius.record(RATED, 'Stop');
    assert.equal(valueOf(stop, 'Acct-Terminate-Cause'), 'Admin-Reset');
    assert.ok(Number(valueOf(stop, 'Acct-Input-Packets')) >= 300);
    assert.equal(await rated.waitForCarrierLosses(losses + 1, 5_000), true);
    assert.equal(await rated.tcpConnect(internet, 443, 10_000 * patience), 'connected');
    const anew = await radius.record(RATED, 'Start', 2);
    assert.notEqual(`Acct-Session-Id = "${valueOf(anew, 'Acct-Session-Id')}"`, id);
    const again = await radius.radclient('disconnect', [id]);
    assert.deepEqual(again, { answer: 'Disconnect-NAK', errorCause: 'Session-Context-Not-Found' });
  });

  it('every order is in the audit log with its client and the session, and no secret is in any log', async () => {
    const { paths } = radius.house.lab;
    const log = readFileSync(paths.logFile('bng'), 'utf8');
    interface Line {
      readonly event: string;
      readonly action: string;
      readonly actor: { readonly via: string; readonly name: string };
      readonly before: { readonly ont: string } | null;
      readonly result: string;
    }
    const lines = log
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text) as Line);
    const orders = lines.filter(({ event }) => event === 'audit');
    const { actor, before, result } = orders.find(
      (order) => order.action === 'disconnect' && order.result === 'done',
    )!;
    assert.deepEqual([actor.via, before?.ont, result], ['radius', RATED, 'done']);
    assert.ok(
      orders.some((order) => order.action === 'change-of-authorization' && order.result === 'refused'),
    );
    const unknown = lines
      .map(({ event }) => event)
      .filter((event) => event !== 'audit' && !(event in LOG_EVENTS));
    assert.deepEqual(unknown, []);
    const token = readFileSync(radius.house.bng.tokenFile, 'utf8').trim();
    assert.ok(lines.length > 20 && !log.includes(token) && !log.includes(LAB_RADIUS_SECRET));
  });

  async function packetsOf(serial: string): Promise<number> {
    const { body } = await radius.house.bng.get(`/api/v1/sessions/${serial}`);
    return Number((body['traffic'] as Record<string, string>)['upstream_packets']);
  }
});
