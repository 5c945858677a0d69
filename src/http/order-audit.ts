/** Tells the audit log of every order that was admitted, whatever became of it. Decides nothing. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Audit } from '../model/audit.js';
import { auditSession } from '../model/audit.js';
import type { OperatorInlet } from '../session/inlet.js';

export interface OrderAuditOptions {
  readonly operator: OperatorInlet;
  readonly audit: Audit;
  /** Name of the token that the app takes; null over the unix socket, where the user is root. */
  readonly tokenName: string | null;
}

interface Order {
  readonly before: object | null;
  answer: string;
}

/** Adds the hooks; before the routes, after admission. Only reads what the session layer shows. */
export function addOrderAudit(app: FastifyInstance, options: OrderAuditOptions): void {
  const { operator, audit, tokenName } = options;
  const orders = new WeakMap<FastifyRequest, Order>();
  // A body that does not fit its schema has ordered nothing, so it is not here: preHandler comes after validation.
  app.addHook('preHandler', async (request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD' && !request.is404) {
      orders.set(request, { before: pictureOf(operator, request.body), answer: '' });
    }
  });
  app.addHook('onSend', async (request, _reply, payload) => {
    const order = orders.get(request);
    if (order !== undefined && typeof payload === 'string') order.answer = payload;
    return payload;
  });
  app.addHook('onResponse', async (request, reply) => {
    const order = orders.get(request);
    if (order === undefined) return;
    const isDone = reply.statusCode < 400;
    audit({
      actor:
        tokenName === null
          ? { via: 'socket', name: 'root', address: null }
          : { via: 'http', name: tokenName, address: request.ip },
      action: request.url.slice(request.url.lastIndexOf('/') + 1),
      order: typeof request.body === 'object' && request.body !== null ? request.body : {},
      before: order.before,
      after: pictureOf(operator, request.body),
      result: isDone ? 'done' : 'refused',
      reason: isDone ? null : reasonOf(order.answer),
    });
  });
}

/** Of the session that is meant, or of the BNG itself. */
function pictureOf(operator: OperatorInlet, body: unknown): object | null {
  if (typeof body === 'object' && body !== null && 'ont_serial' in body) {
    const view = operator.sessionByOnt(String(body.ont_serial));
    return view === null ? null : auditSession(view);
  }
  return { draining: operator.isDraining };
}

/** What the problem document says. */
function reasonOf(answer: string): string {
  const problem = JSON.parse(answer) as { readonly detail?: unknown };
  return String(problem.detail);
}
