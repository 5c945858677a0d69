// How run-tests counts, shown on real test files run through the real reporter, and on texts of it cut short.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { runTestFile } from '../../scripts/test-file.js';
import { parseReport } from '../../scripts/test-tally.js';

const folder = mkdtempSync(join(tmpdir(), 'tool-tally-'));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Counts {
  readonly passed: number;
  readonly failed: readonly string[];
  readonly skipped: readonly string[];
}

async function run(
  name: string,
  body: string,
  deadlineSeconds = 60,
): Promise<Counts & { readonly output: string }> {
  const script = join(folder, `${name}.mjs`);
  writeFileSync(script, `import { after, before, describe, it, test } from 'node:test';\n${body}\n`);
  const result = await runTestFile(name, script, { deadlineSeconds });
  return {
    passed: result.passed,
    failed: result.failures.map((note) => `${note.name}: ${note.text.split('\n')[0] ?? ''}`),
    skipped: result.skips.map((note) => `${note.name}: ${note.text}`),
    output: result.output,
  };
}

describe('the count of a test file', () => {
  const cases: readonly [name: string, body: string, expected: Counts][] = [
    [
      'leaf tests count, suites and parents do not',
      `describe('a', () => { it('1', () => {}); describe('b', () => { it('2', () => {}); }); });
       test('parent', async (t) => { await t.test('3', () => {}); }); test('4', () => {});`,
      { passed: 4, failed: [], skipped: [] },
    ],
    [
      'a failing leaf counts once, not again for its parents',
      `describe('a', () => { it('1', () => { throw new Error('broken'); }); it('2', () => {}); });`,
      { passed: 1, failed: ['1: Error: broken'], skipped: [] },
    ],
    [
      'a parent that fails of itself is a failure',
      `test('parent', async (t) => { await t.test('1', () => {}); throw new Error('of itself'); });`,
      { passed: 1, failed: ['parent: Error: of itself'], skipped: [] },
    ],
    [
      'skipped and todo tests are skipped, with their reason',
      `it('1', { skip: 'no netem' }, () => {}); it('2', { todo: true }, () => {}); it('3', () => {});`,
      { passed: 1, failed: [], skipped: ['1: no netem', '2: todo'] },
    ],
    [
      'a file without a test is a failure',
      `describe('empty', () => {});`,
      { passed: 0, failed: ['the file itself: it holds no test'], skipped: [] },
    ],
    [
      'a file that exits before its tests end is a failure',
      `it('1', () => {}); it('2', () => { process.exit(0); });`,
      {
        passed: 0,
        failed: ['the file itself: its process ended before its tests did: exit status 0'],
        skipped: [],
      },
    ],
    [
      'a file that cannot be loaded is a failure',
      `import './not-there.mjs';`,
      {
        passed: 0,
        failed: ['the file itself: its process ended before its tests did: exit status 1'],
        skipped: [],
      },
    ],
    [
      'a file killed by a signal is a failure',
      `it('1', async () => { process.kill(process.pid, 'SIGKILL'); await new Promise((r) => setTimeout(r, 60_000)); });`,
      {
        passed: 0,
        failed: ['the file itself: its process ended before its tests did: signal SIGKILL'],
        skipped: [],
      },
    ],
  ];
  for (const [name, body, expected] of cases) {
    it(name, async () => {
      const { output: _output, ...counts } = await run(name.replaceAll(/\W+/g, '-'), body);
      assert.deepEqual(counts, expected);
    });
  }

  it('a before hook that fails is a failure', async () => {
    const counts = await run(
      'hook',
      `describe('a', () => { before(() => { throw new Error('hook'); }); it('1', () => {}); });`,
    );
    assert.notEqual(counts.failed.length, 0);
    assert.equal(counts.passed, 0);
  });

  it('an error after the last test is a failure', async () => {
    const counts = await run('late', `it('1', () => {}); after(() => { throw new Error('late'); });`);
    assert.notEqual(counts.failed.length, 0);
  });

  it('a file that does not end is stopped at its deadline, with the processes it started', async () => {
    const body = `import { spawn } from 'node:child_process';
      const child = spawn('sleep', ['600']); console.log('pid', child.pid);
      it('1', () => new Promise(() => { setInterval(() => {}, 1000); }));`;
    const counts = await run('endless', body, 1);
    assert.deepEqual(counts.failed, ['the file itself: it ran past its deadline of 1 s']);
    const pid = Number(/pid (\d+)/.exec(counts.output)?.[1]);
    assert.ok(pid > 0);
    // It is killed when runTestFile returns, but whoever adopted it may still have to reap it.
    assert.ok(!existsSync(`/proc/${pid}`) || /^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')));
  });
});

describe('the report of a killed file', () => {
  it('leaves out the line that was cut short', () => {
    assert.deepEqual(parseReport('{"kind":"end"}\n{"kind":"te'), [{ kind: 'end' }]);
    assert.deepEqual(parseReport('{"kind'), []);
    assert.deepEqual(parseReport(''), []);
  });
});
