/**
 * Network namespaces for the lab tests of the dataplane: made new, entered, removed. Holds no assertions and nothing of
 * the dataplane itself.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { patience } from '../../src/lab/patience.js';
import { loadNative } from '../../src/dataplane/load-native.js';
import type { NativeObject } from '../../src/dataplane/native-binding.js';

const INSIDE = 'BNG_TEST_NAMESPACE';

/** The folder of the built BPF objects. */
export const OBJECT_PATH = fileURLToPath(new URL('../../../build/bpf/bng.bpf.o', import.meta.url));

export function run(command: string): string {
  return execFileSync('sh', ['-ec', command], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Runs a shell command inside another namespace. */
export function runIn(namespace: string, command: string): string {
  return execFileSync('nsenter', [`--net=/run/netns/${namespace}`, 'sh', '-ec', command], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/**
 * Runs the calling test file inside the first of `namespaces`, all made new. Sockets and programs belong to the
 * namespace of their thread, which Node cannot change, so the file starts itself again in there; its results reach the
 * runner as if they came from here. Returns only inside.
 */
export function enterNamespaces(file: string, namespaces: readonly [string, ...string[]]): void {
  if (process.env[INSIDE] === namespaces[0]) return;
  const remove = (): void => {
    for (const name of namespaces) spawnSync('ip', ['netns', 'del', name], { stdio: 'ignore' });
  };
  remove();
  let status = 1;
  try {
    for (const name of namespaces) run(`ip netns add ${name}; ip -n ${name} link set lo up`);
    const inner = spawnSync(
      'nsenter',
      // With this process's own options: the reporter among them, so that its tests are told of one by one.
      [`--net=/run/netns/${namespaces[0]}`, process.execPath, ...process.execArgv, fileURLToPath(file)],
      { stdio: 'inherit', env: { ...process.env, [INSIDE]: namespaces[0] } },
    );
    status = inner.status ?? 1;
  } finally {
    remove();
  }
  process.exit(status);
}

/**
 * A veth pair as XDP wants it (kernel-notes): checksums in software, tags in the frame, room for two tags. The far end
 * may be moved to another namespace afterwards.
 */
export function makeVeth(near: string, far: string): void {
  run(`ip link add ${near} type veth peer name ${far}`);
  for (const name of [near, far]) {
    run(`sysctl -qw net.ipv6.conf.${name}.disable_ipv6=1; ip link set ${name} mtu 1508`);
  }
  run(`ethtool -K ${far} tx off txvlan off tx-vlan-stag-hw-insert off`);
}

/**
 * Passes everything on (bpf/pass.bpf.c): a veth peer needs native XDP for frames that are redirected or answered to reach it.
 * Takes jumbo frames, or the links' MTU could not be raised.
 */
export const pass = {
  path: fileURLToPath(new URL('../../../build/bpf/pass.bpf.o', import.meta.url)),

  /** Attaches to interfaces of this namespace until the object is closed. */
  attach: (names: readonly string[]): NativeObject => {
    const binding = loadNative();
    const object = binding.openObject(pass.path);
    object.load();
    for (const name of names) object.program('pass').attachXdp(binding.interfaceIndex(name), 'native');
    return object;
  },

  /** Attaches to an interface of another namespace, for as long as it exists. */
  attachIn: (namespace: string, name: string): void => {
    runIn(namespace, `ip link set dev ${name} xdpdrv obj ${pass.path} sec xdp.frags`);
  },
} as const;

/** Waits until `holds` is true; throws with `what` after `deadlineMs`. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  deadlineMs = 5000,
): Promise<void> {
  const end = performance.now() + deadlineMs * patience;
  while (!(await holds())) {
    if (performance.now() > end)
      throw new Error(`did not happen within ${deadlineMs * patience} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
