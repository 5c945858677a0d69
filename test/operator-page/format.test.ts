import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bitRate, bytes, count, duration, limit, percent, short } from '../../src/operator-page/format.js';

test('rates are three digits and a prefix, and rounding never makes a fourth', () => {
  const cases: readonly (readonly [number | null, string])[] = [
    [null, '–'],
    [0, '0 bit/s'],
    [999, '999 bit/s'],
    [999.7, '1.00 kbit/s'],
    [1_000, '1.00 kbit/s'],
    [9_996, '10.0 kbit/s'],
    [12_340_000, '12.3 Mbit/s'],
    [99_960_000, '100 Mbit/s'],
    [999_700_000, '1.00 Gbit/s'],
    [2.5e12, '2.50 Tbit/s'],
    [5e16, '50000 Tbit/s'],
  ];
  for (const [value, text] of cases) assert.equal(bitRate(value), text, String(value));
  assert.equal(limit(0), 'unlimited');
  assert.equal(limit(100_000_000), '100 Mbit/s');
});

test('64-bit counters are shown to the last digit, beyond what a number carries', () => {
  assert.equal(count('18446744073709551615'), '18,446,744,073,709,551,615');
  assert.equal(count(1234567), '1,234,567');
  assert.equal(bytes('1500'), '1.50 kB');
});

test('axis values stay short, without digits that say nothing', () => {
  assert.deepEqual([0, 9_999, 10_000, 25_500, 100_000, 1_500_000].map(short), [
    '0',
    '9,999',
    '10k',
    '25.5k',
    '100k',
    '1.5M',
  ]);
});

test('durations are their two largest parts, without a part that is nothing', () => {
  const cases: readonly (readonly [number, string])[] = [
    [-5, '0 s'],
    [999, '0 s'],
    [61_000, '1 min 1 s'],
    [3_600_000, '1 h'],
    [3_605_000, '1 h'],
    [90_061_000, '1 d 1 h'],
  ];
  for (const [value, text] of cases) assert.equal(duration(value), text, String(value));
});

test('a share below ten per cent keeps a digit', () => {
  assert.deepEqual([0, 0.00001, 0.0512, 0.31, 1].map(percent), ['0 %', '< 0.1 %', '5.1 %', '31 %', '100 %']);
});
