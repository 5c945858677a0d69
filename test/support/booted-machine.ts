/**
 * A Debian root with systemd as its first process, in namespaces of its own on this kernel: what a clean machine is to the package.
 * Makes roots and boots them; knows nothing of what is installed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { exec, type ExecResult } from '../../src/lab/exec.js';
import { eventually } from './eventually.js';

const UNPACK_DEADLINE_MS = 60_000;
const BOOT_DEADLINE_MS = 30_000;
const COMMAND_DEADLINE_MS = 90_000;

/** Enters the new root and gives it what a machine has: its own /proc, /sys, /dev, bpffs and the cgroup tree that systemd wants. */
const BOOT = `
mount --make-rprivate /
mount --rbind "$1" "$1"
cd "$1"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t bpf bpf sys/fs/bpf
for folder in run tmp dev; do mount -t tmpfs tmpfs $folder; done
for device in null zero full random urandom tty; do touch dev/$device; mount --bind /dev/$device dev/$device; done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
pivot_root . mnt
umount -l /mnt
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system
`;

/** Unpacks the Debian that `make build/debian-root.tar` made into `root`. */
export async function unpackRoot(tar: string, root: string): Promise<void> {
  mkdirSync(root, { recursive: true });
  await must(['tar', '--numeric-owner', '-xpf', tar, '-C', root], UNPACK_DEADLINE_MS);
}

export class BootedMachine {
  readonly #child: ChildProcess;
  readonly #pid: number;

  readonly #tree: string;

  private constructor(child: ChildProcess, pid: number, tree: string) {
    this.#child = child;
    this.#pid = pid;
    this.#tree = tree;
  }

  /** Boots `root` and waits until systemd has started what it starts. `scratch` is a folder for the cgroup tree. */
  static async boot(root: string, scratch: string): Promise<BootedMachine> {
    const tree = join(scratch, 'cgroup');
    mkdirSync(tree, { recursive: true });
    await must(['mount', '-t', 'cgroup2', 'none', tree], COMMAND_DEADLINE_MS);
    const own = join(tree, `bng-machine-${process.pid}`);
    const start = `mkdir -p "$2" && echo $$ >"$2/cgroup.procs" && exec unshare --mount --pid --net --uts --ipc --cgroup --fork --kill-child sh -euc "$3" boot "$1"`;
    const child = spawn(
      'setpriv',
      ['--pdeathsig', 'KILL', '--', 'sh', '-euc', start, 'start', root, own, BOOT],
      {
        stdio: ['ignore', 'inherit', 'inherit'],
      },
    );
    const pid = await eventually(
      'systemd',
      async () => {
        const found = await exec(['pgrep', '-P', String(child.pid), '-f', 'systemd --system']);
        return found.exitCode === 0 ? Number(found.stdout.trim()) : null;
      },
      BOOT_DEADLINE_MS,
    );
    const machine = new BootedMachine(child, pid, tree);
    await eventually(
      'a machine that is up',
      async () => {
        const { stdout } = await machine.run(['systemctl', 'is-system-running']);
        return stdout.trim() === 'running' || stdout.trim() === 'degraded' ? true : null;
      },
      BOOT_DEADLINE_MS,
    );
    return machine;
  }

  /** Runs a command in the machine to its end. */
  run(command: readonly string[], input?: string): Promise<ExecResult> {
    return exec(this.entering(command), {
      timeoutMs: COMMAND_DEADLINE_MS,
      ...(input !== undefined && { input }),
    });
  }

  /** The same for a command that must succeed; gives its output. */
  async must(command: readonly string[], input?: string): Promise<string> {
    const result = await this.run(command, input);
    if (result.exitCode === 0) return result.stdout;
    throw new Error(`${command.join(' ')}: exit ${result.exitCode}\n${result.stdout}\n${result.stderr}`);
  }

  /** The command line that runs `command` in the machine. */
  entering(command: readonly string[]): string[] {
    const enter = ['--mount', '--pid', '--net', '--uts', '--ipc', '--cgroup', '--root', '--wd'];
    return ['nsenter', '--target', String(this.#pid), ...enter, '--', ...command];
  }

  /** Everything in it dies with its first process. */
  async stop(): Promise<void> {
    if (this.#child.exitCode === null) {
      const ended = new Promise((resolve) => this.#child.once('exit', resolve));
      this.#child.kill('SIGKILL');
      await ended;
    }
    await exec(['umount', '--lazy', this.#tree]);
  }
}

async function must(command: readonly string[], timeoutMs: number): Promise<void> {
  const result = await exec(command, { timeoutMs });
  if (result.exitCode !== 0)
    throw new Error(`${command.join(' ')}: exit ${result.exitCode}\n${result.stderr}`);
}
