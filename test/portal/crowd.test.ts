/** A power cut ends, and a thousand gardened subscribers open the portal at once: each sees the own line. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { ipv4FromNumber, formatIpv4, parseIpv4 } from '../../src/model/ipv4.js';
import { makeSession } from '../http/fake-bng.js';
import { portalWorld } from './portal-peer.js';

const SUBSCRIBERS = 1_000;
/** Loopback addresses stand for the subscribers' own. */
const FIRST = parseIpv4('127.1.0.1');
const PATIENCE_MS = 20_000;

interface Answer {
  readonly status: number;
  readonly location: string;
  readonly body: string;
}

function fetchFrom(localAddress: string, port: number, headers: Record<string, string>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asking = request({ host: '127.0.0.1', port, localAddress, headers, agent: false, path: '/' });
    asking.setTimeout(PATIENCE_MS, () => asking.destroy(new Error(`${localAddress}: no answer`)));
    asking.on('error', reject);
    asking.on('response', (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, location: response.headers.location ?? '', body }),
      );
    });
    asking.end();
  });
}

test(`${SUBSCRIBERS} subscribers at once are redirected, and each is shown the own line and no other`, async () => {
  const world = portalWorld(null);
  const lines = Array.from({ length: SUBSCRIBERS }, (_, index) => ({
    address: ipv4FromNumber(FIRST + index),
    ontSerial: `CROWD${String(index).padStart(7, '0')}`,
  }));
  for (const line of lines) world.bng.list.push(makeSession({ id: line.ontSerial, ...line }));
  await world.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = world.app.server.address() as AddressInfo;
  try {
    const all = (host: string): Promise<readonly Answer[]> =>
      Promise.all(
        lines.map(({ address }) => fetchFrom(formatIpv4(address), port, { host, 'accept-language': 'de' })),
      );
    for (const { status, location } of await all('news.example')) {
      assert.deepEqual([status, location], [302, 'http://10.255.0.1/?from=http%3A%2F%2Fnews.example%2F']);
    }
    const pages = await all('10.255.0.1');
    pages.forEach(({ status, body }, index) => {
      assert.equal(status, 200);
      assert.deepEqual(body.match(/CROWD[0-9]{7}/g), [lines[index]!.ontSerial]);
    });
    const tokens = new Set(pages.map(({ body }) => /name="token" value="([^"]+)"/.exec(body)?.[1]));
    assert.equal(tokens.size, SUBSCRIBERS);
  } finally {
    await world.app.close();
  }
});
