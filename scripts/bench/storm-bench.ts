/**
 * Recovery after a power cut: 100,000 ONTs ask the real `bng run` within a second, with local authentication, a durable store and
 * the dataplane in the path, until each has its lease.
 */
import type { BenchContext } from './bench-context.js';
import { runPart } from './bench-context.js';
import { BenchWorld } from './bench-world.js';
import type { Figure } from './figure.js';
import type { StormResult, StormSettings } from './storm-settings.js';
import { stormResultSchema } from './storm-settings.js';

const STATIONS = 100_000;
const DEADLINE_MS = 120_000;

export async function benchStorm(context: BenchContext): Promise<readonly Figure[]> {
  const world = await BenchWorld.create(context, 's');
  const results: StormResult[] = [];
  for (let run = 0; run < (context.quick ? 1 : 3); run++) {
    context.progress(`storm of ${STATIONS}, run ${run + 1}`);
    const bng = await world.startBng({ defaultPool: 'isp-residential', logLevel: 'warn' });
    const settings: StormSettings = {
      interface: 'trunk0',
      count: STATIONS,
      withinMs: 1_000,
      bngPid: bng.pid,
      deadlineMs: DEADLINE_MS,
    };
    const result = stormResultSchema.parse(
      await runPart({
        program: 'storm-main.js',
        settings,
        namespace: world.namespaces.ont,
        logFile: world.paths.logFile('storm'),
        timeoutMs: DEADLINE_MS + 30_000,
      }),
    );
    results.push(result);
    const told = [
      ...(await bng.metrics('bng_admission')),
      ...[...(await bng.metrics('bng_drops_total'))].filter(([, value]) => value > 0),
    ];
    context.progress(`${JSON.stringify(result)}; ${told.map((one) => one.join(' ')).join(', ')}`);
    await bng.stop();
  }
  await world.close();
  const figure = (name: string, unit: string, pick: (result: StormResult) => number, note = ''): Figure => ({
    bench: 'storm',
    name,
    unit,
    values: results.map(pick),
    ...(note === '' ? {} : { note }),
  });
  return [
    figure(
      `${STATIONS} sessions back after a power cut`,
      's',
      ({ elapsedMs }) => elapsedMs / 1000,
      'all ask within 1 s and repeat themselves after 4, 8, 16 … s (RFC 2131 §4.1); ISP pool, store durable',
    ),
    figure('of them without a lease by then', '', ({ leased }) => STATIONS - leased),
    figure('first DISCOVER → ACK, p50', 's', ({ p50Ms }) => p50Ms / 1000),
    figure('first DISCOVER → ACK, p99', 's', ({ p99Ms }) => p99Ms / 1000),
    figure('frames that a lease took', '', ({ framesEach }) => framesEach, 'two are the least'),
  ];
}
