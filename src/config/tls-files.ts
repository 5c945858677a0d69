/** Reads a certificate and its key. Judges no content. */
import { readFileSync } from 'node:fs';
import { BngError } from '../model/bng-error.js';
import { readPrivateFile } from './secret-file.js';

export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** PEM texts. Throws `BNG_ERR_CONFIG` for a certificate that cannot be read, and a key that others can. */
export function readTlsFiles({ certFile, keyFile }: TlsFiles): {
  readonly cert: string;
  readonly key: string;
} {
  let cert: string;
  try {
    cert = readFileSync(certFile, 'utf8');
  } catch (error) {
    throw new BngError('BNG_ERR_CONFIG', 'expected a readable certificate', { path: certFile }, error);
  }
  return { cert, key: readPrivateFile(keyFile) };
}
