/** The durable store alone and under the accounting queue, without a network: several runs, each a fresh process and file. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { BenchContext } from './bench-context.js';
import { runPart } from './bench-context.js';
import type { Figure } from './figure.js';

const RUNS = 3;
const PROGRAMS = ['store-rate.js', 'store-accounting.js'];
/** On a disk: what lies in memory is durable at once. */
const PARENT = '/var/tmp';
const TIMEOUT_MS = 60_000;

/** By name and unit, as the parts say them: `opened, ms`. */
const resultSchema = z.record(z.string(), z.number());

export async function benchStore(context: BenchContext): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(PARENT, 'bng-bench-store-'));
  context.onClose(async () => rmSync(folder, { recursive: true, force: true }));
  const valuesOf = new Map<string, number[]>();
  for (let run = 0; run < (context.quick ? 1 : RUNS); run++) {
    for (const program of PROGRAMS) {
      context.progress(`${program}, run ${run + 1}`);
      const logFile = join(folder, 'part.log');
      const found = resultSchema.parse(
        await runPart({ program, settings: folder, logFile, timeoutMs: TIMEOUT_MS }),
      );
      for (const [label, value] of Object.entries(found)) {
        const key = `${program.replace('.js', '')}: ${label}`;
        valuesOf.set(key, [...(valuesOf.get(key) ?? []), value]);
      }
    }
  }
  return [...valuesOf].map(([label, values]) => {
    const at = label.lastIndexOf(', ');
    return { bench: 'store', name: label.slice(0, at), unit: label.slice(at + 2), values };
  });
}
