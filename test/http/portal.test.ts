/** The portal: the source address decides, and only that. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { buildPortal } from '../../src/http/portal.js';
import { parseIpv4 } from '../../src/model/ipv4.js';
import { SESSION_STATES } from '../../src/session/view.js';
import { FakeBng, makeLogger, makeSession } from './fake-bng.js';

const LINE = '10.255.0.10';

function portal(bng: FakeBng) {
  return buildPortal({ operator: bng, logger: makeLogger().logger });
}

function bngWith(overrides: Parameters<typeof makeSession>[0] = {}): FakeBng {
  const bng = new FakeBng();
  bng.list.push(makeSession(overrides));
  return bng;
}

test('every state has a page of its own that names it, in valid HTML without script', async () => {
  const titles = new Set<string>();
  for (const state of SESSION_STATES) {
    const response = await portal(bngWith({ state })).inject({ url: '/', remoteAddress: LINE });
    assert.equal(response.statusCode, 200);
    assert.match(response.body, /^<!DOCTYPE html>\n<html lang="en">/);
    assert.match(response.body, new RegExp(`<dt>State</dt><dd>${state}</dd>`));
    assert.doesNotMatch(response.body, /<script|javascript:|\son[a-z]+=/i);
    const title = /<title>([^<]+)<\/title>/.exec(response.body)?.[1] ?? '';
    assert.match(response.body, new RegExp(`<h1>${title}</h1>`));
    titles.add(title);
  }
  assert.equal(titles.size, SESSION_STATES.length);
});

test('any host and any path gets the same page, absolute and malformed ones too', async () => {
  const app = portal(bngWith());
  const plain = await app.inject({ url: '/', remoteAddress: LINE });
  for (const [url, host] of [
    ['/generate_204', 'connectivitycheck.gstatic.com'],
    ['/hotspot-detect.html?x=1', 'captive.apple.com'],
    ['/../../etc/passwd', '"><script>alert(1)</script>'],
    ['/%zz%0d%0a', 'a b'],
    [`/${'x'.repeat(5000)}`, ''],
  ] as const) {
    const response = await app.inject({ url, remoteAddress: LINE, headers: { host } });
    assert.equal(response.statusCode, 200, url);
    assert.equal(response.body, plain.body);
  }
});

test('the page is not stored, and its policy allows its own style and nothing else', async () => {
  const response = await portal(bngWith()).inject({ url: '/', remoteAddress: LINE });
  assert.equal(response.headers['cache-control'], 'no-store');
  assert.equal(response.headers['content-type'], 'text/html; charset=utf-8');
  const policy = String(response.headers['content-security-policy']);
  assert.match(policy, /^default-src 'none'; style-src 'sha256-[^ ;]+'; base-uri 'none'; form-action 'none'/);
  const style = /<style>(.*)<\/style>/.exec(response.body)?.[1] ?? '';
  assert.ok(policy.includes(createHash('sha256').update(style).digest('base64')));
});

test('an address without a line is 403, whatever its headers claim', async () => {
  const response = await portal(bngWith()).inject({
    url: `/?address=${LINE}`,
    remoteAddress: '10.255.0.11',
    headers: { 'x-forwarded-for': LINE, forwarded: `for=${LINE}`, 'x-real-ip': LINE, host: LINE },
  });
  assert.equal(response.statusCode, 403);
  assert.doesNotMatch(response.body, /SIMU00000001/);
});

test('an IPv4 subscriber on a dual-stack socket is found, an IPv6 address is nobody', async () => {
  const app = portal(bngWith());
  assert.equal((await app.inject({ url: '/', remoteAddress: `::ffff:${LINE}` })).statusCode, 200);
  assert.equal((await app.inject({ url: '/', remoteAddress: '2001:db8::1' })).statusCode, 403);
});

test('what the access network says of a line is escaped', async () => {
  const bng = bngWith({ ontSerial: `<img src=x onerror="a('&')">` });
  const response = await portal(bng).inject({ url: '/', remoteAddress: LINE });
  assert.match(response.body, /&lt;img src=x onerror=&quot;a\(&#39;&amp;&#39;\)&quot;&gt;/);
  assert.doesNotMatch(response.body, /<img/);
});

test('methods other than GET and HEAD are 405 with Allow, and HEAD has no body', async () => {
  const app = portal(bngWith());
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'] as const) {
    const response = await app.inject({
      method,
      url: '/',
      remoteAddress: LINE,
      headers: { 'content-type': 'application/x-anything' },
      payload: 'x'.repeat(5000),
    });
    assert.equal(response.statusCode, 405, method);
    assert.equal(response.headers.allow, 'GET, HEAD');
  }
  const head = await app.inject({ method: 'HEAD', url: '/', remoteAddress: LINE });
  assert.deepEqual([head.statusCode, head.body], [200, '']);
});

test('over a real socket the page goes out in one answer and the connection ends', async () => {
  const bng = bngWith({ address: parseIpv4('127.0.0.1') });
  const app = portal(bng);
  await app.listen({ host: '127.0.0.1', port: 0 });
  try {
    const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
    socket.write('GET http://any.example/x HTTP/1.1\r\nHost: any.example\r\n\r\n');
    let text = '';
    for await (const bytes of socket) text += String(bytes);
    assert.match(text, /^HTTP\/1.1 200 OK\r\n/);
    assert.match(text, /\r\nconnection: close\r\n/i);
  } finally {
    await app.close();
  }
});

test('the reason of a suspension is shown, as text whatever it holds', async () => {
  const suspendedFor = '<b onclick="x()">unpaid</b> & \'late\'';
  const response = await portal(bngWith({ state: 'suspended', suspendedFor })).inject({
    url: '/',
    remoteAddress: LINE,
  });
  assert.ok(
    response.body.includes(
      '<dt>Reason</dt><dd>&lt;b onclick=&quot;x()&quot;&gt;unpaid&lt;/b&gt; &amp; &#39;late&#39;</dd>',
    ),
    response.body,
  );
  const other = await portal(bngWith()).inject({ url: '/', remoteAddress: LINE });
  assert.doesNotMatch(other.body, /Reason/);
});
