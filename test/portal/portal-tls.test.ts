/** The captive portal API by https, on the port where the portal speaks http. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { get as getHttp } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { get as getHttps } from 'node:https';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readTlsFiles } from '../../src/config/tls-files.js';
import { BngError } from '../../src/model/bng-error.js';
import { parseIpv4 } from '../../src/model/ipv4.js';
import { makeCertificate } from '../support/certificate.js';
import { OWN, portalWorld } from './portal-peer.js';
import type { PortalWorld } from './portal-peer.js';

const LOOPBACK = '127.0.0.1';
const NAME = 'portal.example';
const HOST = `${NAME}:80`;
const PATH = '/captive-portal/api';
/** The portal's own limit, a bit more than it may take. */
const SLOW_MS = 8_000;

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

describe('the portal with a certificate', { concurrency: true }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'bng-portal-tls-'));
  const tls = readTlsFiles(makeCertificate(folder, [`DNS:${NAME}`]));
  let world: PortalWorld;
  let port = 0;

  before(async () => {
    world = portalWorld({ address: parseIpv4(LOOPBACK) }, { tls: { ...tls, host: HOST } });
    await world.app.listen({ host: LOOPBACK, port: 0 });
    port = (world.app.server.address() as AddressInfo).port;
  });
  after(async () => {
    await world.app.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function ask(
    scheme: 'http' | 'https',
    path: string,
    host: string,
    localAddress = LOOPBACK,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const options = { host: LOOPBACK, port, path, headers: { host }, agent: false, localAddress };
      const secure = { ...options, ca: tls.cert, servername: NAME };
      const sent = scheme === 'https' ? getHttps(secure) : getHttp(options);
      sent.once('error', reject);
      sent.once('response', (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (more: string) => (text += more));
        response.once('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        );
      });
    });
  }

  it('answers the captive portal API by https under its name, as RFC 8908 asks', async () => {
    const { status, headers, text } = await ask('https', PATH, HOST);
    assert.deepEqual([status, headers['content-type']], [200, 'application/captive+json']);
    const { captive, 'user-portal-url': url } = JSON.parse(text) as Record<string, unknown>;
    assert.deepEqual([captive, url], [true, `http://${OWN}/`]);
  });

  it('still speaks http on the same port', async () => {
    assert.equal((await ask('http', PATH, OWN)).status, 200);
    assert.match((await ask('http', '/', OWN)).text, /Example &amp; Net/);
    assert.equal((await ask('http', PATH, HOST)).status, 302, 'its name is an elsewhere by http');
  });

  it('by https there is the API and nothing else: pages and other names lead to the portal', async () => {
    for (const [path, host] of [
      ['/', HOST],
      ['/activate', HOST],
      [PATH, 'evil.example'],
      ['/x?y', OWN],
    ] as const) {
      const { status, headers } = await ask('https', path, host);
      assert.deepEqual([status, headers.location], [302, `http://${OWN}/`], `${host}${path}`);
    }
  });

  it('knows its subscriber by source address there, too', async () => {
    assert.equal((await ask('https', PATH, HOST, '127.0.0.9')).status, 403);
  });

  it('ends a connection that says nothing, or half a handshake, and serves others meanwhile', async () => {
    const ended = [Buffer.alloc(0), Buffer.from([0x16]), Buffer.from([0x16, 3, 1, 2, 0, 1])].map(
      (bytes) =>
        new Promise<number>((resolve) => {
          const began = performance.now();
          const socket = connect({ port, host: LOOPBACK, localAddress: '127.0.0.8' });
          socket.on('error', () => undefined).on('data', () => undefined);
          socket.on('close', () => resolve(performance.now() - began));
          if (bytes.length > 0) socket.write(bytes);
        }),
    );
    assert.equal((await ask('https', PATH, HOST)).status, 200);
    for (const took of await Promise.all(ended)) assert.ok(took < SLOW_MS, `${took} ms`);
  });

  it('takes a request that comes in single bytes, by either protocol', async () => {
    const text = await new Promise<string>((resolve) => {
      const socket = connect({ port, host: LOOPBACK, noDelay: true });
      let said = '';
      socket.on('data', (bytes) => (said += bytes.toString('latin1')));
      socket.on('close', () => resolve(said));
      const letters = [...`GET ${PATH} HTTP/1.1\r\nHost: ${OWN}\r\n\r\n`];
      const next = (): void => {
        const letter = letters.shift();
        if (letter !== undefined) socket.write(letter, () => setImmediate(next));
      };
      next();
    });
    assert.match(text, /^HTTP\/1.1 200 OK/);
  });

  it('is not made of what is no certificate', () => {
    assert.throws(
      () => portalWorld({}, { tls: { cert: 'no', key: 'no', host: HOST } }),
      (error) => error instanceof BngError && error.code === 'BNG_ERR_CONFIG',
    );
  });
});
