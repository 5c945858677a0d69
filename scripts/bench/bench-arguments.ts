/** The command line of the bench as values. Pure; prints nothing. */
import { parseArgs } from 'node:util';
import { BngError } from '../../src/model/bng-error.js';

export interface BenchArguments {
  /** Names of the benches to run, in the order in which they are defined. */
  readonly benches: readonly string[];
  readonly quick: boolean;
  readonly json: boolean;
  readonly write: boolean;
  /** Begins the names of all namespaces: 1 to 4 lower-case letters and digits. */
  readonly prefix: string;
  /** Where CPU profiles of the BNG are left; null for none. */
  readonly cpuProfileDirectory: string | null;
}

export const USAGE = `usage: bench [--only NAME]... [--quick] [--json] [--write] [--prefix TEXT] [--cpu-prof DIRECTORY]`;

/** Throws `BNG_ERR_VALUE` that says what was expected. */
export function parseBenchArguments(argv: readonly string[], known: readonly string[]): BenchArguments {
  const values = parsed(argv);
  const only = values.only ?? [];
  const unknown = only.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new BngError('BNG_ERR_VALUE', `expected --only to be one of ${known.join(', ')}`, {
      found: unknown,
    });
  }
  const prefix = values.prefix ?? 'bn';
  if (!/^[a-z][a-z0-9]{0,3}$/.test(prefix)) {
    throw new BngError('BNG_ERR_VALUE', 'expected a prefix of 1 to 4 lower-case letters and digits', {
      found: prefix,
    });
  }
  return {
    benches: only.length === 0 ? known : known.filter((name) => only.includes(name)),
    quick: values.quick ?? false,
    json: values.json ?? false,
    write: values.write ?? false,
    prefix,
    cpuProfileDirectory: values['cpu-prof'] ?? null,
  };
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        only: { type: 'string', multiple: true },
        quick: { type: 'boolean' },
        json: { type: 'boolean' },
        write: { type: 'boolean' },
        prefix: { type: 'string' },
        'cpu-prof': { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new BngError('BNG_ERR_VALUE', error instanceof Error ? error.message : USAGE, {}, error);
  }
}
