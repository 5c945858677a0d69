/**
 * Packets a second that one core carries from the access port to the core port, by our XDP and by the kernel's own
 * forwarding, in turn in one pair of namespaces; each run gives one ratio.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { projectRoot } from '../../src/bin/bng/project-root.js';
import { shell } from '../../src/lab/exec.js';
import type { BenchContext } from './bench-context.js';
import { runPart } from './bench-context.js';
import { BenchWorld } from './bench-world.js';
import { compileBpf } from './compile-bpf.js';
import type { Figure } from './figure.js';
import { ACCESS_MAC } from './packet-cases.js';

const TIMEOUT_MS = 180_000;
const OURS = 'XDP';
const NOTE = '64-byte frames; ours come with two tags, those of the others with none; 100,000 subscribers';

const resultSchema = z.record(z.string(), z.array(z.number()));

export async function benchForwarding(context: BenchContext): Promise<readonly Figure[]> {
  const built = (name: string): string => join(projectRoot(), 'build/bench', `${name}.bpf.o`);
  for (const name of ['packet', 'drop']) await compileBpf(`scripts/bench/${name}.bpf.c`, built(name));
  const world = await BenchWorld.create(context, 'f');
  const { accessInterface, coreInterface } = world;
  await shell(
    `echo 1 >/proc/sys/net/ipv4/ip_forward
    ip link set ${accessInterface} address ${ACCESS_MAC}
    ip neigh replace 198.51.100.1 lladdr 02:00:00:00:cc:01 dev ${coreInterface} nud permanent
    ip route add 10.0.0.0/12 dev ${accessInterface}`,
    { namespace: world.namespaces.bng },
  );
  const rates = resultSchema.parse(
    await runPart({
      program: 'forward-main.js',
      settings: {
        objectPath: built('packet'),
        dropPath: built('drop'),
        accessInterface,
        coreInterface,
        peerNamespace: world.namespaces.ont,
        peerInterface: 'eth0',
        runs: context.quick ? 2 : 7,
        frames: context.quick ? 400_000 : 1_000_000,
      },
      namespace: world.namespaces.bng,
      logFile: world.paths.logFile('forwarding'),
      timeoutMs: TIMEOUT_MS,
      progress: context.progress,
    }),
  );
  await world.close();
  const figures = Object.entries(rates).map(([way, values]) => ({
    bench: 'forwarding',
    name: `access to core: ${way}`,
    unit: 'Mpps a core',
    values,
    note: NOTE,
  }));
  return [...figures, ...ratios(rates)];
}

/** Of one run each, and of the same draw of subscribers. */
function ratios(rates: Readonly<Record<string, readonly number[]>>): readonly Figure[] {
  return Object.entries(rates)
    .filter(([way]) => way.startsWith('kernel'))
    .map(([way, values]) => {
      const [kind = '', draw = ''] = way.split(/, (.*)/);
      const ours = rates[`${OURS}, ${draw}`] ?? [];
      return {
        bench: 'forwarding',
        name: `${OURS} by ${kind}, ${draw}`,
        unit: '×',
        values: ours.map((rate, run) => rate / (values[run] ?? Number.NaN)),
      };
    });
}
