/** The frozen vectors of the placement. A change here moves every subscriber of every installation. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { murmur3, placeOnRing, PROBE_LIMIT } from '../../src/pool/placement.js';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

// Published vectors of MurmurHash3_x86_32 (hash of bytes, seed, result).
const PUBLISHED: readonly [string, number, number][] = [
  ['', 0, 0x00000000],
  ['', 1, 0x514e28b7],
  ['', 0xffffffff, 0x81f16f39],
  ['test', 0, 0xba6bd213],
  ['test', 0x9747b28c, 0x704b81dc],
  ['Hello, world!', 0, 0xc0363e43],
  ['Hello, world!', 0x9747b28c, 0x24884cba],
  ['The quick brown fox jumps over the lazy dog', 0, 0x2e4ff723],
  ['The quick brown fox jumps over the lazy dog', 0x9747b28c, 0x2fa826cd],
  ['aaaa', 0x9747b28c, 0x5a97808a],
  ['aaa', 0x9747b28c, 0x283e0130],
  ['aa', 0x9747b28c, 0x5d211726],
  ['a', 0x9747b28c, 0x7fa09ea6],
  ['abc', 0, 0xb3dd93fa],
  ['ππππππππ', 0x9747b28c, 0xd58063c1],
];

// Computed once with this implementation: (holder, ring size, start, step).
const FROZEN: readonly [string, number, number, number][] = [
  ['ONT00000001', 1048576, 1001964, 742019],
  ['ONT00000001', 65536, 62622, 21123],
  ['ONT00000001', 256, 244, 131],
  ['ONT00000002', 1048576, 347202, 145571],
  ['ONT00000002', 65536, 21700, 14499],
  ['ONT00000002', 256, 84, 163],
  ['ALCL12345678', 1048576, 336576, 23553],
  ['ALCL12345678', 65536, 21036, 23553],
  ['ALCL12345678', 256, 82, 1],
  ['', 1048576, 0, 442921],
  ['', 65536, 0, 49705],
  ['', 256, 0, 41],
  ['ifindex/100/7', 1048576, 124634, 876217],
  ['ifindex/100/7', 65536, 7789, 24249],
  ['ifindex/100/7', 256, 30, 185],
];

describe('placement', () => {
  it('hashes as the published MurmurHash3 x86_32 does', () => {
    for (const [text, seed, hash] of PUBLISHED)
      assert.equal(murmur3(utf8(text), seed), hash, `${text}/${seed}`);
  });

  it('gives every holder the start and step it had in every earlier release', () => {
    for (const [holder, size, start, step] of FROZEN) {
      assert.deepEqual(placeOnRing(holder, size), { start, step }, `${holder} of ${size}`);
    }
    assert.equal(FROZEN.length, 15);
    assert.equal(PROBE_LIMIT, 32);
  });

  it('steps coprime with the size, so that a walk visits every position', () => {
    for (const size of [1, 2, 4, 256, 4096]) {
      for (let n = 0; n < 20; n++) {
        const { start, step } = placeOnRing(`ONT${n}`, size);
        const seen = new Set(Array.from({ length: size }, (_, k) => (start + k * step) % size));
        assert.equal(seen.size, size);
      }
    }
  });

  it('spreads holders with consecutive names evenly over the ring', () => {
    const buckets = new Array<number>(256).fill(0);
    for (let n = 0; n < 256_00; n++) {
      const { start } = placeOnRing(`HWTC${n.toString(16).padStart(8, '0')}`, 2 ** 20);
      buckets[start >>> 12]! += 1;
    }
    // Chi-squared with 255 degrees of freedom: beyond 400 has a probability below 1e-7.
    const chiSquared = buckets.reduce((sum, count) => sum + (count - 100) ** 2 / 100, 0);
    assert.ok(chiSquared < 400, `chi-squared ${chiSquared}`);
  });
});
