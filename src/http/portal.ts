/**
 * The walled garden's portal: tells subscribers the state of their own line, whatever host and path they asked for.
 * A subscriber is known by the connection's source address alone, never by anything the request says. Orders nothing.
 */
import { isIPv4 } from 'node:net';
import { fastify, LogController } from 'fastify';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { parseIpv4 } from '../model/ipv4.js';
import type { OperatorInlet } from '../session/inlet.js';
import type { SessionView } from '../session/view.js';
import { linePage, PORTAL_CSP, readOnlyPage, strangerPage } from './portal-page.js';

export interface PortalOptions {
  readonly operator: Pick<OperatorInlet, 'sessionByAddress'>;
  readonly logger: FastifyBaseLogger;
}

const LONGEST_REQUEST_MS = 5_000;
const MOST_CONNECTIONS = 1_024;

function sessionOf(
  operator: PortalOptions['operator'],
  remoteAddress: string | undefined,
): SessionView | null {
  // A dual-stack socket names IPv4 peers as ::ffff:192.0.2.1.
  const text = (remoteAddress ?? '').replace(/^::ffff:/i, '');
  return isIPv4(text) ? operator.sessionByAddress(parseIpv4(text)) : null;
}

/** Builds the app; the caller listens on the garden's gateway address and closes. */
export function buildPortal(options: PortalOptions): FastifyInstance {
  const app: FastifyInstance = fastify({
    loggerInstance: options.logger,
    logController: new LogController({ disableRequestLogging: true }),
    // Any path is this page, malformed ones too; without it the router would judge them first.
    rewriteUrl: () => '/',
    bodyLimit: 1024,
    requestTimeout: LONGEST_REQUEST_MS,
    keepAliveTimeout: 1,
    forceCloseConnections: true,
    http: { maxHeaderSize: 8192, headersTimeout: LONGEST_REQUEST_MS, connectionsCheckingInterval: 1_000 },
  });
  app.server.maxConnections = MOST_CONNECTIONS;
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': PORTAL_CSP,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      connection: 'close',
    });
    if (request.method === 'GET' || request.method === 'HEAD') return undefined;
    return reply.code(405).header('allow', 'GET, HEAD').send(readOnlyPage());
  });
  app.get('/', (request, reply) => {
    const session = sessionOf(options.operator, request.socket.remoteAddress);
    return session === null ? reply.code(403).send(strangerPage()) : reply.send(linePage(session));
  });
  return app;
}
