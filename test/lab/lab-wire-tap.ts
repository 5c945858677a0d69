/** A foreign peer on an interface of the lab: frames in and out, waited for with a deadline. Knows no protocol. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { labProgram } from '../../src/lab/lab-paths.js';

const MAIN = labProgram('../../test/lab/lab-wire-tap-main.js');

export class WireTap {
  readonly frames: Buffer[] = [];
  readonly #process;
  readonly #listeners = new Set<(frame: Buffer) => void>();

  private constructor(namespace: string, interfaceName: string) {
    const command = ['setpriv', '--pdeathsig', 'KILL', process.execPath, MAIN, interfaceName];
    this.#process = spawn('nsenter', [`--net=/run/netns/${namespace}`, ...command], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
  }

  static async open(namespace: string, interfaceName: string): Promise<WireTap> {
    const tap = new WireTap(namespace, interfaceName);
    const lines = createInterface({ input: tap.#process.stdout });
    await once(lines, 'line');
    lines.on('line', (line) => {
      const frame = Buffer.from(line, 'hex');
      tap.frames.push(frame);
      for (const listener of [...tap.#listeners]) listener(frame);
    });
    return tap;
  }

  onFrame(listener: (frame: Buffer) => void): void {
    this.#listeners.add(listener);
  }

  send(frame: Uint8Array): void {
    this.#process.stdin.write(`${Buffer.from(frame).toString('hex')}\n`);
  }

  /** The first frame, from number `from` on, of which `pick` makes something; throws at the deadline. */
  async waitFor<T>(
    what: string,
    pick: (frame: Buffer) => T | null,
    from = 0,
    deadlineMs = 10_000,
  ): Promise<T> {
    for (const frame of this.frames.slice(from)) {
      const found = pick(frame);
      if (found !== null) return found;
    }
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#listeners.delete(listener);
        reject(new Error(`no ${what} in ${deadlineMs} ms, but ${this.frames.length - from} other frames`));
      }, deadlineMs);
      const listener = (frame: Buffer): void => {
        const found = pick(frame);
        if (found === null) return;
        clearTimeout(timer);
        this.#listeners.delete(listener);
        resolve(found);
      };
      this.#listeners.add(listener);
    });
  }

  async close(): Promise<void> {
    this.#process.stdin.end();
    if (this.#process.exitCode === null) await once(this.#process, 'exit');
  }
}
