/** The operator page's files and the stream that feeds it, as they leave the API. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { buildApi } from '../../src/http/api.js';
import { DEFAULT_API_LIMITS } from '../../src/http/api-options.js';
import type { ApiOptions } from '../../src/http/api-options.js';
import type { Overview, OverviewEvents, OverviewSample } from '../../src/http/overview.js';
import type { PageFiles } from '../../src/http/page-file.js';
import { parseIpv4 } from '../../src/model/ipv4.js';
import { EventParser } from '../../src/operator-page/event-parser.js';
import { apiOptions, FakeBng, FakeClock, makeSession, START_WALL_MS, traffic } from './fake-bng.js';
import { checkProblem } from './problem-check.js';

const DEADLINE_MS = 10_000;
const TOKEN = 'a-token';

const FILES: PageFiles = {
  index: { type: 'text/html; charset=utf-8', bytes: Buffer.from('<!doctype html>') },
  version: 'v1',
  assets: new Map([
    ['main-1.js', { type: 'text/javascript; charset=utf-8', bytes: Buffer.from('export {}') }],
  ]),
};

const failOnBug = (error: unknown): void => assert.fail(String(error));
const page = { files: FILES, onBug: failOnBug };

async function until(what: string, condition: () => boolean): Promise<void> {
  const due = performance.now() + DEADLINE_MS;
  while (!condition()) {
    assert.ok(performance.now() < due, `not within ${DEADLINE_MS} ms: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Follows the overview; what came is kept by kind. */
class Watcher {
  readonly socket: Socket;
  readonly histories: (readonly OverviewSample[])[] = [];
  readonly events: OverviewEvents[] = [];
  readonly overviews: Overview[] = [];
  longest = 0;
  readonly #parser = new EventParser();

  constructor(app: FastifyInstance) {
    this.socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
    this.socket.write(
      `GET /api/v1/overview HTTP/1.0\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`,
    );
    this.socket.setEncoding('utf8').on('data', (text: string) => this.#take(text));
  }

  get last(): Overview {
    return this.overviews.at(-1) ?? assert.fail('nothing came');
  }

  #take(text: string): void {
    for (const { event, data } of this.#parser.push(text)) {
      this.longest = Math.max(this.longest, data.length);
      const value: unknown = JSON.parse(data);
      if (event === 'history') this.histories.push(value as OverviewSample[]);
      else if (event === 'events') this.events.push(value as OverviewEvents);
      else if (event === 'overview') this.overviews.push(value as Overview);
      else assert.fail(event);
    }
  }
}

interface World {
  readonly app: FastifyInstance;
  readonly bng: FakeBng;
  readonly clock: FakeClock;
}

async function withPage(
  run: (world: World) => Promise<void>,
  overrides: Partial<ApiOptions> = {},
): Promise<void> {
  const bng = new FakeBng();
  const clock = new FakeClock();
  const app = buildApi(apiOptions(bng, { clock, token: TOKEN, page, ...overrides }));
  await app.listen({ host: '127.0.0.1', port: 0 });
  try {
    await run({ app, bng, clock });
  } finally {
    await app.close();
  }
  assert.equal(clock.armed, 0, 'a closed API waits for nothing');
}

/** Lets the clock go on a second at a time; whatever that sets off has been sent then. */
async function seconds(world: World, watcher: Watcher, number: number): Promise<void> {
  for (let second = 0; second < number; second++) {
    const before = watcher.overviews.length;
    world.clock.advance(1000);
    await until('the next picture', () => watcher.overviews.length > before);
  }
}

test('the page and its files need no token, say so to caches, and allow nothing but themselves', async () => {
  await withPage(async ({ app }) => {
    const answer = await app.inject({ url: '/' });
    assert.equal(answer.statusCode, 200);
    assert.match(String(answer.headers['content-type']), /^text\/html/);
    assert.equal(answer.headers['cache-control'], 'no-cache');
    assert.equal(answer.headers['x-content-type-options'], 'nosniff');
    const policy = String(answer.headers['content-security-policy']);
    assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe|https?:|\*/);
    const etag = String(answer.headers.etag);
    const again = await app.inject({ url: '/', headers: { 'if-none-match': etag } });
    assert.deepEqual([again.statusCode, again.body], [304, '']);
    assert.equal(again.headers['content-security-policy'], policy);
    const asset = await app.inject({ url: '/assets/main-1.js' });
    assert.deepEqual([asset.statusCode, asset.body], [200, 'export {}']);
    assert.match(String(asset.headers['cache-control']), /immutable/);
  });
});

test('nothing else is had without the token, by whatever name', async () => {
  await withPage(async ({ app }) => {
    checkProblem(await app.inject({ url: '/api/v1/overview' }), 401, 'unauthorized');
    for (const name of ['nothing.js', 'index.html', '..%2findex.html', '%2e%2e%2f%2e%2e%2fpackage.json']) {
      const { statusCode } = await app.inject({ url: `/assets/${name}` });
      assert.ok(statusCode === 404 || statusCode === 400, `${name}: ${statusCode}`);
    }
    const headers = { authorization: `Bearer ${TOKEN}` };
    checkProblem(await app.inject({ method: 'POST', url: '/', headers }), 405, 'method-not-allowed');
    assert.equal(
      (await app.inject({ url: '/api/v1/sessions', headers })).headers['cache-control'],
      'no-store',
    );
  });
});

test('an API without the page has neither page nor stream', async () => {
  const { page: _page, ...without } = apiOptions(new FakeBng(), { page });
  const app = buildApi(without);
  assert.equal((await app.inject({ url: '/' })).statusCode, 404);
  assert.equal((await app.inject({ url: '/api/v1/overview' })).statusCode, 404);
  await app.close();
});

test('who begins to watch is told what was, also while nobody watched, and then each second what is', async () => {
  await withPage(async (world) => {
    const { app, bng, clock } = world;
    for (let sample = 0; sample < 800; sample++) clock.advance(5000);
    assert.equal(bng.trafficReads, 0, 'nobody watched, and yet counters were read');
    bng.list.push(makeSession());
    const watcher = new Watcher(app);
    await until('the picture', () => watcher.overviews.length > 0);
    assert.equal(watcher.histories.length, 1);
    assert.equal(watcher.histories[0]?.length, 720, 'an hour of samples, and no more');
    assert.equal(watcher.last.sample.sessions.wgar, 1);
    assert.deepEqual(
      watcher.last.ports.map(({ xdp_mode }) => xdp_mode),
      ['native', 'generic'],
    );
    assert.equal(watcher.last.pools[0]?.available, 874);
    bng.list.push(makeSession({ id: 'session-2', state: 'active' }));
    await seconds(world, watcher, 1);
    assert.equal(watcher.last.sample.sessions.active, 1);
    watcher.socket.destroy();
  });
});

test('throughput is what was carried between two readings, also where an address begins anew', async () => {
  await withPage(async (world) => {
    const { app, bng } = world;
    const [one, two] = [parseIpv4('10.0.0.1'), parseIpv4('10.0.0.2')];
    bng.installed.set(one, traffic(1_000_000n, 5_000_000n));
    const watcher = new Watcher(app);
    await seconds(world, watcher, 1);
    assert.equal(watcher.last.sample.upstream_bps, null, 'one reading says nothing');
    bng.installed.set(one, traffic(1_001_000n, 5_010_000n));
    bng.installed.set(two, traffic(500n));
    await seconds(world, watcher, 2);
    assert.equal(watcher.last.installed, 2);
    const told = watcher.overviews.map(({ sample }) => [sample.upstream_bps, sample.downstream_bps]);
    assert.ok(
      told.some(([up, down]) => up === 12_000 && down === 80_000),
      JSON.stringify(told),
    );
    bng.installed.set(one, traffic(100n));
    await seconds(world, watcher, 2);
    const after = watcher.overviews.map(({ sample }) => sample.upstream_bps);
    assert.ok(after.includes(800), JSON.stringify(after));
    watcher.socket.destroy();
  });
});

test('a storm of events reaches a watcher as its newest few and a count of the others', async () => {
  await withPage(async (world) => {
    const { app, bng } = world;
    const watcher = new Watcher(app);
    await until('the picture', () => watcher.overviews.length > 0);
    const before = watcher.events.length;
    for (let event = 0; event < 30_000; event++) {
      const session = makeSession({ id: `session-${event}` });
      bng.tell({ type: 'session-created', wallMs: START_WALL_MS, session });
    }
    await seconds(world, watcher, 2);
    const told = watcher.events.slice(before);
    assert.equal(told.length, 1);
    assert.equal(told[0]?.events.length, 50);
    assert.equal(told[0]?.skipped, 29_950);
    assert.equal(told[0]?.events.at(-1)?.session.id, 'session-29999');
    assert.ok(watcher.longest < 65_536, `a message of ${watcher.longest} bytes`);
    watcher.socket.destroy();
  });
});

test('drops are told by reason, and their rate over all reasons', async () => {
  await withPage(async (world) => {
    const { app, bng } = world;
    const watcher = new Watcher(app);
    await seconds(world, watcher, 1);
    bng.dropTable['garden'] = 40n;
    await seconds(world, watcher, 1);
    assert.equal(watcher.last.drops['garden'], '40');
    assert.equal(watcher.last.sample.drops_per_second, 40);
    watcher.socket.destroy();
  });
});

test('more watchers than allowed are refused', async () => {
  const limits = { ...DEFAULT_API_LIMITS, eventClients: 1 };
  await withPage(
    async ({ app }) => {
      const watcher = new Watcher(app);
      await until('the picture', () => watcher.overviews.length > 0);
      const headers = { authorization: `Bearer ${TOKEN}` };
      checkProblem(await app.inject({ url: '/api/v1/overview', headers }), 503, 'too-many-clients');
      watcher.socket.destroy();
    },
    { limits },
  );
});
