/** Bytes of kernel memory that the maps take for each subscriber there is room for. They are allocated at load, whole. */
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { objectPath } from '../../src/bin/bng/requirements.js';
import type { BenchContext } from './bench-context.js';
import { runPart } from './bench-context.js';
import type { Figure } from './figure.js';

const TIMEOUT_MS = 30_000;

const resultSchema = z.strictObject({ shared: z.number(), perCpu: z.number(), possibleCpus: z.int() });

export async function benchMemory(context: BenchContext): Promise<readonly Figure[]> {
  const { shared, perCpu, possibleCpus } = resultSchema.parse(
    await runPart({
      program: 'memory-main.js',
      settings: { objectPath: objectPath() },
      logFile: join(tmpdir(), `${context.prefix}-memory.log`),
      timeoutMs: TIMEOUT_MS,
    }),
  );
  const figure = (name: string, value: number, note: string): Figure => ({
    bench: 'memory',
    name,
    unit: 'bytes',
    values: [value],
    note,
  });
  return [
    figure(
      'maps, a subscriber, per-CPU part left out',
      shared,
      'memlock of every map in /proc/self/fdinfo by the most subscribers; garden, punt ring and LRU are in it',
    ),
    figure(
      'maps, a subscriber, for each CPU',
      perCpu / possibleCpus,
      `of ${possibleCpus} possible CPUs, ${cpus().length} online; the pointer to them is in it`,
    ),
  ];
}
