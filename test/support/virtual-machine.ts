/**
 * A QEMU guest on a stock Debian kernel with systemd as its first process: scripts/vm/run.sh starts it, this gives it commands over a
 * serial line. Its disk is a folder under a layer in memory. Knows nothing of what is installed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ExecResult } from '../../src/lab/exec.js';
import { patience } from '../../src/lab/patience.js';

/** Three emulated guests on a machine that others use have taken minutes to boot. */
const BOOT_DEADLINE_MS = 300_000 * patience;
const COMMAND_DEADLINE_MS = 300_000 * patience;
/** For QEMU itself; the test's own deadline comes first. */
const LONGEST_SECONDS = 3_600;

/** Each line of the serial port names a script; its end goes back as `done NAME STATUS`. Scripts run side by side. */
const AGENT = `cd /mnt/vm
stty -F /dev/ttyS1 raw -echo
until [ "$(systemctl is-system-running)" != starting ]; do sleep 0.2; done
exec >/dev/ttyS1 </dev/ttyS1
echo up
while read -r name; do
  {
    sh "/mnt/vm/$name.sh" >"/mnt/vm/$name.out" 2>"/mnt/vm/$name.err" </dev/null
    echo "done $name $?"
  } &
done
`;

export interface VirtualMachineOptions {
  readonly name: string;
  /** Folder with a Debian root; it is not written to. */
  readonly root: string;
  /** Folder for the files that pass between here and the guest; made here. */
  readonly folder: string;
  /** Of those in build/vm. */
  readonly kernel: string;
  readonly memoryMb: number;
  /** Arguments of QEMU, for network cards. */
  readonly qemu: readonly string[];
}

export class VirtualMachine {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #waiting = new Map<string, (status: number) => void>();
  #commands = 0;
  #said = '';

  private constructor(child: ChildProcess, { name, folder }: VirtualMachineOptions) {
    this.name = name;
    this.#child = child;
    this.#folder = folder;
  }

  /** Resolves when systemd has started what it starts; a guest that does not come up is ended. `repository` is where scripts/vm is. */
  static async boot(repository: string, options: VirtualMachineOptions): Promise<VirtualMachine> {
    const { folder, kernel, memoryMb, name, qemu, root } = options;
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'hostname'), `${name}\n`);
    writeFileSync(join(folder, 'agent.sh'), AGENT);
    const child = spawn(
      'setpriv',
      [
        ...['--pdeathsig', 'TERM', '--', join(repository, 'scripts/vm/run.sh'), '--kernel', kernel],
        ...['--memory', String(memoryMb), '--seconds', String(LONGEST_SECONDS)],
        ...['--root', root, '--machine', folder, '--qemu', qemu.join(' ')],
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    const machine = new VirtualMachine(child, options);
    try {
      await machine.#listen();
    } catch (error) {
      // Or the emulator would go on, and this process with it.
      await machine.stop();
      throw error;
    }
    return machine;
  }

  /** Runs a shell script in the guest to its end; `timeoutMs` is for a machine with a CPU of its own. */
  async run(script: string, timeoutMs: number = COMMAND_DEADLINE_MS): Promise<ExecResult> {
    const name = `c${++this.#commands}`;
    writeFileSync(join(this.#folder, `${name}.sh`), script);
    const status = await new Promise<number | null>((resolve) => {
      const deadline = setTimeout(() => {
        this.#waiting.delete(name);
        resolve(null);
      }, timeoutMs);
      this.#waiting.set(name, (code) => {
        clearTimeout(deadline);
        resolve(code);
      });
      this.#child.stdin?.write(`${name}\n`);
    });
    const read = (kind: string): string => readFileSync(join(this.#folder, `${name}.${kind}`), 'utf8').trim();
    return { exitCode: status, timedOut: status === null, stdout: read('out'), stderr: read('err') };
  }

  /** The same for a script that must succeed; gives its output. */
  async must(script: string, timeoutMs?: number): Promise<string> {
    const result = await this.run(script, timeoutMs);
    if (result.exitCode === 0) return result.stdout;
    const how = result.timedOut ? 'not done in time' : `exit ${result.exitCode}`;
    throw new Error(`${this.name}: ${script}: ${how}\n${result.stdout}\n${result.stderr}`);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGTERM');
    await ended;
  }

  #listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = (why: string): void => {
        clearTimeout(deadline);
        reject(new Error(`${this.name}: ${why}\n${this.#said}`));
      };
      const deadline = setTimeout(() => giveUp('does not come up'), BOOT_DEADLINE_MS);
      this.#child.once('exit', (code) => giveUp(`ended with ${code}`));
      createInterface({ input: this.#child.stdout ?? process.stdin }).on('line', (line) => {
        this.#said += `${line}\n`;
        if (line === 'up') {
          clearTimeout(deadline);
          resolve();
        }
        const [, name = '', status = ''] = /^done (c[0-9]+) ([0-9]+)$/.exec(line) ?? [];
        this.#waiting.get(name)?.(Number(status));
        this.#waiting.delete(name);
      });
    });
  }
}
