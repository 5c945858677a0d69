/** What `bng doctor` asks of the machine as such: kernel, rights, bpffs, tools. Changes nothing. */
import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { release } from 'node:os';
import { dirname } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { lackingCapabilities } from '../requirements.js';
import { failed, type Finding, NEWER_KERNEL, ok, outputOf, warning } from './finding.js';

/** bpf_xdp_load_bytes; older kernels refuse the programs. */
const OLDEST_KERNEL = [5, 18] as const;
const BPFFS_MAGIC = 0xcafe4a11;

/** Without these the programs do not load, or the firewall is refused; `m` will do. */
const NEEDED_OPTIONS = [
  'BPF',
  'BPF_SYSCALL',
  'BPF_JIT',
  'DEBUG_INFO_BTF',
  'NET_CLS_ACT',
  'NET_CLS_BPF',
  'NET_SCH_INGRESS',
  'NF_TABLES',
  'NF_TABLES_INET',
  'NF_CONNTRACK',
  'NF_NAT',
  'NFT_CT',
  'NFT_FIB_INET',
  'NFT_NAT',
] as const;

/** What the running BNG calls, and the Debian package that has it. */
const TOOLS = { ip: 'iproute2', tc: 'iproute2', nft: 'nftables', ethtool: 'ethtool', conntrack: 'conntrack' };

export async function machineFindings(pinPath: string): Promise<readonly Finding[]> {
  return [kernel(), kernelConfig(), jit(), btf(), capabilities(), bpffs(pinPath), ...(await tools())];
}

function kernel(): Finding {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  const isNewEnough = major > OLDEST_KERNEL[0] || (major === OLDEST_KERNEL[0] && minor >= OLDEST_KERNEL[1]);
  return isNewEnough
    ? ok(['kernel'], release())
    : failed(['kernel'], `${release()}, expected ${OLDEST_KERNEL.join('.')} or newer`, NEWER_KERNEL);
}

function kernelConfig(): Finding {
  const text = kernelConfigText();
  if (text === null)
    return warning(
      ['kernel-config'],
      'neither /proc/config.gz nor /boot/config of this kernel can be read: its options are not known',
      'modprobe configs',
    );
  const missing = missingOptions(text);
  if (missing.length === 0) return ok(['kernel-config'], `has ${NEEDED_OPTIONS.length} needed options`);
  return failed(['kernel-config'], `lacks ${missing.join(', ')}`, NEWER_KERNEL);
}

/** Options that a kernel's configuration does not set to y or m. */
export function missingOptions(text: string): readonly string[] {
  const set = new Set(Array.from(text.matchAll(/^CONFIG_([A-Z0-9_]+)=[ym]$/gm), ([, name]) => name));
  return NEEDED_OPTIONS.filter((name) => !set.has(name)).map((name) => `CONFIG_${name}`);
}

function kernelConfigText(): string | null {
  for (const path of ['/proc/config.gz', `/boot/config-${release()}`]) {
    try {
      const bytes = readFileSync(path);
      return path.endsWith('.gz') ? gunzipSync(bytes).toString('latin1') : bytes.toString('latin1');
    } catch {
      // The other place, then.
    }
  }
  return null;
}

function jit(): Finding {
  const path = '/proc/sys/net/core/bpf_jit_enable';
  // Where the compiler is always on there may be no switch, and only root reads it.
  const state = readable(path);
  if (state === '0')
    return failed(
      ['jit'],
      'BPF programs are interpreted: many times slower',
      'sysctl -w net.core.bpf_jit_enable=1',
    );
  return ok(['jit'], state === null ? 'always on, or not to be read by this user' : 'on');
}

function readable(path: string): string | null {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return null;
  }
}

function btf(): Finding {
  return existsSync('/sys/kernel/btf/vmlinux')
    ? ok(['btf'], '/sys/kernel/btf/vmlinux')
    : failed(['btf'], 'the kernel has no BTF (CONFIG_DEBUG_INFO_BTF)', NEWER_KERNEL);
}

function capabilities(): Finding {
  const lacking = lackingCapabilities(readFileSync('/proc/self/status', 'latin1'));
  return lacking.length === 0
    ? ok(['capabilities'], 'all that are needed')
    : failed(
        ['capabilities'],
        `this process lacks ${lacking.join(', ')}`,
        'sudo bng doctor, or: systemctl start bng',
      );
}

function bpffs(pinPath: string): Finding {
  let folder = pinPath;
  while (!existsSync(folder)) folder = dirname(folder);
  if (statfsSync(folder).type === BPFFS_MAGIC) return ok(['bpffs'], pinPath);
  const mountPoint = pinPath.startsWith('/sys/fs/bpf/') ? '/sys/fs/bpf' : pinPath;
  return failed(
    ['bpffs'],
    `${pinPath} is not in a BPF file system: nothing could outlive the process`,
    `mount -t bpf bpf ${mountPoint}`,
  );
}

async function tools(): Promise<readonly Finding[]> {
  const found = await Promise.all(
    Object.entries(TOOLS).map(async ([name, debian]) =>
      (await outputOf(['sh', '-c', `command -v ${name}`])) === null ? { name, debian } : null,
    ),
  );
  const missing = found.filter((one) => one !== null);
  if (missing.length === 0) return [ok(['tools'], Object.keys(TOOLS).join(', '))];
  const packages = [...new Set(missing.map(({ debian }) => debian))];
  return [
    failed(
      ['tools'],
      `not installed: ${missing.map(({ name }) => name).join(', ')}`,
      `apt install ${packages.join(' ')}`,
    ),
  ];
}
