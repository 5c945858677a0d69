/**
 * HTTP and TLS on one port, told apart by the first byte: XDP lets subscribers reach one port of the portal, and phones want the
 * captive portal API by https (RFC 8908 §4). Knows no page.
 */
import type { Server as HttpServer } from 'node:http';
import { createServer } from 'node:https';
import type { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import { BngError } from '../model/bng-error.js';

/** Of a TLS record that opens a handshake (RFC 8446 §5.1); no HTTP method begins so. */
const HANDSHAKE = 0x16;

export interface BothProtocolsOptions {
  /** PEM texts. */
  readonly cert: string;
  readonly key: string;
  /** For the first byte, and again for the handshake. */
  readonly deadlineMs: number;
}

/**
 * Has `server` answer requests that come by TLS as well, with its own limits; their sockets are `encrypted`. The one returned never
 * listens: close its connections with the other's. Throws `BNG_ERR_CONFIG` for texts that are no certificate and key.
 */
export function speakTlsToo(
  server: HttpServer,
  { cert, key, deadlineMs }: BothProtocolsOptions,
): HttpsServer {
  check(cert, key);
  const secure = createServer(
    {
      cert,
      key,
      minVersion: 'TLSv1.2',
      handshakeTimeout: deadlineMs,
      headersTimeout: deadlineMs,
      requestTimeout: deadlineMs,
      keepAliveTimeout: 1,
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: 8_192,
    },
    (request, response) => void server.emit('request', request, response),
  );
  // A handshake that came to nothing, or was nothing of the kind: the other side's affair.
  secure.on('tlsClientError', (_error, socket) => socket.destroy());
  // Whoever listens for connections already (HTTP itself, limits) goes on to do so, HTTP after the first byte.
  const [speakHttp, ...others] = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  for (const listener of others) server.on('connection', listener);
  server.on('connection', (socket: Socket) => {
    if (socket.destroyed) return;
    const onError = (): void => void socket.destroy();
    const deadline = setTimeout(onError, deadlineMs);
    const stop = (): void => {
      clearTimeout(deadline);
      socket.off('error', onError);
    };
    socket.on('error', onError);
    socket.once('close', stop);
    socket.once('readable', () => {
      const bytes = socket.read() as Buffer | null;
      if (bytes === null) return;
      stop();
      socket.off('close', stop);
      socket.unshift(bytes);
      if (bytes[0] === HANDSHAKE) secure.emit('connection', socket);
      else speakHttp?.call(server, socket);
    });
  });
  return secure;
}

function check(cert: string, key: string): void {
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    throw new BngError('BNG_ERR_CONFIG', 'expected a certificate and its key in portal.tls', {}, error);
  }
}
