/** What can be wrong with a configuration file, told in one form. Holds no rule. */

export type Path = readonly (string | number)[];

/** One thing to correct. `line` counts from 1; null when the problem is not at a place in the text. */
export interface ConfigProblem {
  readonly path: string;
  readonly line: number | null;
  readonly expected: string;
  readonly found: string;
  readonly message: string;
}

/** A problem before its place in the text is known; without `found` it is the value at `path`. */
export interface Finding {
  readonly path: Path;
  readonly expected: string;
  readonly found?: string;
}

/** `['pools', 1, 'gateway']` as operators read it: `pools[1].gateway`. */
export function formatPath(path: Path): string {
  return path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`),
    '',
  );
}

/** What is expected where one of these pools must be named. */
export function nameOfPool(pools: readonly string[]): string {
  return `the name of a pool (${pools.join(', ')})`;
}

/** Puts a finding into words: `pools[1].gateway: expected an address inside 10.0.0.0/12, found 10.16.0.1`. */
export function configProblem(
  path: Path,
  place: { readonly line: number | null; readonly expected: string; readonly found: string },
): ConfigProblem {
  const { line, expected, found } = place;
  const where = formatPath(path);
  return {
    path: where,
    line,
    expected,
    found,
    message: `${where === '' ? '' : `${where}: `}expected ${expected}, found ${found}`,
  };
}

/** One line for a terminal: `bng.yaml:12: pools[1].gateway: expected …`. */
export function formatProblem(problem: ConfigProblem, fileName: string): string {
  return `${fileName}${problem.line === null ? '' : `:${problem.line}`}: ${problem.message}`;
}
