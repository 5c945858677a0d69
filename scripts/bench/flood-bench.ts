/**
 * What a flooding line costs the others. Three floods take turns, of as many frames of the same lengths: to the BNG, to a
 * link that leads nowhere, and to the BNG but of no protocol, which it drops at its first look. So the CPU that making
 * them takes, on a machine that everything shares, is on both sides of each ratio; the second ratio leaves out what any
 * receiver pays for frames on a link that is shared, too. Who is first changes with each run, so that what drifts with
 * time is on both sides.
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
import type { FloodSettings } from './flood-settings.js';
import { type LoadResult, type LoadSettings, loadResultSchema } from './load-settings.js';
import { Path } from './tcp-bench.js';

/** Enough to fill the line of an ordinary subscriber with small frames, and a fraction of what this machine can make. */
const FLOOD_PER_SECOND = 20_000;
const DORA_PER_SECOND = 200;
/** Short, and many of them: a collection of garbage, or of the store's log, would else be in most. */
const DORA_SECONDS = 2;
const TCP_SECONDS = 2;
/** Of a BNG whose code has not been compiled yet, and then not measured. */
const WARM_UP = { count: 2000, pace: { outstanding: 16 } } as const;
const TIMEOUT_MS = 60_000;
const NOWHERE = 'sink0';
const TRUNK = 'trunk0';
const NOTE = `${FLOOD_PER_SECOND} frames/s: DHCP of made-up MACs, ARP, spoofed addresses; made and received on a CPU of its own`;

/** Interface and kind of frames of each. */
const FLOODS = {
  'to the BNG': { interface: TRUNK, frames: 'flood' },
  'to nowhere': { interface: NOWHERE, frames: 'flood' },
  'of no protocol': { interface: TRUNK, frames: 'junk' },
} as const satisfies Record<string, Pick<FloodSettings, 'interface' | 'frames'>>;
type Flood = keyof typeof FLOODS;
type Runs = Record<Flood, number[]>;

const sentSchema = z.strictObject({ sent: z.int() });

/** Runs `act` while the flood goes to `target`; fails when most of the flood was never sent. */
async function flooded<T>(
  where: { readonly namespace: string; readonly logFile: string },
  flood: { readonly kind: Flood; readonly milliseconds: number },
  act: () => Promise<T>,
): Promise<T> {
  const { kind, milliseconds } = flood;
  const { promise: begun, resolve: begin } = withResolvers();
  const ended = runPart({
    program: 'flood-main.js',
    settings: { ...FLOODS[kind], perSecond: FLOOD_PER_SECOND, milliseconds } satisfies FloodSettings,
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

function inOrder(run: number): readonly Flood[] {
  const kinds = Object.keys(FLOODS) as Flood[];
  return run % 2 === 0 ? kinds : kinds.reverse();
}

function noRuns(): Runs {
  return { 'to the BNG': [], 'to nowhere': [], 'of no protocol': [] };
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

function compared(name: string, unit: string, runs: Runs): Figure[] {
  const figure = (title: string, values: readonly number[], u = unit): Figure => ({
    bench: 'flood',
    name: title,
    unit: u,
    values,
    note: NOTE,
  });
  const ratio = (other: 'to nowhere' | 'of no protocol'): number[] =>
    runs['to the BNG'].map((value, run) => value / (runs[other][run] ?? Number.NaN));
  return [
    ...inOrder(0).map((kind) => figure(`${name}, flood ${kind}`, runs[kind])),
    figure(`${name}, flood to the BNG by one to nowhere`, ratio('to nowhere'), '×'),
    figure(`${name}, flood to the BNG by one of no protocol`, ratio('of no protocol'), '×'),
  ];
}

async function dora(context: BenchContext): Promise<readonly Figure[]> {
  const world = await BenchWorld.create(context, 'w');
  const namespace = world.namespaces.ont;
  await addNowhere(namespace);
  const bng = await world.startBng({ defaultPool: 'isp-residential', logLevel: 'warn' });
  const state = { next: 0 };
  const load = async ({ count, pace }: Pick<LoadSettings, 'count' | 'pace'>): Promise<LoadResult> => {
    const first = state.next;
    state.next += count;
    const settings = {
      interface: TRUNK,
      exchange: 'lease',
      first,
      count,
      pace,
      bngPid: bng.pid,
    };
    const logFile = world.paths.logFile('load');
    return loadResultSchema.parse(
      await runPart({ program: 'load-main.js', settings, namespace, logFile, timeoutMs: TIMEOUT_MS }),
    );
  };
  await load(WARM_UP);
  const measured = { count: DORA_PER_SECOND * DORA_SECONDS, pace: { perSecond: DORA_PER_SECOND } };
  const p99 = noRuns();
  let lost = 0;
  for (let run = 0; run < (context.quick ? 4 : 12); run++) {
    for (const kind of inOrder(run)) {
      context.progress(`DORA, run ${run + 1}, flood ${kind}`);
      const flood = { kind, milliseconds: (DORA_SECONDS + 1) * 1000 };
      const where = { namespace, logFile: world.paths.logFile('flood') };
      const result = await flooded(where, flood, () => load(measured));
      p99[kind].push(result.lease?.p99Us ?? Number.NaN);
      if (kind === 'to the BNG') lost += result.lost;
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
    const rates = noRuns();
    for (let run = 0; run < (context.quick ? 4 : 6); run++) {
      for (const kind of inOrder(run)) {
        context.progress(`TCP ${direction}, run ${run + 1}, flood ${kind}`);
        const flood = { kind, milliseconds: (TCP_SECONDS + 1) * 1000 };
        const rate = await flooded(path.trunk, flood, () => path.measure(direction, TCP_SECONDS));
        rates[kind].push(rate / 1e9);
      }
    }
    figures.push(...compared(`TCP of another line, ${direction}`, 'Gbit/s', rates));
  }
  return figures;
}
