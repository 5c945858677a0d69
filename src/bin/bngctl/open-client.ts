/** From `--socket`, `--url` and `--token-file` to a client. Reads the token file; connects to nothing. */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { readSecretFile } from '../../config/secret-file.js';
import { BngError, isBngError } from '../../model/bng-error.js';
import { ApiClient } from './api-client.js';

export const DEFAULT_SOCKET = '/run/bng/bng.sock';
export const DEFAULT_URL = 'http://127.0.0.1:8080';
export const DEFAULT_TOKEN_FILE = '/etc/bng/api.token';

export interface ConnectionOptions {
  readonly socket?: string;
  readonly url?: string;
  readonly tokenFile?: string;
  readonly caFile?: string;
}

/** Without the default file a BNG without a token can still be asked; one that wants a token says so. */
function readToken(path: string | undefined): string | null {
  if (path === undefined && !existsSync(DEFAULT_TOKEN_FILE)) return null;
  const token = readSecretFile(path ?? DEFAULT_TOKEN_FILE).trim();
  if (/^[!-~]+$/.test(token)) return token;
  throw new BngError('BNG_ERR_CONFIG', 'expected one line of printable ASCII in the token file', {
    path: path ?? DEFAULT_TOKEN_FILE,
  });
}

function readCa(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new BngError('BNG_ERR_CONFIG', 'expected a readable certificate (--ca-file)', { path }, error);
  }
}

function isReachable(socket: string): boolean {
  try {
    accessSync(socket, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * The unix socket where nothing else is said and it may be written to, else HTTP. Throws `BNG_ERR_CONFIG` for a URL or a file
 * that cannot be used.
 */
export function openClient(options: ConnectionOptions): ApiClient {
  const { socket, url, tokenFile, caFile } = options;
  if (socket !== undefined && (url !== undefined || tokenFile !== undefined)) {
    throw new BngError('BNG_ERR_CONFIG', 'expected either --socket or --url with --token-file');
  }
  const isHttpWanted = url !== undefined || tokenFile !== undefined;
  const path = socket ?? (!isHttpWanted && isReachable(DEFAULT_SOCKET) ? DEFAULT_SOCKET : null);
  if (path !== null) return new ApiClient({ kind: 'socket', path });
  const address = url ?? DEFAULT_URL;
  if (!URL.canParse(address) || !/^https?:/.test(address)) {
    throw new BngError('BNG_ERR_CONFIG', 'expected an http:// or https:// address (--url)', {
      found: address,
    });
  }
  return new ApiClient({
    kind: 'http',
    baseUrl: new URL(address),
    token: readToken(tokenFile),
    ...(caFile === undefined ? {} : { ca: readCa(caFile) }),
  });
}

/** True for what `openClient` throws. */
export function isUsageError(error: unknown): error is BngError {
  return isBngError(error, 'BNG_ERR_CONFIG');
}
