/** `bng check`: every problem of a configuration at once. */
import { loadConfig } from '../../config/load-config.js';
import type { Config } from '../../config/config.js';

/** The configuration at `path`, or null after its problems were printed, one a line. */
export function configOrProblems(path: string): Config | null {
  const result = loadConfig(path);
  if (result.ok) return result.config;
  for (const problem of result.problems) {
    const where = problem.line === null ? path : `${path}:${problem.line}`;
    process.stderr.write(`${where}: ${problem.message}\n`);
  }
  return null;
}

/** Returns the exit status: 0 when the configuration is sound, 2 otherwise. */
export function check(path: string): number {
  const config = configOrProblems(path);
  if (config === null) return 2;
  const pools = config.pools.map((pool) => pool.name).join(', ');
  process.stdout.write(
    `${path}: sound; ${config.access.interfaces.join(', ')} to ${config.core.interfaces.join(', ')}, pools ${pools}\n`,
  );
  return 0;
}
