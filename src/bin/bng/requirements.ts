/** What the machine must offer before the dataplane is touched; each lack in one line that says what to do. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './project-root.js';

/** The first thing that is missing, or null when all is there. */
export function missingRequirement(): string | null {
  if (process.getuid?.() !== 0)
    return 'bng must run as root: it attaches XDP programs and changes nftables (try sudo)';
  if (process.platform !== 'linux') return `bng needs Linux with eBPF, this is ${process.platform}`;
  if (!existsSync('/sys/kernel/btf/vmlinux'))
    return 'this kernel has no BTF (CONFIG_DEBUG_INFO_BTF): use 5.18 or newer with BTF';
  if (!existsSync(objectPath())) return `${objectPath()} is missing: run make build`;
  return null;
}

/** Where the build leaves the dataplane's programs. */
export function objectPath(): string {
  return join(projectRoot(), 'build/bpf/bng.bpf.o');
}
