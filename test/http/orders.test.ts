/** The order routes: what reaches the session layer, and how its answers leave. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildApi } from '../../src/http/api.js';
import { apiOptions, FakeBng, makeLogger, makeSession, makeUsage } from './fake-bng.js';
import { checkProblem } from './problem-check.js';

const ORDER = {
  ont_serial: 'SIMU00000001',
  service_id: 'residential-100',
  pool: 'isp-residential',
  qos_download_bps: 100_000_000,
  qos_upload_bps: 20_000_000,
};

function bngWithOneLine(): FakeBng {
  const bng = new FakeBng();
  bng.list.push(makeSession());
  return bng;
}

test('activate hands the order to the session layer and answers with old and new state and the old address', async () => {
  const bng = bngWithOneLine();
  const response = await buildApi(apiOptions(bng)).inject({
    method: 'POST',
    url: '/api/v1/activate',
    payload: ORDER,
  });
  assert.equal(response.statusCode, 200);
  assert.deepEqual(response.json(), {
    status: 'success',
    session: {
      ont_serial: 'SIMU00000001',
      old_state: 'wgar',
      new_state: 'activating',
      old_ip: '10.255.0.10',
      message: 'done',
    },
  });
  assert.deepEqual(bng.orders, [
    {
      name: 'activate',
      order: {
        ontSerial: 'SIMU00000001',
        serviceId: 'residential-100',
        poolName: 'isp-residential',
        downloadBitsPerSecond: 100_000_000,
        uploadBitsPerSecond: 20_000_000,
      },
    },
  ]);
});

test('a pool that was added since the API began can be ordered', async () => {
  const bng = bngWithOneLine();
  const app = buildApi(apiOptions(bng));
  const order = { method: 'POST', url: '/api/v1/activate', payload: { ...ORDER, pool: 'new' } } as const;
  assert.equal(checkProblem(await app.inject(order), 400, 'invalid-field').field, 'pool');
  bng.usages = [...bng.usages, makeUsage('new')];
  assert.equal((await app.inject(order)).statusCode, 200);
});

test('a session without an address answers with old_ip null', async () => {
  const bng = new FakeBng();
  bng.list.push(makeSession({ address: null }));
  const response = await buildApi(apiOptions(bng)).inject({
    method: 'POST',
    url: '/api/v1/activate',
    payload: ORDER,
  });
  assert.equal(response.json<{ session: { old_ip: unknown } }>().session.old_ip, null);
});

for (const [name, state, newState] of [
  ['suspend', 'active', 'suspended'],
  ['resume', 'suspended', 'active'],
  ['terminate', 'wgar', 'terminated'],
] as const) {
  test(`${name} answers in the same form as activate`, async () => {
    const bng = new FakeBng();
    bng.list.push(makeSession({ state }));
    const payload = { ont_serial: 'SIMU00000001', reason: 'payment – überfällig' };
    const response = await buildApi(apiOptions(bng)).inject({
      method: 'POST',
      url: `/api/v1/${name}`,
      payload,
    });
    assert.equal(response.statusCode, 200, response.body);
    const { session } = response.json<{ session: Record<string, unknown> }>();
    assert.deepEqual([session['old_state'], session['new_state']], [state, newState]);
    assert.equal(bng.orders[0]?.name, name);
  });
}

test('the reason of a suspension reaches the session layer', async () => {
  const bng = new FakeBng();
  bng.list.push(makeSession({ state: 'active' }));
  await buildApi(apiOptions(bng)).inject({
    method: 'POST',
    url: '/api/v1/suspend',
    payload: { ont_serial: 'SIMU00000001', reason: 'unpaid' },
  });
  assert.deepEqual(bng.orders[0]?.order, { ontSerial: 'SIMU00000001', reason: 'unpaid' });
});

test('an unknown ONT is 404, a conflict 409 with the present state', async () => {
  const app = buildApi(apiOptions(bngWithOneLine()));
  const unknown = await app.inject({
    method: 'POST',
    url: '/api/v1/activate',
    payload: { ...ORDER, ont_serial: 'NOBODY' },
  });
  checkProblem(unknown, 404, 'unknown-ont');
  const conflict = await app.inject({
    method: 'POST',
    url: '/api/v1/suspend',
    payload: { ont_serial: 'SIMU00000001' },
  });
  assert.equal(checkProblem(conflict, 409, 'conflict').state, 'wgar');
});

test('what the session layer calls invalid is 400 with the field, what failed is 503 with the reason', async () => {
  const bng = bngWithOneLine();
  const app = buildApi(apiOptions(bng));
  bng.nextResult = { ok: false, kind: 'invalid', field: 'pool', reason: 'the garden is no service' };
  const invalid = await app.inject({ method: 'POST', url: '/api/v1/activate', payload: ORDER });
  assert.equal(checkProblem(invalid, 400, 'invalid-field').field, 'pool');
  bng.nextResult = { ok: false, kind: 'failed', reason: 'the OLT did not answer' };
  const failed = await app.inject({ method: 'POST', url: '/api/v1/activate', payload: ORDER });
  assert.equal(checkProblem(failed, 503, 'failed').detail, 'the OLT did not answer');
});

test('a bug behind an order is logged and answered without its text', async () => {
  const bng = bngWithOneLine();
  const { logger, errors } = makeLogger();
  bng.nextResult = new TypeError('secret detail');
  const response = await buildApi(apiOptions(bng, { logger })).inject({
    method: 'POST',
    url: '/api/v1/activate',
    payload: ORDER,
  });
  checkProblem(response, 500, 'internal');
  assert.doesNotMatch(response.body, /secret detail/);
  assert.equal(errors.length, 1);
});

const { pool: _pool, ...withoutPool } = ORDER;
for (const [what, payload, field, found, expected] of [
  ['a missing field', withoutPool, 'pool', /^nothing$/, /value/],
  ['an unknown field', { ...ORDER, admin: true }, 'admin', /^true$/, /no field/],
  ['a pool that is not configured', { ...ORDER, pool: 'nope' }, 'pool', /nope/, /wgar, isp-residential/],
  ['a rate as text', { ...ORDER, qos_download_bps: '100' }, 'qos_download_bps', /"100"/, /integer/],
  ['a null rate', { ...ORDER, qos_upload_bps: null }, 'qos_upload_bps', /null/, /integer/],
  ['a negative rate', { ...ORDER, qos_upload_bps: -1 }, 'qos_upload_bps', /-1/, />= 0/],
  ['a fractional rate', { ...ORDER, qos_upload_bps: 1.5 }, 'qos_upload_bps', /1\.5/, /integer/],
  [
    'a serial with a line break',
    { ...ORDER, ont_serial: 'A\r\nX: y' },
    'ont_serial',
    /A\\r/,
    /printable ASCII/,
  ],
  ['an empty serial', { ...ORDER, ont_serial: '' }, 'ont_serial', /""/, /1 to 64/],
  ['a list for a serial', { ...ORDER, ont_serial: ['x'] }, 'ont_serial', /\[/, /string/],
  ['a body that is a list', [ORDER], 'body', /\[/, /object/],
] as const) {
  test(`${what} is refused with field, found and expected, and no order is given`, async () => {
    const bng = bngWithOneLine();
    const response = await buildApi(apiOptions(bng)).inject({
      method: 'POST',
      url: '/api/v1/activate',
      payload: payload as object,
    });
    const problem = checkProblem(response, 400, 'invalid-field');
    assert.equal(problem.field, field);
    assert.match(problem.found ?? '', found);
    assert.match(problem.expected ?? '', expected);
    assert.deepEqual(bng.orders, []);
  });
}
