/** The portal over real sockets: bytes as hostile, slow and many clients send them. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { parseIpv4 } from '../../src/model/ipv4.js';
import { HEAD_START_MS } from '../../src/portal/orders.js';
import { Random } from '../support/random.js';
import { OWN, portalWorld } from './portal-peer.js';
import type { PortalWorld } from './portal-peer.js';

const LOOPBACK = '127.0.0.1';
const SEED = 20261124;
const FUZZED = 400;
/** The portal's own limit, a bit more than its requests may take. */
const SLOW_MS = 8_000;

describe('the portal over sockets', { concurrency: true }, () => {
  let world: PortalWorld;
  let port = 0;

  before(async () => {
    world = portalWorld({ address: parseIpv4(LOOPBACK) });
    await world.app.listen({ host: LOOPBACK, port: 0 });
    port = (world.app.server.address() as AddressInfo).port;
  });
  after(() => world.app.close());

  /** Everything that comes back until the portal closes. */
  function exchange(bytes: string | Buffer, source = LOOPBACK): Promise<string> {
    return new Promise((resolve) => {
      const socket = connect({ port, host: LOOPBACK, localAddress: source });
      let text = '';
      socket.on('data', (chunk) => (text += chunk.toString('latin1')));
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(text));
      socket.write(bytes);
    });
  }

  it('answers with one response and ends the connection', async () => {
    const text = await exchange(`GET / HTTP/1.1\r\nHost: ${OWN}\r\n\r\n`);
    assert.match(text, /^HTTP\/1.1 200 OK\r\n/);
    assert.match(text, /\r\nconnection: close\r\n/i);
    assert.equal(text.match(/HTTP\/1\.1 /g)?.length, 1);
  });

  it('redirects an absolute request line by what the line says, whatever Host says', async () => {
    const text = await exchange(`GET http://any.example/x HTTP/1.1\r\nHost: ${OWN}\r\n\r\n`);
    assert.match(text, /^HTTP\/1.1 302 /);
    assert.match(text, /\r\nlocation: http:\/\/10\.255\.0\.1\/\?from=http%3A%2F%2Fany\.example%2Fx\r\n/i);
  });

  it('refuses two Host fields', async () => {
    const text = await exchange(`GET / HTTP/1.1\r\nHost: ${OWN}\r\nHost: evil.example\r\n\r\n`);
    assert.match(text, /^HTTP\/1.1 400 /);
  });

  it('answers no second request that is hidden behind a first', async () => {
    const hidden = `POST /activate HTTP/1.1\r\nHost: ${OWN}\r\nContent-Length: 0\r\n\r\n`;
    for (const first of [
      `GET / HTTP/1.1\r\nHost: ${OWN}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: ${OWN}\r\n\r\n`,
    ]) {
      assert.equal((await exchange(first + hidden)).match(/HTTP\/1\.1 /g)?.length, 1, first);
    }
  });

  it('refuses a head that is too long', async () => {
    assert.match(
      await exchange(`GET / HTTP/1.1\r\nHost: ${OWN}\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`),
      /^HTTP\/1.1 431 /,
    );
  });

  it('ends connections whose head, body or silence takes too long', async () => {
    const began = performance.now();
    const slow = await Promise.all(
      [
        '',
        'GET / HT',
        `GET / HTTP/1.1\r\nHost: ${OWN}\r\nx:`,
        `POST /activate HTTP/1.1\r\nHost: ${OWN}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\noffer=`,
      ].map((bytes) => exchange(bytes, '127.0.0.2')),
    );
    assert.ok(performance.now() - began < SLOW_MS + 5_000);
    for (const text of slow) assert.match(text, /^(HTTP\/1\.1 (408|400) |$)/);
  });

  it('holds each address to 64 connections and serves the others meanwhile', async () => {
    const sockets: Socket[] = [];
    const source = '127.0.0.3';
    let closed = 0;
    try {
      const enough = new Promise<void>((resolve) => {
        for (let i = 0; i < 80; i++) {
          const socket = connect({ port, host: LOOPBACK, localAddress: source });
          socket.on('error', () => undefined);
          // While one of ours waits for its turn to be refused, none may time out: the head comes at once, in part.
          socket.on('close', () => {
            closed += 1;
            if (closed === 16) resolve();
          });
          socket.write('GET / HTTP/1.1\r\n');
          sockets.push(socket);
        }
      });
      await enough;
      assert.equal(sockets.filter((socket) => !socket.closed).length, 64);
      assert.match(await exchange(`GET / HTTP/1.1\r\nHost: ${OWN}\r\n\r\n`), /^HTTP\/1.1 200 OK\r\n/);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
    assert.match(await exchange(`GET / HTTP/1.1\r\nHost: ${OWN}\r\n\r\n`, source), /^HTTP\/1.1 403 /);
  });

  it(`survives ${FUZZED} requests of random bytes, orders nothing and says nothing that it was not told`, async () => {
    const random = new Random(SEED);
    for (let batch = 0; batch < FUZZED / 20; batch++) {
      const requests = Array.from({ length: 20 }, () => randomRequest(random));
      const answers = await Promise.all(requests.map((bytes) => exchange(bytes)));
      answers.forEach((text, at) => {
        const where = `seed ${SEED} batch ${batch}: ${JSON.stringify(requests[at]!.toString('latin1'))}`;
        assert.match(
          text,
          /^(HTTP\/1\.1 (200|302|303|400|403|404|405|408|411|413|415|417|431|505) |$)/,
          where,
        );
        const [head = ''] = text.split('\r\n\r\n', 1);
        assert.doesNotMatch(head, /injected/i, where);
        assert.doesNotMatch(text, /<script>alert/, where);
      });
    }
    world.clock.advance(HEAD_START_MS);
    assert.deepEqual([world.bng.orders, world.bugs], [[], []]);
  });
});

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'OPTIONS', 'CONNECT', 'PROPFIND', 'BREW', 'get'];
const PATHS = [
  '/',
  '/activate',
  '/state',
  '/captive-portal/api',
  '*',
  'http://evil.example/',
  '//',
  '/%',
  '/?from=',
];
const SPICE = [
  '%0d%0aInjected: yes',
  '\r\nInjected: yes',
  '"><script>alert(1)</script>',
  '\u0000',
  '\u00ff\u00fe',
  '%00',
  '&lang=de',
  '&from=javascript:alert(1)',
  '../..',
  '{{content}}',
  '{{{content}}}',
  '__proto__',
];

/** A request that is mostly well-formed, so that it gets past the parser. It is always ended. */
function randomRequest(random: Random): Buffer {
  const spice = (): string => (random.oneIn(2) ? random.pick(SPICE) : '');
  const host = random.pick([OWN, OWN, OWN, 'example.org', `example.org${spice()}`, spice()]);
  const body = `token=${'A'.repeat(random.below(60))}${spice()}&offer=${random.pick(['home-100', spice()])}&from=${spice()}`;
  const type = random.pick([
    'application/x-www-form-urlencoded',
    'application/x-www-form-urlencoded',
    'text/plain',
    spice(),
  ]);
  const text = [
    `${random.pick(METHODS)} ${random.pick(PATHS)}${spice()} HTTP/1.1`,
    `Host: ${host}`,
    `Accept-Language: ${spice()},de;q=${spice()}`,
    `Content-Type: ${type}`,
    `Content-Length: ${Buffer.byteLength(body, 'latin1')}`,
    ...(random.oneIn(3) ? [`X-Forwarded-For: ${spice()}`] : []),
    'Connection: close',
    '',
    body,
  ].join('\r\n');
  const bytes = Buffer.from(text, 'latin1');
  if (random.oneIn(4)) bytes[random.below(bytes.length)] = random.below(256);
  // A request whose head was broken may wait for more: two line ends finish it.
  return Buffer.concat([bytes, Buffer.from('\r\n\r\n\r\n\r\n')]);
}
