// The order in which files run, and the runner's last line, on the real runner.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { alone, arrange, longest, tooMuchForEmulation } from '../../scripts/test-order.js';

const repository = join(import.meta.dirname, '..', '..', '..');

describe('the order of test files', () => {
  it('every file that it names is there', () => {
    const absent = [...Object.keys(alone), ...longest, ...Object.keys(tooMuchForEmulation)].filter(
      (file) => !existsSync(join(repository, file)),
    );
    assert.deepEqual(absent, []);
  });

  it('the longest start first, those that run alone come after all others, and none is lost', () => {
    const [slow = '', slower = ''] = longest.toReversed();
    const [lonely = '', lonelier = ''] = Object.keys(alone);
    assert.deepEqual(arrange(['a', lonely, 'b', slow, lonelier, slower, 'c']), {
      together: [slower, slow, 'a', 'b', 'c'],
      alone: [lonely, lonelier],
    });
  });

  it('what is not among the files is not run', () => {
    assert.deepEqual(arrange(['a']), { together: ['a'], alone: [] });
    assert.deepEqual(arrange([]), { together: [], alone: [] });
  });
});

describe('run-tests', () => {
  const run = (
    set: Readonly<Record<string, string>>,
    ...args: string[]
  ): { status: number | null; lines: string[]; error: string } => {
    const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
    const script = join(repository, 'dist', 'scripts', 'run-tests.js');
    const child = spawnSync(process.execPath, [script, ...args], {
      encoding: 'utf8',
      env: { ...env, ...set },
      timeout: 60_000,
    });
    return { status: child.status, lines: child.stdout.trimEnd().split('\n'), error: child.stderr };
  };

  it('ends with the one line that counts', () => {
    const { status, lines } = run(
      {},
      'unit',
      '--only',
      'test/tooling/bench-frames',
      '--only',
      'test/model/clock',
    );
    assert.match(lines.at(-1) ?? '', /^[1-9][0-9]* passed, 0 failed, 0 skipped$/);
    assert.equal(status, 0);
  });

  it('what an emulated CPU would falsify is left out there, counted and with its reason', () => {
    const only = ['--only', 'test/lab/counters-rate', '--only', 'test/lab/counters-volume'];
    const { status, lines } = run({ BNG_EMULATED: '1' }, 'lab', ...only);
    assert.deepEqual(
      lines.filter((line) => line.startsWith('SKIPPED')),
      [
        'SKIPPED test/lab/counters-rate.test.ts: on an emulated CPU: it counts what passes at full rate',
        'SKIPPED test/lab/counters-volume.test.ts: on an emulated CPU: it sends 10 GB',
      ],
    );
    assert.equal(lines.at(-1), '0 passed, 0 failed, 2 skipped');
    assert.equal(status, 1);
  });

  it('that nothing ran is no success', () => {
    const { status, lines } = run({}, 'unit', '--only', 'no such file');
    assert.equal(lines.at(-1), '0 passed, 0 failed, 0 skipped');
    assert.equal(status, 1);
  });

  it('a tier that is not there is refused', () => {
    const { status, error } = run({}, 'units');
    assert.match(error, /no such tier: units \(there are unit, native, bpf, lab, vm, stock, vagrant\)/);
    assert.equal(status, 2);
  });
});
