/**
 * The network namespace that the packet tests run in: FIB lookups and redirects need real interfaces, routes and
 * neighbours. A test file calls `enterNamespace` first and thereby runs again inside; what it made is removed after.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const ACCESS_MAC = '02:00:00:00:aa:01';
export const SECOND_MAC = '02:00:00:00:aa:02';
export const CORE_MAC = '02:00:00:00:cc:02';
export const NEXT_HOP_MAC = '02:00:00:00:cc:01';

const MARK = 'BNG_BPF_TEST_NAMESPACE';

/** `ip -batch` lines. 198.18.N.0/24 are destinations whose routes each end in another way. */
const LINKS = `
link set lo up
link add access0 type veth peer name access1
link add access2 type veth peer name access3
link add core0 type veth peer name core1
link add other0 type veth peer name other1
link set access0 address ${ACCESS_MAC} arp off
link set access2 address ${SECOND_MAC} arp off
link set core0 address ${CORE_MAC}
link set access0 up
link set access1 up
link set access2 up
link set access3 up
link set core0 up
link set core1 up
link set other0 up
link set other1 up
address add 10.0.0.1/32 dev lo
address add 10.255.0.1/32 dev lo
address add 192.0.2.2/24 dev core0
address add 192.0.3.2/24 dev other0
neighbour add 192.0.2.1 lladdr ${NEXT_HOP_MAC} dev core0 nud permanent
neighbour add 192.0.3.1 lladdr ${NEXT_HOP_MAC} dev other0 nud permanent
route add default via 192.0.2.1
route add 10.0.0.0/12 dev access0
route add 10.255.0.0/16 dev access0
route add 198.18.1.0/24 via 192.0.2.9
route add 198.18.2.0/24 via 192.0.2.1 mtu lock 1000
route add blackhole 198.18.3.0/24
route add unreachable 198.18.4.0/24
route add prohibit 198.18.5.0/24
route add 198.18.6.0/24 via 192.0.3.1
`;

const SYSCTLS = `
echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6
echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6
echo 1 > /proc/sys/net/ipv4/ip_forward
`;

/** Returns inside the namespace; outside it makes one, runs the calling file in it and exits with its status. */
export function enterNamespace(fileUrl: string): void {
  if (process.env[MARK] !== undefined) return;
  const name = `bpf-${process.pid}`;
  const inside = (command: string, args: readonly string[], input?: string) =>
    execFileSync('nsenter', [`--net=/run/netns/${name}`, command, ...args], {
      stdio: [input === undefined ? 'ignore' : 'pipe', 'ignore', 'inherit'],
      ...(input === undefined ? {} : { input }),
    });
  let status = 1;
  execFileSync('ip', ['netns', 'add', name]);
  try {
    inside('sh', ['-ec', SYSCTLS]);
    inside('ip', ['-batch', '-'], LINKS);
    const args = [`--net=/run/netns/${name}`, process.execPath, ...process.execArgv, fileURLToPath(fileUrl)];
    const child = spawnSync('nsenter', args, { stdio: 'inherit', env: { ...process.env, [MARK]: name } });
    status = child.status ?? 1;
  } finally {
    execFileSync('ip', ['netns', 'del', name]);
  }
  process.exit(status);
}
