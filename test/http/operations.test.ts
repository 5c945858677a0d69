/** What the API tells of the kernel and lets operators do to the BNG itself: maps, nftables, top, drain, limits, TLS, socket. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readTlsFiles } from '../../src/config/tls-files.js';
import { buildApi } from '../../src/http/api.js';
import { DEFAULT_API_LIMITS } from '../../src/http/api-options.js';
import { jsonListStream } from '../../src/http/json-stream.js';
import { listenLocally } from '../../src/http/local-socket.js';
import { RequestBuckets } from '../../src/http/rate-limit.js';
import { isBngError } from '../../src/model/bng-error.js';
import { systemClock } from '../../src/model/system-clock.js';
import { parseIpv4 } from '../../src/model/ipv4.js';
import { parseMac } from '../../src/model/mac.js';
import { makeCertificate } from '../support/certificate.js';
import { apiOptions, FakeBng, FakeClock, makeSession, traffic } from './fake-bng.js';
import { checkProblem } from './problem-check.js';

async function withFolder(act: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ctl-test-'));
  try {
    await act(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('maps are listed, and one gives its decoded entries; an unknown one names those there are', async () => {
  const app = buildApi(apiOptions(new FakeBng()));
  const { maps } = (await app.inject({ url: '/api/v1/maps' })).json<{ maps: { name: string }[] }>();
  assert.deepEqual(maps, [
    { name: 'bng_garden', type: 'lpm_trie', key: 'bng_garden_key', value: 'bng_garden', max_entries: 4096 },
  ]);
  const map = await app.inject({ url: '/api/v1/maps/bng_garden' });
  assert.match(String(map.headers['content-type']), /^application\/json/);
  assert.deepEqual(map.json(), {
    name: 'bng_garden',
    entries: [{ key: { prefix_length: 32, address: '203.0.113.10' }, value: { flags: ['any'], ports: [] } }],
  });
  const unknown = checkProblem(await app.inject({ url: '/api/v1/maps/bng_x' }), 404, 'unknown-map');
  assert.match(unknown.detail, /there are bng_garden/);
  checkProblem(await app.inject({ url: '/api/v1/maps/..%2fetc' }), 400, 'invalid-field');
});

test('subscribers are those of the kernel, with their membership of the garden', async () => {
  const bng = new FakeBng();
  bng.dumped = [
    {
      address: parseIpv4('10.255.0.9'),
      attachment: { ifindex: 3, sVlan: 100, cVlan: 0, mac: parseMac('02:00:00:00:00:09') },
      walled: true,
      downloadBitsPerSecond: 1e6,
      uploadBitsPerSecond: 0,
      slot: 4,
      traffic: traffic(2n ** 63n),
      gardenMember: false,
    },
  ];
  const { subscribers } = (await buildApi(apiOptions(bng)).inject({ url: '/api/v1/subscribers' })).json<{
    subscribers: Record<string, unknown>[];
  }>();
  assert.equal(subscribers.length, 1);
  const [only] = subscribers;
  assert.deepEqual(
    [only?.['address'], only?.['walled'], only?.['garden_member'], only?.['upstream_bytes']],
    ['10.255.0.9', true, false, '9223372036854775808'],
  );
});

test('a long list leaves the event loop free between its parts and is one JSON document', async () => {
  let turns = 0;
  let isCounting = true;
  const count = (): void => {
    turns += 1;
    if (isCounting) setImmediate(count);
  };
  setImmediate(count);
  let text = '';
  const numbers = Array.from({ length: 2_000 }, (_, index) => index);
  for await (const chunk of jsonListStream({ name: 'x' }, 'items', numbers)) text += String(chunk);
  isCounting = false;
  assert.deepEqual(JSON.parse(text), { name: 'x', items: numbers });
  assert.ok(turns >= 7, `${turns} turns of the event loop`);
  const empty = await jsonListStream({}, 'items', []).toArray();
  assert.equal(empty.join(''), '{"items":[]}');
});

test('nft gives the table, with its members only when asked, and says why when it cannot', async () => {
  const bng = new FakeBng();
  const app = buildApi(apiOptions(bng));
  const plain = (await app.inject({ url: '/api/v1/nft' })).json<{ text: string }>();
  assert.equal(plain.text, 'table inet bng {\n}');
  const full = (await app.inject({ url: '/api/v1/nft?members=true' })).json<{ text: string }>();
  assert.match(full.text, /members$/);
  bng.listing = { ok: false, reason: 'no such table' };
  assert.equal(checkProblem(await app.inject({ url: '/api/v1/nft' }), 503, 'failed').detail, 'no such table');
});

test('top gives the busiest of one second first, and asks the kernel once for all who ask together', async () => {
  const bng = new FakeBng();
  const clock = new FakeClock();
  const [quiet, busy] = [parseIpv4('10.255.0.10'), parseIpv4('10.0.0.9')];
  bng.list.push(makeSession(), makeSession({ id: 'busy', ontSerial: 'BUSY', address: busy }));
  bng.installed.set(quiet, traffic(1000n));
  bng.installed.set(busy, traffic(1000n));
  const app = buildApi(apiOptions(bng, { clock }));
  const asked = [app.inject({ url: '/api/v1/top' }), app.inject({ url: '/api/v1/top?limit=1' })];
  while (bng.trafficReads === 0) await new Promise((resolve) => setImmediate(resolve));
  while (clock.armed === 0) await new Promise((resolve) => setImmediate(resolve));
  bng.installed.set(busy, traffic(3000n));
  await new Promise((resolve) => setImmediate(resolve));
  clock.advance(1_000);
  const [all, one] = await Promise.all(asked);
  type Top = { talkers: { ont_serial: string; upstream_bps: number; upstream_pps: number }[] };
  assert.deepEqual(
    all!.json<Top>().talkers.map((talker) => [talker.ont_serial, talker.upstream_bps, talker.upstream_pps]),
    [
      ['BUSY', 16_000, 20],
      ['SIMU00000001', 0, 0],
    ],
  );
  assert.equal(one!.json<Top>().talkers.length, 1);
  assert.equal(bng.trafficReads, 2);
});

test('counters sum what is installed', async () => {
  const bng = new FakeBng();
  bng.list.push(makeSession());
  bng.installed.set(parseIpv4('10.0.0.1'), traffic(100n));
  bng.installed.set(parseIpv4('10.0.0.2'), traffic(200n, 300n));
  const body = (await buildApi(apiOptions(bng)).inject({ url: '/api/v1/counters' })).json<{
    installed: number;
    traffic: Record<string, string>;
    sessions: Record<string, number>;
  }>();
  assert.deepEqual([body.installed, body.sessions['wgar']], [2, 1]);
  assert.deepEqual([body.traffic['upstream_bytes'], body.traffic['downstream_bytes']], ['300', '300']);
});

test('drain is switched on and off, idempotently', async () => {
  const bng = new FakeBng();
  const app = buildApi(apiOptions(bng));
  for (const draining of [true, true, false]) {
    const response = await app.inject({ method: 'POST', url: '/api/v1/drain', payload: { draining } });
    assert.equal(response.json<{ draining: boolean }>().draining, draining);
    assert.equal(bng.isDraining, draining);
  }
  const wrong = await app.inject({ method: 'POST', url: '/api/v1/drain', payload: { draining: 'yes' } });
  assert.equal(checkProblem(wrong, 400, 'invalid-field').field, 'draining');
});

test('reload exists only where the daemon can, and tells what changed or why not', async () => {
  const without = buildApi(apiOptions(new FakeBng()));
  checkProblem(await without.inject({ method: 'POST', url: '/api/v1/reload' }), 404, 'not-found');
  const able = buildApi(
    apiOptions(new FakeBng(), { reload: () => Promise.resolve({ ok: true, changes: ['log.level'] }) }),
  );
  assert.deepEqual((await able.inject({ method: 'POST', url: '/api/v1/reload' })).json(), {
    status: 'success',
    changes: ['log.level'],
  });
  const failing = buildApi(
    apiOptions(new FakeBng(), { reload: () => Promise.resolve({ ok: false, reason: 'bng.yaml: line 3' }) }),
  );
  const refused = await failing.inject({ method: 'POST', url: '/api/v1/reload' });
  assert.equal(checkProblem(refused, 503, 'failed').detail, 'bng.yaml: line 3');
});

test('who asks too often is refused with the time to wait, and others are not', async () => {
  const limits = { ...DEFAULT_API_LIMITS, requests: { perSecond: 2, burst: 3 } };
  const clock = new FakeClock();
  const app = buildApi(apiOptions(new FakeBng(), { limits, clock, token: 'secret' }));
  const ask = (remoteAddress: string) => app.inject({ url: '/api/v1/pools', remoteAddress });
  for (let i = 0; i < 3; i++) assert.equal((await ask('192.0.2.1')).statusCode, 401);
  const refused = await ask('192.0.2.1');
  checkProblem(refused, 429, 'too-many-requests');
  assert.equal(refused.headers['retry-after'], '1');
  assert.equal((await ask('192.0.2.2')).statusCode, 401);
  clock.advance(500);
  assert.equal((await ask('192.0.2.1')).statusCode, 401);
  assert.equal((await ask('192.0.2.1')).statusCode, 429);
});

test('a bucket fills with time up to its burst, however many addresses come', () => {
  const clock = new FakeClock();
  const buckets = new RequestBuckets({ perSecond: 1, burst: 2 }, clock);
  assert.deepEqual([buckets.take('a'), buckets.take('a'), buckets.take('a')], [0, 0, 1]);
  for (let i = 0; i < 5_000; i++) buckets.take(`other-${i}`);
  clock.advance(60_000);
  assert.deepEqual([buckets.take('a'), buckets.take('a'), buckets.take('a')], [0, 0, 1]);
});

test('events of before are kept for who comes later, in order, and per session', async () => {
  const bng = new FakeBng();
  const app = buildApi(apiOptions(bng));
  bng.tellStateChange('discovered', 'wgar', 5, 'one');
  bng.tellStateChange('discovered', 'wgar', 5, 'two');
  bng.tellStateChange('wgar', 'active', 5, 'one');
  type History = { events: { to: string; session: { id: string } }[] };
  const ask = async (query: string): Promise<string[]> =>
    (await app.inject({ url: `/api/v1/events/history${query}` }))
      .json<History>()
      .events.map((event) => `${event.session.id} ${event.to}`);
  assert.deepEqual(await ask(''), ['one wgar', 'two wgar', 'one active']);
  assert.deepEqual(await ask('?session=one'), ['one wgar', 'one active']);
  assert.deepEqual(await ask('?limit=1'), ['one active']);
});

test('the list can be narrowed to a pool and to a text, and a page that finds nothing still goes on', async () => {
  const bng = new FakeBng();
  for (let i = 0; i < 12_000; i++) {
    bng.list.push(makeSession({ id: `id-${i}`, ontSerial: `ONT${String(i).padStart(8, '0')}` }));
  }
  const app = buildApi(apiOptions(bng));
  type Page = { sessions: { id: string }[]; next_cursor: string | null };
  const found: string[] = [];
  let pages = 0;
  for (let cursor: string | null = null; pages === 0 || cursor !== null; pages++) {
    const query: Record<string, string> = { match: 'ONT00011999', ...(cursor === null ? {} : { cursor }) };
    const page: Page = (await app.inject({ url: '/api/v1/sessions', query })).json<Page>();
    found.push(...page.sessions.map((session) => session.id));
    cursor = page.next_cursor;
  }
  assert.deepEqual([found, pages], [['id-11999'], 3]);
  const none = (await app.inject({ url: '/api/v1/sessions?pool=isp-business' })).json<Page>();
  assert.equal(none.sessions.length, 0);
  assert.notEqual(none.next_cursor, null);
});

test('with TLS the API speaks nothing else, and old versions are refused', async () => {
  await withFolder(async (folder) => {
    const tls = readTlsFiles(makeCertificate(folder, ['IP:127.0.0.1']));
    const app = buildApi(apiOptions(new FakeBng(), { tls }));
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    try {
      const status = (options: object): Promise<number | string> =>
        new Promise((resolve) => {
          const url = `https://127.0.0.1:${port}/healthz`;
          const sent = request(url, { ca: tls.cert, agent: false, ...options }, (response) => {
            response.resume();
            resolve(response.statusCode ?? 0);
          });
          sent.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
          sent.end();
        });
      assert.equal(await status({}), 200);
      assert.notEqual(await status({ maxVersion: 'TLSv1.1', minVersion: 'TLSv1' }), 200);
      const plain = await new Promise<string>((resolve) => {
        let text = '';
        const socket = connect(port, '127.0.0.1', () =>
          socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'),
        );
        socket.on('data', (bytes) => (text += bytes.toString('latin1')));
        socket.on('error', () => resolve(text));
        socket.on('close', () => resolve(text));
      });
      assert.doesNotMatch(plain, /200 OK/);
    } finally {
      await app.close();
    }
  });
});

test('nothing is written beside the folder of the unix socket, which may be all that is ours', async () => {
  // The root of a file system: what stands beside it is in another one.
  const path = `/dev/shm/bng-${process.pid}.sock`;
  const options = { token: null, isLocal: true, clock: systemClock };
  const close = await listenLocally(buildApi(apiOptions(new FakeBng(), options)), path);
  assert.ok(statSync(path).isSocket());
  await close();
});

test('the unix socket is its owner’s alone, replaces one that died, refuses to push out a living one', async () => {
  await withFolder(async (folder) => {
    const path = join(folder, 'run', 'bng.sock');
    const options = { token: null, isLocal: true, clock: systemClock };
    const close = await listenLocally(buildApi(apiOptions(new FakeBng(), options)), path);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(join(folder, 'run')), ['bng.sock']);
    const second = buildApi(apiOptions(new FakeBng(), options));
    await assert.rejects(listenLocally(second, path), (error) => isBngError(error, 'BNG_ERR_CONFIG'));
    await second.close();
    await close();
    assert.deepEqual(readdirSync(join(folder, 'run')), []);
    writeFileSync(path, 'a file of somebody');
    const third = buildApi(apiOptions(new FakeBng(), options));
    await assert.rejects(listenLocally(third, path), (error) => isBngError(error, 'BNG_ERR_CONFIG'));
    await third.close();
    rmSync(path);
    // A socket that nobody listens on, as a crash leaves it.
    const crash = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    assert.equal(spawnSync(process.execPath, ['-e', crash], { timeout: 10_000 }).signal, 'SIGKILL');
    assert.ok(statSync(path).isSocket());
    const closeAgain = await listenLocally(buildApi(apiOptions(new FakeBng(), options)), path);
    await closeAgain();
  });
});
