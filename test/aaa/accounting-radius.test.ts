import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { LogAccountingSender, RadiusAccountingSender } from '../../src/aaa/accounting-senders.js';
import type { AccountingSender } from '../../src/aaa/accounting-sender.js';
import type { AccountingRecord } from '../../src/aaa/accounting-record.js';
import { RadiusAccounting } from '../../src/aaa/radius-accounting.js';
import { RadiusClient } from '../../src/aaa/radius-client.js';
import type { Clock } from '../../src/model/clock.js';
import { systemClock } from '../../src/model/system-clock.js';
import { NO_TRAFFIC } from '../../src/model/traffic-counters.js';
import type { SqliteStore } from '../../src/store/sqlite-store.js';
import { RadiusSecret } from '../../src/wire/radius-secret.js';
import {
  accountingSession,
  arrived,
  NAS,
  openStore,
  temporaryFolder,
  traffic,
  until,
} from '../support/accounting-world.js';
import type { DetailRecord } from '../support/freeradius.js';
import { FreeRadius, hasFreeRadius } from '../support/freeradius.js';
import { RadiusPeer } from '../support/radius-peer.js';

const STARTED = Math.floor(Date.now() / 1000) * 1000 - 100_000;

interface World {
  readonly accounting: RadiusAccounting;
  readonly store: SqliteStore;
  close(): Promise<void>;
}

async function open(
  folder: string,
  to: { readonly port: number; readonly secret: string } | AccountingSender,
  { clock = systemClock, bootId = 'boot' }: { readonly clock?: Clock; readonly bootId?: string } = {},
): Promise<World> {
  const store = await openStore(folder);
  const client =
    'port' in to
      ? new RadiusClient({
          clock,
          servers: [
            {
              name: 'server',
              host: '127.0.0.1',
              port: to.port,
              secret: new RadiusSecret(to.secret),
              requireMessageAuthenticator: false,
            },
          ],
          timers: { initialRetransmitMs: 100, maxRetransmitMs: 400, deadlineMs: 3_000, deadMs: 200 },
        })
      : null;
  const opened = await RadiusAccounting.open({
    store,
    clock,
    nas: NAS,
    interimIntervalSeconds: 300,
    bootId,
    sender: client === null ? (to as AccountingSender) : new RadiusAccountingSender({ client, nas: NAS }),
    limits: { firstRetryMs: 100, lastRetryMs: 500 },
  });
  assert.ok(opened.ok);
  const accounting = opened.value;
  return {
    accounting,
    store,
    async close() {
      await accounting.close(0);
      client?.close();
      await store.close();
    },
  };
}

async function empty({ accounting }: World): Promise<void> {
  await until(() => accounting.figures().length === 0, 20_000, 'an empty queue');
}

describe('RADIUS accounting on the wire', () => {
  it('carries every attribute of a stop, counters split into Gigawords, packets held at 32 bits', async (t: TestContext) => {
    const server = await RadiusPeer.start({
      secret: 's',
      script: (request, peer) => peer.answer(request, { code: 5, messageAuthenticator: false }),
    });
    t.after(() => server.close());
    const w = await open(temporaryFolder(t), { port: server.port, secret: 's' });
    const session = accountingSession('65f0-1', STARTED);
    w.accounting.start(session);
    const counters = {
      upstreamPackets: 7n,
      upstreamBytes: 3n * 2n ** 32n + 5n,
      downstreamPackets: 2n ** 32n + 9n,
      downstreamBytes: 11n,
    };
    w.accounting.stop(session, { traffic: counters, durationMs: 90_999, cause: 'Idle-Timeout' });
    await empty(w);
    await w.close();
    const [start, stop] = server.requests;
    assert.equal(server.requests.length, 2);
    const u32 = (value: number): string => value.toString(16).padStart(8, '0');
    const text = (value: string): string => Buffer.from(value).toString('hex');
    const common = [
      [32, text('bng-1')],
      [4, 'c0000201'],
      [50, text('multi-65f0-1')],
      [1, text('65f0-1')],
      [61, u32(15)],
      [87, text('access0:100.7')],
      [31, text('02-00-00-AA-BB-0C')],
      [8, '0a000007'],
      // ADSL-Forum (3561) 1 and 2, length of the inner attribute included (RFC 4679 §3.3.1, §3.3.2).
      [26, `00000de9010e${text('agg-01|1/1/1')}`],
      [26, '00000de9020400ff'],
      [25, '0100ff'],
      [25, '07'],
      [26, `00007ed9010c${text('ont:65f0-1')}`],
    ];
    const hex = (request: typeof stop): readonly (readonly [number, string])[] =>
      request!.attributes
        .filter(([type]) => type !== 41)
        .map(([type, value]) => [type, value.toString('hex')]);
    assert.deepEqual(hex(start), [[40, u32(1)], [44, text('65f0-1')], [55, u32(STARTED / 1000)], ...common]);
    assert.deepEqual(hex(stop), [
      [40, u32(2)],
      [44, text('65f0-1')],
      [55, u32(STARTED / 1000 + 90)],
      ...common,
      [42, u32(5)],
      [52, u32(3)],
      [43, u32(11)],
      [47, u32(7)],
      [48, 'ffffffff'],
      [46, u32(90)],
      [49, u32(4)],
    ]);
    const delay = arrived(stop!).delaySeconds;
    assert.ok(delay >= 9 && delay < 20, `happened 9 s before it was given, sent after ${delay} s`);
  });

  it('tells the true delay on every try', async (t) => {
    const records: { at: number; delay: number }[] = [];
    const server = await RadiusPeer.start({
      secret: 's',
      script: (request, peer) => {
        const at = Date.now();
        records.push({ at, delay: arrived(request).delaySeconds });
        if (at - records[0]!.at > 2_500) peer.answer(request, { code: 5, messageAuthenticator: false });
      },
    });
    t.after(() => server.close());
    const w = await open(temporaryFolder(t), { port: server.port, secret: 's' });
    w.accounting.start(accountingSession('a', STARTED));
    await empty(w);
    await w.close();
    assert.ok(records.length >= 4);
    for (const { at, delay } of records) {
      const truth = (at - STARTED) / 1000;
      assert.ok(delay <= truth && delay > truth - 2, `${delay} s said, ${truth} s true`);
    }
    assert.ok(new Set(records.map(({ delay }) => delay)).size >= 3);
  });
});

describe('RADIUS accounting over a restart', () => {
  function log(records: AccountingRecord[]): AccountingSender {
    return new LogAccountingSender({ write: (record) => void records.push(record) });
  }

  it('closes what a crash ended with NAS-Reboot and the last counters, and leaves alone what lives on', async (t) => {
    const folder = temporaryFolder(t);
    const records: AccountingRecord[] = [];
    const first = await open(folder, log(records));
    for (const id of ['lost', 'alive', 'done']) first.accounting.start(accountingSession(id, STARTED));
    first.accounting.interim(accountingSession('lost', STARTED), {
      traffic: traffic(5_000n),
      durationMs: 60_000,
    });
    first.accounting.stop(accountingSession('done', STARTED), {
      traffic: NO_TRAFFIC,
      durationMs: 1_000,
      cause: 'User-Request',
    });
    await empty(first);
    await first.close();
    records.length = 0;

    const second = await open(folder, log(records));
    assert.deepEqual(await second.accounting.closeLost(new Set(['alive'])), { ok: true, value: 1 });
    assert.deepEqual(await second.accounting.closeLost(new Set()), { ok: true, value: 0 });
    await empty(second);
    await second.close();
    assert.equal(records.length, 1);
    const [stop] = records;
    assert.ok(stop?.['Acct-Status-Type'] === 'Stop');
    assert.equal(stop['Acct-Session-Id'], 'lost');
    assert.equal(stop['Acct-Terminate-Cause'], 'NAS-Reboot');
    assert.equal(stop['Acct-Input-Octets'], '5000');
    assert.equal(stop['Acct-Output-Octets'], '10000');
    assert.equal(stop['Acct-Session-Time'], 60);
    assert.equal(stop['Event-Timestamp'], STARTED / 1000 + 60);
    assert.deepEqual(stop.Class, ['0x0100ff', '0x07']);

    records.length = 0;
    const third = await open(folder, log(records));
    assert.deepEqual(await third.accounting.closeLost(new Set()), { ok: true, value: 1 });
    await empty(third);
    await third.close();
    assert.equal(records[0]?.['Acct-Session-Id'], 'alive');
  });

  it('never lets a counter run backwards, also when the dataplane began to count anew', async (t) => {
    const folder = temporaryFolder(t);
    const records: AccountingRecord[] = [];
    const session = accountingSession('a', STARTED);
    const first = await open(folder, log(records));
    first.accounting.start(session);
    first.accounting.interim(session, { traffic: traffic(9_000n), durationMs: 60_000 });
    await empty(first);
    await first.close();
    const second = await open(folder, log(records));
    await second.accounting.closeLost(new Set(['a']));
    second.accounting.interim(session, { traffic: traffic(100n), durationMs: 10_000 });
    second.accounting.stop(session, { traffic: traffic(9_500n), durationMs: 70_000, cause: 'User-Request' });
    await empty(second);
    await second.close();
    const figures = records.map((record) =>
      'Acct-Input-Octets' in record ? [record['Acct-Input-Octets'], record['Acct-Session-Time']] : [],
    );
    assert.deepEqual(figures, [[], ['9000', 60], ['9000', 60], ['9500', 70]]);
  });

  it('begins anew after a boot, over as many restarts as that takes, and leaves alone what has begun since', async (t) => {
    const folder = temporaryFolder(t);
    const records: AccountingRecord[] = [];
    const begin = async (prefix: string, bootId: string) => {
      const life = await open(folder, log(records), { bootId });
      return { life, ...life.accounting.begin(prefix) };
    };
    const first = await begin('p1', 'boot-1');
    assert.equal(first.accounting, 'begins');
    first.life.accounting.begun();
    first.life.accounting.start(accountingSession('p1-1', STARTED));
    await first.life.close();
    const second = await begin('p2', 'boot-2');
    assert.deepEqual(['p1-1', 'p2-1', 'p2'].map(second.isOver), [true, false, true]);
    second.life.accounting.start(accountingSession('p2-1', STARTED));
    // It ends before all were gone through.
    await second.life.close();
    const third = await begin('p3', 'boot-2');
    assert.equal(third.accounting, 'begins');
    assert.deepEqual(['p1-1', 'p2-1', 'p3-1'].map(third.isOver), [true, false, false]);
    const closing = await third.life.accounting.closing(['p1-1', 'gone']);
    assert.ok(closing.ok);
    for (const id of ['p1-1', 'gone']) closing.value(id, { traffic: NO_TRAFFIC, durationMs: 5_000 });
    third.life.accounting.begun();
    await empty(third.life);
    await third.life.close();
    const fourth = await begin('p4', 'boot-2');
    assert.equal(fourth.accounting, 'goes-on');
    assert.deepEqual(['p2-1', 'p3-1'].map(fourth.isOver), [false, false]);
    await fourth.life.close();
    assert.deepEqual(
      records.map((record) => record['Acct-Status-Type']),
      ['Accounting-On', 'Start', 'Accounting-On', 'Start', 'Stop'],
    );
  });

  it('announces itself before the first start, under a session id of its own', async (t) => {
    const records: AccountingRecord[] = [];
    const w = await open(temporaryFolder(t), log(records));
    w.accounting.announce('On');
    w.accounting.start(accountingSession('a', STARTED));
    await empty(w);
    w.accounting.announce('Off');
    await empty(w);
    await w.close();
    assert.deepEqual(
      records.map((record) => record['Acct-Status-Type']),
      ['Accounting-On', 'Start', 'Accounting-Off'],
    );
    assert.ok(records.every((record) => record['Acct-Session-Id'].length > 0));
  });
});

describe("accounting against Debian's FreeRADIUS", {
  skip: hasFreeRadius ? false : 'freeradius is missing',
}, () => {
  it('arrives exactly once and in order, over an outage in the middle', async (t) => {
    const server = await FreeRadius.start({ users: '' });
    t.after(() => server.close());
    const w = await open(temporaryFolder(t), { port: server.acctPort, secret: server.secret });
    w.accounting.announce('On');
    const ids = Array.from({ length: 40 }, (_, index) => `f${index}`);
    for (const id of ids) w.accounting.start(accountingSession(id, STARTED));
    await empty(w);
    await server.kill();
    for (const id of ids) {
      const session = accountingSession(id, STARTED);
      w.accounting.interim(session, { traffic: traffic(5_000_000_000n), durationMs: 50_000 });
      w.accounting.stop(session, {
        traffic: traffic(6_000_000_000n),
        durationMs: 60_000,
        cause: 'Lost-Carrier',
      });
    }
    await until(() => w.accounting.figures().retried > 0, 10_000, 'a failed try');
    await server.resume();
    await empty(w);
    await w.close();
    const detail = server.accounting();
    const value = (record: DetailRecord, name: string): string | undefined =>
      record.find(([found]) => found === name)?.[1];
    assert.equal(value(detail[0]!, 'Acct-Status-Type'), 'Accounting-On');
    for (const id of ids) {
      const of = detail.filter((record) => value(record, 'Acct-Session-Id') === `"${id}"`);
      assert.deepEqual(
        of.map((record) => value(record, 'Acct-Status-Type')),
        ['Start', 'Interim-Update', 'Stop'],
      );
    }
    const stop = new Map(detail.findLast((record) => value(record, 'Acct-Session-Id') === '"f0"'));
    const wanted = {
      'User-Name': '"f0"',
      'NAS-Identifier': '"bng-1"',
      'NAS-IP-Address': '192.0.2.1',
      'NAS-Port-Type': 'Ethernet',
      'NAS-Port-Id': '"access0:100.7"',
      'Calling-Station-Id': '"02-00-00-AA-BB-0C"',
      'Framed-IP-Address': '10.0.0.7',
      'ADSL-Agent-Circuit-Id': '0x6167672d30317c312f312f31',
      'ADSL-Agent-Remote-Id': '0x00ff',
      'Bng-Subscriber-Id': '"ont:f0"',
      'Acct-Multi-Session-Id': '"multi-f0"',
      'Acct-Session-Time': '60',
      'Acct-Input-Gigawords': '1',
      'Acct-Input-Octets': String(6_000_000_000 - 2 ** 32),
      'Acct-Input-Packets': '60000000',
      'Acct-Output-Gigawords': '2',
      'Acct-Output-Octets': String(12_000_000_000 - 2 * 2 ** 32),
      'Acct-Output-Packets': '120000000',
      'Acct-Terminate-Cause': 'Lost-Carrier',
    };
    const names = Object.keys(wanted);
    assert.deepEqual(Object.fromEntries(names.map((name) => [name, stop.get(name)])), wanted);
    assert.deepEqual(
      detail
        .findLast((record) => value(record, 'Acct-Session-Id') === '"f0"')!
        .filter(([name]) => name === 'Class'),
      [
        ['Class', '0x0100ff'],
        ['Class', '0x07'],
      ],
    );
    const seconds = (name: string): number => Date.parse(stop.get(name)!.replaceAll('"', '')) / 1000;
    assert.equal(seconds('Event-Timestamp'), STARTED / 1000 + 60);
    const delay = Number(stop.get('Timestamp')) - seconds('Event-Timestamp');
    assert.ok(Math.abs(Number(stop.get('Acct-Delay-Time')) - delay) <= 1, `${delay} s`);
  });
});
