/** The garden's DNS before any bytes of a subscriber: an answer to what was asked, no longer than it may be, or none. */
import assert from 'node:assert/strict';
import { decode, encode } from 'dns-packet';
import { GardenDns } from '../../../src/garden-dns/garden-dns.js';
import type { GardenDnsOutcome } from '../../../src/garden-dns/garden-dns.js';
import { readQuery, writeAnswer } from '../../../src/garden-dns/message.js';
import { parseIpv4 } from '../../../src/model/ipv4.js';
import { FakeClock } from '../../support/fake-clock.js';
import type { FuzzTarget } from '../fuzz-target.js';

const PORTAL = parseIpv4('10.255.0.1');
/** What an answer has beside the question: one address, and OPT. */
const MOST_ADDED = 64;
const MOST_ADDRESSES = 8;

const outcomes: GardenDnsOutcome[] = [];
const dns = new GardenDns({
  clock: new FakeClock(),
  names: [],
  upstream: [],
  upstreamTimeoutMs: 100,
  portal: PORTAL,
  mayReach: () => true,
  maxDestinations: 16,
  apply: async () => ({ ok: true }),
  onOutcome: (outcome) => outcomes.push(outcome),
  onFailure: (reason) => assert.fail(reason),
});

function query(name: string, type: 'A' | 'AAAA', extended: boolean): Uint8Array {
  const packet = {
    type: 'query' as const,
    id: 0x1234,
    flags: 0x0100,
    questions: [{ type, name, class: 'IN' as const }],
  };
  return new Uint8Array(
    extended
      ? encode({ ...packet, additionals: [{ type: 'OPT', name: '.', udpPayloadSize: 4096 } as never] })
      : encode(packet),
  );
}

export const target: FuzzTarget = {
  seeds: () => [
    query('a.example', 'A', false),
    query('Pay.Example.COM', 'A', true),
    query('x.y', 'AAAA', false),
  ],
  maxBytes: 600,
  boundedRuns: 600,
  run: async (input) => {
    const message = Buffer.from(input);
    outcomes.length = 0;
    const answer = await dns.answer(message);
    assert.equal(outcomes.length, 1);
    assert.equal(answer === null, outcomes[0] === 'dropped');
    if (answer === null) return;
    assert.ok(answer.length <= input.length + MOST_ADDED, `${answer.length} bytes for ${input.length}`);
    const said = decode(answer);
    assert.equal(said.id, message.readUInt16BE(0));
    assert.equal(said.type, 'response');
    const read = readQuery(message);
    if (read.kind !== 'query') return;
    const addresses = Array.from({ length: MOST_ADDRESSES }, () => PORTAL);
    const longest = writeAnswer(read.query, 'noError', { addresses, ttlSeconds: 1 });
    assert.equal(decode(longest).answers?.length, MOST_ADDRESSES);
  },
};
