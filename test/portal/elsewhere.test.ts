/** Requests that were meant for somewhere else: connectivity checks, any web page, and what only looks like one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIpv4 } from '../../src/model/ipv4.js';
import { readTarget } from '../../src/portal/request-target.js';
import { CHECKS } from '../support/connectivity-checks.js';
import { get, LINE, OWN, portalWorld } from './portal-peer.js';

for (const [system, host, path] of CHECKS) {
  test(`the connectivity check of ${system} is redirected to the portal, with neither status nor text it waits for`, async () => {
    for (const state of ['wgar', 'activating', 'suspended'] as const) {
      const response = await get(portalWorld({ state }), path, { host });
      assert.equal(response.statusCode, 302);
      assert.equal(
        response.headers.location,
        `http://${OWN}/?from=${encodeURIComponent(`http://${host}${path}`)}`,
      );
      assert.doesNotMatch(response.body, /Success|Microsoft|success\n|NetworkManager is online/);
    }
  });
}

test('the address asked for is kept, whatever way it was asked', async () => {
  for (const [url, host, kept] of [
    ['/a/b?c=d&e=f', 'example.org', 'http://example.org/a/b?c=d&e=f'],
    ['/', 'EXAMPLE.org:8080', 'http://example.org:8080/'],
    ['http://other.example/x', 'example.org', 'http://other.example/x'],
    ['http://other.example', 'example.org', 'http://other.example/'],
    ['/%zz%0d%0a', 'example.org', 'http://example.org/%zz%0d%0a'],
    [`/${'x'.repeat(1000)}`, 'example.org', `http://example.org/${'x'.repeat(1000)}`],
  ] as const) {
    const target = readTarget(url, host, OWN);
    assert.deepEqual(target, { kind: 'elsewhere', url: kept });
  }
});

test('what cannot be said safely is not kept, and still leads to the portal', async () => {
  for (const [url, host] of [
    ['/', ''],
    ['/', 'a b'],
    ['/', '"><script>alert(1)</script>'],
    ['/', 'example.org\r\nx: y'],
    ['/', 'user@example.org'],
    ['/', '-'],
    ['/', `${'x'.repeat(300)}.example`],
    ['*', 'example.org'],
    ['example.org:443', 'example.org'],
    ['https://example.org/', 'example.org'],
    [`/${'x'.repeat(2000)}`, 'example.org'],
    ['/', 'example.org:123456'],
    ['/', 'example.org:70000'],
  ] as const) {
    assert.deepEqual(readTarget(url, host, OWN), { kind: 'elsewhere', url: null }, `${url} ${host}`);
  }
  const response = await get(portalWorld(), '/', { host: '"><script>alert(1)</script>' });
  assert.deepEqual([response.statusCode, response.headers.location], [302, `http://${OWN}/`]);
  assert.doesNotMatch(response.body, /<script>alert/);
});

test('only the portal itself is the portal: names that an outsider points at it are not', async () => {
  const world = portalWorld();
  for (const host of [
    'localhost',
    'evil.example',
    `${OWN}.evil.example`,
    `${OWN}:8080`,
    `${OWN}@evil.example`,
    '10.0.0.1',
    `::ffff:${OWN}`,
    `${OWN}.`,
  ]) {
    assert.equal((await get(world, '/', { host })).statusCode, 302, host);
    const order = await world.app.inject({
      method: 'POST',
      url: '/activate',
      remoteAddress: LINE,
      headers: { host, 'content-type': 'application/x-www-form-urlencoded' },
      payload: 'offer=home-100',
    });
    assert.equal(order.statusCode, 302, host);
  }
  assert.equal((await get(world, '/', { host: `${OWN}:80` })).statusCode, 200);
  assert.equal(readTarget(`http://${OWN}/`, 'evil.example', OWN).kind, 'portal');
  assert.equal(readTarget('http://evil.example/', OWN, OWN).kind, 'elsewhere');
});

test('a portal on another port names it, and is known by it alone', async () => {
  const world = portalWorld({}, { endpoint: { address: parseIpv4(OWN), port: 8000 } });
  assert.equal((await get(world, '/', { host: `${OWN}:8000` })).statusCode, 200);
  const response = await get(world, '/x', { host: OWN });
  assert.equal(
    response.headers.location,
    `http://${OWN}:8000/?from=${encodeURIComponent(`http://${OWN}/x`)}`,
  );
});

test('the redirect says where it leads and in what state the line is, for who reads it', async () => {
  const { body } = await get(portalWorld({ state: 'suspended' }), '/x?<y>', { host: 'example.org' });
  assert.match(body, /<h1>Your line is suspended<\/h1>/);
  assert.match(body, /<a href="http:\/\/10\.255\.0\.1\/\?from=http%3A%2F%2Fexample\.org%2Fx%3F%253Cy%253E"/);
});
