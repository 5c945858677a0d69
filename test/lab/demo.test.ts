/** `bng demo` as its user meets it: the story comes true, whatever ends it leaves nothing, mistakes are told plainly. */
import assert from 'node:assert/strict';
import type { ChildProcessByStdio } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { after, describe, it } from 'node:test';
import { z } from 'zod';
import { removeLab } from '../../src/lab/lab-removal.js';
import { labProgram } from '../../src/lab/lab-paths.js';
import { until } from '../support/lab-house.js';
import { LabRemains } from '../support/lab-remains.js';

const BNG = labProgram('../bin/bng.js');
const STORY_PREFIX = 'l1g';
const BROKEN_PREFIX = 'l1h';
const CHAPTERS = 'ACCESS ACTIVATE DHCP GARDEN LAB METRICS OLT RESULT SESSION SUSPEND TRAFFIC'.split(' ');

const lineSchema = z.looseObject({
  seconds: z.number(),
  chapter: z.string(),
  text: z.string().min(1),
  came: z.boolean().optional(),
});
type Line = z.infer<typeof lineSchema>;

class Demo {
  readonly lines: string[] = [];
  stderr = '';
  readonly process: ChildProcessByStdio<null, Readable, Readable>;
  readonly #exit: Promise<unknown[]>;

  constructor(args: readonly string[], through: readonly string[] = []) {
    const [file = '', ...rest] = [...through, process.execPath, BNG, 'demo', ...args];
    // In a group of its own, as a shell does with a job.
    this.process = spawn(file, rest, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    createInterface({ input: this.process.stdout }).on('line', (line) => this.lines.push(line));
    this.process.stderr.on('data', (data) => (this.stderr += String(data)));
    this.#exit = once(this.process, 'close');
  }

  get told(): Line[] {
    return this.lines.map((line) => lineSchema.parse(JSON.parse(line)));
  }

  async end(): Promise<{ exitCode: number | null; signal: string | null }> {
    const [exitCode, signal] = (await this.#exit) as [number | null, string | null];
    return { exitCode, signal };
  }

  /** A signal to the whole group, as the terminal sends it. */
  signalGroup(signal: NodeJS.Signals): void {
    process.kill(-this.process.pid!, signal);
  }
}

async function untilSessionsAreThere(demo: Demo): Promise<LabRemains> {
  await until(
    () => `the first session, told so far: ${demo.lines.join('\n')} ${demo.stderr}`,
    30_000,
    () => (demo.lines.some((line) => line.includes('"SESSION"')) ? true : null),
  );
  const remains = await LabRemains.note(BROKEN_PREFIX);
  assert.ok(remains.noted.processes >= 6 && remains.noted.programs >= 6, JSON.stringify(remains.noted));
  return remains;
}

async function assertNothingLeft(remains: LabRemains, deadlineMs: number): Promise<void> {
  let left: string[] = [];
  await until(
    () => `nothing left, but: ${left.join(', ')}`,
    deadlineMs,
    async () => {
      left = await remains.left();
      return left.length === 0 ? true : null;
    },
  );
}

describe('bng demo', { timeout: 180_000 }, () => {
  after(async () => {
    for (const prefix of [STORY_PREFIX, BROKEN_PREFIX]) await removeLab(prefix);
  });

  it('--json tells the whole story as JSON lines, everything comes true, and nothing is left', async (t) => {
    const demo = new Demo(['--duration', '15', '--subscribers', '4', '--json', '--prefix', STORY_PREFIX]);
    await until('the first words of the end', 90_000, () =>
      demo.lines.some((line) => line.includes('"METRICS"')) || demo.process.exitCode !== null ? true : null,
    );
    const remains = await LabRemains.note(STORY_PREFIX);
    assert.deepEqual(
      await demo.end(),
      { exitCode: 0, signal: null },
      `${demo.lines.join('\n')} ${demo.stderr}`,
    );
    assert.equal(demo.stderr, '');
    const { told } = demo;
    assert.deepEqual(
      told.filter(({ came }) => came === false),
      [],
    );
    assert.deepEqual([...new Set(told.map(({ chapter }) => chapter))].sort(), CHAPTERS);
    const result = told.at(-1)!;
    assert.equal(result.chapter, 'RESULT');
    assert.equal(result['failed'], 0);
    assert.equal(result['observed'], told.filter(({ came }) => came === true).length);
    assert.ok(told.every(({ seconds }, i) => i === 0 || seconds >= told[i - 1]!.seconds));
    const serials = new Set(told.filter(({ chapter }) => chapter === 'DHCP').map((line) => line['ont']));
    assert.equal(serials.size, 4);
    t.diagnostic(`${result.text} in ${result.seconds} s`);
    await assertNothingLeft(remains, 5_000);
  });

  it('Ctrl-C in the middle ends it with 130 and leaves nothing', async () => {
    const demo = new Demo(['--subscribers', '3', '--json', '--prefix', BROKEN_PREFIX]);
    const remains = await untilSessionsAreThere(demo);
    demo.signalGroup('SIGINT');
    assert.deepEqual(await demo.end(), { exitCode: 130, signal: null }, demo.stderr);
    await assertNothingLeft(remains, 5_000);
  });

  it('killed in the middle, with its whole group, it leaves nothing after ten seconds', async () => {
    const demo = new Demo(['--subscribers', '3', '--json', '--prefix', BROKEN_PREFIX]);
    const remains = await untilSessionsAreThere(demo);
    demo.signalGroup('SIGKILL');
    assert.equal((await demo.end()).signal, 'SIGKILL');
    await assertNothingLeft(remains, 10_000);
  });

  it('another user than root is told in one line what is missing', async () => {
    const demo = new Demo([], ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', '--']);
    assert.equal((await demo.end()).exitCode, 1);
    assert.match(demo.stderr, /^[^\n]*root[^\n]*\n$/);
    assert.deepEqual(demo.lines, []);
  });

  for (const [args, words] of [
    [['--scenario', 'no-such-story'], /no-such-story.*full-lifecycle/],
    [['--subscribers', '0'], /--subscribers.*whole number from 1 to 200/],
    [['--subscribers', 'many'], /--subscribers.*whole number from 1 to 200/],
    [['--duration', '14'], /--duration.*whole number from 15 to 3600/],
    [['--prefix', 'Not-A-Prefix'], /--prefix.*1 to 6 lower-case letters and digits/],
    [['--no-such-option'], /no-such-option/],
  ] as const) {
    it(`${args.join(' ')} is refused with 2 and a line that says what is allowed`, async () => {
      const demo = new Demo(args);
      assert.equal((await demo.end()).exitCode, 2, demo.stderr);
      assert.match(demo.stderr.split('\n')[0] ?? '', words);
      assert.deepEqual(demo.lines, []);
    });
  }
});
