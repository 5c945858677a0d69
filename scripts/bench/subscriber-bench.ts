/** Install, update, remove and read of subscribers: several runs, each a fresh process with a fresh dataplane. */
import { z } from 'zod';
import { objectPath } from '../../src/bin/bng/requirements.js';
import type { BenchContext } from './bench-context.js';
import { runPart } from './bench-context.js';
import { BenchWorld } from './bench-world.js';
import type { Figure } from './figure.js';

const MANY = 100_000;
/** The firewall's share of them takes a hundred times as long. */
const MANY_WALLED = 10_000;
const TIMEOUT_MS = 120_000;

const resultSchema = z.record(z.string(), z.number());

export async function benchSubscribers(context: BenchContext): Promise<readonly Figure[]> {
  const world = await BenchWorld.create(context, 's');
  const valuesOf = new Map<string, number[]>();
  const part = context.quick ? 10 : 1;
  for (let run = 0; run < (context.quick ? 1 : 3); run++) {
    context.progress(`run ${run + 1}`);
    const { accessInterface, coreInterface } = world;
    const times = resultSchema.parse(
      await runPart({
        program: 'subscriber-main.js',
        settings: {
          objectPath: objectPath(),
          accessInterface,
          coreInterface,
          many: MANY / part,
          manyWalled: MANY_WALLED / part,
        },
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
