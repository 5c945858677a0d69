/** Inputs of a target as they are kept in test/fuzz/seeds: a line of hex digits each, lines with # tell what they are. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = 'test/fuzz/seeds';

export function seedPath(target: string): string {
  return join(FOLDER, `${target}.hex`);
}

/** Empty without a file; an empty line stands for an input without bytes. An odd line is an error of whoever wrote it. */
export function readSeeds(path: string): readonly Uint8Array[] {
  if (!existsSync(path)) return [];
  return linesOf(readFileSync(path, 'utf8'))
    .filter((line) => !line.startsWith('#'))
    .map((line) => {
      if (!/^([0-9a-f]{2})*$/.test(line)) throw new Error(`${path}: expected hex digits, found ${line}`);
      return new Uint8Array(Buffer.from(line, 'hex'));
    });
}

function linesOf(text: string): readonly string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

const GROWN = '# grown by make fuzz: each reaches code that none before it does';

/** What somebody wrote, and what was grown. */
function partsOf(path: string): readonly [string, string] {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const at = text.indexOf(GROWN);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at)];
}

/** Adds an input with a comment above it, unless it is there. */
export function addSeed(path: string, input: Uint8Array, comment: string): void {
  const hex = Buffer.from(input).toString('hex');
  const [written, grown] = partsOf(path);
  if (linesOf(written).includes(hex)) return;
  writeFileSync(path, `${written}# ${comment}\n${hex}\n${grown}`);
}

/** Puts inputs in the place of those grown before. */
export function replaceGrown(path: string, inputs: readonly Uint8Array[]): void {
  const [written] = partsOf(path);
  const known = linesOf(written);
  const lines = inputs.map((input) => Buffer.from(input).toString('hex'));
  writeFileSync(
    path,
    [`${written}${GROWN}`, ...lines.filter((line) => !known.includes(line)), ''].join('\n'),
  );
}
