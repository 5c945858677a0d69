/**
 * The BNG as the lab runs it: a command started in the BNG's namespace, waited for until it says that it is ready, its
 * words kept in a file. The command is given, so that a test can run another.
 */
import { readFileSync } from 'node:fs';
import { BngError } from '../model/bng-error.js';
import { Child } from './exec.js';
import type { Lab } from './lab.js';
import type { HttpOutcome } from './namespace-probe.js';
import { NamespaceProbe } from './namespace-probe.js';
import { patience } from './patience.js';

export interface BngProcessOptions {
  readonly lab: Lab;
  /** Such as `[process.execPath, '…/bng.js', 'run', '-c', '…/bng.yaml']`. */
  readonly command: readonly string[];
  /** Answers 200 when the BNG is ready; asked from inside its namespace. */
  readonly readyUrl: string;
  readonly readyTimeoutMs: number;
  /** How long the BNG may take to stop when asked. Default 10 s. */
  readonly stopTimeoutMs?: number;
}

const POLL_MS = 50;
const PROBE_TIMEOUT_MS = 1_000 * patience;
const DEFAULT_STOP_MS = 10_000 * patience;

export class BngProcess {
  readonly logFile: string;
  /** Looks from inside the BNG's namespace. */
  readonly probe: NamespaceProbe;
  readonly #child: Child;
  readonly #stopTimeoutMs: number;
  #exit: { readonly exitCode: number | null; readonly signal: string | null } | null = null;

  private constructor(options: BngProcessOptions) {
    this.logFile = options.lab.paths.logFile('bng');
    this.probe = new NamespaceProbe(options.lab.namespaces.bng);
    this.#stopTimeoutMs = options.stopTimeoutMs ?? DEFAULT_STOP_MS;
    this.#child = new Child(options.command, {
      namespace: options.lab.namespaces.bng,
      logFile: this.logFile,
      onExit: (exitCode, signal) => (this.#exit = { exitCode, signal }),
    });
  }

  /**
   * Starts the BNG; it is stopped with the lab. `BNG_ERR_LAB` with the end of its log when it exits, `BNG_ERR_DEADLINE`
   * when it is not ready in time; it is stopped then.
   */
  static async start(options: BngProcessOptions): Promise<BngProcess> {
    const bng = new BngProcess(options);
    options.lab.onClose(() => bng.stop());
    const deadline = performance.now() + options.readyTimeoutMs;
    for (;;) {
      const answer = await bng.probe.httpGet(options.readyUrl, PROBE_TIMEOUT_MS);
      if (answer.ok && answer.status === 200) return bng;
      if (bng.#exit !== null) {
        throw new BngError('BNG_ERR_LAB', 'expected the BNG to run', { ...bng.#exit, log: bng.logTail() });
      }
      if (performance.now() > deadline) {
        await bng.stop();
        const last = answer.ok ? `status ${answer.status}: ${answer.body}` : answer.reason;
        throw new BngError('BNG_ERR_DEADLINE', 'expected the BNG to be ready', { last, log: bng.logTail() });
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** How it ended; null while it runs. */
  get exit(): { readonly exitCode: number | null; readonly signal: string | null } | null {
    return this.#exit;
  }

  get(url: string, timeoutMs = PROBE_TIMEOUT_MS): Promise<HttpOutcome> {
    return this.probe.httpGet(url, timeoutMs);
  }

  /** The end of what it wrote. */
  logTail(characters = 2_000): string {
    return readFileSync(this.logFile, 'utf8').slice(-characters);
  }

  /** Ends it without a word, as a crash does; its pins stay. */
  async kill(): Promise<void> {
    await this.#child.stop('SIGKILL');
  }

  /** Asks with SIGTERM; kills it when it does not stop in time. */
  async stop(): Promise<void> {
    await this.#child.stop('SIGTERM', this.#stopTimeoutMs);
  }
}
