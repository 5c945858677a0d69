/** Reading what the dataplane did to frames: verdicts, and drops by reason. */
import type { FastifyInstance } from 'fastify';
import type { DataplaneInspection } from '../dataplane/port.js';
import type { LineFigures } from '../session/view.js';
import { counterTableSchema } from './field-schemas.js';

/** Counters as decimal strings. */
export function counterTable(counters: Readonly<Record<string, bigint | number>>): Record<string, string> {
  return Object.fromEntries(Object.entries(counters).map(([name, count]) => [name, count.toString()]));
}

export interface DropRouteParts {
  readonly dataplane: Pick<DataplaneInspection, 'drops' | 'verdicts'>;
  readonly lines: () => LineFigures;
}

/** Adds `GET /api/v1/drops`. */
export function addDropRoutes(app: FastifyInstance, { dataplane, lines }: DropRouteParts): void {
  const schema = {
    summary: 'Frames since start by verdict, dropped ones by reason, and stations refused on their line',
    response: {
      200: {
        type: 'object',
        properties: { drops: counterTableSchema, verdicts: counterTableSchema, refusals: counterTableSchema },
      },
    },
  };
  app.get('/api/v1/drops', { schema }, (_request, reply) =>
    reply.send({
      drops: counterTable(dataplane.drops()),
      verdicts: counterTable(dataplane.verdicts()),
      refusals: counterTable(lines().refused),
    }),
  );
}
