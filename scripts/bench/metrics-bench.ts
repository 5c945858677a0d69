/** What a scrape costs with very many subscribers: its time, and for how long it holds up the event loop. */
import { z } from 'zod';
import { objectPath } from '../../src/bin/bng/requirements.js';
import type { BenchContext } from './bench-context.js';
import { runPart } from './bench-context.js';
import { BenchWorld } from './bench-world.js';
import type { Figure } from './figure.js';

const MANY = 100_000;
const SCRAPES = 5;
const TIMEOUT_MS = 180_000;

const resultSchema = z.record(z.string(), z.array(z.number()));

export async function benchMetrics(context: BenchContext): Promise<readonly Figure[]> {
  const world = await BenchWorld.create(context, 'm');
  const many = context.quick ? MANY / 10 : MANY;
  context.progress(`${many} subscribers`);
  const { accessInterface, coreInterface } = world;
  const found = resultSchema.parse(
    await runPart({
      program: 'metrics-main.js',
      settings: { objectPath: objectPath(), accessInterface, coreInterface, many, scrapes: SCRAPES },
      namespace: world.namespaces.bng,
      logFile: world.paths.logFile('metrics'),
      timeoutMs: TIMEOUT_MS,
    }),
  );
  await world.close();
  return Object.entries(found).map(([name, values]) => ({
    bench: 'metrics',
    name: `${name}, ${many.toLocaleString('en-US')} subscribers`,
    unit: 'ms',
    values,
  }));
}
