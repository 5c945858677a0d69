/** Reads the files that hold a token or a shared secret, and refuses what others could have read. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { BngError } from '../model/bng-error.js';

/**
 * The secret in the file at `path`, without the line end that editors add. Throws `BNG_ERR_CONFIG` when the file
 * cannot be read, is not a regular file, is readable or writable by group or others, or holds no single line.
 */
export function readSecretFile(path: string): string {
  const secret = readPrivateFile(path).replace(/\r?\n$/, '');
  if (secret === '' || /[\r\n]/.test(secret)) {
    throw new BngError('BNG_ERR_CONFIG', 'expected a secret file with one line of text', { path });
  }
  return secret;
}

/** The same of a file with any text, such as a private key. */
export function readPrivateFile(path: string): string {
  const descriptor = open(path);
  try {
    // Mode and content are those of one open file: nobody can change it between the look and the reading.
    const { mode, isFile } = statOf(descriptor);
    if (!isFile) throw new BngError('BNG_ERR_CONFIG', 'expected a regular file with a secret', { path });
    if ((mode & 0o077) !== 0) {
      throw new BngError(
        'BNG_ERR_CONFIG',
        'expected a secret file that only its owner can read (chmod 600)',
        {
          path,
          mode: `0${(mode & 0o777).toString(8)}`,
        },
      );
    }
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}

function statOf(descriptor: number): { readonly mode: number; readonly isFile: boolean } {
  const stat = fstatSync(descriptor);
  return { mode: stat.mode, isFile: stat.isFile() };
}

function open(path: string): number {
  try {
    // O_NONBLOCK: a named pipe must not hang the start.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw new BngError('BNG_ERR_CONFIG', 'expected a readable secret file', { path }, error);
  }
}
