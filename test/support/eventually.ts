/** Waiting for a condition with a deadline. */
import assert from 'node:assert/strict';
import { patience } from '../../src/lab/patience.js';

const DEADLINE_MS = 8_000;
const POLL_MS = 20;

/** Asks until `look` gives something; fails with `what` at the deadline. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | null> | T | null,
  deadlineMs = DEADLINE_MS,
): Promise<T> {
  const deadline = performance.now() + deadlineMs * patience;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (performance.now() > deadline) assert.fail(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
