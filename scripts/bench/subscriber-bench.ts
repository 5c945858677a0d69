/** Install, update, remove and read of subscribers: several runs, each a fresh process with a fresh dataplane. */
import { z } from 'zod';
import { objectPath } from '../../src/bin/bng/requirements.js';
import type { BenchContext } from './bench-context.js';
import { runPart } from './bench-context.js';
import { BenchWorld } from './bench-world.js';
import type { Figure } from './figure.js';

const MANY = 10_000;
const TIMEOUT_MS = 60_000;

const resultSchema = z.record(z.string(), z.number());

export async function benchSubscribers(context: BenchContext): Promise<readonly Figure[]> {
  const world = await BenchWorld.create(`${context.prefix}s`);
  context.onClose(() => world.close());
  const valuesOf = new Map<string, number[]>();
  const many = context.quick ? MANY / 10 : MANY;
  for (let run = 0; run < (context.quick ? 1 : 3); run++) {
    context.progress(`run ${run + 1}`);
    const { accessInterface, coreInterface } = world;
    const times = resultSchema.parse(
      await runPart({
        program: 'subscriber-main.js',
        settings: { objectPath: objectPath(), accessInterface, coreInterface, many },
        namespace: world.namespaces.bng,
        logFile: world.paths.logFile('subscribers'),
        timeoutMs: TIMEOUT_MS,
      }),
    );
    for (const [name, ms] of Object.entries(times)) {
      valuesOf.set(name, [...(valuesOf.get(name) ?? []), ms]);
    }
  }
  await world.close();
  return [...valuesOf].map(([name, values]) => ({
    bench: 'subscribers',
    name,
    unit: 'ms',
    values,
    ...(name.includes('remove') ? { note: '5 ms of it wait for frames in flight' } : {}),
  }));
}
