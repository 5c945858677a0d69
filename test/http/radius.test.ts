/** AAA as operators read it: the API's answer, the check of the probe, the estimates from buckets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildApi } from '../../src/http/api.js';
import { radiusHealth } from '../../src/http/radius-health.js';
import { meanMs, quantileMs } from '../../src/http/radius-round-trip.js';
import { apiOptions, FakeBng } from './fake-bng.js';
import { checkProblem } from './problem-check.js';
import { acct, auth, radiusReport } from './radius-figures.js';

async function radiusOf(bng: FakeBng): Promise<Record<string, unknown>> {
  const response = await buildApi(apiOptions(bng)).inject({ url: '/api/v1/radius' });
  assert.equal(response.statusCode, 200, response.body);
  return response.json<Record<string, unknown>>();
}

test('GET /api/v1/radius shows every figure under the name of its own', async () => {
  const bng = new FakeBng();
  bng.radius = radiusReport;
  assert.deepEqual(await radiusOf(bng), {
    auth_mode: 'radius',
    accounting_mode: 'radius',
    servers: [
      {
        name: '192.0.2.7:1812',
        role: 'auth',
        state: 'alive',
        in_flight: 3,
        sockets: 2,
        requests: 40,
        outcomes: { 'access-accept': 30, 'access-reject': 5, 'access-challenge': 0, 'no-answer': 2 },
        retransmissions: 6,
        ignored: [
          { reason: 'missing-message-authenticator', count: 7, explanation: 'answers can be forged' },
        ],
        socket_errors: 8,
        round_trip: {
          count: 10,
          mean_ms: 250,
          p50_ms: 208,
          p99_ms: 1000,
          last_ms: 9.5,
          smoothed_ms: 12.25,
        },
      },
      {
        name: '192.0.2.7:1813',
        role: 'acct',
        state: 'dead',
        in_flight: 1,
        sockets: 1,
        requests: 11,
        outcomes: { 'accounting-response': 0, 'no-answer': 12 },
        retransmissions: 13,
        ignored: [],
        socket_errors: 0,
        round_trip: {
          count: 0,
          mean_ms: null,
          p50_ms: null,
          p99_ms: null,
          last_ms: null,
          smoothed_ms: null,
        },
      },
    ],
    clients: [
      { role: 'auth', queued: 14, overloaded: 15, timeouts: 16 },
      { role: 'acct', queued: 17, overloaded: 18, timeouts: 19 },
    ],
    authenticator: {
      accepted: 20,
      rejected: 21,
      timeouts: 22,
      malformed: 23,
      unsupported: 24,
      unknown_attributes: 25,
      raised_interims: 26,
    },
    accounting: {
      length: 27,
      unsaved: 28,
      in_flight: 29,
      oldest_age_seconds: 30.5,
      delivered: 31,
      retried: 32,
      dropped: { superseded_interim: 33, unsendable: 34, damaged: 35 },
      outage: true,
      store_failure: null,
    },
    coa: {
      unknown_clients: 36,
      socket_errors: 37,
      clients: [
        {
          address: '192.0.2.8',
          under_way: 38,
          duplicates: 39,
          send_errors: 41,
          requests: [
            { code: 'CoA-Request', received: 42, answers: { ack: 43, SessionContextNotFound: 44 } },
            { code: 'Disconnect-Request', received: 45, answers: {} },
          ],
          dropped: { malformed: 46 },
        },
        {
          address: '192.0.2.9',
          under_way: 0,
          duplicates: 1,
          send_errors: 0,
          requests: [
            { code: 'CoA-Request', received: 1, answers: { ack: 1 } },
            { code: 'Disconnect-Request', received: 0, answers: {} },
          ],
          dropped: { malformed: 1, replayed: 2 },
        },
      ],
    },
  });
});

test('in local mode it says so, and still shows the accounting queue', async () => {
  const bng = new FakeBng();
  assert.deepEqual(await radiusOf(bng), {
    auth_mode: 'local',
    accounting_mode: 'log',
    servers: [],
    clients: [],
    authenticator: null,
    accounting: null,
    coa: null,
  });
  bng.radius = { ...bng.radius, accounting: radiusReport.accounting };
  const { auth_mode: mode, accounting } = await radiusOf(bng);
  assert.deepEqual([mode, (accounting as { length: number }).length], ['local', 27]);
});

test('GET /api/v1/radius wants the token, and is described', async () => {
  const app = buildApi(apiOptions(new FakeBng(), { token: 'secret' }));
  checkProblem(await app.inject({ url: '/api/v1/radius' }), 401, 'unauthorized');
  const headers = { authorization: 'Bearer secret' };
  const { paths } = (await app.inject({ url: '/api/v1/openapi.json', headers })).json<{
    paths: Record<string, unknown>;
  }>();
  const text = JSON.stringify(paths['/api/v1/radius']);
  for (const name of ['p99_ms', 'oldest_age_seconds', 'store_failure', 'explanation', 'auth_mode']) {
    assert.ok(text.includes(`"${name}"`), name);
  }
});

test('a quantile is estimated inside its bucket, is the last bound above it, and nothing before the first', () => {
  const trip = { ...auth.roundTrip, count: 4, sumMs: 20, boundsMs: [10, 20, 50], buckets: [0, 4, 0, 0] };
  assert.deepEqual([quantileMs(trip, 0.5), quantileMs(trip, 1), meanMs(trip)], [15, 20, 5]);
  assert.equal(quantileMs({ ...trip, buckets: [0, 0, 0, 4] }, 0.5), 50);
  assert.equal(quantileMs({ ...trip, buckets: [2, 0, 2, 0] }, 0.5), 10);
  assert.equal(quantileMs({ ...trip, buckets: [2, 0, 2, 0] }, 0.75), 35);
  const none = { ...trip, count: 0, sumMs: 0, buckets: [0, 0, 0, 0] };
  assert.deepEqual([quantileMs(none, 0.5), meanMs(none)], [null, null]);
});

test('a dead server, an outage or a store that takes nothing make the BNG degraded and never unready', async () => {
  const queue = radiusReport.accounting!;
  const calm = { ...radiusReport, servers: [auth], accounting: { ...queue, outage: false } };
  assert.deepEqual(radiusHealth(calm), {
    name: 'radius',
    ok: true,
    degraded: false,
    detail: '1 auth and 0 acct servers alive, 27 accounting records wait',
  });
  for (const [report, told] of [
    [{ ...calm, servers: [auth, acct] }, /192\.0\.2\.7:1813 \(acct\) is dead/],
    [{ ...calm, accounting: { ...queue, outage: true } }, /27 records wait/],
    [{ ...calm, accounting: { ...queue, outage: false, storeFailure: 'full: no space' } }, /full: no space/],
  ] as const) {
    const check = radiusHealth(report);
    assert.deepEqual([check?.ok, check?.degraded], [true, true]);
    assert.match(check?.detail ?? '', told);
  }
  const bng = new FakeBng();
  assert.equal(radiusHealth(bng.radius), null);
  bng.checks.push(radiusHealth(radiusReport)!);
  const response = await buildApi(apiOptions(bng)).inject({ url: '/readyz' });
  assert.equal(response.statusCode, 200);
  const { checks } = response.json<{ checks: { name: string; ok: boolean; degraded?: boolean }[] }>();
  assert.deepEqual([checks[1]?.name, checks[1]?.ok, checks[1]?.degraded], ['radius', true, true]);
});
