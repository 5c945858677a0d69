/**
 * Commands of the lab: run to their end with a deadline, or started as children, in a network namespace or outside.
 * Every one dies with this process, even when this process is killed. Knows nothing of what it runs.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { BngError } from '../model/bng-error.js';
import { patience } from './patience.js';

export interface ExecOptions {
  /** Name of a network namespace under /run/netns; the present one without it. */
  readonly namespace?: string;
  readonly timeoutMs?: number;
  readonly input?: string;
}

export interface ExecResult {
  /** Null when the command was killed or did not start. */
  readonly exitCode: number | null;
  readonly timedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

const DEFAULT_TIMEOUT_MS = 10_000 * patience;
const KILL_AFTER_MS = 500;

/** `nsenter` rather than `ip netns exec`, which hides /sys/fs/bpf; `setpriv` so that no child outlives its parent. */
function wrap(command: readonly string[], namespace: string | undefined): string[] {
  const bound = ['setpriv', '--pdeathsig', 'KILL', '--', ...command];
  return namespace === undefined ? bound : ['nsenter', `--net=/run/netns/${namespace}`, '--', ...bound];
}

/** Runs a command to its end. A command that fails or takes too long is a value. */
export async function exec(command: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
  const [file = '', ...args] = wrap(command, options.namespace);
  const result = await execa(file, args, {
    reject: false,
    timeout: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    killSignal: 'SIGKILL',
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
  });
  return {
    exitCode: result.exitCode ?? null,
    timedOut: result.timedOut,
    stdout: result.stdout,
    stderr: result.stderr,
  };
}

/** Runs a command that must succeed and gives its output; `BNG_ERR_LAB` with its words otherwise. */
export async function execOrThrow(command: readonly string[], options: ExecOptions = {}): Promise<string> {
  const result = await exec(command, options);
  if (result.exitCode === 0) return result.stdout;
  throw new BngError('BNG_ERR_LAB', 'expected a command to succeed', {
    command: command.join(' ').slice(0, 200),
    namespace: options.namespace ?? null,
    exitCode: result.exitCode,
    timedOut: result.timedOut,
    stderr: result.stderr.slice(-2000),
  });
}

/** Runs a shell script in a namespace; stops at the first command that fails, with `BNG_ERR_LAB`. */
export async function shell(script: string, options: ExecOptions = {}): Promise<string> {
  return execOrThrow(['sh', '-euc', script], options);
}

export interface ChildOptions {
  /** Name of a network namespace under /run/netns; the present one without it. */
  readonly namespace?: string;
  /** Standard error, and standard output when nobody reads it, are appended here. */
  readonly logFile: string;
  /** Called with each line of standard output. */
  readonly onStdoutLine?: (line: string) => void;
  readonly onExit?: (exitCode: number | null, signal: string | null) => void;
}

/** A child that runs until it is stopped. */
export class Child {
  readonly #process: ChildProcess;
  readonly #exited: Promise<void>;
  #running = true;

  constructor(command: readonly string[], options: ChildOptions) {
    const [file = '', ...args] = wrap(command, options.namespace);
    const log = openSync(options.logFile, 'a');
    const { onStdoutLine, onExit } = options;
    // Detached, since Ctrl-C reaches the whole group of a terminal: the lab itself decides in which order children stop.
    this.#process = spawn(file, args, {
      stdio: ['ignore', onStdoutLine === undefined ? log : 'pipe', log],
      detached: true,
    });
    closeSync(log);
    if (this.#process.stdout !== null && onStdoutLine !== undefined) {
      createInterface({ input: this.#process.stdout }).on('line', onStdoutLine);
    }
    this.#exited = new Promise((resolve) => {
      const finish = (exitCode: number | null, signal: string | null): void => {
        this.#running = false;
        onExit?.(exitCode, signal);
        resolve();
      };
      this.#process.once('close', finish);
      // A command that is not there never closes.
      this.#process.once('error', () => this.#process.pid === undefined && finish(null, null));
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get isRunning(): boolean {
    return this.#running;
  }

  /** Resolves when the process is gone. */
  get ended(): Promise<void> {
    return this.#exited;
  }

  kill(signal: NodeJS.Signals): void {
    if (this.#running) this.#process.kill(signal);
  }

  /** Asks with `signal`, kills after a while, resolves when the process is gone. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', graceMs = KILL_AFTER_MS): Promise<void> {
    this.kill(signal);
    const timer = setTimeout(() => this.kill('SIGKILL'), graceMs);
    await this.#exited;
    clearTimeout(timer);
  }
}

/**
 * Starts a child that prints the line `ready` once it serves. Rejects with `BNG_ERR_LAB` when it exits before, and with
 * `BNG_ERR_DEADLINE` when it takes too long.
 */
export async function startReadyChild(
  command: readonly string[],
  options: ChildOptions & { readonly readyTimeoutMs: number },
): Promise<Child> {
  let timer: NodeJS.Timeout | undefined;
  let child: Child | undefined;
  try {
    return await new Promise<Child>((resolve, reject) => {
      const context = { command: command.join(' ').slice(0, 200), log: options.logFile };
      child = new Child(command, {
        ...options,
        onStdoutLine: (line) => {
          if (line === 'ready' && child !== undefined) resolve(child);
          options.onStdoutLine?.(line);
        },
        onExit: (exitCode, signal) => {
          reject(new BngError('BNG_ERR_LAB', 'expected a server to run', { ...context, exitCode, signal }));
          options.onExit?.(exitCode, signal);
        },
      });
      timer = setTimeout(() => {
        reject(new BngError('BNG_ERR_DEADLINE', 'expected a server to be ready', context));
      }, options.readyTimeoutMs);
    });
  } catch (error) {
    await child?.stop('SIGKILL');
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
