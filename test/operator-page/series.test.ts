import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OverviewSample } from '../../src/http/overview.js';
import { Series, SHOWN_MS } from '../../src/operator-page/series.js';

function sample(at_ms: number, active = 0): OverviewSample {
  return {
    at_ms,
    sessions: { discovered: 0, wgar: 0, activating: 0, active, suspended: 0, terminated: 0 },
    upstream_bps: null,
    downstream_bps: active,
    drops_per_second: 0,
  };
}

test('charts show the last quarter of an hour, in bounded memory, oldest first', () => {
  const series = new Series();
  series.reset([sample(1000, 1), sample(2000, 2)]);
  series.add(sample(3000, 3));
  assert.deepEqual(series.columns().time, [1, 2, 3]);
  assert.deepEqual(series.columns().states.active, [1, 2, 3]);
  assert.deepEqual(series.columns().upstream, [null, null, null]);
  for (let second = 0; second < 5000; second++) series.add(sample(10_000 + second * 1000));
  const { time, downstream } = series.columns();
  assert.equal(time.length, SHOWN_MS / 1000 + 1);
  assert.equal(downstream.length, time.length);
  assert.equal(time.at(-1), 5009);
});

test('a sample that was there already, or comes from before, is not drawn twice', () => {
  const series = new Series();
  series.add(sample(2000, 5));
  series.add(sample(2000, 6));
  series.add(sample(1000, 7));
  assert.deepEqual(series.columns().states.active, [5]);
});

test('beginning anew forgets what was there', () => {
  const series = new Series();
  series.add(sample(9_000_000, 5));
  series.reset([sample(1000, 1)]);
  assert.deepEqual(series.columns().time, [1]);
});
