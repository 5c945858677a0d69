/** The route that follows one line; the stream itself is trace-stream.ts. */
import type { FastifyInstance } from 'fastify';
import { sendProblem } from './problem.js';
import { sessionKeySchema } from './session-finder.js';
import type { TraceStream } from './trace-stream.js';

/** Adds `GET /api/v1/trace/{key}`; the streams end when the app closes. A line without a session yet may be followed. */
export function addTraceRoutes(app: FastifyInstance, traces: TraceStream): void {
  app.addHook('preClose', async () => traces.close());
  const schema = {
    summary:
      'One line followed live (server-sent): DHCP messages and verdicts, its session, sampled frames, the dataplane each second',
    produces: ['text/event-stream'],
    params: { type: 'object', properties: { key: sessionKeySchema } },
    response: { 200: { type: 'string', description: 'data (JSON): at, kind, text; of a frame also frame' } },
  };
  app.get<{ Params: { key: string } }>(
    '/api/v1/trace/:key',
    { schema, exposeHeadRoute: false },
    (request, reply) => {
      if (traces.isFull) {
        return sendProblem(reply, 'too-many-clients', { detail: 'Too many lines are followed already.' });
      }
      reply.hijack();
      traces.follow(reply.raw, request.params.key);
      return reply;
    },
  );
}
