/** Where an allowed name may lead, with the pools as a running BNG has them. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { test } from 'node:test';
import { decode, encode } from 'dns-packet';
import { pino } from 'pino';
import { parseConfig } from '../../src/config/parse-config.js';
import { openGardenDns } from '../../src/garden-dns-parts.js';
import { answerDnsQuery } from '../../src/lab/dns-answer.js';
import { parseIpv4, parsePrefix } from '../../src/model/ipv4.js';
import { HashRingPools } from '../../src/pool/hash-ring-pools.js';
import { withLine } from '../config/minimal-yaml.js';

const INSIDE = Uint8Array.of(10, 65, 0, 7);

test('an allowed name does not lead to a pool, one that a reload has added either', async () => {
  const upstream = createSocket('udp4');
  upstream.on('message', (query, from) => {
    const answer = answerDnsQuery(query, INSIDE);
    if (answer !== null) upstream.send(answer, from.port, from.address);
  });
  await new Promise<void>((resolve) => upstream.bind(0, '127.0.0.1', resolve));
  const dns = `{ names: [pay.example.com], upstream: ['127.0.0.1:${upstream.address().port}'] }`;
  const parsed = parseConfig(withLine('walledGarden:', `walledGarden: { pool: wgar, dns: ${dns} }`));
  assert.ok(parsed.ok);
  const pools = new HashRingPools(parsed.config.pools);
  const opened: unknown[] = [];
  const outcomes: string[] = [];
  const garden = openGardenDns({
    config: parsed.config,
    pools,
    settings: {
      useLearned: (learned) => {
        opened.push(...learned);
        return Promise.resolve({ ok: true });
      },
    },
    logger: pino({ level: 'silent' }),
    onOutcome: (outcome) => outcomes.push(outcome),
    onBug: assert.ifError,
  });
  assert.ok(garden !== null);
  const question = encode({ type: 'query', id: 1, questions: [{ type: 'A', name: 'pay.example.com' }] });
  const ask = async (): Promise<number | undefined> => {
    const answer = await garden.answer(Buffer.from(question));
    return answer === null ? undefined : decode(answer).answers?.length;
  };
  assert.equal(await ask(), 1);
  pools.add({
    name: 'later',
    network: parsePrefix('10.65.0.0/24'),
    gateway: parseIpv4('10.65.0.1'),
    dns: [],
    leaseSeconds: 600,
    exclude: [],
  });
  assert.equal(await ask(), 0);
  assert.deepEqual([opened.length, outcomes], [1, ['allowed', 'none']]);
  garden.close();
  upstream.close();
});
