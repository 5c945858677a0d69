/** Reads the folder of the portal's templates. Judges no content. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BngError } from '../model/bng-error.js';

/** A page is sent to every subscriber: what is larger was not meant to be a template. */
const LARGEST_FILE = 256 * 1024;

/** Every file of the folder by its name, hidden ones apart; nothing for null. Throws `BNG_ERR_CONFIG`. */
export function readTemplateFiles(folder: string | null): Readonly<Record<string, string>> {
  if (folder === null) return {};
  try {
    const names = readdirSync(folder).filter((name) => !name.startsWith('.'));
    return Object.fromEntries(names.map((name) => [name, readText(join(folder, name))]));
  } catch (cause) {
    if (cause instanceof BngError) throw cause;
    throw new BngError('BNG_ERR_CONFIG', 'expected a folder of readable templates', { folder }, cause);
  }
}

function readText(path: string): string {
  const bytes = readFileSync(path);
  if (bytes.length > LARGEST_FILE) {
    throw new BngError('BNG_ERR_CONFIG', `expected a template of at most ${LARGEST_FILE} bytes`, {
      path,
      found: bytes.length,
    });
  }
  return bytes.toString('utf8');
}
