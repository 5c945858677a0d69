/** Reading what the dataplane did to frames: verdicts, and drops by reason. */
import type { FastifyInstance } from 'fastify';
import type { DataplaneInspection } from '../dataplane/port.js';
import { counterTableSchema } from './field-schemas.js';

/** Counters as decimal strings. */
export function counterTable(counters: Readonly<Record<string, bigint>>): Record<string, string> {
  return Object.fromEntries(Object.entries(counters).map(([name, count]) => [name, count.toString()]));
}

/** Adds `GET /api/v1/drops`. */
export function addDropRoutes(
  app: FastifyInstance,
  dataplane: Pick<DataplaneInspection, 'drops' | 'verdicts'>,
): void {
  const schema = {
    summary: 'Frames since start by verdict, and dropped ones by reason',
    response: {
      200: { type: 'object', properties: { drops: counterTableSchema, verdicts: counterTableSchema } },
    },
  };
  app.get('/api/v1/drops', { schema }, (_request, reply) =>
    reply.send({ drops: counterTable(dataplane.drops()), verdicts: counterTable(dataplane.verdicts()) }),
  );
}
