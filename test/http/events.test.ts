/** The live events over real sockets: many clients, heartbeats, and clients that do not read. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { buildApi } from '../../src/http/api.js';
import { DEFAULT_API_LIMITS } from '../../src/http/api-options.js';
import type { ApiOptions } from '../../src/http/api-options.js';
import type { TracedFrame } from '../../src/dataplane/port.js';
import { IPV4_ANY, parseIpv4 } from '../../src/model/ipv4.js';
import { apiOptions, FakeBng, FakeClock, makeSession } from './fake-bng.js';
import { checkProblem } from './problem-check.js';

const DEADLINE_MS = 10_000;

async function until(what: string, condition: () => boolean): Promise<void> {
  const due = performance.now() + DEADLINE_MS;
  while (!condition()) {
    assert.ok(performance.now() < due, `not within ${DEADLINE_MS} ms: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A client that follows the events; what it has read so far is in `text`. */
class Follower {
  readonly socket: Socket;
  text = '';
  closed = false;

  constructor(app: FastifyInstance, reads: boolean, path = '/api/v1/events') {
    this.socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
    this.socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    this.socket.on('close', () => (this.closed = true));
    this.socket.on('error', () => this.socket.destroy());
    if (reads) this.socket.on('data', (bytes) => (this.text += String(bytes)));
  }

  get events(): string[] {
    return [...this.text.matchAll(/^data: (.*)$/gm)].map((match) => match[1] ?? '');
  }
}

async function withApi(
  overrides: Partial<ApiOptions>,
  run: (app: FastifyInstance, bng: FakeBng) => Promise<void>,
): Promise<void> {
  const bng = new FakeBng();
  const app = buildApi(apiOptions(bng, overrides));
  await app.listen({ host: '127.0.0.1', port: 0 });
  try {
    await run(app, bng);
  } finally {
    await app.close();
  }
  assert.equal(bng.listeners.size, 0, 'a closed API does not listen any more');
}

test('concurrent clients each get every event, in order', async () => {
  await withApi({}, async (app, bng) => {
    const followers = Array.from({ length: 10 }, () => new Follower(app, true));
    await until('every stream is open', () => followers.every(({ text }) => text.includes('from now on')));
    for (let i = 0; i < 50; i++) bng.tellStateChange('wgar', 'activating', i);
    await until('every event arrived', () => followers.every(({ events }) => events.length === 50));
    for (const follower of followers) {
      assert.match(follower.text, /^HTTP\/1.1 200 OK\r\n[^]*content-type: text\/event-stream/i);
      const events = follower.events.map((text) => JSON.parse(text) as Record<string, unknown>);
      assert.deepEqual(
        events.map((event) => event['duration_ms']),
        Array.from({ length: 50 }, (_, i) => i),
      );
      assert.deepEqual(
        [events[0]?.['type'], events[0]?.['from'], events[0]?.['to'], events[0]?.['at']],
        ['state-changed', 'wgar', 'activating', '2026-01-02T03:04:05.000Z'],
      );
      assert.match(follower.text, /id: 1\nevent: state-changed\ndata: /);
    }
  });
});

test('a heartbeat goes out on quiet streams, and its timer ends with the last client', async () => {
  const clock = new FakeClock();
  await withApi({ clock }, async (app) => {
    assert.equal(clock.armed, 0);
    const follower = new Follower(app, true);
    await until('the stream is open', () => follower.text.includes('from now on'));
    for (let i = 0; i < 2; i++) clock.advance(DEFAULT_API_LIMITS.eventHeartbeatMs);
    await until('two heartbeats', () => follower.text.split(': heartbeat').length === 3);
    follower.socket.destroy();
    await until('the timer is gone', () => clock.armed === 0);
  });
});

test('a client that does not read is disconnected and counted; the others miss nothing', async () => {
  let dropped = 0;
  const limits = { ...DEFAULT_API_LIMITS, eventBufferBytes: 65536 };
  await withApi({ limits, onEventClientDropped: () => (dropped += 1) }, async (app, bng) => {
    const reader = new Follower(app, true);
    const sleeper = new Follower(app, false);
    await until('the reader is on', () => reader.text.includes('from now on'));
    let told = 0;
    await until('the sleeper is dropped', () => {
      for (let i = 0; i < 20; i++) bng.tellStateChange('wgar', 'active', told++);
      return dropped > 0;
    });
    assert.equal(dropped, 1);
    await until('the reader has everything', () => reader.events.length === told);
    assert.equal(reader.closed, false);
    sleeper.socket.resume();
    await until('the sleeper sees its end', () => sleeper.closed);
  });
});

test('clients beyond the limit are 503, and a place is free again when one leaves', async () => {
  await withApi({ limits: { ...DEFAULT_API_LIMITS, eventClients: 1 } }, async (app) => {
    const first = new Follower(app, true);
    await until('the first is on', () => first.text.includes('from now on'));
    checkProblem(await app.inject({ url: '/api/v1/events' }), 503, 'too-many-clients');
    first.socket.destroy();
    let second = new Follower(app, true);
    await until('a later one is on', () => {
      if (second.text.includes(' 503 ')) {
        second.socket.destroy();
        second = new Follower(app, true);
      }
      return second.text.includes('from now on');
    });
  });
});

const NO_ADDRESSES = { source: IPV4_ANY, destination: IPV4_ANY, sourcePort: 0, destinationPort: 0 };
const FRAME: TracedFrame = {
  direction: 'upstream',
  verdict: 'drop',
  dropReason: 'garden',
  frameBytes: 82,
  etherType: 0x0800,
  ip: { bytes: 60, protocol: 6 },
  source: parseIpv4('10.255.0.10'),
  destination: parseIpv4('198.51.100.7'),
  sourcePort: 40_000,
  destinationPort: 443,
  untold: 3n,
};

test('a trace tells frames of its line, follows it when it moves, and leaves nothing behind', async () => {
  const clock = new FakeClock();
  await withApi({ clock }, async (app, bng) => {
    const session = makeSession();
    const elsewhere = { ...session.attachment!, sVlan: 101 };
    bng.list.push(session);
    const follower = new Follower(app, true, '/api/v1/trace/SIMU00000001');
    await until('the line is followed', () => bng.frameListeners.size === 1);
    bng.tellFrame(session.attachment!, FRAME);
    bng.tellFrame(elsewhere, FRAME);
    bng.list[0] = { ...session, attachment: elsewhere };
    clock.advance(1_000);
    bng.tellFrame(session.attachment!, FRAME);
    bng.tellFrame(elsewhere, { ...FRAME, etherType: 0x86dd, ip: null, ...NO_ADDRESSES, untold: 0n });
    await until('both are told', () => follower.events.length === 3);
    const [, first, second] = follower.events.map((text) => JSON.parse(text) as Record<string, unknown>);
    assert.equal(
      first?.['text'],
      'upstream TCP 10.255.0.10:40000 > 198.51.100.7:443, 60 bytes: drop, garden (3 frames before it not shown)',
    );
    assert.deepEqual(first?.['frame'], {
      direction: 'upstream',
      verdict: 'drop',
      reason: 'garden',
      frame_bytes: 82,
      ether_type: 'IPv4',
      ip_bytes: 60,
      protocol: 'TCP',
      source: '10.255.0.10',
      destination: '198.51.100.7',
      source_port: 40_000,
      destination_port: 443,
      untold: 3,
    });
    assert.equal(second?.['text'], 'upstream IPv6, 82 bytes: drop, garden');
    follower.socket.destroy();
    await until('nobody follows the line', () => bng.frameListeners.size === 0);
    assert.equal(clock.armed, 0);
  });
});

test('a trace whose frames the dataplane refuses says so once and goes on with the rest', async () => {
  const clock = new FakeClock();
  await withApi({ clock }, async (app, bng) => {
    bng.frameRefusal = 'no room';
    bng.list.push(makeSession());
    const follower = new Follower(app, true, '/api/v1/trace/SIMU00000001');
    await until('it has begun', () => follower.events.length === 2);
    clock.advance(1_000);
    bng.dropTable['garden'] = 2n;
    clock.advance(1_000);
    await until('it goes on', () => follower.events.length === 3);
    const texts = follower.events.map((text) => (JSON.parse(text) as { readonly text: string }).text);
    assert.deepEqual(texts.slice(1), ['frames are not traced: no room', 'dropped, all lines: garden 2']);
  });
});

test('closing the API ends the streams', async () => {
  const bng = new FakeBng();
  const app = buildApi(apiOptions(bng));
  await app.listen({ host: '127.0.0.1', port: 0 });
  const follower = new Follower(app, true);
  await until('the stream is open', () => follower.text.includes('from now on'));
  await app.close();
  await until('the client sees the end', () => follower.closed);
  assert.equal(bng.listeners.size, 0);
});
