import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import type { AccountingQueueLimits } from '../../src/aaa/accounting-queue-options.js';
import { AccountingQueue } from '../../src/aaa/accounting-queue.js';
import type { AccountingRecord } from '../../src/aaa/accounting-record.js';
import type { AccountingSender, SendOutcome } from '../../src/aaa/accounting-sender.js';
import { sessionAttributes } from '../../src/aaa/accounting-record.js';
import { ObservedStore } from '../../src/store/observed-store.js';
import type { SqliteStore } from '../../src/store/sqlite-store.js';
import {
  accountingSession,
  NAS,
  openStore,
  memoryFolder,
  temporaryFolder,
  until,
} from '../support/accounting-world.js';
import { FakeClock } from '../support/fake-clock.js';
import { Sqlite } from '../../src/store/sqlite-library.js';

/** `at` stands for the interim's number; it ends up in Acct-Session-Time. */
function record(id: string, kind: 'start' | 'interim' | 'stop', at = 0): AccountingRecord {
  const attributes = {
    'Event-Timestamp': 1_700_000_000 + at,
    ...sessionAttributes(accountingSession(id, 0), NAS),
  };
  if (kind === 'start') return { 'Acct-Status-Type': 'Start', ...attributes };
  const usage = {
    'Acct-Session-Time': at,
    'Acct-Input-Octets': '1',
    'Acct-Output-Octets': '2',
    'Acct-Input-Packets': '3',
    'Acct-Output-Packets': '4',
  };
  if (kind === 'interim') return { 'Acct-Status-Type': 'Interim-Update', ...attributes, ...usage };
  return { 'Acct-Status-Type': 'Stop', ...attributes, ...usage, 'Acct-Terminate-Cause': 'User-Request' };
}

/** `id start`, `id interim 3`: short for assertions. */
function short(record: AccountingRecord): string {
  const id = record['Acct-Session-Id'];
  switch (record['Acct-Status-Type']) {
    case 'Start':
      return `${id} start`;
    case 'Interim-Update':
      return `${id} interim ${record['Acct-Session-Time']}`;
    case 'Stop':
      return `${id} stop`;
    default:
      return record['Acct-Status-Type'];
  }
}

/** The other side of the queue: what it was given, and what became of it. */
class Server implements AccountingSender {
  readonly tries: string[] = [];
  readonly delivered: string[] = [];
  inFlight = 0;
  mostInFlight = 0;
  outcome: (what: string) => SendOutcome | Promise<SendOutcome> = () => 'delivered';

  async send(record: AccountingRecord): Promise<SendOutcome> {
    const what = short(record);
    this.tries.push(what);
    this.inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
    const outcome = await this.outcome(what);
    this.inFlight -= 1;
    if (outcome === 'delivered') this.delivered.push(what);
    return outcome;
  }

  of(id: string): readonly string[] {
    return this.delivered
      .filter((what) => what.startsWith(`${id} `))
      .map((what) => what.slice(id.length + 1));
  }
}

interface World {
  readonly clock: FakeClock;
  readonly server: Server;
  readonly store: SqliteStore;
  readonly queue: AccountingQueue;
  readonly notices: string[];
  put(id: string, kind: 'start' | 'interim' | 'stop', at?: number): void;
}

async function world(
  folder: string,
  {
    limits = {},
    server = new Server(),
    onWritten = (): void => undefined,
  }: { limits?: Partial<AccountingQueueLimits>; server?: Server; onWritten?: () => void } = {},
): Promise<World> {
  const clock = new FakeClock();
  const store = await openStore(folder);
  const notices: string[] = [];
  const opened = await AccountingQueue.open({
    store: new ObservedStore({ store, clock, onWritten }),
    sender: server,
    clock,
    limits,
    notice: ({ kind }) => void notices.push(kind),
  });
  assert.ok(opened.ok);
  const queue = opened.value;
  const put = (id: string, kind: 'start' | 'interim' | 'stop', at = 0): void =>
    queue.put({ kind, stream: id, record: record(id, kind, at), changes: [] });
  return { clock, server, store, queue, notices, put };
}

async function end({ queue, store }: World): Promise<void> {
  await queue.close(0);
  await store.close();
}

function rows(store: SqliteStore, table = 'accounting_queue'): Promise<number> {
  return store.scanKeys(table, null, 1_000_000).then((keys) => (keys.ok ? keys.value.length : -1));
}

describe('the accounting queue', () => {
  it('stores a record before it is sent and removes it after the answer', async (t: TestContext) => {
    const server = new Server();
    const w = await world(temporaryFolder(t), { server });
    let stored = -1;
    server.outcome = async (): Promise<SendOutcome> => {
      stored = await rows(w.store);
      return 'delivered';
    };
    w.put('a', 'start');
    assert.deepEqual(server.tries, []);
    await until(() => w.queue.figures().delivered === 1, 5_000, 'delivery');
    assert.equal(stored, 1);
    assert.equal(await w.queue.stored(), null);
    assert.equal(await rows(w.store), 0);
    await end(w);
  });

  it('says that a record is kept while others come with every write', async (t) => {
    const most = 200;
    const state = { put: 0 };
    const more = (): void => {
      if (state.put >= most) return;
      state.put += 1;
      w.put(`s${state.put}`, 'start');
    };
    const w = await world(memoryFolder(t), { onWritten: more });
    more();
    assert.equal(await w.queue.kept(), null);
    assert.ok(state.put < most, 'it waited until nothing more came');
    state.put = most;
    await w.queue.stored();
    await end(w);
  });

  it('keeps the order of a session and lets sessions go side by side, up to its limit', async (t) => {
    const server = new Server();
    const busy = new Set<string>();
    server.outcome = async (what): Promise<SendOutcome> => {
      const [id = ''] = what.split(' ');
      assert.ok(!busy.has(id), `two records of ${id} at a time`);
      busy.add(id);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 4));
      busy.delete(id);
      return 'delivered';
    };
    const w = await world(temporaryFolder(t), { server, limits: { maxInFlight: 7 } });
    const ids = Array.from({ length: 30 }, (_, index) => `s${index}`);
    for (const id of ids) w.put(id, 'start');
    for (let at = 1; at < 5; at += 1) for (const id of ids) w.put(id, 'interim', at);
    for (const id of ids) w.put(id, 'stop');
    await until(() => w.queue.figures().length === 0, 10_000, 'an empty queue');
    for (const id of ids) {
      assert.deepEqual(server.of(id), ['start', 'interim 1', 'interim 2', 'interim 3', 'interim 4', 'stop']);
    }
    assert.equal(server.mostInFlight, 7);
    await end(w);
  });

  it('delivers everything in order after an outage of hours, over a restart in the middle of it', async (t) => {
    const folder = temporaryFolder(t);
    const server = new Server();
    server.outcome = () => 'failed';
    const ids = Array.from({ length: 20 }, (_, index) => `s${index}`);
    const first = await world(folder, { server });
    for (const id of ids) first.put(id, 'start');
    for (let minute = 5; minute <= 120; minute += 5) {
      await first.clock.advance(300_000);
      for (const id of ids) first.put(id, 'interim', minute);
      assert.equal(await first.queue.stored(), null);
    }
    assert.ok(first.notices.includes('outage-began'));
    assert.ok(first.queue.figures().outage);
    assert.equal(first.queue.figures().oldestAgeMs, 7_200_000);
    // One try in five seconds and what was on its way when it began: a dead server is not flooded.
    assert.ok(server.tries.length < 7_200 / 5 + 60, `${server.tries.length} tries in two hours`);
    await end(first);

    const second = await world(folder, { server, limits: { maxInMemory: 0 } });
    assert.deepEqual(second.notices, ['recovered']);
    for (const id of ids) second.put(id, 'stop');
    assert.equal(await second.queue.stored(), null);
    await second.clock.advance(3_600_000);
    server.outcome = () => 'delivered';
    await second.clock.advance(60_000);
    await until(() => second.queue.figures().length === 0, 20_000, 'an empty queue');
    const expected = ['start', ...Array.from({ length: 24 }, (_, n) => `interim ${5 * (n + 1)}`), 'stop'];
    for (const id of ids) assert.deepEqual(server.of(id), expected);
    assert.ok(second.notices.includes('outage-ended'));
    assert.equal(await second.queue.stored(), null);
    assert.equal(await rows(second.store), 0);
    await end(second);
  });

  it('finds the end of an outage of hours within five seconds, and then sends everything at once', async (t) => {
    const server = new Server();
    server.outcome = () => 'failed';
    const w = await world(temporaryFolder(t), { server });
    for (let n = 0; n < 50; n += 1) w.put(`s${n}`, 'start');
    assert.equal(await w.queue.stored(), null);
    await w.clock.advance(7_200_000);
    assert.ok(w.queue.figures().outage);
    server.outcome = () => 'delivered';
    await w.clock.advance(5_000);
    await until(() => w.queue.figures().length === 0, 5_000, 'an empty queue');
    await end(w);
  });

  it('an answer to something else, such as an Access-Request, ends the waiting at once', async (t) => {
    const server = new Server();
    server.outcome = () => 'failed';
    const w = await world(temporaryFolder(t), { server });
    for (let n = 0; n < 50; n += 1) w.put(`s${n}`, 'start');
    assert.equal(await w.queue.stored(), null);
    await w.clock.advance(7_200_000);
    const { length } = server.tries;
    server.outcome = () => 'delivered';
    await w.clock.advance(0);
    assert.equal(server.tries.length, length, 'nothing goes without a reason');
    w.queue.serverAnswered();
    await until(() => w.queue.figures().length === 0, 5_000, 'an empty queue');
    await end(w);
  });

  it('an answer while accounting is still dead brings one try, not all of them', async (t) => {
    const server = new Server();
    server.outcome = () => 'failed';
    const w = await world(temporaryFolder(t), { server });
    for (let n = 0; n < 50; n += 1) w.put(`s${n}`, 'start');
    assert.equal(await w.queue.stored(), null);
    await w.clock.advance(600_000);
    const { length } = server.tries;
    w.queue.serverAnswered();
    await w.clock.advance(0);
    assert.equal(server.tries.length, length + 1);
    await end(w);
  });

  it('too few failures to make an outage: they too go with the first answer that another session gets', async (t) => {
    const server = new Server();
    server.outcome = () => 'failed';
    const w = await world(temporaryFolder(t), { server });
    w.put('a', 'start');
    assert.equal(await w.queue.stored(), null);
    for (let n = 0; n < 5; n += 1) await w.clock.advance(2 ** n * 1000);
    assert.deepEqual([w.queue.figures().outage, server.tries.length], [false, 6]);
    server.outcome = () => 'delivered';
    w.put('b', 'start');
    await until(() => w.queue.figures().length === 0, 5_000, 'both');
    assert.deepEqual(server.delivered, ['b start', 'a start']);
    await end(w);
  });

  it('a record that nobody answers is not tried again for each answer to others', async (t) => {
    const server = new Server();
    server.outcome = (what) =>
      what.startsWith('poison')
        ? new Promise((resolve) => void w.clock.after(1, () => resolve('failed')))
        : 'delivered';
    const w = await world(temporaryFolder(t), { server });
    w.put('poison', 'start');
    for (let n = 0; n < 100; n += 1) {
      w.put(`s${n}`, 'start');
      assert.equal(await w.queue.stored(), null);
      await until(() => w.queue.figures().delivered === n + 1, 5_000, 'the others');
      await w.clock.advance(10);
    }
    const tries = server.tries.filter((what) => what === 'poison start').length;
    assert.ok(tries <= 4, `${tries} tries within a second of the clock`);
    await end(w);
  });

  it('the oldest record is known whichever are delivered before it', async (t) => {
    const server = new Server();
    const open = new Set(['s0', 's1', 's2', 's3']);
    server.outcome = (what) => (open.has(what.slice(0, 2)) ? 'failed' : 'delivered');
    const w = await world(temporaryFolder(t), { server });
    for (const id of [...open]) {
      w.put(id, 'start');
      assert.equal(await w.queue.stored(), null);
      await w.clock.advance(100_000);
    }
    const ages: number[] = [];
    for (const id of ['s1', 's0', 's3']) {
      open.delete(id);
      const { length } = w.queue.figures();
      w.queue.serverAnswered();
      await w.clock.advance(60_000);
      await until(() => w.queue.figures().length < length, 5_000, id);
      ages.push(w.queue.figures().oldestAgeMs);
    }
    assert.deepEqual(ages, [460_000, 320_000, 380_000]);
    await end(w);
  });

  it('does not hold up other sessions for a record that nobody answers', async (t) => {
    const server = new Server();
    server.outcome = (what) => (what.startsWith('poison') ? 'failed' : 'delivered');
    const w = await world(temporaryFolder(t), { server });
    w.put('poison', 'start');
    w.put('poison', 'stop');
    for (let n = 0; n < 100; n += 1) w.put(`s${n}`, 'start');
    await until(() => w.queue.figures().delivered === 100, 5_000, 'the others');
    assert.equal(w.queue.figures().outage, false);
    for (let n = 0; n < 20; n += 1) await w.clock.advance(60_000);
    assert.ok(w.queue.figures().retried >= 10);
    server.outcome = () => 'delivered';
    await w.clock.advance(120_000);
    await until(() => w.queue.figures().length === 0, 5_000, 'the rest');
    assert.deepEqual(server.of('poison'), ['start', 'stop']);
    await end(w);
  });

  it('drops interims that a later record makes redundant when it is too long, never a start or a stop', async (t) => {
    const server = new Server();
    server.outcome = () => 'failed';
    const w = await world(temporaryFolder(t), { server, limits: { coalesceAbove: 10 } });
    for (const id of ['a', 'b']) w.put(id, 'start');
    for (let at = 1; at <= 20; at += 1) for (const id of ['a', 'b']) w.put(id, 'interim', at);
    w.put('a', 'stop');
    assert.equal(await w.queue.stored(), null);
    const { length, dropped } = w.queue.figures();
    assert.equal(length + dropped.supersededInterim, 43);
    assert.ok(length <= 11, `${length} are left`);
    assert.equal(await rows(w.store), length);
    server.outcome = () => 'delivered';
    for (let n = 0; n < 10; n += 1) await w.clock.advance(60_000);
    await until(() => w.queue.figures().length === 0, 5_000, 'an empty queue');
    assert.deepEqual([server.of('a')[0], server.of('a').at(-1)], ['start', 'stop']);
    assert.deepEqual([server.of('b')[0], server.of('b').at(-1)], ['start', 'interim 20']);
    await end(w);
  });

  it('sends Accounting-On after all that was queued before it and before all that came later', async (t) => {
    const folder = temporaryFolder(t);
    const server = new Server();
    server.outcome = () => 'failed';
    const before = await world(folder, { server });
    before.put('old', 'stop');
    await end(before);
    server.outcome = async (): Promise<SendOutcome> => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return 'delivered';
    };
    const w = await world(folder, { server });
    const on = {
      'Acct-Status-Type': 'Accounting-On',
      'Acct-Session-Id': 'nas',
      'Event-Timestamp': 1,
    } as const;
    w.queue.put({ kind: 'nas', stream: 'nas', record: on, changes: [] });
    w.put('new', 'start');
    await until(() => w.queue.figures().length === 0, 5_000, 'an empty queue');
    assert.deepEqual(server.delivered, ['old stop', 'Accounting-On', 'new start']);
    await end(w);
  });

  it('moves what can never be sent to a table of its own and goes on', async (t) => {
    const server = new Server();
    server.outcome = (what) => (what === 'a start' ? 'unsendable' : 'delivered');
    const w = await world(temporaryFolder(t), { server });
    w.put('a', 'start');
    w.put('a', 'stop');
    await until(() => w.queue.figures().length === 0, 5_000, 'an empty queue');
    assert.equal(await w.queue.stored(), null);
    assert.deepEqual(server.of('a'), ['stop']);
    assert.equal(w.queue.figures().dropped.unsendable, 1);
    assert.equal(await rows(w.store, 'accounting_refused'), 1);
    assert.equal(await rows(w.store), 0);
    await end(w);
  });

  it('counts a record whose row is damaged while it runs, and still delivers its neighbours', async (t) => {
    const folder = temporaryFolder(t);
    const server = new Server();
    server.outcome = () => 'failed';
    const w = await world(folder, { server, limits: { maxInMemory: 0 } });
    for (const id of ['a', 'b', 'c']) w.put(id, 'start');
    assert.equal(await w.queue.stored(), null);
    const outside = new Sqlite(join(folder, 'bng.db'));
    const { changes } = outside
      .prepare("UPDATE accounting_queue SET value = replace(value, 'Start', 'Stort') WHERE key LIKE '% b'")
      .run();
    outside.close();
    assert.equal(changes, 1);
    server.outcome = () => 'delivered';
    for (let n = 0; n < 5; n += 1) {
      await w.clock.advance(60_000);
      await w.queue.stored();
    }
    await until(() => w.queue.figures().length === 0, 5_000, 'an empty queue');
    assert.deepEqual(server.delivered.toSorted(), ['a start', 'c start']);
    assert.equal(w.queue.figures().dropped.damaged, 1);
    assert.ok(w.notices.includes('refused'));
    await end(w);
    const again = await openStore(folder);
    assert.match(again.damage?.problem ?? '', /^row ".* b" of accounting_queue$/);
    await again.close();
  });
});
