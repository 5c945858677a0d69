/** The route of the live events; the stream itself is event-stream.ts. */
import type { FastifyInstance } from 'fastify';
import type { EventStream } from './event-stream.js';
import { sendProblem } from './problem.js';

/** Adds `GET /api/v1/events`; the streams end when the app closes. */
export function addEventRoutes(app: FastifyInstance, events: EventStream): void {
  app.addHook('preClose', async () => events.close());
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
}
