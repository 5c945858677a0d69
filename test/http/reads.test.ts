/** What operators read: sessions, pools, drops, probes, the description. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildApi } from '../../src/http/api.js';
import { parseIpv4 } from '../../src/model/ipv4.js';
import { apiOptions, FakeBng, makeSession, makeUsage, START_WALL_MS, traffic } from './fake-bng.js';
import { checkProblem } from './problem-check.js';

function bngWithSessions(count: number): FakeBng {
  const bng = new FakeBng();
  for (let i = 0; i < count; i++) {
    bng.list.push(
      makeSession({
        id: `id-${i}`,
        ontSerial: `ONT${i}`,
        address: parseIpv4(`10.255.1.${i}`),
        state: i % 3 === 0 ? 'active' : 'wgar',
        createdWallMs: START_WALL_MS + i,
      }),
    );
  }
  return bng;
}

interface Page {
  readonly sessions: readonly { readonly id: string; readonly state: string }[];
  readonly next_cursor: string | null;
}

test('pages of sessions follow each other without gap or repetition, and the last has no cursor', async () => {
  const app = buildApi(apiOptions(bngWithSessions(25)));
  const seen: string[] = [];
  let cursor: string | null = null;
  let pages = 0;
  do {
    const query: Record<string, string> = { limit: '10', ...(cursor === null ? {} : { cursor }) };
    const page: Page = (await app.inject({ url: '/api/v1/sessions', query })).json<Page>();
    seen.push(...page.sessions.map((session) => session.id));
    cursor = page.next_cursor;
    pages += 1;
  } while (cursor !== null);
  assert.equal(pages, 3);
  assert.deepEqual(
    seen,
    Array.from({ length: 25 }, (_, i) => `id-${i}`),
  );
});

test('a page that ends exactly with the list has no cursor', async () => {
  const app = buildApi(apiOptions(bngWithSessions(10)));
  const page = (await app.inject({ url: '/api/v1/sessions', query: { limit: '10' } })).json<Page>();
  assert.deepEqual([page.sessions.length, page.next_cursor], [10, null]);
});

test('a cursor whose session has ended meanwhile leaves no session out', async () => {
  const bng = bngWithSessions(6);
  const app = buildApi(apiOptions(bng));
  const first = (await app.inject({ url: '/api/v1/sessions', query: { limit: '3' } })).json<Page>();
  bng.list.splice(1, 2);
  const query = { limit: '10', cursor: first.next_cursor ?? '' };
  const second = (await app.inject({ url: '/api/v1/sessions', query })).json<Page>();
  assert.deepEqual(
    second.sessions.map((session) => session.id),
    ['id-3', 'id-4', 'id-5'],
  );
});

test('other work has its turn while a long page is looked for and while it is rendered', async () => {
  const bng = bngWithSessions(6);
  const slow = (): void => {
    const untilMs = performance.now() + 5;
    while (performance.now() < untilMs);
  };
  // Sessions that take long to find, and one member of each that takes long to read.
  const list = bng.list.map((session) => ({
    ...session,
    get circuitId() {
      slow();
      return session.circuitId;
    },
  }));
  let turns = 0;
  const turnsAt: number[] = [];
  bng.sessions = function* () {
    for (const session of list) {
      slow();
      turnsAt.push(turns);
      yield session;
    }
    turnsAt.push(turns);
  };
  const app = buildApi(apiOptions(bng));
  await app.ready();
  let isOver = false;
  const count = (): void => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const page = (await app.inject({ url: '/api/v1/sessions' })).json<Page>();
  isOver = true;
  assert.equal(page.sessions.length, 6);
  const [first = 0] = turnsAt;
  const found = turnsAt.at(-1) ?? 0;
  assert.ok(found - first >= 5, `${found - first} turns while they were found`);
  assert.ok(turns - found >= 6, `${turns - found} turns while they were rendered`);
});

test('the list can be narrowed to one state', async () => {
  const app = buildApi(apiOptions(bngWithSessions(10)));
  const page = (
    await app.inject({ url: '/api/v1/sessions', query: { state: 'active', limit: '3' } })
  ).json<Page>();
  assert.deepEqual(
    page.sessions.map((session) => session.id),
    ['id-0', 'id-3', 'id-6'],
  );
  const rest = await app.inject({
    url: '/api/v1/sessions',
    query: { state: 'active', limit: '3', cursor: page.next_cursor ?? '' },
  });
  assert.deepEqual(
    rest.json<Page>().sessions.map((session) => session.id),
    ['id-9'],
  );
});

test('queries outside the schema are refused with the field', async () => {
  const app = buildApi(apiOptions(new FakeBng()));
  for (const [field, value] of [
    ['limit', '0'],
    ['limit', '1001'],
    ['limit', '1e2'],
    ['state', 'online'],
    ['cursor', 'x'],
    ['order', 'desc'],
  ] as const) {
    const response = await app.inject({ url: '/api/v1/sessions', query: { [field]: value } });
    assert.equal(checkProblem(response, 400, 'invalid-field').field, field);
  }
});

test('a session is found by ONT serial, address, MAC, circuit-id and id, with its counters as decimal strings', async () => {
  const bng = new FakeBng();
  bng.list.push(makeSession());
  bng.installed.set(parseIpv4('10.255.0.10'), {
    upstreamPackets: 1n,
    upstreamBytes: 2n ** 64n - 1n,
    downstreamPackets: 0n,
    downstreamBytes: 9007199254740993n,
  });
  const request = { code: 'Access-Request', attributes: [{ name: 'User-Name', value: 'a' }] };
  const exchange = { kind: 'authentication', peer: null, request, response: null } as const;
  bng.exchanges = [{ ...exchange, wallMs: START_WALL_MS, tookMs: 1.23456 }];
  const app = buildApi(apiOptions(bng));
  for (const key of [
    'SIMU00000001',
    '10.255.0.10',
    'session-1',
    '02:00:00:00:00:01',
    'agg-01|1/1/1',
    '0x6167672d30317c312f312f31',
  ]) {
    const response = await app.inject({ url: `/api/v1/sessions/${encodeURIComponent(key)}` });
    assert.deepEqual(response.json(), {
      id: 'session-1',
      radius_exchanges: [{ ...exchange, at: new Date(START_WALL_MS).toISOString(), took_ms: 1.235 }],
      ont_serial: 'SIMU00000001',
      circuit_id: 'agg-01|1/1/1',
      circuit_id_hex: '6167672d30317c312f312f31',
      state: 'wgar',
      lease_phase: 'bound',
      attachment: { interface_index: 3, s_vlan: 100, c_vlan: 7, mac: '02:00:00:00:00:01' },
      service_id: 'walled-garden',
      pool: 'wgar',
      pool_group: null,
      walled: true,
      download_bps: 1_000_000,
      upload_bps: 0,
      address: '10.255.0.10',
      held_address: null,
      created_at: '2026-01-02T03:04:05.000Z',
      state_since: '2026-01-02T03:04:05.000Z',
      lease_expires_at: '2026-01-02T03:14:05.000Z',
      suspended_for: null,
      traffic: {
        address: '10.255.0.10',
        upstream_packets: '1',
        upstream_bytes: '18446744073709551615',
        downstream_packets: '0',
        downstream_bytes: '9007199254740993',
      },
      subscriber_id: 'ont:SIMU00000001',
      authentication: { at: '2026-01-02T03:04:05.000Z', took_ms: 4.25, outcome: 'accepted', reason: null },
      terms: {
        user_name: 'SIMU00000001',
        fixed_address: null,
        session_timeout_seconds: 3600,
        idle_timeout_seconds: null,
        interim_interval_seconds: null,
        classes: [],
      },
      accounting: { session_id: 'boot-1', started_at: '2026-01-02T03:04:05.000Z' },
      kernel: { maps: { bng_subscribers: { slot: 7, flags: ['walled'] } }, garden_member: true },
      events: [],
    });
  }
});

test('after a move the counters are those of the held address, and opaque circuit-ids are hex only', async () => {
  const bng = new FakeBng();
  const heldAddress = parseIpv4('10.255.0.10');
  bng.list.push(
    makeSession({
      address: parseIpv4('10.0.0.9'),
      heldAddress,
      circuitId: Uint8Array.of(0, 255),
      profile: null,
    }),
  );
  bng.installed.set(heldAddress, traffic(500n));
  const response = await buildApi(apiOptions(bng)).inject({ url: '/api/v1/sessions/10.0.0.9' });
  const session = response.json<Record<string, unknown>>();
  assert.deepEqual(
    [session['circuit_id'], session['circuit_id_hex'], session['pool'], session['address']],
    [null, '00ff', null, '10.0.0.9'],
  );
  assert.equal((session['traffic'] as { address: string }).address, '10.255.0.10');
});

test('a session that is not installed has no traffic, and an unknown key is 404', async () => {
  const bng = new FakeBng();
  bng.list.push(makeSession({ attachment: null, circuitId: null, address: null }));
  const app = buildApi(apiOptions(bng));
  const session = (await app.inject({ url: '/api/v1/sessions/session-1' })).json<Record<string, unknown>>();
  assert.deepEqual([session['traffic'], session['attachment'], session['address']], [null, null, null]);
  for (const key of ['NOBODY', '192.0.2.1', '10.255.010.1', '%3Cscript%3E']) {
    checkProblem(await app.inject({ url: `/api/v1/sessions/${key}` }), 404, 'unknown-session');
  }
});

test('pools show terms, use, what is left, the utilization, whether they are drained and their groups', async () => {
  const bng = new FakeBng();
  bng.usages = [makeUsage('wgar'), makeUsage('isp', { drain: 'move' })];
  bng.groupList = [{ name: 'many', pools: ['isp', 'wgar'] }];
  const response = await buildApi(apiOptions(bng)).inject({ url: '/api/v1/pools' });
  const { pools, groups } = response.json<{ pools: Record<string, unknown>[]; groups: object[] }>();
  assert.equal(pools.length, 2);
  assert.deepEqual(pools[0], {
    name: 'wgar',
    network: '10.255.0.0/16',
    gateway: '10.255.0.1',
    dns: ['8.8.8.8'],
    lease_seconds: 600,
    capacity: 1000,
    allocated: 125,
    quarantined: 1,
    available: 874,
    utilization: 0.125,
    held: 125,
    drain: 'none',
    state: 'open',
    groups: ['many'],
  });
  const { available, drain, state } = pools[1] ?? {};
  assert.deepEqual([available, drain, state], [0, 'move', 'draining']);
  assert.deepEqual(groups, [{ name: 'many', pools: ['isp', 'wgar'], available: 874, utilization: 0.125 }]);
});

test('drops and verdicts are decimal strings, every reason present', async () => {
  const bng = new FakeBng();
  bng.dropTable['garden'] = 2n ** 63n;
  const response = await buildApi(apiOptions(bng)).inject({ url: '/api/v1/drops' });
  assert.deepEqual(response.json(), {
    drops: { garden: '9223372036854775808', garden_fragment: '0', malformed: '0' },
    refusals: { 'line-sessions': '0', 'line-macs': '0', 'new-mac': '0' },
    verdicts: { drop: '0', 'forward-up': '0' },
  });
});

test('readyz is 200 while every check is ok, else 503 with all checks', async () => {
  const bng = new FakeBng();
  const app = buildApi(apiOptions(bng));
  assert.equal((await app.inject({ url: '/readyz' })).statusCode, 200);
  bng.checks.push({ name: 'radius', ok: false, detail: 'no server answers' });
  const problem = checkProblem(await app.inject({ url: '/readyz' }), 503, 'not-ready');
  assert.match(problem.detail, /radius: no server answers/);
  assert.equal(problem.checks?.length, 2);
  assert.equal((await app.inject({ url: '/healthz' })).statusCode, 200);
});

test('the description lists every route with the schemas that check it', async () => {
  const response = await buildApi(apiOptions(new FakeBng())).inject({ url: '/api/v1/openapi.json' });
  const document = response.json<{ openapi: string; paths: Record<string, Record<string, unknown>> }>();
  assert.equal(document.openapi, '3.1.0');
  assert.deepEqual(
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((m) => `${m} ${path}`),
    ),
    [
      'post /api/v1/activate',
      'post /api/v1/suspend',
      'post /api/v1/resume',
      'post /api/v1/terminate',
      'get /api/v1/sessions',
      'get /api/v1/sessions/{key}',
      'get /api/v1/pools',
      'get /api/v1/drops',
      'get /api/v1/counters',
      'get /api/v1/top',
      'get /api/v1/maps',
      'get /api/v1/maps/{name}',
      'get /api/v1/subscribers',
      'get /api/v1/nft',
      'get /api/v1/radius',
      'get /healthz',
      'get /readyz',
      'get /api/v1/drain',
      'post /api/v1/drain',
      'get /api/v1/events',
      'get /api/v1/events/history',
      'get /api/v1/trace/{key}',
      'get /api/v1/openapi.json',
    ],
  );
  const text = JSON.stringify(document.paths['/api/v1/activate']);
  assert.match(
    text,
    /"pool":\{"type":"string","description":"the name of a configured pool, or of a group of pools"\}/,
  );
  assert.match(text, /"additionalProperties":false/);
});
