/**
 * DHCP through userspace: the real `bng run` with local authentication, asked over a veth by a load generator that is
 * all ONTs at once. An exchange to the ACK includes the installation in the dataplane (for the garden also in
 * nftables); every exchange is of a subscriber never seen before.
 */
import type { BenchContext } from './bench-context.js';
import type { WorldBngOptions } from './bench-world.js';
import { BenchWorld } from './bench-world.js';
import type { Figure } from './figure.js';
import { median } from './figure.js';
import type { LoadResult, LoadSettings } from './load-settings.js';
import { Loaded } from './loaded-bng.js';

const RATE_PER_SECOND = 1000;
const SESSIONS_FOR_MEMORY = 10_000;
const OUTSTANDING = [8, 32, 128];

interface Case {
  readonly title: string;
  readonly defaultPool: string;
  readonly exchange: LoadSettings['exchange'];
  readonly logLevel: WorldBngOptions['logLevel'];
  readonly note: string;
}

const RATE_CASES: readonly Case[] = [
  {
    title: 'DISCOVER→OFFER',
    defaultPool: 'wgar',
    exchange: 'offer',
    logLevel: 'info',
    note: '',
  },
  {
    title: 'DISCOVER→OFFER, log level warn',
    defaultPool: 'wgar',
    exchange: 'offer',
    logLevel: 'warn',
    note: '',
  },
  {
    title: 'DORA into the garden',
    defaultPool: 'wgar',
    exchange: 'lease',
    logLevel: 'info',
    note: 'nftables membership included',
  },
  {
    title: 'DORA into the ISP pool',
    defaultPool: 'isp-residential',
    exchange: 'lease',
    logLevel: 'info',
    note: 'BPF maps only',
  },
];

export async function benchDhcp(context: BenchContext): Promise<readonly Figure[]> {
  const world = await BenchWorld.create(context, 'd');
  const figures = [...(await latencies(context, world)), ...(await memory(context, world))];
  for (const one of RATE_CASES) figures.push(...(await rates(context, world, one)));
  await world.close();
  return figures;
}

async function latencies(context: BenchContext, world: BenchWorld): Promise<Figure[]> {
  const bng = await world.startBng({ defaultPool: 'wgar', logLevel: 'info' });
  const loaded = new Loaded(world, bng);
  const count = context.quick ? 1000 : 2000;
  // The first thousand meet code that is not compiled yet.
  await loaded.run({ exchange: 'lease', count: 2000, pace: { perSecond: RATE_PER_SECOND } });
  const offers: LoadResult[] = [];
  const leases: LoadResult[] = [];
  for (let run = 0; run < (context.quick ? 2 : 5); run++) {
    context.progress(`latency at ${RATE_PER_SECOND}/s, run ${run + 1}`);
    offers.push(await loaded.run({ exchange: 'offer', count, pace: { perSecond: RATE_PER_SECOND } }));
    leases.push(await loaded.run({ exchange: 'lease', count, pace: { perSecond: RATE_PER_SECOND } }));
  }
  await bng.stop();
  const us = (name: string, values: readonly number[]): Figure => ({ ...at(name, 'µs'), values });
  const at = (name: string, unit: string) => ({ bench: 'dhcp', name, unit, note: `${RATE_PER_SECOND}/s` });
  const lost = [...offers, ...leases].reduce((sum, result) => sum + result.lost, 0);
  return [
    us(
      'DISCOVER→OFFER p50',
      offers.map((r) => r.offer.p50Us),
    ),
    us(
      'DISCOVER→OFFER p99',
      offers.map((r) => r.offer.p99Us),
    ),
    us(
      'DORA into the garden p50',
      leases.map((r) => r.lease?.p50Us ?? 0),
    ),
    us(
      'DORA into the garden p99',
      leases.map((r) => r.lease?.p99Us ?? 0),
    ),
    { ...at('exchanges without an answer within 1 s, all latency runs', ''), values: [lost] },
  ];
}

async function memory(context: BenchContext, world: BenchWorld): Promise<Figure[]> {
  const before: number[] = [];
  const after: number[] = [];
  for (let run = 0; run < (context.quick ? 1 : 3); run++) {
    context.progress(`memory with ${SESSIONS_FOR_MEMORY} sessions, run ${run + 1}`);
    const bng = await world.startBng({ defaultPool: 'wgar', logLevel: 'info' });
    before.push(bng.residentBytes() / 2 ** 20);
    const load = { exchange: 'lease', count: SESSIONS_FOR_MEMORY, pace: { outstanding: 64 } } as const;
    const result = await new Loaded(world, bng).run(load);
    after.push(bng.residentBytes() / 2 ** 20);
    const bound = (await bng.metrics('bng_sessions_total')).get('bng_sessions_total{state="wgar"}') ?? 0;
    context.progress(`${bound} sessions in the garden, ${result.lost} lost`);
    await bng.stop();
  }
  return [
    { bench: 'dhcp', name: 'BNG resident memory, no session', unit: 'MiB', values: before },
    {
      bench: 'dhcp',
      name: `BNG resident memory, ${SESSIONS_FOR_MEMORY} sessions`,
      unit: 'MiB',
      values: after,
    },
  ];
}

async function rates(context: BenchContext, world: BenchWorld, one: Case): Promise<Figure[]> {
  const bng = await world.startBng(one);
  const loaded = new Loaded(world, bng);
  const count = context.quick ? 1500 : 3000;
  await loaded.run({ exchange: one.exchange, count: 2000, pace: { outstanding: 32 } });
  const perSecond = (result: LoadResult): number => (result.finished / result.elapsedMs) * 1000;
  let best = { outstanding: 0, rate: 0 };
  const sweep: string[] = [];
  for (const outstanding of OUTSTANDING) {
    const rate = perSecond(await loaded.run({ exchange: one.exchange, count, pace: { outstanding } }));
    sweep.push(`${outstanding}: ${Math.round(rate)}`);
    if (rate > best.rate) best = { outstanding, rate };
  }
  context.progress(`${one.title}, by number under way: ${sweep.join(', ')}`);
  const { outstanding } = best;
  const results: LoadResult[] = [];
  for (let run = 0; run < (context.quick ? 2 : 5); run++) {
    results.push(await loaded.run({ exchange: one.exchange, count, pace: { outstanding } }));
  }
  const drops = [...(await bng.metrics('bng_drops_total'))].filter(([, value]) => value > 0);
  if (drops.length > 0) context.progress(`drops: ${drops.map((drop) => drop.join(' ')).join(', ')}`);
  await bng.stop();
  const lost = results.reduce((sum, result) => sum + result.lost, 0);
  const share = (pick: (result: LoadResult) => number): string => median(results.map(pick)).toFixed(2);
  const note = [
    `${outstanding} under way`,
    `CPU of BNG ${share((r) => r.bngCpuMs / r.wholeMs)}, of generator ${share((r) => r.generatorCpuMs / r.wholeMs)}`,
    `${lost} without an answer within 1 s`,
    one.note,
  ];
  return [
    {
      bench: 'dhcp',
      name: `${one.title}, most`,
      unit: '1/s',
      values: results.map(perSecond),
      note: note.filter((text) => text !== '').join('; '),
    },
    {
      bench: 'dhcp',
      name: `${one.title}, CPU time of the BNG each`,
      unit: 'µs',
      values: results.map((r) => (r.bngCpuMs / r.finished) * 1000),
    },
  ];
}
