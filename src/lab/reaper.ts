/**
 * The watchdog of a lab: a process of its own, in a session of its own, that learns by the end of its standard input
 * that the lab's process is gone and then removes what that one could not. Starts and dismisses it; removes nothing.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { labProgram } from './lab-paths.js';

/** What a lab that was closed in good order says before it lets go. */
export const DISMISSED = 'dismissed';

const DISMISSAL_MS = 2_000;

export class Reaper {
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;

  /** Watches over this process's lab with `prefix`; keeps this process alive no longer than it would live anyway. */
  constructor(prefix: string) {
    // No pdeathsig and detached: it must outlive this process and a signal to its whole group.
    this.#process = spawn(process.execPath, [labProgram('reaper-main.js'), prefix, `${process.pid}`], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
      cwd: '/',
    });
    this.#exited = once(this.#process, 'exit').catch(() => undefined);
    // Gone before its time: there is nobody to tell, and nothing of the lab depends on it.
    this.#process.stdin?.on('error', () => undefined);
    this.#process.unref();
    const { stdin } = this.#process;
    if (stdin instanceof Socket) stdin.unref();
  }

  /** There is nothing left to watch over. Resolves when the watchdog is gone. */
  async dismiss(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.ref();
    this.#process.stdin?.end(DISMISSED);
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), DISMISSAL_MS);
    await this.#exited;
    clearTimeout(timer);
  }
}
