/** The routes of the events: the last ones, and live. */
import type { FastifyInstance } from 'fastify';
import type { EventHistory } from './event-history.js';
import type { EventStream } from './event-stream.js';
import { instantSchema, nullableTextSchema } from './field-schemas.js';
import { sendProblem } from './problem.js';

export const pastEventSchema = {
  type: 'object',
  additionalProperties: true,
  properties: {
    type: { type: 'string' },
    at: instantSchema,
    session: { type: 'object', properties: { id: { type: 'string' }, ont_serial: nullableTextSchema } },
  },
} as const;

interface HistoryQuery {
  readonly limit?: string;
  readonly session?: string;
}

const historyQuerySchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    limit: {
      type: 'string',
      pattern: '^([1-9][0-9]{0,2}|1000)$',
      description: 'a number from 1 to 1000 (default 100)',
    },
    session: { type: 'string', pattern: '^[!-~]{1,128}$', description: 'the id of a session' },
  },
} as const;

/** Adds `GET /api/v1/events` and `/api/v1/events/history`; the streams end when the app closes. */
export function addEventRoutes(app: FastifyInstance, events: EventStream, history: EventHistory): void {
  app.addHook('preClose', async () => {
    events.close();
    history.close();
  });
  const schema = {
    summary: 'Live events (server-sent); a client that reads too slowly is disconnected',
    produces: ['text/event-stream'],
    response: { 200: { type: 'string', description: 'one event a change: id, event, data (JSON)' } },
  };
  app.get('/api/v1/events', { schema, exposeHeadRoute: false }, (_request, reply) => {
    if (events.isFull) {
      return sendProblem(reply, 'too-many-clients', {
        detail: `${events.clientCount} clients follow the events already.`,
      });
    }
    reply.hijack();
    events.add(reply.raw);
    return reply;
  });
  const historySchema = {
    summary: 'The last events since start, oldest first; of all sessions or of one',
    querystring: historyQuerySchema,
    response: { 200: { type: 'object', properties: { events: { type: 'array', items: pastEventSchema } } } },
  };
  app.get<{ Querystring: HistoryQuery }>(
    '/api/v1/events/history',
    { schema: historySchema },
    (request, reply) =>
      reply.send({ events: history.last(Number(request.query.limit ?? '100'), request.query.session) }),
  );
}
