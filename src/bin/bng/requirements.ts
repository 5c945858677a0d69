/** What the machine must offer before the dataplane is touched; each lack in one line that says what to do. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './project-root.js';

/** The first thing that is missing, or null when all is there. */
export function missingRequirement(): string | null {
  if (process.platform !== 'linux') return `bng needs Linux with eBPF, this is ${process.platform}`;
  const lacking = lackingCapabilities(readFileSync('/proc/self/status', 'utf8'));
  if (lacking.length > 0)
    return `bng lacks ${lacking.join(', ')}: run it as root (try sudo) or as the systemd unit does, with these capabilities`;
  if (!existsSync('/sys/kernel/btf/vmlinux'))
    return 'this kernel has no BTF (CONFIG_DEBUG_INFO_BTF): use 5.18 or newer with BTF';
  if (!existsSync(objectPath())) return `${objectPath()} is missing: run make build`;
  return null;
}

/** Bits of capability sets (capabilities(7)) without which the dataplane cannot be driven. */
const NEEDED_CAPABILITIES = { CAP_NET_ADMIN: 12, CAP_NET_RAW: 13, CAP_PERFMON: 38, CAP_BPF: 39 } as const;

/** The names of those that the effective set in a `/proc/PID/status` does not hold. */
export function lackingCapabilities(status: string): readonly string[] {
  const hex = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
  const effective = BigInt(`0x${hex}`);
  return Object.entries(NEEDED_CAPABILITIES)
    .filter(([, bit]) => (effective & (1n << BigInt(bit))) === 0n)
    .map(([name]) => name);
}

/** Where the build leaves the dataplane's programs. */
export function objectPath(): string {
  return join(projectRoot(), 'build/bpf/bng.bpf.o');
}
