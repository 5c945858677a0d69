/** Rates as the policers want them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bitsPerSecondOf, eventRate, policerRate, UNLIMITED } from '../../src/dataplane/policer-rate.js';

const FRACTION = 20;

test('a rate of 0 is unlimited', () => {
  assert.deepEqual(policerRate({ bitsPerSecond: 0, burstMs: 100, fractionBits: FRACTION }), UNLIMITED);
  assert.equal(bitsPerSecondOf(UNLIMITED, FRACTION), 0);
});

test('100 Mbit/s cost 80 ns a byte, and 100 ms of burst are 100 ms', () => {
  assert.deepEqual(policerRate({ bitsPerSecond: 100_000_000, burstMs: 100, fractionBits: FRACTION }), {
    nsPerByte: 80n << 20n,
    burstNs: 100_000_000n,
  });
});

test('the burst of a slow rate holds two full packets', () => {
  const rate = policerRate({ bitsPerSecond: 64_000, burstMs: 1, fractionBits: FRACTION });
  assert.ok((rate.burstNs << 20n) / rate.nsPerByte >= 3000n);
});

test('rates of 1 bit/s to 400 Gbit/s come back within 0.1 %', () => {
  for (let rate = 1; rate < 4e11; rate *= 3) {
    const back = bitsPerSecondOf(
      policerRate({ bitsPerSecond: rate, burstMs: 10, fractionBits: FRACTION }),
      FRACTION,
    );
    assert.ok(Math.abs(back - rate) <= Math.max(1, rate / 1000), `${rate} came back as ${back}`);
  }
});

test('no rate from 8 bit/s to 10 Gbit/s rounds to nothing, or further than 0.01 %, nor does a burst overflow', () => {
  for (const bitsPerSecond of [
    8, 9, 63, 64, 1000, 9600, 64_000, 1e6, 20e6, 100e6, 1e9, 2.5e9, 9.999e9, 10e9,
  ]) {
    const { nsPerByte, burstNs } = policerRate({ bitsPerSecond, burstMs: 100, fractionBits: FRACTION });
    const back = (8e9 * 2 ** FRACTION) / Number(nsPerByte);
    assert.ok(Math.abs(back / bitsPerSecond - 1) < 1e-4, `${bitsPerSecond} is policed as ${back}`);
    // The debt of the longest GSO packet, as ns since the machine started: far below what 64 bits hold.
    assert.ok((65_535n * nsPerByte) >> BigInt(FRACTION) < 1n << 62n, `${bitsPerSecond}: the debt of 64 KiB`);
    assert.ok(burstNs >= 100_000_000n && burstNs < 1n << 62n, `${bitsPerSecond}: burst ${burstNs} ns`);
    // A byte must cost something after the fraction is cut off, or small packets are free: 64 bytes stand for them.
    assert.ok((64n * nsPerByte) >> BigInt(FRACTION) > 0n, `${bitsPerSecond}: 64 bytes cost nothing`);
  }
});

test('20 events a second cost 50 ms each', () => {
  assert.deepEqual(eventRate(20, 16, FRACTION), { nsPerByte: 50_000_000n << 20n, burstNs: 800_000_000n });
  assert.deepEqual(eventRate(0, 16, FRACTION), UNLIMITED);
});
