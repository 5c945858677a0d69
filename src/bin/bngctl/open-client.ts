/** From `--url` and `--token-file` to a client. Reads the token file; connects to nothing. */
import { readFileSync } from 'node:fs';
import { BngError, isBngError } from '../../model/bng-error.js';
import { ApiClient } from './api-client.js';

export interface ConnectionOptions {
  readonly url: string;
  readonly tokenFile: string;
}

function readToken(path: string, named: boolean): string | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    // Without the file a BNG without a token can still be asked; one that wants a token says so.
    if (code === 'ENOENT' && !named) return null;
    throw new BngError(
      'BNG_ERR_CONFIG',
      'expected a readable token file (--token-file)',
      { path, code },
      error,
    );
  }
  if (/^[!-~]+$/.test(text)) return text;
  throw new BngError('BNG_ERR_CONFIG', 'expected one line of printable ASCII in the token file', { path });
}

/**
 * Makes the client; `named` tells that the token file was given on the command line, where it must exist.
 * Throws `BNG_ERR_CONFIG` for a URL or a token file that cannot be used.
 */
export function openClient(options: ConnectionOptions, named: boolean): ApiClient {
  if (!URL.canParse(options.url) || !/^https?:/.test(options.url)) {
    throw new BngError('BNG_ERR_CONFIG', 'expected an http:// or https:// address (--url)', {
      found: options.url,
    });
  }
  return new ApiClient({ baseUrl: new URL(options.url), token: readToken(options.tokenFile, named) });
}

/** True for what `openClient` throws. */
export function isUsageError(error: unknown): error is BngError {
  return isBngError(error, 'BNG_ERR_CONFIG');
}
