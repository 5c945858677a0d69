/** What the API refuses before any handler runs: tokens, hosts, sizes, media types, methods, broken HTTP. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { buildApi } from '../../src/http/api.js';
import { apiOptions, FakeBng } from './fake-bng.js';
import { checkProblem, checkProblemText } from './problem-check.js';

const TOKEN = 'correct-horse-battery';

for (const [what, authorization] of [
  ['no token', undefined],
  ['a wrong token', 'Bearer wrong'],
  ['the token with more behind it', `Bearer ${TOKEN}x`],
  ['a part of the token', `Bearer ${TOKEN.slice(0, -1)}`],
  ['another scheme', `Basic ${TOKEN}`],
  ['an empty token', 'Bearer '],
] as const) {
  test(`${what} is 401 on every route but the probes, unknown routes included`, async () => {
    const app = buildApi(apiOptions(new FakeBng(), { token: TOKEN }));
    const headers = authorization === undefined ? {} : { authorization };
    for (const url of ['/api/v1/sessions', '/api/v1/events', '/api/v1/openapi.json', '/nowhere']) {
      const response = await app.inject({ url, headers });
      checkProblem(response, 401, 'unauthorized');
      assert.equal(response.headers['www-authenticate'], 'Bearer realm="bng"');
    }
    const order = await app.inject({
      method: 'POST',
      url: '/api/v1/terminate',
      headers,
      payload: { ont_serial: 'X' },
    });
    checkProblem(order, 401, 'unauthorized');
    for (const url of ['/healthz', '/readyz']) {
      assert.equal((await app.inject({ url, headers })).statusCode, 200);
    }
  });
}

test('the right token is let in under any host name', async () => {
  const app = buildApi(apiOptions(new FakeBng(), { token: TOKEN }));
  const headers = { authorization: `Bearer ${TOKEN}`, host: 'bng.example' };
  assert.equal((await app.inject({ url: '/api/v1/sessions', headers })).statusCode, 200);
});

test('without a token only an address or localhost is taken as host, against DNS rebinding', async () => {
  const app = buildApi(apiOptions(new FakeBng()));
  for (const host of ['127.0.0.1:8080', 'localhost', 'LOCALHOST:80', '[::1]:8080', '192.0.2.1']) {
    assert.equal((await app.inject({ url: '/api/v1/pools', headers: { host } })).statusCode, 200, host);
  }
  for (const host of ['evil.example', '127.0.0.1.evil.example', 'localhost.evil:80', 'a@127.0.0.1']) {
    checkProblem(await app.inject({ url: '/api/v1/pools', headers: { host } }), 421, 'misdirected');
  }
});

test('no header of a request comes back in a header of the answer', async () => {
  const app = buildApi(apiOptions(new FakeBng(), { token: TOKEN }));
  const response = await app.inject({
    url: '/nowhere?x=%0d%0aSet-Cookie:%20a=b',
    headers: {
      authorization: `Bearer ${TOKEN}`,
      host: 'injected.example',
      'x-forwarded-host': 'injected.example',
      'request-id': 'injected',
    },
  });
  checkProblem(response, 404, 'not-found');
  assert.doesNotMatch(JSON.stringify(response.headers), /injected|set-cookie/i);
});

test('a body beyond the limit is 413 and one that is not JSON 415 or 400', async () => {
  const app = buildApi(apiOptions(new FakeBng()));
  const post = (payload: string, type: string) =>
    app.inject({ method: 'POST', url: '/api/v1/suspend', payload, headers: { 'content-type': type } });
  const big = JSON.stringify({ ont_serial: 'x'.repeat(70_000) });
  checkProblem(await post(big, 'application/json'), 413, 'body-too-large');
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml']) {
    checkProblem(await post('{"ont_serial":"X"}', type), 415, 'unsupported-media-type');
  }
  for (const text of ['{"ont_serial":', '', '{"__proto__":{"ont_serial":"X"}}']) {
    checkProblem(await post(text, 'application/json'), 400, 'bad-request');
  }
});

test('a known path with another method is 405 with Allow, an unknown path 404, a malformed one 400', async () => {
  const app = buildApi(apiOptions(new FakeBng()));
  const wrong = await app.inject({ url: '/api/v1/activate' });
  checkProblem(wrong, 405, 'method-not-allowed');
  assert.equal(wrong.headers.allow, 'POST');
  checkProblem(await app.inject({ method: 'DELETE', url: '/api/v1/sessions/X' }), 405, 'method-not-allowed');
  checkProblem(await app.inject({ url: '/api/v2/sessions' }), 404, 'not-found');
  checkProblem(await app.inject({ url: '/%zz' }), 400, 'bad-request');
  checkProblem(await app.inject({ url: `/api/v1/sessions/${'x'.repeat(500)}` }), 414, 'uri-too-long');
});

async function rawAnswer(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(request);
  let text = '';
  for await (const bytes of socket) text += String(bytes);
  return text;
}

test('bytes that are not HTTP, and headers beyond the limit, are answered with problem documents', async () => {
  const app = buildApi(apiOptions(new FakeBng()));
  await app.listen({ host: '127.0.0.1', port: 0 });
  try {
    const { port } = app.server.address() as AddressInfo;
    for (const [request, status] of [
      ['\u0016\u0003\u0001 not http\r\n\r\n', 400],
      ['GET /healthz HTTP/1.1\r\nHost: x\r\nBad Header: y\r\n\r\n', 400],
      [`GET /healthz HTTP/1.1\r\nHost: x\r\nBig: ${'y'.repeat(40_000)}\r\n\r\n`, 431],
      [
        'POST /api/v1/suspend HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
        400,
      ],
    ] as const) {
      const answer = await rawAnswer(port, request);
      const [head = '', body = ''] = answer.split('\r\n\r\n');
      assert.match(head, new RegExp(`^HTTP/1.1 ${status} `), head);
      checkProblemText(status, /content-type: (.*)/i.exec(head)?.[1], body);
    }
  } finally {
    await app.close();
  }
});
