/**
 * Thousands of random messages, right ones and mutated ones: whatever XDP answers, user space answers with the same bytes,
 * also while releases, declines and moves change what is promised.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Ipv4 } from '../../src/model/ipv4.js';
import { formatIpv4 } from '../../src/model/ipv4.js';
import { poolOf } from '../support/inner-bng.js';
import { address } from '../support/packet.js';
import { mutate, seededRandom } from '../support/mutate.js';
import { Random } from '../support/random.js';
import {
  type RawFrame,
  type RawMessage,
  type RawOption,
  frame,
  message,
  option82,
  u32,
  u8,
} from './dhcp-frames.js';
import { Twin, type TwinLine } from './dhcp-twin.js';
import { enterNamespace } from './namespace.js';

enterNamespace(import.meta.url);

const SEED = 4_2026;
const ROUNDS = 6000;
const GATEWAY = '10.255.0.1';
const twin = new Twin([poolOf('wgar', '10.255.0.0/24')]);
after(() => twin.close());

const LINES: readonly TwinLine[] = [
  { mac: '02:00:00:00:20:01', tags: [] },
  { mac: '02:00:00:00:20:02', tags: [[0x8100, 710]], remoteId: 'ONT-A' },
  {
    mac: '02:00:00:00:20:03',
    tags: [
      [0x88a8, 720],
      [0x8100, 3],
    ],
    circuitId: 'agg-02 eth 1/1/07',
    remoteId: 'ONT-B',
  },
];

class Client {
  readonly #random: Random;
  readonly #line: TwinLine;
  readonly #address: number;

  constructor(random: Random, line: TwinLine, leased: Ipv4) {
    this.#random = random;
    this.#line = line;
    this.#address = leased;
  }

  /** Mostly what a client would say; each part is wrong or odd now and then. */
  frame(): Buffer {
    const random = this.#random;
    const renews = random.oneIn(3);
    const raw: RawMessage = {
      flags: random.pick([0, 0, 0x8000, random.below(0x10000)]),
      secs: random.below(100),
      ...(renews ? { ciaddr: this.#either(this.#address) } : {}),
      ...(random.oneIn(12) ? { giaddr: address('192.0.2.9') } : {}),
      ...(random.oneIn(20) ? { chaddrTail: this.#bytes(10) } : {}),
      ...(random.oneIn(20) ? { sname: this.#bytes(64) } : {}),
      options: this.#shuffled(this.#options(renews)),
      end: !random.oneIn(30),
      length: random.pick([0, 300, 300, 300, 301, 333, 548, 700]),
    };
    const around: RawFrame = {
      ...(renews ? { source: formatIpv4(this.#address as Ipv4) } : {}),
      ...(renews && random.oneIn(2) ? { destination: GATEWAY } : {}),
      ...(random.oneIn(10) ? { trailer: random.below(40) } : {}),
      ...(random.oneIn(15) ? { priority: random.below(8) } : {}),
    };
    return frame(this.#line, message(this.#line, raw), around);
  }

  #options(renews: boolean): RawOption[] {
    const random = this.#random;
    const type = random.pick([1, 1, 1, 3, 3, 3, 3, 3, random.below(12)]);
    const options: RawOption[] = [[53, u8(type)]];
    if (!renews && type !== 1) options.push([50, u32(this.#either(this.#address))]);
    if (!renews && random.oneIn(2)) options.push([54, u32(this.#either(address(GATEWAY)))]);
    if (random.oneIn(2)) options.push([61, this.#bytes(random.pick([0, 1, 7, 19, 20, random.below(256)]))]);
    if (random.oneIn(3)) options.push([57, this.#bytes(random.pick([2, 2, 2, 2, 3]))]);
    for (let more = random.below(4); more > 0; more--) {
      options.push([
        random.pick([12, 55, 60, 77, 81, 108, random.below(254) + 1]),
        this.#bytes(random.below(20)),
      ]);
    }
    if (random.oneIn(6)) options.push([0, new Uint8Array(random.below(5))]);
    if (random.oneIn(40)) options.push(random.pick(options));
    const own = option82(this.#line);
    return random.oneIn(30) ? [...options, [82, this.#bytes(random.below(30))]] : [...options, ...own];
  }

  /** The value, or one time in thirty another. */
  #either(value: number): number {
    return this.#random.oneIn(30) ? value + 1 : value;
  }

  #bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.#random.below(256));
  }

  #shuffled(options: readonly RawOption[]): RawOption[] {
    const left = [...options];
    const out: RawOption[] = [];
    while (left.length > 0) out.push(...left.splice(this.#random.below(left.length), 1));
    return out;
  }
}

test(`${ROUNDS} random frames: what XDP answers is what user space sends (seed ${SEED})`, async () => {
  const random = new Random(SEED);
  const mutation = seededRandom(SEED);
  let answered = 0;
  let odd = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const line = random.pick(LINES);
    // What came before may have ended the lease; DORA takes a few milliseconds and changes nothing when it is bound.
    const promised = twin.bng.dataplane.promised(twin.attachment(line));
    const leased = promised?.address ?? (await twin.bind(line));
    const made = new Client(random, line, leased).frame();
    const bytes = random.oneIn(8) ? mutatedMessage(made, line, mutation) : made;
    const both = await twin.ask(line, bytes);
    if (both.answered === null) {
      odd++;
      continue;
    }
    answered++;
    assert.deepEqual(both.verdicts, ['dhcp_reply']);
    assert.deepEqual(
      both.sent.map((sent) => sent.toString('hex')),
      [both.answered.toString('hex')],
      `round ${round}: ${bytes.toString('hex')}`,
    );
  }
  // Both ways are taken often, or nothing was shown.
  assert.ok(answered > ROUNDS / 3, `${answered} answered`);
  assert.ok(odd > ROUNDS / 10, `${odd} left to user space`);
});

/** Bytes of the BOOTP message changed; lengths and checksums right again, so that they are no reason to refuse it. */
function mutatedMessage(bytes: Buffer, line: TwinLine, random: ReturnType<typeof seededRandom>): Buffer {
  const start = 14 + 4 * line.tags.length + 28;
  const payload = mutate(bytes.subarray(start), random);
  return frame(line, payload);
}
