import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../../src/model/system-clock.js';

/** Its timers do not keep a process alive, so something else must while a test waits for one. */
async function kept<T>(work: Promise<T>): Promise<T> {
  const keeper = setInterval(() => undefined, 1000);
  try {
    return await work;
  } finally {
    clearInterval(keeper);
  }
}

describe('the system clock', () => {
  it('never goes back, and tells wall time in milliseconds since 1970', () => {
    let before = systemClock.monotonicMs();
    for (let round = 0; round < 1000; round++) {
      const now = systemClock.monotonicMs();
      assert.ok(now >= before);
      before = now;
    }
    assert.ok(Math.abs(systemClock.wallMs() - Date.now()) < 1000);
  });

  it('fires once, and never before its time', async () => {
    for (const delayMs of [0, 1, 2.5, 7]) {
      const start = systemClock.monotonicMs();
      const early = await kept(
        new Promise<number>((resolve) => {
          systemClock.after(delayMs, () => resolve(systemClock.monotonicMs() - start - delayMs));
        }),
      );
      assert.ok(early >= 0, `${delayMs} ms fired ${-early} ms early`);
    }
  });

  it('fires at once for a time that has passed', async () => {
    await kept(new Promise<void>((resolve) => void systemClock.after(-5, resolve)));
  });

  it('does not fire what was cancelled, nor delays of more than one system timer holds', async () => {
    let fired = 0;
    const cancelled = systemClock.after(1, () => (fired += 1));
    cancelled.cancel();
    cancelled.cancel();
    // A plain setTimeout would take 2^31 ms and more for 1 ms.
    const far = systemClock.after(2 ** 31 + 5, () => (fired += 1));
    await kept(new Promise<void>((resolve) => void systemClock.after(20, resolve)));
    assert.equal(fired, 0);
    far.cancel();
  });
});
