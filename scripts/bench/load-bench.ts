/**
 * Set-ups a second and how long they take: a full DORA of an ONT never seen before, dataplane installed and session on the disk
 * before the ACK, with local records and with FreeRADIUS; activations; and Kea on the same machine.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { hasFreeRadius, RadiusServer } from '../../src/lab/radius-server.js';
import { activateAll } from './activations.js';
import { benchAnnounced } from './announced-bench.js';
import type { BenchContext } from './bench-context.js';
import type { WorldBngOptions } from './bench-world.js';
import { BenchWorld } from './bench-world.js';
import type { Figure } from './figure.js';
import { median } from './figure.js';
import { benchKea } from './kea-bench.js';
import type { LoadResult } from './load-settings.js';
import { Loaded } from './loaded-bng.js';

const WARM_UP = 4_000;
const OUTSTANDING = [128, 512];
const MISSION_PER_SECOND = 1_000;
const LATENCY_SECONDS = 3;
const ACTIVATIONS = 1_000;
const SECRET = 'only-for-this-bench';
const ISP = { defaultPool: 'isp-residential', logLevel: 'info' } as const;
const NOTE = 'two tags, option 82; DISCOVER to ACK, dataplane installed, store on the disk';

export async function benchLoad(context: BenchContext): Promise<readonly Figure[]> {
  const world = await BenchWorld.create(context, 'o');
  // The world's own folder is under /run: in memory on most machines, where a store waits for nothing.
  const folder = resolve('build', `bench-load-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  context.onClose(() => Promise.resolve(rmSync(folder, { recursive: true, force: true })));
  const figures = [
    ...(await benchAnnounced(context, world, join(folder, 'announced'))),
    ...(await setups(context, world, { title: 'local records', ...ISP, storePath: join(folder, 'local') })),
    ...(await withFreeRadius(context, world, folder)),
    ...(await activations(context, world, join(folder, 'activations'))),
    ...(await benchKea(context, world, folder)),
  ];
  await world.close();
  return figures;
}

async function setups(
  context: BenchContext,
  world: BenchWorld,
  { title, ...options }: WorldBngOptions & { readonly title: string },
): Promise<readonly Figure[]> {
  const bng = await world.startBng(options);
  const loaded = new Loaded(world, bng);
  const lease = (count: number, pace: { outstanding: number } | { perSecond: number }): Promise<LoadResult> =>
    loaded.run({ exchange: 'lease', count, pace });
  await lease(WARM_UP, { outstanding: 64 });
  const count = context.quick ? 8_000 : 15_000;
  const runs: { readonly outstanding: number; readonly results: LoadResult[] }[] = [];
  for (const outstanding of OUTSTANDING) {
    context.progress(`${title}: ${outstanding} under way`);
    const results: LoadResult[] = [];
    for (let run = 0; run < (context.quick ? 2 : 4); run++) results.push(await lease(count, { outstanding }));
    runs.push({ outstanding, results });
  }
  const rateOf = (results: readonly LoadResult[]): number => median(results.map(perSecond));
  const best = runs.reduce((a, b) => (rateOf(b.results) > rateOf(a.results) ? b : a));
  const half = Math.round(rateOf(best.results) / 2);
  const at: [string, LoadResult][] = [];
  for (const [name, rate] of [
    [`${MISSION_PER_SECOND}/s`, MISSION_PER_SECOND],
    ['half the most', half],
  ] as const) {
    context.progress(`${title}: ${name}`);
    at.push([name, await lease(rate * LATENCY_SECONDS, { perSecond: rate })]);
  }
  await bng.stop();
  const lost = [...best.results, ...at.map(([, result]) => result)].reduce((sum, r) => sum + r.lost, 0);
  const share = (pick: (result: LoadResult) => number): string => median(best.results.map(pick)).toFixed(2);
  const figure = (name: string, unit: string, values: readonly number[], note = ''): Figure => ({
    bench: 'load',
    name: `${title}: ${name}`,
    unit,
    values,
    ...(note === '' ? {} : { note }),
  });
  return [
    figure(
      'set-ups, most',
      '1/s',
      best.results.map(perSecond),
      `${NOTE}; ${best.outstanding} under way; CPU of BNG ${share((r) => r.bngCpuMs / r.wholeMs)}, of generator ${share((r) => r.generatorCpuMs / r.wholeMs)}; ${lost} of all without an answer within 1 s`,
    ),
    figure(
      'set-ups, CPU time of the BNG each',
      'µs',
      best.results.map((r) => (r.bngCpuMs / r.finished) * 1000),
      'all threads: sessions, store, garbage collector',
    ),
    ...at.flatMap(([name, result]) => [
      figure(
        `DISCOVER→OFFER p50, ${name}`,
        'µs',
        [result.offer.p50Us],
        name === 'half the most' ? `${half}/s` : '',
      ),
      figure(`DISCOVER→OFFER p99, ${name}`, 'µs', [result.offer.p99Us]),
      figure(`DISCOVER→ACK p50, ${name}`, 'µs', [result.lease?.p50Us ?? Number.NaN]),
      figure(`DISCOVER→ACK p99, ${name}`, 'µs', [result.lease?.p99Us ?? Number.NaN]),
    ]),
  ];
}

async function withFreeRadius(
  context: BenchContext,
  world: BenchWorld,
  folder: string,
): Promise<readonly Figure[]> {
  if (!hasFreeRadius) {
    context.progress('FreeRADIUS: skipped: it is not installed; apt install freeradius');
    return [];
  }
  const secretFile = join(folder, 'radius.secret');
  writeFileSync(secretFile, `${SECRET}\n`, { mode: 0o600 });
  const server = await RadiusServer.start({
    namespace: world.namespaces.bng,
    folder: join(folder, 'freeradius'),
    address: '127.0.0.1',
    authPort: 1812,
    acctPort: 1813,
    secret: SECRET,
    users: 'DEFAULT Auth-Type := Accept\n\tFramed-Pool = "isp-residential"\n',
  });
  context.onClose(() => server.close());
  const { authPort, acctPort } = server;
  const radius = { authPort, acctPort, secretFile };
  const figures = await setups(context, world, {
    title: 'FreeRADIUS',
    ...ISP,
    storePath: join(folder, 'radius'),
    radius,
  });
  await server.close();
  return figures;
}

/** From the call to its answer: a new address granted, stored, and waiting for the client to ask. */
async function activations(
  context: BenchContext,
  world: BenchWorld,
  storePath: string,
): Promise<readonly Figure[]> {
  context.progress(`${ACTIVATIONS} activations`);
  const bng = await world.startBng({ defaultPool: 'wgar', logLevel: 'info', storePath });
  await new Loaded(world, bng).run({ exchange: 'lease', count: ACTIVATIONS, pace: { outstanding: 64 } });
  const { perSecond: rate, p99Ms } = await activateAll({
    socketPath: world.paths.apiSocket,
    onts: ACTIVATIONS,
    pool: 'isp-residential',
  });
  await bng.stop();
  const note = `${ACTIVATIONS} subscribers of the garden, one call each, 32 at once; no access node; stored before the answer`;
  return [
    { bench: 'load', name: 'activations ordered', unit: '1/s', values: [rate], note },
    { bench: 'load', name: 'activation, call to its answer, p99', unit: 'ms', values: [p99Ms] },
  ];
}

function perSecond({ finished, elapsedMs }: LoadResult): number {
  return (finished / elapsedMs) * 1000;
}
