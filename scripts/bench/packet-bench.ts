/** Nanoseconds a packet of the XDP programs: compiles the wrapped programs and times them in a namespace of their own. */
import { join } from 'node:path';
import { z } from 'zod';
import { projectRoot } from '../../src/bin/bng/project-root.js';
import { shell } from '../../src/lab/exec.js';
import type { BenchContext } from './bench-context.js';
import { runPart } from './bench-context.js';
import { BenchWorld } from './bench-world.js';
import { compileBpf } from './compile-bpf.js';
import type { Figure } from './figure.js';
import { DRAWS, HELPER_NAMES, NO_ROUTE_PREFIX } from './packet-cases.js';

const SOURCE = 'scripts/bench/packet.bpf.c';
const TIMEOUT_MS = 120_000;

const resultSchema = z.record(z.string(), z.array(z.number()));

export async function benchPackets(context: BenchContext): Promise<readonly Figure[]> {
  context.progress('compiling the wrapped programs');
  const objectPath = join(projectRoot(), 'build/bench/packet.bpf.o');
  await compileBpf(SOURCE, objectPath);
  const world = await BenchWorld.create(context, 'p');
  const { accessInterface, coreInterface } = world;
  await shell(
    `echo 1 >/proc/sys/net/ipv4/ip_forward
    ip neigh replace 198.51.100.1 lladdr 02:00:00:00:cc:01 dev ${coreInterface} nud permanent
    ip route add blackhole ${NO_ROUTE_PREFIX}
    ip route add 10.0.0.0/12 dev ${accessInterface}`,
    { namespace: world.namespaces.bng },
  );
  const times = resultSchema.parse(
    await runPart({
      program: 'packet-main.js',
      settings: {
        objectPath,
        accessInterface,
        coreInterface,
        runs: context.quick ? 3 : 7,
        rounds: context.quick ? 100_000 : 300_000,
      },
      namespace: world.namespaces.bng,
      logFile: world.paths.logFile('packets'),
      timeoutMs: TIMEOUT_MS,
      progress: context.progress,
    }),
  );
  await world.close();
  return Object.entries({ ...times, ...floors(times) }).map(([name, values]) => ({
    bench: 'packets',
    name,
    unit: 'ns',
    values,
    ...(/^a program|the wrapper/.test(name) ? { note: "the harness's own cost included" } : {}),
  }));
}

/**
 * What no program can be quicker than, by subscribers: upstream route, source guard, header and redirect; of a DHCP answer
 * the lease, the message read and found whole, the pool's reply in a frame of its length, and the record of it. Nothing else.
 */
function floors(times: Readonly<Record<string, readonly number[]>>): Record<string, number[]> {
  const { fib, rewrite, lookup, lease, datagram, reply, record } = HELPER_NAMES;
  const sum = (names: readonly string[]): number[] => {
    const [first = [], ...others] = names.map((name) => times[name] ?? []);
    return first.map((ns, run) => others.reduce((total, values) => total + (values[run] ?? Number.NaN), ns));
  };
  return Object.fromEntries(
    DRAWS.flatMap((draw) => [
      [`upstream, ${draw}: floor`, sum([fib, `${lookup}, ${draw}`, rewrite])],
      [`DHCP answered, ${draw}: floor`, sum([`${lease}, ${draw}`, datagram, reply, record])],
    ]),
  );
}
