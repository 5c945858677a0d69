/** Orders to the BNG itself: drain and reload. */
import type { FastifyInstance } from 'fastify';
import type { OperatorInlet } from '../session/inlet.js';
import { sendProblem } from './problem.js';

export type ReloadOutcome =
  | { readonly ok: true; readonly changes: readonly string[] }
  | { readonly ok: false; readonly reason: string };

/** Reads the configuration again and applies what can change while running. */
export type Reload = () => Promise<ReloadOutcome>;

const drainBody = {
  type: 'object',
  required: ['draining'],
  additionalProperties: false,
  properties: { draining: { type: 'boolean', description: 'true: no new session begins' } },
} as const;

const drainAnswer = {
  type: 'object',
  properties: {
    draining: { type: 'boolean' },
    sessions: { type: 'object', additionalProperties: { type: 'integer' }, description: 'by state' },
  },
} as const;

/** Adds `GET` and `POST /api/v1/drain`, and `POST /api/v1/reload` where the daemon can. */
export function addOperationRoutes(
  app: FastifyInstance,
  operator: OperatorInlet,
  reload: Reload | null,
): void {
  const answer = (): object => ({ draining: operator.isDraining, sessions: operator.stateCounts() });
  const schema = { summary: 'Whether new sessions begin', response: { 200: drainAnswer } };
  app.get('/api/v1/drain', { schema }, (_request, reply) => reply.send(answer()));
  app.post<{ Body: { draining: boolean } }>(
    '/api/v1/drain',
    {
      schema: {
        summary: 'Lets no new session begin, or lets them begin again; sessions that are there go on',
        body: drainBody,
        response: { 200: drainAnswer },
      },
    },
    (request, reply) => {
      operator.setDraining(request.body.draining);
      return reply.send(answer());
    },
  );
  if (reload === null) return;
  const reloadSchema = {
    summary: 'Reads the configuration again and applies what can change while running',
    response: {
      200: {
        type: 'object',
        properties: { status: { type: 'string' }, changes: { type: 'array', items: { type: 'string' } } },
      },
    },
  };
  app.post('/api/v1/reload', { schema: reloadSchema }, async (_request, reply) => {
    const outcome = await reload();
    if (outcome.ok) return reply.send({ status: 'success', changes: outcome.changes });
    return sendProblem(reply, 'failed', { detail: outcome.reason });
  });
}
