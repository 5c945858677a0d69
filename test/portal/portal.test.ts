/** The portal's pages: the source address decides, and only that. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { SESSION_STATES } from '../../src/session/view.js';
import { fieldsOf, get, LINE, OWN, portalWorld, STRANGER } from './portal-peer.js';

test('every state has a page of its own that says it, with one heading of the title, in each language', async () => {
  for (const lang of ['en', 'de']) {
    const titles = new Set<string>();
    for (const state of SESSION_STATES) {
      const response = await get(portalWorld({ state }), `/?lang=${lang}`);
      assert.equal(response.statusCode, 200);
      assert.equal(response.headers['content-language'], lang);
      assert.ok(response.body.startsWith(`<!DOCTYPE html>\n<html lang="${lang}">`));
      assert.doesNotMatch(response.body, /javascript:|\son[a-z]+=|\{\{/i);
      const title = /<title>([^<]+)<\/title>/.exec(response.body)?.[1] ?? '';
      assert.deepEqual(
        [...response.body.matchAll(/<h1>([^<]+)<\/h1>/g)].map(([, text]) => text),
        [title],
      );
      titles.add(title);
    }
    assert.equal(titles.size, SESSION_STATES.length);
  }
});

test('the language is the one chosen, else the one that the browser likes best, else English', async () => {
  const world = portalWorld();
  for (const [url, header, expected] of [
    ['/', undefined, 'en'],
    ['/', 'de-AT, en;q=0.8', 'de'],
    ['/', 'fr, de;q=0.3, en;q=0.7', 'en'],
    ['/', 'de;q=0, en;q=0.1', 'en'],
    ['/', 'x;q=z,,;;,*', 'en'],
    ['/?lang=de', 'en', 'de'],
    ['/?lang=xx', 'de', 'de'],
  ] as const) {
    const { body } = await get(world, url, header === undefined ? {} : { 'accept-language': header });
    assert.ok(body.includes(`<html lang="${expected}">`), `${url} ${header}`);
  }
});

test('the page is not stored, and its policy allows its own style and script and nothing else', async () => {
  const response = await get(portalWorld({ state: 'activating' }), '/');
  assert.equal(response.headers['cache-control'], 'no-store');
  assert.equal(response.headers['content-type'], 'text/html; charset=utf-8');
  assert.equal(response.headers['referrer-policy'], 'same-origin');
  const policy = String(response.headers['content-security-policy']);
  const hashOf = (element: string): string => {
    const text = new RegExp(`<${element}>([^]*?)</${element}>`).exec(response.body)?.[1];
    assert.ok(text !== undefined, element);
    return createHash('sha256').update(text).digest('base64');
  };
  assert.equal(
    policy,
    `default-src 'none'; style-src 'sha256-${hashOf('style')}'; script-src 'sha256-${hashOf('script')}'; ` +
      "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  );
});

test('a line in the garden is offered what configuration has, with rates, escaped, in a form of its own', async () => {
  const { body } = await get(portalWorld(), '/?lang=de&from=http%3A%2F%2Fexample.org%2Fa');
  assert.match(body, /<h3>Zuhause 100<\/h3>\n<p>Für &lt;alle&gt;<\/p>/);
  assert.match(body, /<dt>Herunterladen<\/dt><dd>100 Mbit\/s<\/dd><dt>Hochladen<\/dt><dd>unbegrenzt<\/dd>/);
  assert.match(body, /<button name="offer" value="home-100">Freischalten: Zuhause 100<\/button>/);
  const { token = '', ...rest } = fieldsOf(body);
  assert.match(token, /^[A-Za-z0-9_-]{43}$/);
  assert.deepEqual(rest, { lang: 'de', from: 'http://example.org/a' });
  assert.match(body, /Rufen Sie 0800 1 an/);
  assert.match(body, /<header><span>Example &amp; Net<\/span>/);
});

test('no form is shown in any other state, nor without offers, nor on a line that nobody can be told apart on', async () => {
  for (const state of SESSION_STATES.filter((one) => one !== 'wgar')) {
    assert.doesNotMatch((await get(portalWorld({ state }), '/')).body, /<form/, state);
  }
  assert.doesNotMatch((await get(portalWorld({}, { offers: [] }), '/')).body, /<form/);
  assert.doesNotMatch((await get(portalWorld({ ontSerial: null }), '/')).body, /<form/);
});

test('while a line is on its way the page asks again: without script by itself, with script in the background', async () => {
  for (const state of SESSION_STATES) {
    const { body } = await get(portalWorld({ state }), '/?lang=en');
    const moving = state === 'discovered' || state === 'activating';
    assert.equal(
      /<noscript><meta http-equiv="refresh" content="5;url=\/\?lang=en"><\/noscript>/.test(body),
      moving,
    );
    assert.equal(body.includes('<script>'), moving, state);
    assert.equal(body.includes(`data-state="${state}"`), moving);
    assert.equal((await get(portalWorld({ state }), '/state')).body, state);
  }
});

test('an open line is shown the way on to where its subscriber wanted to go', async () => {
  const { body } = await get(
    portalWorld({ state: 'active' }),
    '/?from=http%3A%2F%2Fexample.org%2F%3Fa%3D1%26b%3D2',
  );
  assert.match(body, /<a href="http:\/\/example.org\/\?a=1&amp;b=2" rel="noreferrer">/);
});

test('nothing but a plain web address is ever linked to', async () => {
  for (const from of [
    'javascript:alert(1)',
    'data:text/html,x',
    'http://user:pass@example.org/',
    '//example.org',
    'http://',
    `http://example.org/${'x'.repeat(1100)}`,
    '"><script>alert(1)</script>',
    'http://example.org/\r\nSet-Cookie: a=b',
  ]) {
    const response = await get(portalWorld({ state: 'active' }), `/?from=${encodeURIComponent(from)}`);
    assert.equal(response.headers['set-cookie'], undefined);
    for (const [, href = ''] of response.body.matchAll(/<a href="([^"]*)"/g)) {
      assert.match(
        href,
        /^(\/\?lang=de(&amp;from=http%3A%2F%2Fexample.org%2FSet-Cookie%3A%2520a%3Db)?|http:\/\/example.org\/Set-Cookie:%20a=b)$/,
        from,
      );
    }
    assert.doesNotMatch(response.body, /<script>alert/);
  }
});

test('a suspended line is told why and what to do, as text whatever the reason holds', async () => {
  const suspendedFor = '<b onclick="x()">unpaid</b> & \'late\'';
  const { body } = await get(portalWorld({ state: 'suspended', suspendedFor }), '/');
  assert.ok(
    body.includes(
      '<dt>Reason</dt><dd>&lt;b onclick=&quot;x()&quot;&gt;unpaid&lt;/b&gt; &amp; &#39;late&#39;</dd>',
    ),
    body,
  );
  assert.match(body, /Please contact your provider to have it opened again/);
  assert.match(body, /Call 0800 1/);
  assert.doesNotMatch((await get(portalWorld(), '/')).body, /Reason/);
});

test('an address without a line is 403 everywhere, whatever its headers claim', async () => {
  for (const url of ['/', '/state', '/captive-portal/api', `/?address=${LINE}`]) {
    const claims = { 'x-forwarded-for': LINE, forwarded: `for=${LINE}`, 'x-real-ip': LINE };
    const response = await get(portalWorld(), url, claims, STRANGER);
    assert.equal(response.statusCode, 403, url);
    assert.doesNotMatch(response.body, /SIMU00000001/);
  }
});

test('an IPv4 subscriber on a dual-stack socket is found, an IPv6 address is nobody', async () => {
  assert.equal((await get(portalWorld(), '/', {}, `::ffff:${LINE}`)).statusCode, 200);
  assert.equal((await get(portalWorld(), '/', {}, '2001:db8::1')).statusCode, 403);
});

test('what the access network says of a line is escaped', async () => {
  const { body } = await get(portalWorld({ ontSerial: `<img src=x onerror="a('&')">` }), '/');
  assert.match(body, /&lt;img src=x onerror=&quot;a\(&#39;&amp;&#39;\)&quot;&gt;/);
  assert.doesNotMatch(body, /<img/);
});

test('methods that a page does not have are 405 with Allow, unknown pages 404, and HEAD has no body', async () => {
  const { app } = portalWorld();
  for (const [url, allow] of [
    ['/', 'GET, HEAD'],
    ['/state', 'GET, HEAD'],
    ['/captive-portal/api', 'GET, HEAD'],
    ['/activate', 'GET, HEAD, POST'],
  ] as const) {
    for (const method of [
      'PUT',
      'DELETE',
      'PATCH',
      'OPTIONS',
      ...(url === '/activate' ? [] : ['POST']),
    ] as 'PUT'[]) {
      const response = await app.inject({
        method,
        url,
        remoteAddress: LINE,
        headers: { host: OWN, 'content-type': 'application/x-anything' },
        payload: 'x'.repeat(9000),
      });
      assert.equal(response.statusCode, 405, `${method} ${url}`);
      assert.equal(response.headers.allow, allow);
    }
  }
  assert.equal((await get(portalWorld(), '/nothing')).statusCode, 404);
  const head = await app.inject({ method: 'HEAD', url: '/', remoteAddress: LINE, headers: { host: OWN } });
  assert.deepEqual([head.statusCode, head.body], [200, '']);
});

test('the captive portal API says whether the line is held, as RFC 8908 has it', async () => {
  for (const state of SESSION_STATES) {
    const response = await get(portalWorld({ state }), '/captive-portal/api');
    assert.equal(response.headers['content-type'], 'application/captive+json');
    assert.equal(response.headers['cache-control'], 'no-store');
    assert.deepEqual(response.json(), {
      captive: state !== 'active',
      'user-portal-url': 'http://10.255.0.1/',
      'can-extend-session': false,
    });
  }
});
