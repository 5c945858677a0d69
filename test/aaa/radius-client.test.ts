/** One server: retransmission, deadlines, what is ignored, many requests at once. Peers speak bytes over loopback. */
import assert from 'node:assert/strict';
import dns from 'node:dns';
import { test } from 'node:test';
import { RadiusClient } from '../../src/aaa/radius-client.js';
import { RadiusAttributesBuilder } from '../../src/wire/radius-attributes-builder.js';
import { Attribute } from '../../src/wire/radius-dictionary.js';
import { RadiusSecret } from '../../src/wire/radius-secret.js';
import type { PeerRequest } from '../support/radius-peer.js';
import { ManualClock } from '../support/manual-clock.js';
import { mutate, seededRandom } from '../support/mutate.js';
import { attributeOf, RadiusPeer } from '../support/radius-peer.js';
import { ACCEPT, access, rig, SECRET, SILENT, until } from './radius-client-rig.js';

type LookupDone = (error: Error | null, address: string, family: number) => void;

test('an Access-Request is answered', async (t) => {
  const { client } = await rig(t, [
    (request, peer) => peer.answer(request, { code: 2, attributes: [[88, Buffer.from('wgar')]] }),
  ]);
  const result = await client.exchange(access());
  assert.ok(result.kind === 'response');
  assert.deepEqual([result.server, result.outcome], ['s0', 'access-accept']);
  assert.equal(result.packet.attributes.first(Attribute.FramedPool), 'wgar');
  const [server] = client.statistics().servers;
  assert.equal(server?.state, 'alive');
  assert.deepEqual([server?.requests, server?.outcomes['access-accept'], server?.inFlight], [1, 1, 0]);
  assert.equal(server?.rtt.count, 1);
});

test('a request without answer is sent again after 2, 4, 8 and 16 s, the same to the byte, and then times out', async (t) => {
  const { client, clock, peers } = await rig(t, [SILENT], { timers: { deadlineMs: 60_000 } });
  const result = client.exchange(access());
  const [peer] = peers;
  const waits: number[] = [];
  for (let sent = 1; sent <= 5; sent++) {
    await until(() => peer!.requests.length === sent, `transmission ${sent}`);
    waits.push(Math.round(clock.nextMs! / 1000));
    clock.advance(clock.nextMs!);
  }
  assert.deepEqual(waits, [2, 4, 8, 16, 16]);
  assert.deepEqual(await result, { kind: 'timeout', transmissions: 5 });
  assert.equal(new Set(peer!.requests.map(({ bytes }) => bytes.toString('hex'))).size, 1);
  const [server] = client.statistics().servers;
  assert.deepEqual([server?.retransmissions, server?.outcomes['no-answer'], server?.state], [4, 1, 'dead']);
});

test('a steady request is sent again every 2 s', async (t) => {
  const { client, clock, peers } = await rig(t, [SILENT], { timers: { deadlineMs: 60_000 } });
  const { attributes } = access();
  const result = client.exchange({
    kind: 'accounting',
    attributes,
    happenedWallMs: clock.wallMs(),
    steady: true,
  });
  const waits: number[] = [];
  for (let sent = 1; sent <= 5; sent++) {
    await until(() => peers[0]!.requests.length === sent, `transmission ${sent}`);
    waits.push(Math.round(clock.nextMs! / 1000));
    clock.advance(clock.nextMs!);
  }
  assert.deepEqual(waits, [2, 2, 2, 2, 2]);
  assert.equal((await result).kind, 'timeout');
});

test('an answer is told of when it was verified, whatever it says, and a forged one is not', async (t) => {
  let answers = 0;
  const { client } = await rig(
    t,
    [
      (request, peer) => {
        const right = peer.encode(request, { code: 3 });
        const forged = Buffer.from(right);
        forged[4]! ^= 1;
        peer.send(request, forged);
        peer.send(request, right);
      },
    ],
    { answered: () => void (answers += 1) },
  );
  const result = await client.exchange(access());
  assert.deepEqual([result.kind === 'response' && result.outcome, answers], ['access-reject', 1]);
});

test('waits between transmissions vary by a tenth (RFC 5080 §2.2.1)', async (t) => {
  for (const [random, firstMs] of [
    [0, 1_800],
    [0.999, 2_200],
  ] as const) {
    const { client, clock } = await rig(t, [SILENT], { random: () => random });
    void client.exchange(access());
    assert.equal(Math.round(clock.nextMs! / 100) * 100, firstMs);
  }
});

test('the deadline of a request ends it, and a later answer is ignored and counted', async (t) => {
  const { client, clock, peers } = await rig(t, [SILENT]);
  const result = client.exchange(access('ont-1', { deadlineMs: 3_000 }));
  const [peer] = peers;
  await until(() => peer!.requests.length === 1, 'the request');
  clock.advance(2_000);
  await until(() => peer!.requests.length === 2, 'the retransmission');
  clock.advance(1_000);
  assert.deepEqual(await result, { kind: 'timeout', transmissions: 2 });
  peer!.answer(peer!.requests[0]!, { code: 2 });
  await until(() => client.statistics().servers[0]!.ignored['unknown-identifier'] === 1, 'the late answer');
});

test('a request that got lost is answered on its retransmission, which tells no round-trip time', async (t) => {
  const { client, clock, peers } = await rig(t, [SILENT]);
  const result = client.exchange(access());
  await until(() => peers[0]!.requests.length === 1, 'the request');
  peers[0]!.script = ACCEPT;
  clock.advance(2_000);
  assert.equal((await result).kind, 'response');
  assert.equal(client.statistics().servers[0]?.rtt.count, 0);
});

test('answers out of order reach the requests they answer, and repeated ones are counted', async (t) => {
  const held: PeerRequest[] = [];
  const { client } = await rig(t, [
    (request, peer) => {
      held.push(request);
      if (held.length < 20) return;
      for (const each of held.toReversed()) {
        const message = attributeOf(each, 1)!;
        peer.answer(each, { code: 2, attributes: [[18, message]] });
        peer.answer(each, { code: 2, attributes: [[18, message]] });
      }
    },
  ]);
  const names = Array.from({ length: 20 }, (_, index) => `ont-${index}`);
  const results = await Promise.all(names.map((name) => client.exchange(access(name))));
  const answered = results.map(
    (r) => r.kind === 'response' && r.packet.attributes.first(Attribute.ReplyMessage),
  );
  assert.deepEqual(answered, names);
  await until(
    () => client.statistics().servers[0]!.ignored['unknown-identifier'] === 20,
    'the repeated ones',
  );
});

test('forged answers are ignored by reason, and the right one after them is taken', async (t) => {
  const { client, notices } = await rig(t, [
    (request, peer) => {
      const right = peer.encode(request, { code: 2 });
      for (let at = 4; at < 20; at++) {
        const forged = Buffer.from(right);
        forged[at]! ^= 0x40;
        peer.send(request, forged);
      }
      peer.answer(request, { code: 2, messageAuthenticator: false });
      peer.answer(request, { code: 2, messageAuthenticator: false, attributes: [[80, Buffer.alloc(16)]] });
      peer.answer(request, { code: 2, messageAuthenticator: false, attributes: [[80, Buffer.alloc(3)]] });
      peer.answer(request, { code: 5 });
      peer.send(request, right.subarray(0, 30));
      peer.send(request, right);
    },
  ]);
  assert.equal((await client.exchange(access())).kind, 'response');
  assert.deepEqual(client.statistics().servers[0]?.ignored, {
    'wrong-response-authenticator': 16,
    'wrong-request-authenticator': 0,
    'wrong-message-authenticator': 1,
    'malformed-message-authenticator': 1,
    'missing-message-authenticator': 1,
    malformed: 1,
    'unknown-identifier': 0,
    'unexpected-code': 1,
  });
  const told = notices.filter(({ kind }) => kind === 'ignored');
  assert.equal(told.length, 6, 'each reason is told once');
  assert.match(JSON.stringify(told), /FreeRADIUS 3\.2\.1 adds one only when told/);
});

test('of 1,000 mutated answers each is ignored and counted, and the right one after them is taken', async (t) => {
  const random = seededRandom(2866);
  let sent = 0;
  const { client } = await rig(t, [
    (request, peer) => {
      const right = peer.encode(request, { code: 2, attributes: [[25, Buffer.from('class')]] });
      for (let n = 0; n < 100; n++) {
        const mutated = mutate(right, random);
        // Beyond Length is padding (RFC 2865 §3): that would be the right answer.
        if (right.equals(mutated.subarray(0, right.length))) continue;
        peer.send(request, mutated);
        sent += 1;
      }
      peer.send(request, right);
    },
  ]);
  for (let n = 0; n < 10; n++) assert.equal((await client.exchange(access())).kind, 'response');
  const [figures] = client.statistics().servers;
  assert.ok(sent > 800, `${sent}`);
  assert.equal(
    Object.values(figures!.ignored).reduce((sum, count) => sum + count, 0),
    sent,
  );
  assert.equal(figures!.outcomes['access-accept'], 10);
});

test('an answer without Message-Authenticator is taken where none is required', async (t) => {
  const { client } = await rig(
    t,
    [(request, peer) => peer.answer(request, { code: 2, messageAuthenticator: false })],
    { requireMessageAuthenticator: false },
  );
  assert.equal((await client.exchange(access())).kind, 'response');
});

test('an answer from another address or port is not taken', async (t) => {
  const { client, clock, peers } = await rig(t, [SILENT], { timers: { maxTransmissions: 1 } });
  const [peer] = peers;
  const otherPort = await RadiusPeer.start({ secret: SECRET, script: SILENT });
  const otherAddress = await RadiusPeer.start({
    secret: SECRET,
    script: SILENT,
    address: '127.0.0.2',
    port: peer!.port,
  });
  t.after(() => Promise.all([otherPort.close(), otherAddress.close()]));
  let isOver = false;
  const result = client.exchange(access()).finally(() => (isOver = true));
  await until(() => peer!.requests.length === 1, 'the request');
  const [request] = peer!.requests;
  for (const other of [otherPort, otherAddress]) other.answer(request!, { code: 2 });
  // What the peer itself sends after them has gone the same way: once it is in, the others would have been.
  peer!.send(request!, Buffer.from('not RADIUS'));
  await until(() => client.statistics().servers[0]!.ignored.malformed === 1, 'the marker');
  assert.equal(isOver, false);
  clock.advance(2_000);
  assert.equal((await result).kind, 'timeout');
});

test('1,000 requests are in flight at once over source ports of 256 each', async (t) => {
  const { client, peers } = await rig(t, [SILENT]);
  const results = Array.from({ length: 1_000 }, (_, index) => client.exchange(access(`ont-${index}`)));
  const [peer] = peers;
  await until(() => peer!.requests.length === 1_000, 'all requests');
  const server = client.statistics().servers[0]!;
  assert.deepEqual([server.inFlight, server.sockets, client.statistics().queued], [1_000, 4, 0]);
  const keys = peer!.requests.map(({ from, identifier }) => `${from.port}/${identifier}`);
  assert.equal(new Set(keys).size, 1_000);
  for (const request of peer!.requests) peer!.answer(request, { code: 2 });
  assert.ok((await Promise.all(results)).every(({ kind }) => kind === 'response'));
});

test('beyond its source ports requests wait in line, beyond the line they are overloaded at once', async (t) => {
  const { client, peers } = await rig(t, [SILENT], { limits: { maxSockets: 1, maxQueued: 10 } });
  const results = Array.from({ length: 270 }, (_, index) => client.exchange(access(`ont-${index}`)));
  const [peer] = peers;
  await until(() => peer!.requests.length === 256, 'the first 256');
  assert.deepEqual(await Promise.all(results.slice(266)), Array(4).fill({ kind: 'overloaded' }));
  assert.deepEqual([client.statistics().queued, client.statistics().overloaded], [10, 4]);
  peer!.script = ACCEPT;
  for (const request of peer!.requests.slice(0, 256)) peer!.answer(request, { code: 2 });
  assert.ok((await Promise.all(results.slice(0, 266))).every(({ kind }) => kind === 'response'));
  assert.equal(client.statistics().queued, 0);
});

test('a request that still waits in line at its deadline is overloaded', async (t) => {
  const { client, clock } = await rig(t, [SILENT], { limits: { maxSockets: 1 } });
  const sent = Array.from({ length: 256 }, () => client.exchange(access()));
  const waiting = client.exchange(access('late', { deadlineMs: 500 }));
  clock.advance(500);
  assert.deepEqual(await waiting, { kind: 'overloaded' });
  client.close();
  assert.ok((await Promise.all(sent)).every(({ kind }) => kind === 'closed'));
});

test('a retransmitted accounting request has its true delay, and with it another identifier and authenticator', async (t) => {
  const { client, clock, peers } = await rig(t, [SILENT]);
  const attributes = new RadiusAttributesBuilder().add(Attribute.AcctSessionId, 's-1').build();
  const happenedWallMs = clock.wallMs() - 7_000;
  const result = client.exchange({ kind: 'accounting', attributes, happenedWallMs });
  const [peer] = peers;
  await until(() => peer!.requests.length === 1, 'the request');
  clock.advance(2_000);
  await until(() => peer!.requests.length === 2, 'the retransmission');
  const [first, second] = peer!.requests;
  const delays = [first, second].map((request) => attributeOf(request!, 41)!.readUInt32BE());
  assert.deepEqual(delays, [7, 9]);
  assert.notEqual(first!.identifier, second!.identifier);
  assert.notDeepEqual(first!.authenticator, second!.authenticator);
  // An answer to the first proves that the record arrived, too.
  peer!.answer(first!, { code: 5, messageAuthenticator: false });
  const answered = await result;
  assert.ok(answered.kind === 'response' && answered.outcome === 'accounting-response');
  assert.equal(client.statistics().servers[0]?.inFlight, 0);
});

test('answers that came while the event loop stood still are read before anything is sent again', async (t) => {
  const { client, clock, peers } = await rig(t, [SILENT]);
  const { attributes } = access();
  const happenedWallMs = clock.wallMs();
  const results = Array.from({ length: 200 }, () =>
    client.exchange({ kind: 'accounting', attributes, happenedWallMs }),
  );
  const [peer] = peers;
  await until(() => peer!.requests.length === 200, 'all requests');
  for (const request of peer!.requests) peer!.answer(request, { code: 5, messageAuthenticator: false });
  // The answers leave in this turn of the loop, and the timers are due before our sockets are read in the next one.
  for (let tick = 0; tick < 5; tick++) await new Promise<void>((resolve) => process.nextTick(resolve));
  clock.advance(2_000);
  assert.ok((await Promise.all(results)).every(({ kind }) => kind === 'response'));
  assert.deepEqual([client.statistics().servers[0]?.retransmissions, peer!.requests.length], [0, 200]);
});

test('what waits for the server name to be found is sent once when it is', async (t) => {
  const found: (() => void)[] = [];
  t.mock.method(dns, 'lookup', (name: string, family: number, done: LookupDone) => {
    if (name === 'radius.example') found.push(() => done(null, '127.0.0.1', family));
    else process.nextTick(done, null, name, family);
  });
  const peer = await RadiusPeer.start({
    secret: SECRET,
    script: (request) => peer.answer(request, { code: 5 }),
  });
  const clock = new ManualClock();
  const client = new RadiusClient({
    servers: [
      {
        name: 's0',
        host: 'radius.example',
        port: peer.port,
        secret: new RadiusSecret(SECRET),
        requireMessageAuthenticator: true,
      },
    ],
    clock,
  });
  t.after(async () => {
    client.close();
    await peer.close();
  });
  const { attributes } = access();
  const result = client.exchange({ kind: 'accounting', attributes, happenedWallMs: clock.wallMs() });
  clock.advance(2_300);
  await until(
    () => client.statistics().servers[0]!.retransmissions === 1 && found.length > 0,
    'a second try',
  );
  for (const tell of found) tell();
  assert.equal((await result).kind, 'response');
  assert.equal(peer.requests.length, 1);
});

test('within one second a retransmitted accounting request is the same to the byte', async (t) => {
  const timers = { initialRetransmitMs: 300 };
  const { client, clock, peers } = await rig(t, [SILENT], { timers });
  const attributes = new RadiusAttributesBuilder().add(Attribute.AcctSessionId, 's-1').build();
  void client.exchange({ kind: 'accounting', attributes, happenedWallMs: clock.wallMs() });
  await until(() => peers[0]!.requests.length === 1, 'the request');
  clock.advance(301);
  await until(() => peers[0]!.requests.length === 2, 'the retransmission');
  assert.deepEqual(peers[0]!.requests[0]!.bytes, peers[0]!.requests[1]!.bytes);
});

test('attributes that fit no packet are a value, not an exception', async (t) => {
  const { client } = await rig(t, [ACCEPT]);
  const classes = Array<Uint8Array>(17).fill(new Uint8Array(253));
  const attributes = new RadiusAttributesBuilder().addEach(Attribute.Class, classes).build();
  const result = await client.exchange({ kind: 'access', attributes, password: null });
  assert.equal(result.kind, 'unsendable');
  assert.equal(client.statistics().servers[0]?.inFlight, 0);
});

test('close ends what is in flight, and later requests at once', async (t) => {
  const { client } = await rig(t, [SILENT]);
  const result = client.exchange(access());
  client.close();
  assert.deepEqual(await result, { kind: 'closed' });
  assert.deepEqual(await client.exchange(access()), { kind: 'closed' });
});

test('a port that nobody listens on is a timeout, and the socket errors are counted and told once', async (t) => {
  const { client, clock, notices, peers } = await rig(t, [SILENT], { timers: { maxTransmissions: 3 } });
  // Found by closing a peer's port: nobody else is told to listen there meanwhile.
  const closed = await RadiusPeer.start({ secret: SECRET, script: SILENT });
  const { port } = closed;
  await closed.close();
  const other = new RadiusClient({
    servers: [
      {
        name: 'gone',
        host: '127.0.0.1',
        port,
        secret: new RadiusSecret(SECRET),
        requireMessageAuthenticator: true,
      },
    ],
    clock,
    timers: { maxTransmissions: 3 },
    notice: (notice) => notices.push(notice),
  });
  t.after(() => other.close());
  const result = other.exchange(access());
  for (let errors = 1; errors <= 3; errors++) {
    await until(() => other.statistics().servers[0]!.socketErrors >= errors, `socket error ${errors}`);
    clock.advance(clock.nextMs!);
  }
  assert.deepEqual(await result, { kind: 'timeout', transmissions: 3 });
  assert.deepEqual(
    notices.map(({ kind }) => kind),
    ['socket-error', 'dead'],
  );
  assert.equal(peers[0]!.requests.length + client.statistics().timeouts, 0);
});
