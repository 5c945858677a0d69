// The tiers of the test tree: which folders belong to each, what the machine must offer, how long one file may take.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { patience } from '../src/lab/patience.js';
import { isolated } from './isolated.js';

export interface Tier {
  readonly name: string;
  /** How many files run side by side. */
  readonly concurrency: number;
  /** For a file that runs alone. */
  readonly fileDeadlineSeconds: number;
  /** Each file has namespaces of its own. */
  readonly isolated: boolean;
  /** Whether a folder of test/ belongs to this tier. */
  readonly holds: (folder: string) => boolean;
  /** Left out unless it is asked for by name. */
  readonly onDemand: boolean;
  /** What this machine lacks for the tier; undefined when it can run. */
  readonly lacks: () => string | undefined;
}

const apart = ['native', 'bpf', 'lab', 'vm', 'stock', 'vagrant', 'support'];
const cpus = availableParallelism();

/** In order of running: the quick first. A new folder of test/ is a unit folder unless it is named here. */
export const tiers: readonly Tier[] = [
  tier({
    name: 'unit',
    concurrency: 2,
    fileDeadlineSeconds: 120,
    holds: (folder) => !apart.includes(folder),
    needs: [],
  }),
  kernelTier({ name: 'native', concurrency: 2, fileDeadlineSeconds: 120, needs: [] }),
  kernelTier({ name: 'bpf', concurrency: 2, fileDeadlineSeconds: 180, needs: [] }),
  // Most of what the lab does is to wait: for clients, leases, retransmissions.
  kernelTier({
    name: 'lab',
    // An emulated CPU has no time to spare while others wait.
    concurrency: process.env['BNG_EMULATED'] === '1' ? 1 : Math.min(4, 2 * cpus),
    fileDeadlineSeconds: 400,
    needs: [nftables],
  }),
  // An emulated machine is starved beside others. Where it cannot be had its tests are skipped and say why.
  tier({
    name: 'vm',
    concurrency: 1,
    fileDeadlineSeconds: 420,
    holds: (folder) => folder === 'vm',
    needs: [],
  }),
  // What Debian's kernels have and that of a build machine may lack; `make test-vm` asks for it, in a machine of its own.
  tier({
    name: 'stock',
    concurrency: 1,
    fileDeadlineSeconds: 120,
    onDemand: true,
    holds: (folder) => folder === 'stock',
    needs: [root, btf, nftables, modules],
  }),
  // Three emulated machines take minutes.
  kernelTier({ name: 'vagrant', concurrency: 1, fileDeadlineSeconds: 1_800, onDemand: true, needs: [qemu] }),
];

/** Source paths (test/…/x.test.ts) of a tier below `repository`, sorted. */
export function testFiles(repository: string, of: Tier): string[] {
  const top = readdirSync(join(repository, 'test'), { withFileTypes: true });
  return top
    .filter((entry) => entry.isDirectory() && of.holds(entry.name))
    .flatMap((entry) =>
      readdirSync(join(repository, 'test', entry.name), { recursive: true, encoding: 'utf8' }).map((path) =>
        join('test', entry.name, path),
      ),
    )
    .filter((path) => path.endsWith('.test.ts'))
    .sort();
}

interface TierSpecification extends Omit<Tier, 'lacks' | 'isolated' | 'onDemand'> {
  readonly isolated?: boolean;
  readonly onDemand?: boolean;
  readonly needs: readonly (() => string | undefined)[];
}

function tier({ needs, ...rest }: TierSpecification): Tier {
  const lacks = (): string | undefined => {
    for (const need of needs) {
      const reason = need();
      if (reason !== undefined) return reason;
    }
    return undefined;
  };
  return {
    isolated: false,
    onDemand: false,
    ...rest,
    fileDeadlineSeconds: rest.fileDeadlineSeconds * patience,
    lacks,
  };
}

/** A tier of the folder of its name that changes the kernel, and so runs isolated. */
function kernelTier({ needs, ...rest }: Omit<TierSpecification, 'holds' | 'isolated'>): Tier {
  const holds = (folder: string): boolean => folder === rest.name;
  return tier({ ...rest, holds, isolated: true, needs: [root, btf, isolation, ...needs] });
}

function root(): string | undefined {
  return process.getuid?.() === 0 ? undefined : 'needs root';
}

function btf(): string | undefined {
  return existsSync('/sys/kernel/btf/vmlinux')
    ? undefined
    : 'the kernel has no BTF (/sys/kernel/btf/vmlinux)';
}

/** The very thing that is asked of the machine, so that no file fails for want of it. */
function isolation(): string | undefined {
  const temporary = mkdtempSync(join(tmpdir(), 'bng-test-isolation-'));
  try {
    const [command = '', ...args] = isolated(['true'], temporary);
    return works(command, args) ? undefined : 'namespaces with a bpffs of their own cannot be made here';
  } finally {
    rmSync(temporary, { recursive: true });
  }
}

function nftables(): string | undefined {
  return works('unshare', ['--net', 'nft', 'add table inet probe']) ? undefined : 'nft does not work here';
}

/** Tagged devices stand for the others: netem, flowtable. */
function modules(): string | undefined {
  const make =
    'ip link add probe0 type dummy && ip link add link probe0 name probe1 type vlan proto 802.1ad id 1';
  return works('unshare', ['--net', 'sh', '-c', make]) ? undefined : 'the kernel has no 802.1ad devices';
}

function qemu(): string | undefined {
  return works('qemu-system-x86_64', ['--version']) ? undefined : 'qemu-system-x86 is not installed';
}

function works(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore', timeout: 10_000 * patience });
    return true;
  } catch {
    return false;
  }
}
