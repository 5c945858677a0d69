/** The report for operators out of real parts: client, queue and CoA server against peers that speak bytes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aaaReport } from '../../src/aaa-report.js';
import { RadiusAccountingSender } from '../../src/aaa/accounting-senders.js';
import { RadiusAccounting } from '../../src/aaa/radius-accounting.js';
import { systemClock } from '../../src/model/system-clock.js';
import { Attribute } from '../../src/wire/radius-dictionary.js';
import { accountingSession, NAS, openStore, temporaryFolder } from '../support/accounting-world.js';
import { attributes, Dac, FakeInlet, openServer } from './coa-dac.js';
import { ACCEPT, access, rig, SILENT, until } from './radius-client-rig.js';

const LOCAL = { authentication: null, accounting: null, authenticator: null, queue: null };

function modes(mode: 'local' | 'radius') {
  return {
    auth: {
      mode,
      defaultPool: 'wgar',
      records: [],
      userName: 'ont-serial',
      onReject: 'garden',
      onTimeout: 'silence',
    },
    accounting: { mode: mode === 'local' ? 'log' : 'radius', queueLimit: 1_000 },
  } as const;
}

test('in local mode the report is empty but for its modes', () => {
  assert.deepEqual(aaaReport(modes('local'), LOCAL, null), {
    authMode: 'local',
    accountingMode: 'log',
    servers: [],
    clients: [],
    authenticator: null,
    accounting: null,
    coa: null,
  });
});

test('servers come with role, outcomes of their role, what was ignored and why, and every round trip in a bucket', async (t) => {
  const auth = await rig(t, [
    (request, peer) => {
      // Not signed, and then as it should be: the first is ignored.
      peer.answer(request, { code: 2, messageAuthenticator: false });
      peer.answer(request, { code: request.identifier % 2 === 0 ? 2 : 3 });
    },
  ]);
  const acct = await rig(t, [SILENT]);
  await auth.client.exchange(access('a'));
  await auth.client.exchange(access('b'));
  void acct.client.exchange({ ...access('c'), deadlineMs: 1_000 });
  await until(() => acct.peers[0]!.requests.length === 1, 'the request');
  const inspection = { ...LOCAL, authentication: auth.client, accounting: acct.client };
  const { servers, clients } = aaaReport(modes('radius'), inspection, null);
  assert.deepEqual(
    servers.map(({ name, role, state, inFlight, requests }) => [name, role, state, inFlight, requests]),
    [
      ['s0', 'auth', 'alive', 0, 2],
      ['s0', 'acct', 'alive', 1, 1],
    ],
  );
  const [first, second] = servers;
  const { 'access-accept': accepts, 'access-reject': rejects, ...others } = first!.outcomes;
  assert.equal(accepts! + rejects!, 2);
  assert.deepEqual(others, { 'access-challenge': 0, 'no-answer': 0 });
  assert.deepEqual(second!.outcomes, { 'accounting-response': 0, 'no-answer': 0 });
  const met = first!.ignored.filter(({ count }) => count > 0);
  assert.deepEqual(
    met.map(({ reason, count }) => [reason, count]),
    [['missing-message-authenticator', 2]],
  );
  assert.match(met[0]!.explanation, /requireMessageAuthenticator: false/);
  const { boundsMs, buckets, count } = first!.roundTrip;
  assert.deepEqual([count, buckets.length, buckets.reduce((a, b) => a + b)], [2, boundsMs.length + 1, 2]);
  assert.deepEqual(clients, [
    { role: 'auth', queued: 0, overloaded: 0, timeouts: 0 },
    { role: 'acct', queued: 0, overloaded: 0, timeouts: 0 },
  ]);
  acct.clock.advance(1_000_000);
  await until(() => acct.client.statistics().timeouts === 1, 'the end of the exchange');
  const after = aaaReport(modes('radius'), inspection, null);
  assert.deepEqual(
    [after.servers[1]!.state, after.servers[1]!.outcomes['no-answer'], after.clients[1]!.timeouts],
    ['dead', 1, 1],
  );
});

test('the accounting queue shows what waits in an outage and what was delivered after it', async (t) => {
  const { client, peers } = await rig(t, [SILENT], {
    clock: systemClock,
    timers: { initialRetransmitMs: 20, maxTransmissions: 1, deadlineMs: 50, deadMs: 10 },
  });
  const store = await openStore(`${temporaryFolder(t)}/store`);
  const opened = await RadiusAccounting.open({
    store,
    sender: new RadiusAccountingSender({ client, nas: NAS }),
    clock: systemClock,
    limits: { firstRetryMs: 10, lastRetryMs: 20 },
    nas: NAS,
    interimIntervalSeconds: 300,
    bootId: 'boot',
  });
  assert.ok(opened.ok);
  const queue = opened.value;
  t.after(async () => {
    await queue.close(0);
    await store.close();
  });
  const report = () => aaaReport(modes('radius'), { ...LOCAL, accounting: client, queue }, null).accounting!;
  queue.start(accountingSession('one', Date.now()));
  await until(() => report().outage, 'an outage');
  assert.deepEqual([report().length, report().delivered, report().storeFailure], [1, 0, null]);
  assert.ok(report().retried > 0 && report().oldestAgeMs > 0);
  peers[0]!.script = (request, peer) => peer.answer(request, { code: 5, messageAuthenticator: false });
  await until(() => report().delivered === 1, 'the delivery');
  assert.deepEqual([report().length, report().outage], [0, false]);
});

test('CoA shows requests and answers by code, drops, and datagrams of strangers', async (t) => {
  const inlet = new FakeInlet();
  const server = await openServer({ inlet, clock: systemClock });
  const dac = await Dac.open(server.port, systemClock);
  const stranger = await Dac.open(server.port, systemClock, '127.0.0.9');
  t.after(async () => {
    dac.close();
    stranger.close();
    await server.close();
  });
  const user = () => attributes().add(Attribute.UserName, 'ONT1');
  await dac.ask({ attributes: user().add(Attribute.WisprBandwidthMaxDown, 1_000_000) });
  inlet.answer = async () => ({ ok: false, kind: 'no-session', reason: 'nobody' });
  await dac.ask({ kind: 'Disconnect', attributes: user() });
  await dac.send(dac.bytes({ attributes: user(), secret: 'another' }));
  await stranger.send(new Uint8Array(20));
  const report = () => aaaReport(modes('local'), LOCAL, server).coa!;
  const drops = () => Object.entries(report().clients[0]!.dropped).filter(([, count]) => count > 0);
  await until(() => drops().length > 0 && report().unknownClients > 0, 'both datagrams');
  const [client] = report().clients;
  assert.equal(client!.address, '127.0.0.1');
  assert.deepEqual(client!.requests, [
    { code: 'CoA-Request', received: 1, answers: { ack: 1 } },
    { code: 'Disconnect-Request', received: 1, answers: { SessionContextNotFound: 1 } },
  ]);
  assert.deepEqual(drops(), [['wrong-request-authenticator', 1]]);
  assert.equal(report().unknownClients, 1);
});

test('a request of an exchange that was answered at once leaves nothing in flight', async (t) => {
  const { client } = await rig(t, [ACCEPT]);
  await client.exchange(access());
  const { servers } = aaaReport(modes('radius'), { ...LOCAL, authentication: client }, null);
  assert.deepEqual([servers[0]!.inFlight, servers[0]!.sockets], [0, 1]);
});
