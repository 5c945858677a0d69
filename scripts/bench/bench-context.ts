/** What every bench is given, and how a bench runs a part of itself as a process in a namespace. Measures nothing. */
import { fileURLToPath } from 'node:url';
import { Child } from '../../src/lab/exec.js';
import { BngError } from '../../src/model/bng-error.js';

export interface BenchContext {
  /** Begins the names of all namespaces. */
  readonly prefix: string;
  readonly quick: boolean;
  readonly progress: (text: string) => void;
  /** Has `close` called when the bench ends in any way, last in, first out. */
  readonly onClose: (close: () => Promise<void>) => void;
}

export interface PartOptions {
  /** File of scripts/bench, compiled: `load-main.js`. */
  readonly program: string;
  readonly settings: unknown;
  /** Of the network; the present one without it. */
  readonly namespace?: string;
  /** The one CPU that it runs on, with what the kernel does at once for the frames that it sends; any without it. */
  readonly cpu?: number;
  readonly logFile: string;
  readonly timeoutMs: number;
  /** Called with what the part says of its progress. */
  readonly progress?: (text: string) => void;
}

type PartLine = { readonly progress: string } | { readonly result: unknown };

/** For parts: what the parent should see now. */
export function tellParent(line: PartLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/**
 * Runs `program` with `settings` as its one argument and gives its result. Throws `BNG_ERR_LAB` when it ends without
 * one and `BNG_ERR_DEADLINE` when it takes too long.
 */
export async function runPart(options: PartOptions): Promise<unknown> {
  let found: { readonly result: unknown } | null = null;
  const program = fileURLToPath(new URL(options.program, import.meta.url));
  const pinned = options.cpu === undefined ? [] : ['taskset', '-c', `${options.cpu}`];
  const command = [...pinned, process.execPath, program, JSON.stringify(options.settings)];
  const ended: { exitCode: number | null } = { exitCode: null };
  const child = new Child(command, {
    ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
    logFile: options.logFile,
    onStdoutLine: (text) => {
      const line = JSON.parse(text) as PartLine;
      if ('result' in line) found = line;
      else options.progress?.(line.progress);
    },
    onExit: (exitCode) => (ended.exitCode = exitCode),
  });
  const overdue: { yes: boolean } = { yes: false };
  const deadline = setTimeout(() => {
    overdue.yes = true;
    child.kill('SIGKILL');
  }, options.timeoutMs);
  await child.ended;
  clearTimeout(deadline);
  const context = { program: options.program, exitCode: ended.exitCode, log: options.logFile };
  if (overdue.yes) throw new BngError('BNG_ERR_DEADLINE', 'expected a part of the bench to end', context);
  const last = found as { readonly result: unknown } | null;
  if (last === null || ended.exitCode !== 0) {
    throw new BngError('BNG_ERR_LAB', 'expected a part of the bench to give a result', context);
  }
  return last.result;
}
