// The tiers of the test tree: which folders belong to each, what the machine must offer, how long one file may take.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { patience } from '../src/lab/patience.js';

export interface Tier {
  readonly name: string;
  readonly concurrency: number;
  readonly fileDeadlineSeconds: number;
  /** Whether a folder of test/ belongs to this tier. */
  readonly holds: (folder: string) => boolean;
  /** What this machine lacks for the tier; undefined when it can run. */
  readonly lacks: () => string | undefined;
}

const apart = ['native', 'bpf', 'lab', 'support'];
const BPF_FS_MAGIC = 0xcafe4a11;

/** In order of running: the quick first. A new folder of test/ is a unit folder unless it is named here. */
export const tiers: readonly Tier[] = [
  tier('unit', 2, 120, (folder) => !apart.includes(folder), []),
  tier('native', 1, 120, (folder) => folder === 'native', [root, btf, namespaces]),
  tier('bpf', 1, 180, (folder) => folder === 'bpf', [root, btf]),
  tier('lab', 1, 400, (folder) => folder === 'lab', [root, btf, bpffs, namespaces, nftables]),
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

function tier(
  name: string,
  concurrency: number,
  fileDeadlineSeconds: number,
  holds: Tier['holds'],
  needs: readonly (() => string | undefined)[],
): Tier {
  const lacks = (): string | undefined => {
    for (const need of needs) {
      const reason = need();
      if (reason !== undefined) return reason;
    }
    return undefined;
  };
  return { name, concurrency, fileDeadlineSeconds: fileDeadlineSeconds * patience, holds, lacks };
}

function root(): string | undefined {
  return process.getuid?.() === 0 ? undefined : 'needs root';
}

function btf(): string | undefined {
  return existsSync('/sys/kernel/btf/vmlinux')
    ? undefined
    : 'the kernel has no BTF (/sys/kernel/btf/vmlinux)';
}

function bpffs(): string | undefined {
  return existsSync('/sys/fs/bpf') && statfsSync('/sys/fs/bpf').type === BPF_FS_MAGIC
    ? undefined
    : 'no bpffs on /sys/fs/bpf';
}

function namespaces(): string | undefined {
  return works('unshare', ['--net', 'true']) ? undefined : 'network namespaces cannot be made here';
}

function nftables(): string | undefined {
  return works('unshare', ['--net', 'nft', 'add table inet probe']) ? undefined : 'nft does not work here';
}

function works(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore', timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}
