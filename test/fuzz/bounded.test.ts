/** Each target of the fuzzer for a moment: with its seeds, and as many inputs grown from them, the same each time. `make fuzz` goes on. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCampaign, targetNames } from '../../scripts/fuzz/campaign.js';

const SEED = 1;
// dist/test/fuzz/bounded.test.js → the repository
const repository = join(import.meta.dirname, '..', '..', '..');

for (const target of targetNames(repository)) {
  test(`${target} holds what it promises for its seeds and the inputs that coverage grows from them`, async () => {
    const { figures, failure } = await runCampaign({ repository, target, seed: SEED, bound: 'bounded' });
    const input = Buffer.from(failure?.input ?? []).toString('hex');
    assert.equal(failure, null, `${failure?.text}\n  input: ${input}`);
    // Without new branches beyond those of the seeds nothing would have been grown.
    assert.ok(figures.inputs > 5 && figures.branches > 10, JSON.stringify(figures));
  });
}
