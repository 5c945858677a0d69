/** The fuzzer itself: it sees branches, passes comparisons, finds what is wrong, and makes it small. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { runInThisContext } from 'node:vm';
import { Coverage } from '../../scripts/fuzz/coverage.js';
import { FuzzLoop } from '../../scripts/fuzz/fuzz-loop.js';
import { instrument } from '../../scripts/fuzz/instrument.js';
import { addSeed, readSeeds, replaceGrown } from '../../scripts/fuzz/seed-file.js';

type Run = (input: Uint8Array) => unknown;

function compiled(body: string): Run {
  return runInThisContext(`(() => { ${body} })()`) as Run;
}

/** The code of one function, instrumented, with its counters. */
function instrumented(body: string): {
  readonly run: Run;
  readonly coverage: Coverage;
  readonly locations: number;
} {
  const { code, locations } = instrument(`return function (input) { ${body} };`, 0);
  const coverage = new Coverage();
  coverage.install();
  return { run: compiled(code), coverage, locations };
}

const CODE = `
  const text = (a, b) => a + (b ?? 'none');
  let sum = 0;
  for (const byte of input) if (byte === 1) sum += 1; else sum -= 1;
  do sum++; while (sum < 0);
  switch (input[0]) { case 7: sum = 70; break; case 8: return 'eight'; default: sum *= 2; }
  // A comment before a comparison.
  const odd = input.length % 2 !== 0 && sum > 1 ? [, 'odd'] : { even: true };
  return /* also here */ input[1] === 3
    ? text('three')
    : JSON.stringify([sum, odd]);`;

test('instrumented code does what it did', () => {
  const { run } = instrumented(CODE);
  const plain = compiled(`return function (input) { ${CODE} };`);
  for (let first = 0; first < 10; first++)
    for (const rest of [[], [3], [1, 1, 1], [3, 9]]) {
      const input = Uint8Array.of(first, ...rest);
      assert.equal(run(input), plain(input), `${first} ${rest.join(' ')}`);
    }
});

test('a branch that no input took before is new, one that was taken as often is not', () => {
  const { run, coverage, locations } = instrumented(CODE);
  const novel = (...bytes: number[]): number => {
    coverage.begin();
    run(Uint8Array.from(bytes));
    return coverage.novel(locations);
  };
  assert.ok(novel(0, 1) > 0);
  assert.equal(novel(0, 1), 0);
  assert.ok(novel(8, 1) > 0, 'another case of the switch');
  assert.equal(novel(8, 1), 0);
});

test('four bytes that must be right are found by what they were compared with, and the failing input is made small', async () => {
  const { run, coverage, locations } = instrumented(`
    const view = new DataView(input.buffer);
    if (input.length < 12) return;
    if (view.getUint32(3) !== 0x63825363) return;
    if (String.fromCharCode(input[8], input[9]) === 'ok') throw new Error('found');`);
  const target = {
    seeds: () => [],
    maxBytes: 64,
    boundedRuns: 0,
    run: (input: Uint8Array): void => void run(input),
  };
  const loop = new FuzzLoop({ target, coverage, locations, seed: 1, running: () => undefined });
  assert.equal(await loop.begin([new Uint8Array(40)]), null);
  const failure = await loop.grow((runs) => runs < 300_000);
  assert.match(failure?.text ?? '', /^Error: found/);
  assert.equal(failure?.input.length, 12);
});

function seedFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'bng-seeds-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'a.hex');
}

test('a failing input is kept once, with what it did, and stays when grown inputs are replaced', (t) => {
  const path = seedFile(t);
  addSeed(path, Uint8Array.of(1, 2), 'first');
  addSeed(path, Uint8Array.of(1, 2), 'again');
  replaceGrown(path, [Uint8Array.of(9), Uint8Array.of(1, 2)]);
  addSeed(path, new Uint8Array(0), 'nothing at all');
  replaceGrown(path, [Uint8Array.of(7)]);
  const lines = readFileSync(path, 'utf8').split('\n');
  assert.deepEqual(
    [lines.slice(0, 4), lines.slice(5)],
    [
      ['# first', '0102', '# nothing at all', ''],
      ['07', ''],
    ],
  );
  assert.deepEqual(readSeeds(path), [Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(7)]);
});

test('a seed that is no row of hex digits is an error that names it', (t) => {
  const path = seedFile(t);
  writeFileSync(path, '# a\n012\n');
  assert.throws(() => readSeeds(path), /expected hex digits, found 012/);
});
