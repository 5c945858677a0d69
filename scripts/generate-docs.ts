/**
 * Writes the documents that are made from the code: bngctl's manual page and its bash completion.
 * With `--check` it writes nothing and fails when a committed one is stale.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { bashCompletion } from '../src/bin/bngctl/completion.js';
import { manPage } from '../src/bin/bngctl/man-page.js';
import { bngctlProgram } from '../src/bin/bngctl/program.js';

const quiet = { out: (): void => undefined, err: (): void => undefined };
const program = bngctlProgram(quiet, async () => undefined);

const documents: Readonly<Record<string, string>> = {
  'docs/bngctl.1': manPage(program),
  'deploy/completion/bngctl.bash': `${bashCompletion(program)}\n`,
};

function committed(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

for (const [path, text] of Object.entries(documents)) {
  if (!process.argv.includes('--check')) {
    writeFileSync(path, text);
  } else if (committed(path) !== text) {
    console.error(`${path} is stale: run make docs`);
    process.exitCode = 1;
  }
}
