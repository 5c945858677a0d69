/** Probes: is the process up, and is it ready. Answered without a token. */
import type { FastifyInstance } from 'fastify';
import type { HealthReport } from './api-options.js';
import { sendProblem } from './problem.js';

const readySchema = {
  type: 'object',
  properties: {
    status: { type: 'string', enum: ['ready'] },
    checks: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          name: { type: 'string' },
          ok: { type: 'boolean' },
          degraded: { type: 'boolean', description: 'ready all the same, but people should look at it' },
          detail: { type: 'string' },
        },
      },
    },
  },
} as const;

/** Adds `/healthz` (200 while the process answers) and `/readyz` (503 with all checks when one is not ok). */
export function addHealthRoutes(app: FastifyInstance, health: () => HealthReport): void {
  const upSchema = { type: 'object', properties: { status: { type: 'string', enum: ['up'] } } } as const;
  app.get(
    '/healthz',
    { config: { open: true }, schema: { summary: 'The process is up', response: { 200: upSchema } } },
    (_request, reply) => reply.send({ status: 'up' }),
  );
  app.get(
    '/readyz',
    { config: { open: true }, schema: { summary: 'The BNG is ready', response: { 200: readySchema } } },
    (_request, reply) => {
      const { checks } = health();
      const failing = checks.filter((check) => !check.ok);
      if (failing.length === 0) return reply.send({ status: 'ready', checks });
      const detail = failing.map((check) => `${check.name}: ${check.detail}`).join('; ');
      return sendProblem(reply, 'not-ready', { detail, checks });
    },
  );
}
