// Runs the test tiers and prints the result: `node dist/scripts/run-tests.js [tier...] [--only TEXT]... [--deadline SECONDS]`; no
// tier means all but those on demand, a file is taken when its path holds one of the texts, and has so long, or as its tier says.
// The last line is exactly `N passed, N failed, N skipped`. Exit status 1 on any failure, and when nothing passed.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { patience } from '../src/lab/patience.js';
import { type FileResult, runTestFile, stopRunningFiles } from './test-file.js';
import { arrange, leftOut } from './test-order.js';
import type { Note } from './test-tally.js';
import { type Tier, testFiles, tiers } from './test-tiers.js';

// dist/scripts/run-tests.js → the repository
const repository = join(import.meta.dirname, '..', '..');
const STILL_RUNNING_MS = 30_000;
/** Side by side with others, a file may take so many times what it may take alone, and so may what it waits for. */
const COMPANY = 2;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', multiple: true },
    deadline: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
});
if (values.help === true) {
  console.log(`run-tests [TIER...] [--only TEXT]... [--deadline SECONDS]
tiers: ${tiers.map((tier) => tier.name + (tier.onDemand ? ' (on demand)' : '')).join(', ')}; none: all that are not on demand
--only TEXT          the files whose path holds one of the texts
--deadline SECONDS   that long for each file, instead of what its tier says`);
  process.exit(0);
}
/** Seconds for a file whose length was asked for; otherwise its tier says. */
const longest = values.deadline === undefined ? null : Number(values.deadline);
const unknown = positionals.filter((name) => !tiers.some((tier) => tier.name === name));
if (unknown.length > 0) {
  console.error(
    `run-tests: no such tier: ${unknown.join(', ')} (there are ${tiers.map((t) => t.name).join(', ')})`,
  );
  process.exit(2);
}

let passed = 0;
const failures: (Note & { readonly output?: string })[] = [];
const skips: Note[] = [];
let stopped = false;

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    stopRunningFiles();
    failures.push({ name: 'run-tests', text: `stopped by ${signal}` });
    stopped = true;
  });
}
const chosen = tiers.filter((tier) =>
  positionals.length === 0 ? !tier.onDemand : positionals.includes(tier.name),
);
for (const tier of chosen) if (!stopped) await runTier(tier);
printResult();

async function runTier(tier: Tier): Promise<void> {
  const started = performance.now();
  const all = testFiles(repository, tier);
  const files = all.filter((file) => values.only?.some((text) => file.includes(text)) ?? true);
  if (all.length === 0) {
    failures.push({ name: `tier ${tier.name}`, text: 'it has no test file' });
    console.log(`${tier.name}: no test file`);
    return;
  }
  if (files.length === 0) return;

  const lacks = tier.lacks();
  if (lacks !== undefined) {
    console.log(`${tier.name}: SKIPPED, ${lacks} (${files.length} files)`);
    // In CI a tier that cannot run is a broken CI, not a smaller test.
    const into = process.env['CI'] === 'true' ? failures : skips;
    for (const file of files) into.push({ name: file, text: lacks });
    return;
  }

  console.log(`${tier.name}: ${files.length} files`);
  const { together, alone } = arrange(files.filter((file) => leftOut(file) === undefined));
  for (const file of files) {
    const why = leftOut(file);
    if (why !== undefined) skips.push({ name: file, text: why });
  }
  await runSideBySide(tier, together);
  for (const file of alone) if (!stopped) await runOne(tier, file, 1);
  console.log(`${tier.name}: ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
}

async function runSideBySide(tier: Tier, files: readonly string[]): Promise<void> {
  const waiting = [...files];
  const width = Math.min(tier.concurrency, files.length);
  const worker = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined && !stopped; file = waiting.shift())
      await runOne(tier, file, width > 1 ? COMPANY : 1);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

/** Runs a file with `allowance` times the tier's deadline and patience. */
async function runOne(tier: Tier, file: string, allowance: number): Promise<void> {
  const script = join(repository, 'dist', file.replace(/\.ts$/, '.js'));
  if (!existsSync(script)) {
    failures.push({ name: file, text: 'it is not compiled: run make build' });
    return;
  }
  const started = performance.now();
  const progress = setInterval(() => {
    console.log(`  ...   ${file} has run for ${Math.round((performance.now() - started) / 1000)} s`);
  }, STILL_RUNNING_MS);
  const result = await runTestFile(file, script, {
    deadlineSeconds: longest ?? tier.fileDeadlineSeconds * allowance,
    isolated: tier.isolated,
    env: { BNG_LAB_PATIENCE: String(patience * allowance) },
  });
  clearInterval(progress);
  printFile(result);
  passed += result.passed;
  for (const note of result.skips) skips.push({ ...note, name: `${file}: ${note.name}` });
  result.failures.forEach((note, index) =>
    // What the file printed belongs to all its failures; once is enough.
    failures.push({ ...note, name: `${file}: ${note.name}`, ...(index === 0 && { output: result.output }) }),
  );
}

function printFile(result: FileResult): void {
  const parts = [`${result.passed} passed`];
  if (result.failures.length > 0) parts.push(`${result.failures.length} FAILED`);
  if (result.skips.length > 0) parts.push(`${result.skips.length} skipped`);
  const mark = result.failures.length > 0 ? 'FAIL' : 'ok  ';
  console.log(`  ${mark}  ${result.file}  ${parts.join(', ')}  ${result.seconds.toFixed(1)} s`);
  // In short at once, whole at the end: a run of an hour may be stopped before.
  for (const { name, text } of result.failures) console.log(`        ${name}: ${firstLine(text)}`);
}

function printResult(): void {
  for (const { name, text } of skips) console.log(`SKIPPED ${name}: ${text}`);
  for (const { name, text, output } of failures) {
    console.log(`\nFAILED ${name}\n${indent(text)}`);
    if (output !== undefined && output.trim() !== '') console.log(`  it printed:\n${indent(output.trim())}`);
  }
  if (passed === 0 && failures.length === 0) console.log('\nNothing ran, which is no success.');
  process.exitCode = failures.length > 0 || passed === 0 ? 1 : 0;
  console.log(`\n${passed} passed, ${failures.length} failed, ${skips.length} skipped`);
}

function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0] ?? '';
}

function indent(text: string): string {
  return text.replace(/^/gm, '    ');
}
