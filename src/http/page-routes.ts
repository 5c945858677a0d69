/**
 * The operator page: its files, which say nothing of this BNG and are for everybody, and the stream that feeds it, which
 * wants the token. Knows no file's content.
 */
import type { FastifyInstance } from 'fastify';
import type { OverviewFeed } from './overview-feed.js';
import type { PageFiles } from './page-file.js';
import { sendProblem } from './problem.js';

/**
 * Our own files and nothing else; no inline code, no evaluation, no markup from strings; no form leaves the page, no other
 * page frames it.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/** The names of the files carry their hash, so what is at an address never changes. */
const FOR_EVER = 'public, max-age=31536000, immutable';

const text = { type: 'string' } as const;

/** Adds `/`, `/assets/{name}` and `GET /api/v1/overview`; the streams end when the app closes. */
export function addPageRoutes(app: FastifyInstance, files: PageFiles, feed: OverviewFeed): void {
  app.addHook('preClose', async () => feed.close());
  const etag = `"${files.version}"`;
  const pageSchema = {
    summary: 'The operator page',
    produces: ['text/html'],
    response: {
      200: { ...text, description: 'asks for the token itself' },
      304: { type: 'null', description: 'as before' },
    },
  };
  app.get('/', { config: { open: true }, schema: pageSchema }, (request, reply) => {
    reply.headers({
      'content-security-policy': POLICY,
      'cache-control': 'no-cache',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      etag,
    });
    if (request.headers['if-none-match'] === etag) return reply.code(304).send();
    return reply.type(files.index.type).send(files.index.bytes);
  });
  const assetSchema = {
    summary: 'A file of the operator page',
    produces: ['text/javascript'],
    params: { type: 'object', properties: { name: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,128}$' } } },
    response: { 200: text },
  };
  app.get<{ Params: { name: string } }>(
    '/assets/:name',
    { config: { open: true }, schema: assetSchema },
    (request, reply) => {
      const file = files.assets.get(request.params.name);
      if (file === undefined) {
        return sendProblem(reply, 'not-found', { detail: `Nothing is at ${request.url}.` });
      }
      return reply.header('cache-control', FOR_EVER).type(file.type).send(file.bytes);
    },
  );
  const feedSchema = {
    summary: 'What the operator page shows (server-sent): history, then events and overview once a second',
    produces: ['text/event-stream'],
    response: { 200: { ...text, description: 'history, events, overview: id-less events with JSON data' } },
  };
  app.get('/api/v1/overview', { schema: feedSchema, exposeHeadRoute: false }, (_request, reply) => {
    if (feed.isFull) {
      return sendProblem(reply, 'too-many-clients', { detail: 'Too many clients follow already.' });
    }
    reply.hijack();
    feed.add(reply.raw);
    return reply;
  });
}
