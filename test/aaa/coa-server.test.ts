import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { CoaReport, CoaServer } from '../../src/aaa/coa-server.js';
import type { AuthorizationOutcome } from '../../src/aaa/port.js';
import { isBngError } from '../../src/model/bng-error.js';
import { parseIpv4 } from '../../src/model/ipv4.js';
import { Attribute as A } from '../../src/wire/radius-dictionary.js';
import { RadiusSecret } from '../../src/wire/radius-secret.js';
import { FakeClock } from '../support/fake-clock.js';
import { mutate, seededRandom } from '../support/mutate.js';
import type { ServerSettings } from './coa-dac.js';
import { attributes, Dac, dropsOf, FakeInlet, openServer, SECRET, until } from './coa-dac.js';

let inlet: FakeInlet;
let clock: FakeClock;
let server: CoaServer;
let dac: Dac;
let reports: CoaReport[];
let bugs: unknown[];

async function reopen(settings: Partial<ServerSettings> = {}): Promise<void> {
  await server?.close();
  dac?.close();
  server = await openServer({
    inlet,
    clock,
    onAnswered: (report) => reports.push(report),
    onBug: (error) => bugs.push(error),
    ...settings,
  });
  dac = await Dac.open(server.port, clock);
}

beforeEach(async () => {
  inlet = new FakeInlet();
  clock = new FakeClock();
  reports = [];
  bugs = [];
  await reopen();
});
afterEach(async () => {
  await server.close();
  dac.close();
  assert.deepEqual(bugs, []);
});

const slower = () => attributes().add(A.UserName, 'ONT1').add(A.WisprBandwidthMaxDown, 1_000_000);

describe('a request that is believed', () => {
  it('is answered with ACK when the order is done, and not before', async () => {
    let done: (outcome: AuthorizationOutcome) => void = () => undefined;
    inlet.answer = () => new Promise((resolve) => (done = resolve));
    const bytes = dac.bytes({ attributes: slower() });
    await dac.send(bytes);
    await until(() => inlet.asked.length === 1, 'the order');
    assert.equal(server.statistics().clients[0]!.underWay, 1);
    assert.equal(dac.received.length, 0);
    done({ ok: true });
    await until(() => dac.received.length === 1, 'the answer');
    assert.equal(dac.read(dac.received[0]!, bytes).code, 'CoA-ACK');
    assert.deepEqual(inlet.asked, [
      { selector: { userName: 'ONT1' }, change: { downloadBitsPerSecond: 1_000_000 } },
    ]);
  });

  it('to disconnect is answered as such', async () => {
    const told = await dac.ask({ kind: 'Disconnect', attributes: attributes().add(A.AcctSessionId, 'a-1') });
    assert.deepEqual([told.code, told.errorCause], ['Disconnect-ACK', null]);
    assert.deepEqual(inlet.asked, [{ selector: { accountingId: 'a-1' } }]);
  });

  it('gets its State and its Proxy-States back, in their order', async () => {
    const told = await dac.ask({
      attributes: slower()
        .add(A.ProxyState, Buffer.from('one'))
        .add(A.State, Buffer.from('state'))
        .add(A.ProxyState, Buffer.from('two')),
    });
    assert.equal(told.code, 'CoA-ACK');
    assert.deepEqual(
      told.packet.attributes.all(A.ProxyState).map((value) => Buffer.from(value).toString()),
      ['one', 'two'],
    );
    assert.equal(Buffer.from(told.packet.attributes.first(A.State)!).toString(), 'state');
  });

  const failures: readonly (readonly [AuthorizationOutcome & { ok: false }, string, string])[] = [
    [{ ok: false, kind: 'no-session', reason: 'r' }, 'SessionContextNotFound', 'SessionContextNotFound'],
    [
      { ok: false, kind: 'ambiguous', reason: 'r' },
      'MultipleSessionSelectionUnsupported',
      'MultipleSessionSelectionUnsupported',
    ],
    [{ ok: false, kind: 'invalid', reason: 'r' }, 'InvalidAttributeValue', 'InvalidAttributeValue'],
    [{ ok: false, kind: 'failed', reason: 'r' }, 'ResourcesUnavailable', 'SessionContextNotRemovable'],
  ];
  for (const [outcome, ofCoa, ofDisconnect] of failures) {
    it(`whose order ends as ${outcome.kind} is answered with NAK and the Error-Cause for it`, async () => {
      inlet.answer = () => outcome;
      const coa = await dac.ask({ attributes: slower() });
      const disconnect = await dac.ask({
        kind: 'Disconnect',
        attributes: attributes().add(A.UserName, 'ONT1'),
      });
      assert.deepEqual([coa.code, coa.errorCause], ['CoA-NAK', ofCoa]);
      assert.deepEqual([disconnect.code, disconnect.errorCause], ['Disconnect-NAK', ofDisconnect]);
      assert.equal(reports[0]?.reason, 'r');
    });
  }

  it('with one attribute that is not understood is refused before the sessions hear of it', async () => {
    const told = await dac.ask({ attributes: slower().raw(200, Buffer.from('?')) });
    assert.deepEqual([told.code, told.errorCause], ['CoA-NAK', 'UnsupportedAttribute']);
    assert.deepEqual(inlet.asked, []);
  });

  it('that the client may not make is administratively prohibited', async () => {
    const address = parseIpv4('127.0.0.1');
    await reopen({ clients: [{ address, secret: new RadiusSecret(SECRET), allow: ['Disconnect'] }] });
    assert.equal((await dac.ask({ attributes: slower() })).errorCause, 'AdministrativelyProhibited');
    const end = { kind: 'Disconnect', attributes: attributes().add(A.UserName, 'ONT1') } as const;
    assert.equal((await dac.ask(end)).code, 'Disconnect-ACK');
  });

  it('beyond those that may be under way is told that resources are unavailable', async () => {
    await reopen({ maxUnderWay: 2 });
    inlet.answer = () => new Promise(() => undefined);
    for (let n = 0; n < 2; n++) await dac.send(dac.bytes({ attributes: slower() }));
    await until(() => inlet.asked.length === 2, 'two orders');
    assert.equal((await dac.ask({ attributes: slower() })).errorCause, 'ResourcesUnavailable');
    const closing = server.close();
    await clock.advance(5_000);
    await closing;
  });

  it('is counted by client, kind and outcome', async () => {
    await dac.ask({ attributes: slower() });
    inlet.answer = () => ({ ok: false, kind: 'no-session', reason: 'r' });
    await dac.ask({ attributes: slower() });
    await dac.ask({ kind: 'Disconnect', attributes: attributes().add(A.UserName, 'x') });
    const { clients, unknownClients } = server.statistics();
    assert.equal(unknownClients, 0);
    assert.deepEqual(clients[0]?.requests, { CoA: 2, Disconnect: 1 });
    assert.equal(clients[0]?.underWay, 0);
    assert.deepEqual(clients[0]?.answers, [
      { request: 'CoA', errorCause: null, count: 1 },
      { request: 'CoA', errorCause: 'SessionContextNotFound', count: 1 },
      { request: 'Disconnect', errorCause: 'SessionContextNotFound', count: 1 },
    ]);
  });
});

describe('what is not believed gets no answer', () => {
  /** Sends, then asks something right: whatever had to be answered before it would have been. */
  async function silent(bytes: Uint8Array): Promise<void> {
    const [orders, answers] = [inlet.asked.length, dac.received.length];
    await dac.send(bytes);
    assert.equal((await dac.ask({ attributes: slower() })).code, 'CoA-ACK');
    assert.deepEqual([inlet.asked.length, dac.received.length], [orders + 1, answers + 1]);
  }

  it('with the wrong secret', async () => {
    await silent(dac.bytes({ attributes: slower(), secret: 'wrong' }));
    assert.deepEqual(dropsOf(server), { 'wrong-request-authenticator': 1 });
  });

  it('with any one byte of the authenticator, or of the Message-Authenticator, flipped', async () => {
    const bytes = dac.bytes({ attributes: slower() });
    for (let at = 4; at < 20; at++) {
      for (const mask of [0x01, 0x80, 0xff]) {
        const forged = Uint8Array.from(bytes);
        forged[at]! ^= mask;
        await dac.send(forged);
      }
    }
    await until(() => dropsOf(server)['wrong-request-authenticator'] === 48, '48 forgeries');
    const secret = new RadiusSecret(SECRET);
    for (let at = 22; at < 38; at++) {
      const forged = Uint8Array.from(bytes);
      forged[at]! ^= 0x01;
      // Whoever can make a Request Authenticator that fits has the secret; made here to get past that check.
      const signed = Uint8Array.from(forged);
      signed.fill(0, 4, 20);
      forged.set(secret.md5After(signed), 4);
      await dac.send(forged);
    }
    await until(() => dropsOf(server)['wrong-message-authenticator'] === 16, '16 forgeries');
    await silent(new Uint8Array());
    assert.equal(inlet.asked.length, 1);
  });

  it('without a Message-Authenticator, unless configuration lets it', async () => {
    await silent(dac.bytes({ attributes: slower(), messageAuthenticator: false }));
    assert.deepEqual(dropsOf(server), { 'missing-message-authenticator': 1 });
    await reopen({ requireMessageAuthenticator: false });
    const told = await dac.ask({ attributes: slower(), messageAuthenticator: false });
    assert.equal(told.code, 'CoA-ACK');
    assert.equal(told.packet.attributes.has(A.MessageAuthenticator), false);
  });

  it('of another code', async () => {
    const bytes = dac.bytes({ attributes: slower() });
    for (const code of [1, 4, 41, 44, 255]) {
      await dac.send(Uint8Array.from(bytes).fill(code, 0, 1));
    }
    await until(() => dropsOf(server)['unexpected-code'] === 5, 'five drops');
    assert.equal(inlet.asked.length, 0);
  });

  it('that is no RADIUS packet', async () => {
    for (const bytes of [
      new Uint8Array(),
      new Uint8Array(19),
      new Uint8Array(20),
      Buffer.from('GET / HTTP'),
    ]) {
      await dac.send(bytes);
    }
    await until(() => dropsOf(server).malformed === 4, 'four drops');
  });

  it('from an address that is no client, whatever secret it has', async () => {
    const stranger = await Dac.open(server.port, clock, '127.0.0.2');
    try {
      await stranger.send(stranger.bytes({ attributes: slower() }));
      await until(() => server.statistics().unknownClients === 1, 'the stranger');
      assert.deepEqual([inlet.asked.length, stranger.received.length], [0, 0]);
    } finally {
      stranger.close();
    }
  });

  it('from before or after the replay window, while both its ends are in it', async () => {
    const now = Math.floor(clock.wallMs() / 1000);
    for (const timestamp of [now - 300, now + 300]) {
      assert.equal((await dac.ask({ attributes: slower(), timestamp })).code, 'CoA-ACK');
    }
    for (const timestamp of [now - 301, now + 301]) {
      await silent(dac.bytes({ attributes: slower(), timestamp }));
    }
    assert.deepEqual(dropsOf(server), { 'stale-timestamp': 2 });
  });
});

describe('a request without Event-Timestamp', () => {
  it('is answered with NAK: it could not be told from its replay', async () => {
    const told = await dac.ask({ attributes: slower(), timestamp: null });
    assert.deepEqual([told.code, told.errorCause], ['CoA-NAK', 'MissingAttribute']);
    assert.deepEqual(inlet.asked, []);
  });

  it('is executed where configuration lets it, and again when the same bytes come half a minute later', async () => {
    await reopen({ requireEventTimestamp: false });
    const bytes = dac.bytes({ attributes: slower(), timestamp: null });
    assert.equal((await dac.tell(bytes)).code, 'CoA-ACK');
    await dac.tell(bytes);
    assert.equal(inlet.asked.length, 1);
    await clock.advance(30_000);
    await dac.tell(bytes);
    assert.equal(inlet.asked.length, 2);
    const other = await Dac.open(server.port, clock);
    await other.tell(bytes);
    other.close();
    assert.equal(inlet.asked.length, 3);
  });
});

describe('a request that comes again', () => {
  it('gets the same answer and is not executed again, for as long as its timestamp is current', async () => {
    const bytes = dac.bytes({ attributes: slower() });
    const first = await dac.tell(bytes);
    inlet.answer = () => ({ ok: false, kind: 'failed', reason: 'must not be asked' });
    await clock.advance(299_000);
    const second = await dac.tell(bytes);
    assert.deepEqual(second.packet.bytes, first.packet.bytes);
    assert.equal(inlet.asked.length, 1);
    assert.equal(server.statistics().clients[0]!.duplicates, 1);
    await clock.advance(2_000);
    await dac.send(bytes);
    await until(() => dropsOf(server)['stale-timestamp'] === 1, 'the stale one');
    assert.equal(inlet.asked.length, 1);
  });

  it('with a timestamp of the future is not executed again at the end of its window', async () => {
    const timestamp = Math.floor(clock.wallMs() / 1000) + 300;
    const bytes = dac.bytes({ attributes: slower(), timestamp });
    await dac.tell(bytes);
    for (let n = 0; n < 50; n++) await dac.ask({ attributes: slower() });
    await clock.advance(599_000);
    await dac.ask({ attributes: slower() });
    await dac.tell(bytes);
    assert.equal(inlet.asked.length, 52);
  });

  it('while it is being worked on is answered once, when it is done', async () => {
    let done: (outcome: AuthorizationOutcome) => void = () => undefined;
    inlet.answer = () => new Promise((resolve) => (done = resolve));
    const bytes = dac.bytes({ attributes: slower() });
    for (let n = 0; n < 3; n++) await dac.send(bytes);
    await until(() => server.statistics().clients[0]!.duplicates === 2, 'two duplicates');
    assert.deepEqual([inlet.asked.length, dac.received.length], [1, 0]);
    done({ ok: true });
    await until(() => dac.received.length === 1, 'the answer');
    await dac.tell(bytes);
    assert.deepEqual([inlet.asked.length, dac.received.length], [1, 2]);
  });

  it('from another port is a replay: dropped', async () => {
    const bytes = dac.bytes({ attributes: slower() });
    await dac.tell(bytes);
    const other = await Dac.open(server.port, clock);
    await other.send(bytes);
    await until(() => dropsOf(server).replayed === 1, 'the replay');
    other.close();
    assert.deepEqual([inlet.asked.length, other.received.length], [1, 0]);
  });

  it('finds no more answers than there is room for', async () => {
    await reopen({ maxRemembered: 10 });
    for (let n = 0; n < 50; n++) await dac.ask({ attributes: slower() });
    assert.equal(server.statistics().remembered, 10);
  });
});

describe('20,000 mutated packets', () => {
  it('are dropped and counted, signed ones refused or executed, and the server goes on', async () => {
    const random = seededRandom(5176);
    const secret = new RadiusSecret(SECRET);
    const from = () => {
      const { clients } = server.statistics();
      const [client] = clients;
      const dropped = Object.values(client!.dropped).reduce((sum, count) => sum + count, 0);
      const answered = client!.answers.reduce((sum, { count }) => sum + count, 0);
      return dropped + answered + client!.duplicates;
    };
    for (let n = 0; n < 20_000; n++) {
      const kind = random(2) === 0 ? 'CoA' : 'Disconnect';
      const plain = dac.bytes({
        kind,
        attributes: (kind === 'CoA' ? slower() : attributes().add(A.UserName, 'ONT1'))
          .add(A.NasIdentifier, 'bng-1')
          .add(A.AdslAgentCircuitId, Buffer.from('x')),
        messageAuthenticator: false,
      });
      const bytes = mutate(plain, random);
      // Half of them are signed after the mutation, so that what is behind the signature is reached too.
      if (random(2) === 0 && bytes.length >= 20) {
        bytes[2] = bytes.length >> 8;
        bytes[3] = bytes.length;
        bytes.fill(0, 4, 20).set(secret.md5After(bytes.fill(0, 4, 20)), 4);
      }
      await dac.send(bytes);
      // No more at once than the socket's buffer takes.
      if (n % 50 === 49) await until(() => from() >= n + 1, `packet ${n}`);
    }
    assert.equal(from(), 20_000);
    assert.equal((await dac.ask({ attributes: slower() })).code, 'CoA-ACK');
    const drops = dropsOf(server);
    for (const reason of ['malformed', 'unexpected-code', 'wrong-request-authenticator'] as const) {
      assert.ok((drops[reason] ?? 0) > 100, `${reason}: ${drops[reason]}`);
    }
  });

  beforeEach(() => reopen({ requireMessageAuthenticator: false }));
});

describe('the server', () => {
  it('answers what is under way before it closes, and takes nothing more', async () => {
    let done: (outcome: AuthorizationOutcome) => void = () => undefined;
    inlet.answer = () => new Promise((resolve) => (done = resolve));
    const bytes = dac.bytes({ attributes: slower() });
    await dac.send(bytes);
    await until(() => inlet.asked.length === 1, 'the order');
    const closing = server.close();
    await dac.send(dac.bytes({ attributes: slower() }));
    await until(() => dropsOf(server).closing === 1, 'the one too late');
    done({ ok: true });
    await closing;
    await until(() => dac.received.length === 1, 'the answer');
    assert.equal(dac.read(dac.received[0]!, bytes).code, 'CoA-ACK');
    await server.close();
  });

  it('takes orders of the clients it was told last, with their secrets, and goes on counting who stays', async () => {
    const loopback = parseIpv4('127.0.0.1');
    const first = dac.bytes({ attributes: slower() });
    await dac.send(first);
    await until(() => dac.received.length === 1, 'the answer');
    const allow = ['CoA', 'Disconnect'] as const;
    const settings = { filters: new Map() };
    server.reconfigure({
      ...settings,
      clients: [{ address: loopback, secret: new RadiusSecret('another one'), allow }],
    });
    await dac.send(dac.bytes({ attributes: slower() }));
    await until(() => Object.values(dropsOf(server)).some((count) => count > 0), 'a drop');
    const other = dac.bytes({ attributes: slower(), secret: 'another one' });
    await dac.send(other);
    await until(() => inlet.asked.length === 2, 'the second order');
    assert.equal(server.statistics().clients[0]!.requests.CoA, 2);
    server.reconfigure({ ...settings, clients: [] });
    await dac.send(dac.bytes({ attributes: slower(), secret: 'another one' }));
    await until(() => server.statistics().unknownClients === 1, 'an unknown client');
    assert.equal(inlet.asked.length, 2);
  });

  it('says which address it could not listen on', async () => {
    const listen = { address: parseIpv4('127.0.0.1'), port: server.port };
    await assert.rejects(openServer({ inlet, clock, listen }), (error) => {
      assert.ok(isBngError(error, 'BNG_ERR_CONFIG'));
      assert.equal(error.context['port'], server.port);
      return true;
    });
  });
});
