/** `bng check`: every problem of a configuration, and of the files with secrets that it names, at once. */
import { loadConfig } from '../../config/load-config.js';
import { formatProblem } from '../../config/problem.js';
import { secretFileProblems } from '../../config/secret-file-checks.js';
import type { Config } from '../../config/config.js';

/** The configuration at `path`, or null after its problems were printed, one a line. */
export function configOrProblems(path: string): Config | null {
  const result = loadConfig(path);
  const problems = result.ok ? secretFileProblems(path, result.config) : result.problems;
  for (const problem of problems) process.stderr.write(`${formatProblem(problem, path)}\n`);
  return result.ok && problems.length === 0 ? result.config : null;
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
