/**
 * A host behind the lab's core, a set delay away: for TCP at round trips as they are outside. The delay is made by
 * delay-line.c, compiled here. Asserts nothing.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { execOrThrow, shell } from '../../src/lab/exec.js';
import type { Lab } from '../../src/lab/lab.js';

const SOURCE = fileURLToPath(new URL('../../../test/support/delay-line.c', import.meta.url));
const PLAIN = 'tx off rx off gro off gso off tso off';

export const FAR_ADDRESS = '192.0.2.130';
const FAR_ROUTER = '192.0.2.129';

export class FarHost {
  readonly namespace: string;
  readonly #core: string;
  readonly #program: string;
  #stop: () => Promise<void> = () => Promise.resolve();

  private constructor(namespace: string, core: string, program: string) {
    this.namespace = namespace;
    this.#core = core;
    this.#program = program;
  }

  /** Builds the host; it is out of reach until `delay` was set. */
  static async open(lab: Lab): Promise<FarHost> {
    const folder = mkdtempSync(join(tmpdir(), 'bng-far-'));
    const { core } = lab.namespaces;
    const namespace = lab.paths.namespace('far');
    const host = new FarHost(namespace, core, join(folder, 'delay-line'));
    lab.onClose(async () => {
      await host.#stop();
      await shell(`ip netns del ${namespace} 2>/dev/null || true`);
      rmSync(folder, { recursive: true, force: true });
    });
    await execOrThrow(['cc', '-O2', '-Wall', '-Wextra', '-Werror', '-o', host.#program, SOURCE], {
      timeoutMs: 30_000,
    });
    await shell(`ip netns add ${namespace}; ip -n ${namespace} link set lo up`);
    // The line's own ends are deaf (no ARP, no address): what passes them goes through the delay line or nowhere.
    await shell(
      `ip link add far0 type veth peer name line0
      ip link add line1 type veth peer name eth0 netns ${namespace}
      for name in far0 line0 line1; do
        sysctl -qw net.ipv6.conf.$name.disable_ipv6=1
        ethtool -K $name ${PLAIN} >/dev/null
      done
      ip link set line0 arp off up
      ip link set line1 arp off up
      ip link set far0 up
      ip address add ${FAR_ROUTER}/30 dev far0
      echo 1 >/proc/sys/net/ipv4/ip_forward`,
      { namespace: core },
    );
    await shell(
      `sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1; ethtool -K eth0 ${PLAIN} >/dev/null
      ip link set eth0 up; ip address add ${FAR_ADDRESS}/30 dev eth0; ip route add default via ${FAR_ROUTER}`,
      { namespace },
    );
    return host;
  }

  /** Sets the round trip between the core and the host. A UDP flood would let a real-time line starve the kernel. */
  async delay(roundTripMs: number, priority: 'real-time' | 'nice' = 'real-time'): Promise<void> {
    await this.#stop();
    const oneWayUs = String((roundTripMs * 1000) / 2);
    const child = spawn(
      'nsenter',
      [
        `--net=/run/netns/${this.#core}`,
        'setpriv',
        '--pdeathsig',
        'KILL',
        // The line must not wait for a processor that other tests keep busy, or its delay is anything.
        ...(priority === 'real-time' ? ['chrt', '--fifo', '5'] : ['nice', '-n', '-20']),
        this.#program,
        'line0',
        'line1',
        oneWayUs,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    this.#stop = async () => {
      child.kill('SIGKILL');
      await ended;
    };
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the delay line ended with ${code}`)));
      createInterface({ input: child.stdout }).once('line', () => resolve());
    });
  }
}
