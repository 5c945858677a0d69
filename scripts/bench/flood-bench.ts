/**
 * What a flooding line costs the others. The same flood goes in turn to the BNG and to a link that leads nowhere, so that
 * the CPU that making it takes, on a machine that everything shares, is on both sides of each ratio.
 *
 * The flood is made on the last CPU, and a veth's far end works on the CPU that sends: so it is also received there, as a
 * card's queue would be by its own CPU. The BNG, the other line and the core have the other CPUs. What is left is what the
 * BNG lets through and what both share: ring, maps, caches.
 */
import { cpus } from 'node:os';
import { z } from 'zod';
import { execOrThrow, shell } from '../../src/lab/exec.js';
import { BngError } from '../../src/model/bng-error.js';
import type { BenchContext } from './bench-context.js';
import { runPart } from './bench-context.js';
import { BenchWorld } from './bench-world.js';
import type { Figure } from './figure.js';
import { type LoadResult, loadResultSchema } from './load-settings.js';
import { Path } from './tcp-bench.js';

/** Enough to fill the line of an ordinary subscriber with small frames, and a fraction of what this machine can make. */
const FLOOD_PER_SECOND = 20_000;
const DORA_PER_SECOND = 200;
const TCP_SECONDS = 2;
const TIMEOUT_MS = 60_000;
const NOWHERE = 'sink0';
const TRUNK = 'trunk0';
const NOTE = `${FLOOD_PER_SECOND} frames/s: DHCP of made-up MACs, ARP, spoofed addresses; made and received on a CPU of its own`;

type Target = typeof TRUNK | typeof NOWHERE;

const sentSchema = z.strictObject({ sent: z.int() });

/** Runs `act` while the flood goes to `target`; fails when most of the flood was never sent. */
async function flooded<T>(
  where: { readonly namespace: string; readonly logFile: string },
  flood: { readonly target: Target; readonly milliseconds: number },
  act: () => Promise<T>,
): Promise<T> {
  const { target, milliseconds } = flood;
  const { promise: begun, resolve: begin } = withResolvers();
  const ended = runPart({
    program: 'flood-main.js',
    settings: { interface: target, perSecond: FLOOD_PER_SECOND, milliseconds },
    ...where,
    cpu: cpus().length - 1,
    timeoutMs: TIMEOUT_MS,
    progress: begin,
  });
  await Promise.race([begun, ended]);
  const result = await act();
  const { sent } = sentSchema.parse(await ended);
  const wanted = (FLOOD_PER_SECOND * milliseconds) / 1000;
  if (sent < wanted / 2) throw new BngError('BNG_ERR_LAB', 'expected a flood', { sent, wanted });
  return result;
}

function withResolvers(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

/** The link that leads nowhere: the stack at its far end drops what comes, and that is all. */
async function addNowhere(namespace: string): Promise<void> {
  await shell(
    `ip link add ${NOWHERE} mtu 1508 type veth peer name sink1 mtu 1508
    ethtool -K ${NOWHERE} txvlan off tx-vlan-stag-hw-insert off tx off >/dev/null
    ip link set ${NOWHERE} up
    ip link set sink1 up`,
    { namespace },
  );
}

/** Of this process, which every process that it starts inherits. */
async function runOn(list: string): Promise<void> {
  await execOrThrow(['taskset', '-acp', list, `${process.pid}`]);
}

export async function benchFlood(context: BenchContext): Promise<readonly Figure[]> {
  const all = cpus().length;
  if (all < 2)
    throw new BngError('BNG_ERR_LAB', 'expected a CPU for the flood and one for the others', { all });
  const everywhere = async (): Promise<void> => runOn(`0-${all - 1}`);
  context.onClose(everywhere);
  await runOn(`0-${all - 2}`);
  const figures = [...(await dora(context)), ...(await tcp(context))];
  await everywhere();
  return figures;
}

function compared(name: string, unit: string, runs: Readonly<Record<Target, readonly number[]>>): Figure[] {
  const figure = (title: string, values: readonly number[], u = unit): Figure => ({
    bench: 'flood',
    name: title,
    unit: u,
    values,
    note: NOTE,
  });
  return [
    figure(`${name}, flood to the BNG`, runs[TRUNK]),
    figure(`${name}, flood to nowhere`, runs[NOWHERE]),
    figure(
      `${name}, BNG by nowhere`,
      runs[TRUNK].map((value, run) => value / (runs[NOWHERE][run] ?? Number.NaN)),
      '×',
    ),
  ];
}

async function dora(context: BenchContext): Promise<readonly Figure[]> {
  const world = await BenchWorld.create(context, 'w');
  const namespace = world.namespaces.ont;
  await addNowhere(namespace);
  const bng = await world.startBng({ defaultPool: 'isp-residential', logLevel: 'warn' });
  const seconds = context.quick ? 2 : 5;
  const state = { next: 0 };
  const load = async (count: number): Promise<LoadResult> => {
    const first = state.next;
    state.next += count;
    const settings = {
      interface: TRUNK,
      exchange: 'lease',
      first,
      count,
      pace: { perSecond: DORA_PER_SECOND },
      bngPid: bng.pid,
    };
    const logFile = world.paths.logFile('load');
    return loadResultSchema.parse(
      await runPart({ program: 'load-main.js', settings, namespace, logFile, timeoutMs: TIMEOUT_MS }),
    );
  };
  await load(DORA_PER_SECOND * 2);
  const p99: Record<Target, number[]> = { [TRUNK]: [], [NOWHERE]: [] };
  let lost = 0;
  for (let run = 0; run < (context.quick ? 2 : 7); run++) {
    for (const target of [TRUNK, NOWHERE] as const) {
      context.progress(`DORA, run ${run + 1}, flood to ${target}`);
      const flood = { target, milliseconds: (seconds + 1) * 1000 };
      const where = { namespace, logFile: world.paths.logFile('flood') };
      const result = await flooded(where, flood, () => load(DORA_PER_SECOND * seconds));
      p99[target].push(result.lease?.p99Us ?? Number.NaN);
      if (target === TRUNK) lost += result.lost;
    }
  }
  await bng.stop();
  await world.close();
  return [
    ...compared('DORA p99 of other lines', 'µs', p99),
    {
      bench: 'flood',
      name: 'DORA without an answer within 1 s, flood to the BNG',
      unit: '',
      values: [lost],
      note: NOTE,
    },
  ];
}

async function tcp(context: BenchContext): Promise<readonly Figure[]> {
  const path = await Path.open(context, 'XDP');
  const { namespace } = path.trunk;
  await addNowhere(namespace);
  const figures: Figure[] = [];
  for (const direction of ['upstream', 'downstream'] as const) {
    const rates: Record<Target, number[]> = { [TRUNK]: [], [NOWHERE]: [] };
    for (let run = 0; run < (context.quick ? 2 : 5); run++) {
      for (const target of [TRUNK, NOWHERE] as const) {
        context.progress(`TCP ${direction}, run ${run + 1}, flood to ${target}`);
        const flood = { target, milliseconds: (TCP_SECONDS + 1) * 1000 };
        const rate = await flooded(path.trunk, flood, () => path.measure(direction, TCP_SECONDS));
        rates[target].push(rate / 1e9);
      }
    }
    figures.push(...compared(`TCP of another line, ${direction}`, 'Gbit/s', rates));
  }
  return figures;
}
