// Runs one compiled test file in a process of its own, with a deadline, and hands back its tally and what it printed.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isolated } from './isolated.js';
import { type Tally, parseReport, tally } from './test-tally.js';

export interface FileResult extends Tally {
  readonly file: string;
  readonly seconds: number;
  /** Its standard output and error as they came, cut to the last `OUTPUT_CHARACTERS`. */
  readonly output: string;
}

const OUTPUT_CHARACTERS = 20_000;
// A lab file that is told to stop takes its namespaces down first.
const GRACE_MS = 10_000;
const running = new Set<number>();

export interface FileOptions {
  readonly deadlineSeconds: number;
  /** Gives the file namespaces of its own; needs root. */
  readonly isolated?: boolean;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs `script` (absolute path) and calls it `file` in the result. Never rejects because of what the tests do. */
export async function runTestFile(file: string, script: string, options: FileOptions): Promise<FileResult> {
  const { deadlineSeconds } = options;
  const folder = mkdtempSync(join(tmpdir(), 'bng-test-report-'));
  const report = join(folder, 'report');
  const reporter = new URL('./test-reporter.js', import.meta.url).href;
  const started = performance.now();
  // A test that itself starts Node under `node --test` would report into our pipe.
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  const node = [process.execPath, '--enable-source-maps', `--test-reporter=${reporter}`];
  const [command = '', ...args] = wrap([...node, `--test-reporter-destination=${report}`, script], {
    folder,
    isolate: options.isolated === true,
  });
  // Detached: its own process group, so that whatever the file started goes with it.
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: { ...env, ...options.env },
  });
  const { pid } = child;
  if (pid !== undefined) running.add(pid);

  let output = '';
  const keep = (chunk: string): void => void (output = (output + chunk).slice(-OUTPUT_CHARACTERS));
  child.stdout.setEncoding('utf8').on('data', keep);
  child.stderr.setEncoding('utf8').on('data', keep);

  let late = false;
  const deadline = setTimeout(() => {
    late = true;
    if (pid !== undefined) stopGroup(pid, 'SIGTERM');
  }, deadlineSeconds * 1000);
  const kill = setTimeout(
    () => {
      if (pid !== undefined) stopGroup(pid, 'SIGKILL');
    },
    deadlineSeconds * 1000 + GRACE_MS,
  );
  const [exitCode, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.once('error', (error) => {
      keep(String(error));
      resolve([null, null]);
    });
    // Not 'close': a daemon that outlived its test would keep the pipes open for ever.
    child.once('exit', (code, by) => setImmediate(() => resolve([code, by])));
  });
  clearTimeout(deadline);
  clearTimeout(kill);
  if (pid !== undefined) {
    stopGroup(pid, 'SIGKILL');
    running.delete(pid);
  }
  child.stdout.destroy();
  child.stderr.destroy();

  const lines = parseReport(readIfThere(report));
  rmSync(folder, { recursive: true, force: true });
  const ending = { exitCode, signal, deadlineSeconds: late ? deadlineSeconds : undefined };
  return { file, seconds: (performance.now() - started) / 1000, output, ...tally(lines, ending) };
}

function wrap(command: readonly string[], to: { folder: string; isolate: boolean }): readonly string[] {
  if (!to.isolate) return command;
  const temporary = join(to.folder, 'tmp');
  mkdirSync(temporary);
  return isolated(command, temporary);
}

/** Tells every file that is running to stop, as on Ctrl-C. */
export function stopRunningFiles(): void {
  for (const pid of running) stopGroup(pid, 'SIGTERM');
}

function stopGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
