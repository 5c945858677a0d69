// Counts what one test file reported: leaf tests, failures with their text, skips with their reason. Pure; it starts
// nothing and prints nothing.

/** One line of test-reporter. `nesting` is the depth below the file; a suite is a describe(), which is no test. */
export type ReportLine =
  | {
      readonly kind: 'test';
      readonly name: string;
      readonly nesting: number;
      readonly passed: boolean;
      readonly suite: boolean;
      readonly skip: string | undefined;
      readonly failure: { readonly fromChildren: boolean; readonly text: string } | undefined;
    }
  | { readonly kind: 'end' };

/** A test with the names of the suites around it, and why it failed or was skipped. */
export interface Note {
  readonly name: string;
  readonly text: string;
}

export interface Tally {
  readonly passed: number;
  readonly failures: readonly Note[];
  readonly skips: readonly Note[];
}

/** How the process of a test file ended. */
export interface Ending {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly deadlineSeconds: number | undefined;
}

/**
 * Counts one file. Only leaves count as tests, but a parent that fails of itself (a hook, its own assertion) is a failure too.
 * A file is also failed when it stops before its end, exits with an error that no test reported, or holds no test.
 */
export function tally(lines: readonly ReportLine[], ending: Ending): Tally {
  let passed = 0;
  const failures: Note[] = [];
  const skips: Note[] = [];
  let ended = false;
  // The runner reports children before their parent, so a test is a parent when the line before it is one level deeper.
  let nestingBefore = 0;
  for (const line of lines) {
    if (line.kind === 'end') {
      ended = true;
      continue;
    }
    const parent = nestingBefore > line.nesting;
    nestingBefore = line.nesting;
    if (line.skip !== undefined) {
      if (!parent) skips.push({ name: line.name, text: line.skip });
    } else if (line.failure !== undefined) {
      if (!(parent && line.failure.fromChildren)) failures.push({ name: line.name, text: line.failure.text });
    } else if (!parent && !line.suite) passed += 1;
  }

  const trouble = (text: string): void => void failures.push({ name: 'the file itself', text });
  if (ending.deadlineSeconds !== undefined)
    trouble(`it ran past its deadline of ${ending.deadlineSeconds} s`);
  else if (!ended) trouble(`its process ended before its tests did: ${describeEnding(ending)}`);
  else if (ending.exitCode !== 0 && failures.length === 0)
    trouble(`its process ended with ${describeEnding(ending)}`);
  else if (passed + failures.length + skips.length === 0) trouble('it holds no test');
  return { passed, failures, skips };
}

/** Reads the lines of test-reporter; a line cut short by a kill is left out, and then the end line is missing too. */
export function parseReport(text: string): ReportLine[] {
  const complete = text.slice(0, text.lastIndexOf('\n') + 1);
  return complete
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ReportLine);
}

function describeEnding(ending: Ending): string {
  return ending.signal === null ? `exit status ${ending.exitCode}` : `signal ${ending.signal}`;
}
