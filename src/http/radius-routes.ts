/** Reading AAA: servers, round trips, the accounting queue, CoA. Changes nothing. */
import type { FastifyInstance } from 'fastify';
import { radiusJson, radiusSchema } from './radius-json.js';
import type { RadiusReport } from './radius-report.js';

/** Adds `GET /api/v1/radius`. */
export function addRadiusRoutes(app: FastifyInstance, radius: () => RadiusReport): void {
  const schema = {
    summary: 'RADIUS servers, round trips, the accounting queue and CoA, counted since start',
    response: { 200: radiusSchema },
  };
  app.get('/api/v1/radius', { schema }, (_request, reply) => reply.send(radiusJson(radius())));
}
