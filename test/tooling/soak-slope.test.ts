/** How `make soak` judges memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slopePerSecond } from '../../scripts/soak/slope.js';

test('the slope is what a line through the samples gains in a second, whatever lies above and below it', () => {
  const line = (slope: number, noise: number) =>
    Array.from({ length: 10 }, (_, n) => ({
      atMs: n * 5_000,
      value: 100 + slope * n * 5 + (n % 2 === 0 ? noise : -noise),
    }));
  assert.ok(Math.abs(slopePerSecond(line(3, 0)) - 3) < 1e-9);
  assert.equal(slopePerSecond(line(0, 0)), 0);
  assert.ok(Math.abs(slopePerSecond(line(3, 1)) - 3) < 0.1);
  assert.ok(slopePerSecond(line(-2, 1)) < -1.9);
});

test('of one sample, or none, there is no slope', () => {
  assert.equal(slopePerSecond([{ atMs: 1, value: 2 }]), 0);
  assert.equal(slopePerSecond([]), 0);
});
