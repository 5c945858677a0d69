/** Gives very many ONTs their leases, as their clients would ask for them. Measures nothing. */
import { BngError } from '../../src/model/bng-error.js';
import type { BenchContext } from './bench-context.js';
import { runPart } from './bench-context.js';
import type { BenchWorld } from './bench-world.js';
import type { LoadSettings } from './load-settings.js';
import { loadResultSchema } from './load-settings.js';

const OUTSTANDING = 16;
/** Exchanges that a crowded CPU lost are made up for, so often. */
const MOST_ROUNDS = 5;
const LOAD_TIMEOUT_MS = 120_000;

/** At least `count` ONTs, numbered from 0, get their lease. */
export async function fill(
  context: BenchContext,
  world: BenchWorld,
  { count, bngPid }: { readonly count: number; readonly bngPid: number },
): Promise<void> {
  let first = 0;
  let finished = 0;
  for (let round = 0; finished < count; round++) {
    if (round === MOST_ROUNDS) throw new BngError('BNG_ERR_LAB', 'expected leases for all', { finished });
    context.progress(`${finished} of ${count} sessions`);
    const missing = count - finished;
    const settings: LoadSettings = {
      ...{ interface: 'trunk0', exchange: 'lease', first, count: missing },
      pace: { outstanding: OUTSTANDING },
      bngPid,
    };
    const result = await runPart({
      program: 'load-main.js',
      settings,
      namespace: world.namespaces.ont,
      logFile: world.paths.logFile('load'),
      timeoutMs: LOAD_TIMEOUT_MS,
    });
    finished += loadResultSchema.parse(result).finished;
    first += missing;
  }
}
