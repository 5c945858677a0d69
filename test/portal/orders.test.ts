/** Activation on the portal: for the own line only, once, by our own form only, and told of while it is under way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIpv4 } from '../../src/model/ipv4.js';
import { HEAD_START_MS } from '../../src/portal/orders.js';
import type { OperatorResult } from '../../src/session/inlet.js';
import { makeSession } from '../http/fake-bng.js';
import { fieldsOf, get, LINE, OWN, portalWorld, post, STRANGER } from './portal-peer.js';
import type { PortalWorld } from './portal-peer.js';

const NEIGHBOUR = '10.255.0.20';

async function filled(
  world: PortalWorld,
  offer = 'home-100',
  remoteAddress = LINE,
): Promise<Record<string, string>> {
  return { ...fieldsOf((await get(world, '/?lang=en', {}, remoteAddress)).body), offer };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('an order is answered first and given to the session half a second later, as configuration has the offer', async () => {
  const world = portalWorld();
  const response = await post(world, await filled(world));
  assert.equal(response.statusCode, 200);
  assert.match(response.body, /<h1>Your line is being activated<\/h1>/);
  assert.match(response.body, /data-state="activating"/);
  assert.deepEqual(world.bng.orders, []);
  assert.equal((await get(world, '/state')).body, 'activating');
  world.clock.advance(HEAD_START_MS);
  assert.deepEqual(world.bng.orders, [
    {
      name: 'activate',
      order: {
        ontSerial: 'SIMU00000001',
        serviceId: 'home-100',
        poolName: 'isp-residential',
        downloadBitsPerSecond: 100_000_000,
        uploadBitsPerSecond: 0,
      },
    },
  ]);
});

test('sending the form twice orders once, and who loads the order’s page anew is shown the line', async () => {
  const world = portalWorld();
  const form = await filled(world);
  assert.deepEqual(
    (await Promise.all([post(world, form), post(world, form), post(world, form)])).map(
      ({ statusCode }) => statusCode,
    ),
    [200, 200, 200],
  );
  world.clock.advance(HEAD_START_MS);
  assert.equal(world.bng.orders.length, 1);
  const again = await get(world, '/activate?lang=de&from=http%3A%2F%2Fexample.org%2F&x=%0d%0a');
  assert.deepEqual(
    [again.statusCode, again.headers.location],
    [303, `http://${OWN}/?lang=de&from=http%3A%2F%2Fexample.org%2F`],
  );
});

test('an order for a line in any other state changes nothing and shows the state', async () => {
  for (const state of ['discovered', 'activating', 'active', 'suspended', 'terminated'] as const) {
    const world = portalWorld();
    const form = await filled(world);
    world.bng.list[0] = makeSession({ state });
    assert.equal((await post(world, form)).statusCode, 200);
    world.clock.advance(HEAD_START_MS);
    assert.deepEqual(world.bng.orders, [], state);
  }
});

test('a failed activation is said, and can be tried again', async () => {
  const world = portalWorld();
  const results: OperatorResult[] = [{ ok: false, kind: 'failed', reason: 'pool is full' }];
  world.bng.activate = async () =>
    results.shift() ?? { ok: false, kind: 'conflict', state: 'active', reason: 'x' };
  await post(world, await filled(world));
  world.clock.advance(HEAD_START_MS);
  await settled();
  const { body } = await get(world, '/');
  assert.match(body, /<p class="notice" role="alert">The activation did not succeed/);
  assert.doesNotMatch(body, /pool is full/);
  await post(world, await filled(world));
  assert.equal((await get(world, '/state')).body, 'activating');
  world.clock.advance(HEAD_START_MS);
  await settled();
  assert.doesNotMatch((await get(world, '/')).body, /role="alert"/);
  assert.deepEqual(world.bugs, []);
});

test('a failure is forgotten after two minutes, and a portal that closes gives no more orders', async () => {
  const world = portalWorld();
  world.bng.activate = async () => ({ ok: false, kind: 'failed', reason: 'x' });
  await post(world, await filled(world));
  world.clock.advance(HEAD_START_MS);
  await settled();
  world.clock.advance(120_000);
  assert.doesNotMatch((await get(world, '/')).body, /role="alert"/);
  await post(world, await filled(world));
  await world.app.close();
  assert.equal(world.clock.armed, 0);
});

test('a bug of the session layer is reported, not swallowed', async () => {
  const world = portalWorld();
  const bug = new Error('bug');
  world.bng.activate = async () => Promise.reject(bug);
  await post(world, await filled(world));
  world.clock.advance(HEAD_START_MS);
  await settled();
  assert.deepEqual(world.bugs, [bug]);
});

test('nobody orders for another line: not with its token, not by naming it, not as a stranger', async () => {
  const world = portalWorld();
  world.bng.list.push(makeSession({ id: 'session-2', ontSerial: 'SIMU2', address: parseIpv4(NEIGHBOUR) }));
  const mine = await filled(world);
  const naming = { ...mine, ontSerial: 'SIMU2', ont_serial: 'SIMU2', address: NEIGHBOUR };
  assert.equal((await post(world, mine, { remoteAddress: NEIGHBOUR })).statusCode, 403);
  assert.equal((await post(world, mine, { remoteAddress: STRANGER })).statusCode, 403);
  const claims = { 'x-forwarded-for': NEIGHBOUR, forwarded: `for=${NEIGHBOUR}` };
  assert.equal((await post(world, naming, { headers: claims })).statusCode, 200);
  world.clock.advance(HEAD_START_MS);
  assert.deepEqual(
    world.bng.orders.map(({ order }) => (order as { ontSerial: string }).ontSerial),
    ['SIMU00000001'],
  );
});

test('a token is good for its session, for an hour at most', async () => {
  const world = portalWorld();
  const form = await filled(world);
  world.clock.advance(31 * 60_000);
  assert.equal((await post(world, form)).statusCode, 200);
  const late = portalWorld();
  const old = await filled(late);
  late.clock.advance(60 * 60_000);
  assert.equal((await post(late, old)).statusCode, 403);
  const next = portalWorld();
  const former = await filled(next);
  next.bng.list[0] = makeSession({ id: 'session-9' });
  assert.equal((await post(next, former)).statusCode, 403);
});

test('a form from another site is refused, by whichever of its signs', async () => {
  for (const headers of [
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { origin: `https://${OWN}` },
    { origin: `http://${OWN}:8080` },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: `http://${OWN}`, 'sec-fetch-site': 'cross-site' },
  ]) {
    const world = portalWorld();
    const response = await post(world, await filled(world), { headers });
    assert.equal(response.statusCode, 403, JSON.stringify(headers));
    world.clock.advance(HEAD_START_MS);
    assert.deepEqual(world.bng.orders, []);
  }
  for (const headers of [{}, { origin: `http://${OWN}`, 'sec-fetch-site': 'same-origin' }]) {
    const world = portalWorld();
    assert.equal((await post(world, await filled(world), { headers })).statusCode, 200);
  }
});

test('a form without a token, with a wrong one, or for what is not offered is refused', async () => {
  const world = portalWorld();
  const form = await filled(world);
  for (const [fields, status] of [
    ['', 403],
    ['offer=home-100', 403],
    [{ ...form, token: '' }, 403],
    [{ ...form, token: form['token']!.slice(1) }, 403],
    [{ ...form, token: `${form['token']!.slice(0, -2)}AA` }, 403],
    [{ ...form, offer: 'home-1000' }, 400],
    [{ ...form, offer: '' }, 400],
    [{ ...form, offer: '__proto__' }, 400],
  ] as const) {
    assert.equal((await post(world, fields)).statusCode, status, JSON.stringify(fields));
  }
  world.clock.advance(HEAD_START_MS);
  assert.deepEqual(world.bng.orders, []);
});

test('a body that is too long or no form is refused', async () => {
  const world = portalWorld();
  const form = await filled(world);
  assert.equal((await post(world, { ...form, more: 'x'.repeat(5000) })).statusCode, 413);
  for (const type of ['application/json', 'text/plain', 'multipart/form-data; boundary=x', 'x']) {
    assert.equal((await post(world, form, { headers: { 'content-type': type } })).statusCode, 415, type);
  }
  assert.deepEqual(world.bng.orders, []);
});
