/** The garden's DNS over real sockets, before a real resolver of another make: what it answers, and that hostile bytes stay bytes. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { decode, encode } from 'dns-packet';
import type { Packet } from 'dns-packet';
import type { GardenDnsOutcome } from '../../src/garden-dns/garden-dns.js';
import { GardenDns } from '../../src/garden-dns/garden-dns.js';
import type { Destination } from '../../src/garden-dns/learned.js';
import type { GardenDnsListener } from '../../src/garden-dns/listen.js';
import { listenForDns } from '../../src/garden-dns/listen.js';
import { systemClock } from '../../src/model/system-clock.js';
import { formatIpv4, parseIpv4 } from '../../src/model/ipv4.js';
import { answerDnsQuery } from '../../src/lab/dns-answer.js';
import { mutate, seededRandom } from '../support/mutate.js';

const PORTAL = '10.255.0.1';
const PAY = Uint8Array.of(192, 0, 2, 80);
const CASES = 10_000;

async function upstream(
  answer: (query: Buffer) => Uint8Array | null,
): Promise<{ port: number; asked: () => number; close: () => void }> {
  const socket = createSocket('udp4');
  let asked = 0;
  socket.on('message', (query, from) => {
    asked += 1;
    const bytes = answer(query);
    if (bytes !== null) socket.send(bytes, from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return { port: socket.address().port, asked: () => asked, close: () => socket.close() };
}

describe('the DNS of the garden', () => {
  let server: Awaited<ReturnType<typeof upstream>>;
  let dns: GardenDns;
  let listener: GardenDnsListener;
  let client: Resolver;
  let port = 0;
  const outcomes: GardenDnsOutcome[] = [];
  const applied: (readonly Destination[])[] = [];
  let mayReach = true;
  before(async () => {
    server = await upstream((query) => answerDnsQuery(query, PAY));
    dns = new GardenDns({
      clock: systemClock,
      names: [
        { name: 'pay.example.com', below: false, port: 443 },
        { name: 'example.org', below: true, port: null },
      ],
      upstream: [{ address: parseIpv4('127.0.0.1'), port: server.port }],
      upstreamTimeoutMs: 500,
      portal: parseIpv4(PORTAL),
      mayReach: () => mayReach,
      maxDestinations: 16,
      apply: async (destinations) => {
        applied.push([...destinations]);
        return Promise.resolve({ ok: true });
      },
      onOutcome: (outcome) => outcomes.push(outcome),
      onFailure: () => undefined,
    });
    // The kernel gives a free port for UDP; the same for TCP, or another try.
    for (let tries = 0; ; tries++) {
      const probe = createSocket('udp4');
      await new Promise<void>((resolve) => probe.bind(0, '127.0.0.1', resolve));
      ({ port } = probe.address());
      await new Promise<void>((resolve) => probe.close(resolve));
      try {
        listener = await listenForDns({ dns, host: '127.0.0.1', port, onBug: assert.ifError });
        break;
      } catch (error) {
        if (tries > 10) throw error;
      }
    }
    client = new Resolver({ timeout: 2_000, tries: 1 });
    client.setServers([`127.0.0.1:${port}`]);
  });
  after(async () => {
    dns.close();
    await listener.close();
    server.close();
  });

  const ask = async (question: Partial<Packet>): Promise<Packet> => {
    const answer = await dns.answer(Buffer.from(encode({ type: 'query', id: 7, ...question })));
    assert.ok(answer !== null);
    return decode(answer);
  };

  it('leads an allowed name to its address, once the dataplane lets it through', async () => {
    assert.deepEqual(await client.resolve4('pay.example.com'), ['192.0.2.80']);
    assert.deepEqual(
      applied.at(-1)?.map(({ address, port }) => `${formatIpv4(address)}:${port}`),
      ['192.0.2.80:443'],
    );
    assert.equal(outcomes.at(-1), 'allowed');
  });

  it('asks upstream once while the answer is valid', async () => {
    const before_ = server.asked();
    await client.resolve4('pay.example.com');
    assert.equal(server.asked(), before_);
  });

  it('leads every other name to the portal, for a few seconds, and asks nobody about it', async () => {
    const before_ = server.asked();
    assert.deepEqual(await client.resolve4('secret-in-a-name.attacker.example', { ttl: true }), [
      { address: PORTAL, ttl: 5 },
    ]);
    assert.equal(server.asked(), before_);
    assert.equal(outcomes.at(-1), 'portal');
  });

  it('answers other types with nothing, of allowed names too: they could carry anything', async () => {
    const before_ = server.asked();
    for (const type of ['AAAA', 'TXT', 'MX', 'NULL', 'ANY', 'HTTPS'] as const) {
      const answer = await ask({ questions: [{ type: type as 'TXT', name: 'pay.example.com' }] });
      assert.deepEqual([answer.answers?.length, answer.questions?.[0]?.name], [0, 'pay.example.com'], type);
    }
    assert.equal(server.asked(), before_);
  });

  it('does not let a name lead to where garden members must not go', async () => {
    mayReach = false;
    const changes = applied.length;
    await assert.rejects(client.resolve4('inside.example.org'), { code: 'ENODATA' });
    mayReach = true;
    assert.equal(applied.length, changes);
  });

  it('answers over TCP too, several questions in one stream (RFC 7766)', async () => {
    const socket = connect(port, '127.0.0.1');
    const query = encode({ type: 'query', id: 9, questions: [{ type: 'A', name: 'nowhere.example' }] });
    const framed = Buffer.concat([Buffer.of(0, query.length), query]);
    socket.write(Buffer.concat([framed, framed.subarray(0, 5)]));
    socket.write(Buffer.concat([framed.subarray(5), framed]));
    let bytes = Buffer.alloc(0);
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      bytes = Buffer.concat([bytes, chunk]);
      const length = bytes.readUInt16BE(0);
      if (bytes.length >= 3 * (length + 2)) break;
    }
    const length = bytes.readUInt16BE(0);
    for (let at = 0; at < 3; at++) {
      const { answers } = decode(bytes.subarray(2 + at * (length + 2), (at + 1) * (length + 2)));
      assert.deepEqual(
        answers?.map((answer) => ('data' in answer ? answer.data : null)),
        [PORTAL],
      );
    }
  });

  it('refuses what is no question: other opcodes, other classes, none or two questions', async () => {
    const question = { type: 'A', name: 'pay.example.com' } as const;
    const codeOf = (answer: Packet): unknown => ('rcode' in answer ? answer.rcode : null);
    assert.equal(codeOf(await ask({ flags: 2 << 11, questions: [question] })), 'NOTIMP');
    assert.equal(codeOf(await ask({ questions: [{ ...question, class: 'CH' }] })), 'REFUSED');
    assert.equal(codeOf(await ask({ questions: [] })), 'FORMERR');
    assert.equal(codeOf(await ask({ questions: [question, question] })), 'FORMERR');
  });

  it('never answers an answer', async () => {
    const response = encode({ type: 'response', id: 7, questions: [{ type: 'A', name: 'pay.example.com' }] });
    assert.equal(await dns.answer(Buffer.from(response)), null);
  });

  it(`reads ${CASES} mutated questions without failing, each answer bearing the id of its question`, async () => {
    const random = seededRandom(20_261_123);
    const seeds = ['pay.example.com', 'a.example.org', 'nowhere.example'].map((name) =>
      encode({
        type: 'query',
        id: 0x1234,
        questions: [{ type: 'A', name }],
        additionals: [
          {
            type: 'OPT',
            name: '.',
            udpPayloadSize: 4096,
            extendedRcode: 0,
            ednsVersion: 0,
            flags: 0,
            flag_do: false,
            options: [],
          },
        ],
      }),
    );
    for (let at = 0; at < CASES; at++) {
      const message = Buffer.from(mutate(seeds[at % seeds.length]!, random));
      const answer = await dns.answer(message);
      if (answer === null) continue;
      assert.equal(answer.readUInt16BE(0), message.readUInt16BE(0));
      assert.ok(answer.length <= 1232, `${answer.length} bytes`);
    }
  });
});

describe('a resolver upstream that does not answer', () => {
  it('is a failure that the client is told of', async () => {
    const silent = await upstream(() => null);
    const outcomes: string[] = [];
    const dns = new GardenDns({
      clock: systemClock,
      names: [{ name: 'pay.example.com', below: false, port: null }],
      upstream: [{ address: parseIpv4('127.0.0.1'), port: silent.port }],
      upstreamTimeoutMs: 50,
      portal: parseIpv4(PORTAL),
      mayReach: () => true,
      maxDestinations: 16,
      apply: () => Promise.resolve({ ok: true }),
      onOutcome: (outcome) => outcomes.push(outcome),
      onFailure: (reason) => outcomes.push(reason),
    });
    const answer = await dns.answer(
      Buffer.from(encode({ type: 'query', id: 1, questions: [{ type: 'A', name: 'pay.example.com' }] })),
    );
    assert.ok(answer !== null);
    const { rcode } = decode(answer) as { rcode?: string };
    assert.equal(rcode, 'SERVFAIL');
    assert.deepEqual(outcomes, ['pay.example.com: ETIMEOUT', 'failed']);
    dns.close();
    silent.close();
  });
});
