/**
 * The walled garden's portal: shows subscribers their own line and takes their order, and sends whoever wanted to go
 * elsewhere here. A subscriber is known by the connection's source address alone, never by anything the request says.
 */
import { isIPv4 } from 'node:net';
import { TLSSocket } from 'node:tls';
import { fastify, LogController } from 'fastify';
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../model/clock.js';
import { formatIpv4, parseIpv4 } from '../model/ipv4.js';
import type { Ipv4 } from '../model/ipv4.js';
import type { OperatorInlet } from '../session/inlet.js';
import type { SessionView } from '../session/view.js';
import { speakTlsToo } from './both-protocols.js';
import { limitConnections } from './connection-limit.js';
import { FormTokens } from './form-token.js';
import type { FormSubject } from './form-token.js';
import type { Offer } from './offer.js';
import { PortalOrders } from './orders.js';
import { contentSecurityPolicy, linePage, movedPage, noticePage, shownState } from './page.js';
import type { Notice, PageContext } from './page.js';
import { keptUrl, PORTAL_PATHS, readTarget } from './request-target.js';
import type { RequestTarget } from './request-target.js';
import { compileTemplates } from './templates.js';
import type { TemplateFiles, Templates } from './templates.js';
import { isLanguage, preferredLanguage } from './texts.js';
import type { Localized } from './texts.js';

export interface PortalOptions {
  readonly operator: Pick<OperatorInlet, 'sessionByAddress' | 'activate'>;
  readonly clock: Clock;
  readonly logger: FastifyBaseLogger;
  /** Where it is reached; the caller listens there. */
  readonly endpoint: { readonly address: Ipv4; readonly port: number };
  readonly offers: readonly Offer[];
  readonly provider: string;
  readonly contact: Localized | null;
  readonly templates: TemplateFiles;
  /** With it the captive portal API is there by TLS too, on the same port, as `host` (name or name:port). PEM texts. */
  readonly tls: { readonly host: string; readonly cert: string; readonly key: string } | null;
  readonly onBug: (error: unknown) => void;
}

const LONGEST_REQUEST_MS = 5_000;
/** Also for a reader who does not take its answer. */
const LONGEST_SILENCE_MS = 10_000;
const MOST_CONNECTIONS = 8_192;
/** A household's devices behind one address, each with what a browser opens. */
const MOST_CONNECTIONS_OF_ADDRESS = 64;
const LONGEST_BODY = 4_096;

/** Builds the app; the caller listens and closes. Throws `BNG_ERR_CONFIG` for what no page or no TLS could be made of. */
export function buildPortal(options: PortalOptions): FastifyInstance {
  const portal = new Portal(options);
  const app: FastifyInstance = fastify({
    loggerInstance: options.logger,
    logController: new LogController({ disableRequestLogging: true }),
    // Any host and any path is ours to answer, malformed ones too; without it the router would judge them first.
    rewriteUrl: () => '/',
    bodyLimit: LONGEST_BODY,
    requestTimeout: LONGEST_REQUEST_MS,
    connectionTimeout: LONGEST_SILENCE_MS,
    keepAliveTimeout: 1,
    forceCloseConnections: true,
    http: { maxHeaderSize: 8192, headersTimeout: LONGEST_REQUEST_MS, connectionsCheckingInterval: 1_000 },
  });
  app.server.maxConnections = MOST_CONNECTIONS;
  limitConnections(app.server, MOST_CONNECTIONS_OF_ADDRESS);
  if (options.tls !== null) {
    const secure = speakTlsToo(app.server, { ...options.tls, deadlineMs: LONGEST_REQUEST_MS });
    app.addHook('preClose', async () => secure.closeAllConnections());
  }
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => done(null, new URLSearchParams(String(body))),
  );
  app.addHook('onRequest', async (request, reply) => portal.receive(request, reply));
  app.post('/', async (request, reply) => portal.order(request, reply));
  // Never reached: `receive` answers all that is no order.
  app.setNotFoundHandler((request, reply) => portal.notice(request, reply, 'unknown', 404));
  app.setErrorHandler((error: { statusCode?: number }, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) request.log.error(error);
    portal.notice(request, reply, noticeOf(status), status);
  });
  app.addHook('onClose', async () => portal.close());
  return app;
}

function noticeOf(status: number): Notice {
  if (status === 413) return 'tooLong';
  return status >= 500 ? 'error' : 'refused';
}

class Portal {
  readonly #o: PortalOptions;
  readonly #own: string;
  readonly #templates: Templates;
  readonly #policy: string;
  readonly #tokens: FormTokens;
  readonly #orders: PortalOrders;

  constructor(options: PortalOptions) {
    const { address, port } = options.endpoint;
    this.#o = options;
    this.#own = port === 80 ? formatIpv4(address) : `${formatIpv4(address)}:${port}`;
    this.#templates = compileTemplates(options.templates);
    this.#policy = contentSecurityPolicy(this.#templates);
    this.#tokens = new FormTokens(options.clock);
    this.#orders = new PortalOrders({
      operator: options.operator,
      clock: options.clock,
      onResult: (ontSerial, { serviceId }, result) =>
        options.logger.info({ order: 'activate', by: 'subscriber', ontSerial, serviceId, result }, 'order'),
      onBug: options.onBug,
    });
  }

  close(): void {
    this.#orders.close();
  }

  /** Answers everything but an order, which is left to be read. */
  receive(request: FastifyRequest, reply: FastifyReply): FastifyReply | undefined {
    reply.headers({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': this.#policy,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      // Not no-referrer, with which browsers call the origin of our own form null.
      'referrer-policy': 'same-origin',
      connection: 'close',
    });
    if (hostLines(request) > 1) return this.notice(request, reply, 'refused', 400);
    const target = this.#targetOf(request);
    if (target.kind === 'elsewhere') return this.#redirect(request, reply, target.url);
    const reading = request.method === 'GET' || request.method === 'HEAD';
    switch (target.path) {
      case PORTAL_PATHS.activate:
        // Who loads the page of an order anew is shown the line.
        if (reading) return reply.code(303).header('location', this.#url(target.query)).send();
        return request.method === 'POST' ? undefined : this.#notAllowed(request, reply, 'GET, HEAD, POST');
      case PORTAL_PATHS.page:
        return reading ? this.#line(request, reply) : this.#notAllowed(request, reply);
      case PORTAL_PATHS.captiveApi:
        return reading ? this.#captiveApi(request, reply) : this.#notAllowed(request, reply);
      case PORTAL_PATHS.state:
        return reading ? this.#state(request, reply) : this.#notAllowed(request, reply);
      default:
        return this.notice(request, reply, 'unknown', 404);
    }
  }

  order(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
    const context = this.#context(request, form);
    const session = this.#sessionOf(request);
    if (session === null) return reply.code(403).send(noticePage(context, 'stranger'));
    const isOurs =
      this.#isOurForm(request) && this.#tokens.holds(form.get('token') ?? '', subjectOf(request, session));
    if (!isOurs) {
      return reply.code(403).send(noticePage(context, 'refused'));
    }
    const offer = this.#o.offers.find(({ serviceId }) => serviceId === form.get('offer'));
    if (offer === undefined || session.ontSerial === null) {
      return reply.code(400).send(noticePage(context, 'refused'));
    }
    // In any other state the page says what there is to know; sending the form twice orders once.
    if (session.state === 'wgar') this.#orders.place(session.id, session.ontSerial, offer);
    return reply.send(this.#linePage(request, context, session));
  }

  notice(request: FastifyRequest, reply: FastifyReply, notice: Notice, status: number): FastifyReply {
    const target = this.#targetOf(request);
    const query = target.kind === 'portal' ? target.query : new URLSearchParams();
    return reply.code(status).send(noticePage(this.#context(request, query), notice));
  }

  #notAllowed(request: FastifyRequest, reply: FastifyReply, allow = 'GET, HEAD'): FastifyReply {
    reply.header('allow', allow);
    return this.notice(request, reply, 'readOnly', 405);
  }

  #redirect(request: FastifyRequest, reply: FastifyReply, from: string | null): FastifyReply {
    const location = this.#url(new URLSearchParams(from === null ? {} : { from }));
    const context = this.#context(request, new URLSearchParams());
    return reply
      .code(302)
      .header('location', location)
      .send(movedPage(context, this.#sessionOf(request), location));
  }

  #line(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const target = this.#targetOf(request);
    const context = this.#context(request, target.kind === 'portal' ? target.query : new URLSearchParams());
    reply.header('content-language', context.language);
    const session = this.#sessionOf(request);
    if (session === null) return reply.code(403).send(noticePage(context, 'stranger'));
    return reply.send(this.#linePage(request, context, session));
  }

  /** RFC 8908 §5. */
  #captiveApi(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const session = this.#sessionOf(request);
    if (session === null) return this.notice(request, reply, 'stranger', 403);
    const answer = {
      captive: session.state !== 'active',
      'user-portal-url': `http://${this.#own}${PORTAL_PATHS.page}`,
      'can-extend-session': false,
    };
    // As bytes: to text fastify would add a charset, which the type does not have.
    return reply.type('application/captive+json').send(Buffer.from(JSON.stringify(answer)));
  }

  #state(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const session = this.#sessionOf(request);
    if (session === null) return this.notice(request, reply, 'stranger', 403);
    const order = this.#orders.of(session.id);
    return reply.type('text/plain; charset=utf-8').send(shownState({ session, order }));
  }

  #linePage(request: FastifyRequest, context: PageContext, session: SessionView): string {
    const token = this.#tokens.issue(subjectOf(request, session));
    const order = this.#orders.of(session.id);
    return linePage(context, { session, order, offers: this.#o.offers, token });
  }

  #context(request: FastifyRequest, fields: URLSearchParams): PageContext {
    const chosen = fields.get('lang');
    return {
      templates: this.#templates,
      provider: this.#o.provider,
      contact: this.#o.contact,
      language: isLanguage(chosen) ? chosen : preferredLanguage(request.headers['accept-language']),
      from: keptUrl(fields.get('from')),
    };
  }

  #targetOf(request: FastifyRequest): RequestTarget {
    const { originalUrl, headers, socket } = request;
    if (!(socket instanceof TLSSocket)) return readTarget(originalUrl, headers.host, this.#own);
    // By TLS there is the API and nothing else: a person is sent to the page, which has one address.
    const target = readTarget(originalUrl, headers.host, this.#o.tls?.host ?? '');
    return target.kind === 'portal' && target.path === PORTAL_PATHS.captiveApi
      ? target
      : { kind: 'elsewhere', url: null };
  }

  /** The portal's page with what the subscriber chose; whatever it holds comes out as plain ASCII. */
  #url(fields: URLSearchParams): string {
    const query = new URLSearchParams();
    const lang = fields.get('lang');
    const from = keptUrl(fields.get('from'));
    if (isLanguage(lang)) query.set('lang', lang);
    if (from !== null) query.set('from', from);
    const text = query.toString();
    return `http://${this.#own}${PORTAL_PATHS.page}${text === '' ? '' : `?${text}`}`;
  }

  /** What browsers say of where a form came from (Fetch §3.2, Fetch Metadata §2.3); none of it is said by all. */
  #isOurForm(request: FastifyRequest): boolean {
    const { origin } = request.headers;
    const site = request.headers['sec-fetch-site'];
    return (
      (origin === undefined || origin === `http://${this.#own}`) &&
      (site === undefined || site === 'same-origin' || site === 'none')
    );
  }

  #sessionOf(request: FastifyRequest): SessionView | null {
    const address = sourceOf(request);
    return address === null ? null : this.#o.operator.sessionByAddress(address);
  }
}

/** A dual-stack socket names IPv4 peers as ::ffff:192.0.2.1. */
function sourceOf(request: FastifyRequest): Ipv4 | null {
  const text = (request.socket.remoteAddress ?? '').replace(/^::ffff:/i, '');
  return isIPv4(text) ? parseIpv4(text) : null;
}

function subjectOf(request: FastifyRequest, session: SessionView): FormSubject {
  return { address: request.socket.remoteAddress ?? '', sessionId: session.id };
}

/** RFC 9112 §3.2: more than one Host field is a request that two readers could understand differently. */
function hostLines(request: FastifyRequest): number {
  return request.raw.rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === 'host').length;
}
