/**
 * `make fuzz`: grows inputs for every target of test/fuzz/targets, one after the other, and says what was reached and what failed.
 * A failing input goes to the seeds, so that `make test` fails until the defect is gone. Holds no fuzzing itself.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { CampaignResult } from './fuzz/campaign.js';
import { runCampaign, targetNames } from './fuzz/campaign.js';
import type { Figures } from './fuzz/fuzz-worker.js';
import { addSeed, replaceGrown, seedPath } from './fuzz/seed-file.js';

// dist/scripts/fuzz.js → the repository
const repository = join(import.meta.dirname, '..', '..');
const USAGE = `usage: fuzz [--target NAME]... [--seconds N] [--seed N] [--keep]
  --target   of these only: ${targetNames(repository).join(', ')}
  --seconds  for each target (default 60)
  --seed     another row of random numbers (default: of the time)
  --keep     puts the inputs that reach most in the place of those in test/fuzz/seeds`;
/** What the repository keeps of a target's inputs. */
const MOST_KEPT = 64;
const LONGEST_KEPT = 600;

const { values } = parseArgs({
  options: {
    target: { type: 'string', multiple: true },
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string' },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const names = targetNames(repository);
const chosen = values.target?.flatMap((text) => text.split(',')) ?? names;
const seconds = Number(values.seconds);
const seed = Number(values.seed ?? Date.now() % 2 ** 32);
const unknown = chosen.filter((name) => !names.includes(name));
if (values.help || unknown.length > 0 || !(seconds > 0) || !Number.isInteger(seed)) {
  if (unknown.length > 0) console.error(`fuzz: no such target: ${unknown.join(', ')}`);
  console.log(USAGE);
  process.exit(values.help ? 0 : 2);
}

const failed: string[] = [];
const summary: string[] = [];
console.log(`${chosen.length} targets, ${seconds} s each, seed ${seed}`);
for (const target of chosen) {
  const result = await runCampaign({
    repository,
    target,
    seed,
    bound: { ms: seconds * 1000 },
    progress: (figures) => console.log(`  ${target}: ${textOf(figures)}`),
  });
  report(target, result);
}
console.log(`\n${summary.join('\n')}`);
console.log(`\n${chosen.length - failed.length} targets held, ${failed.length} failed`);
process.exit(failed.length > 0 ? 1 : 0);

function report(target: string, { figures, locations, corpus, failure }: CampaignResult): void {
  const path = join(repository, seedPath(target));
  const mark = failure === null ? 'ok  ' : 'FAIL';
  summary.push(
    `${mark}  ${target}: ${textOf(figures)} of ${locations}; slowest ${figures.slowestMs.toFixed(1)} ms`,
  );
  if (failure !== null) {
    failed.push(target);
    const day = new Date().toISOString().slice(0, 10);
    addSeed(path, failure.input, `${day}: ${failure.text.split('\n', 1)[0]}`);
    console.log(`FAILED ${target}\n${failure.text}\n  input (added to ${seedPath(target)}):`);
    console.log(`  ${Buffer.from(failure.input).toString('hex')}`);
  } else if (values.keep) {
    replaceGrown(path, corpus.filter(({ length }) => length <= LONGEST_KEPT).slice(-MOST_KEPT));
  }
}

function textOf({ runs, branches, features, inputs }: Figures): string {
  return `${runs.toLocaleString('en')} inputs, ${inputs} of them reached something new: ${branches} branches, ${features} features`;
}
