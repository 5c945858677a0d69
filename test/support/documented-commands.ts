/** The commands of README and docs/: blocks of `sh` in Markdown, and why a block cannot be run here. Runs nothing. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface CommandBlock {
  readonly file: string;
  /** Counts from 1. */
  readonly line: number;
  readonly text: string;
  /** Why it is not run; null for one that is. */
  readonly notRun: string | null;
  /** It serves until it is stopped. */
  readonly serves: boolean;
}

/** README.md and every document below docs/, as paths below `repository`. */
export function documents(repository: string): string[] {
  const docs = readdirSync(join(repository, 'docs')).filter((name) => name.endsWith('.md'));
  return ['README.md', ...docs.sort().map((name) => join('docs', name))];
}

/**
 * The blocks of one document. A comment right before a block marks it: `<!-- not run here: reason -->`, or `<!-- serves -->` for
 * one that goes on until it is stopped.
 */
export function commandBlocks(repository: string, file: string): CommandBlock[] {
  const text = readFileSync(join(repository, file), 'utf8');
  return [...text.matchAll(/(?:^<!-- (not run here|serves)(?:: (.+))? -->\n)?^```sh\n(.*?)^```$/gms)].map(
    (found) => ({
      file,
      line: text.slice(0, found.index).split('\n').length,
      text: found[3] ?? '',
      notRun: found[1] === 'not run here' ? (found[2] ?? '') : null,
      serves: found[1] === 'serves',
    }),
  );
}
