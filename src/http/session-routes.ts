/** Reading sessions: the paged list and the single one with its counters. Changes nothing. */
import { isIPv4 } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Dataplane } from '../dataplane/port.js';
import { parseIpv4 } from '../model/ipv4.js';
import type { OperatorInlet } from '../session/inlet.js';
import type { SessionStateName, SessionView } from '../session/view.js';
import { nullableTextSchema, stateSchema } from './field-schemas.js';
import { sendProblem } from './problem.js';
import { sessionDetailJson, sessionDetailSchema, sessionJson, sessionSchema } from './session-json.js';

const DEFAULT_LIMIT = '100';

interface ListQuery {
  readonly limit?: string;
  readonly cursor?: string;
  readonly state?: SessionStateName;
}

// Query values are text: the schema checks them as such, so that nothing in a body is ever converted silently.
const listQuerySchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    limit: {
      type: 'string',
      pattern: '^([1-9][0-9]{0,2}|1000)$',
      description: 'a number from 1 to 1000 (default 100)',
    },
    cursor: {
      type: 'string',
      pattern: '^[0-9]{1,15}\\.[!-~]{1,128}$',
      description: 'next_cursor of the page before',
    },
    state: stateSchema,
  },
} as const;

const listSchema = {
  type: 'object',
  required: ['sessions', 'next_cursor'],
  properties: { sessions: { type: 'array', items: sessionSchema }, next_cursor: nullableTextSchema },
} as const;

const keySchema = {
  type: 'object',
  properties: {
    key: {
      type: 'string',
      pattern: '^[!-~]{1,128}$',
      description: 'an ONT serial, an IPv4 address or a session id',
    },
  },
} as const;

/**
 * The sessions behind a cursor (`createdWallMs.id` of the last one seen). Where that session has ended meanwhile, from
 * its instant of creation on: a page may then repeat a session but never leaves one out.
 */
function* sessionsBehind(operator: OperatorInlet, cursor: string | undefined): Iterable<SessionView> {
  if (cursor === undefined) {
    yield* operator.sessions();
    return;
  }
  const dot = cursor.indexOf('.');
  const createdWallMs = Number(cursor.slice(0, dot));
  const id = cursor.slice(dot + 1);
  let found = false;
  for (const session of operator.sessions()) {
    if (found) yield session;
    else found = session.id === id;
  }
  if (found) return;
  for (const session of operator.sessions()) if (session.createdWallMs >= createdWallMs) yield session;
}

function page(operator: OperatorInlet, query: ListQuery): { sessions: object[]; next_cursor: string | null } {
  const limit = Number(query.limit ?? DEFAULT_LIMIT);
  const sessions: object[] = [];
  let last: SessionView | null = null;
  for (const session of sessionsBehind(operator, query.cursor)) {
    if (query.state !== undefined && session.state !== query.state) continue;
    if (last !== null && sessions.length === limit) {
      return { sessions, next_cursor: `${last.createdWallMs}.${last.id}` };
    }
    sessions.push(sessionJson(session));
    last = session;
  }
  return { sessions, next_cursor: null };
}

/** Adds the list and the single session, found by ONT serial, address or session id in this order. */
export function addSessionRoutes(
  app: FastifyInstance,
  operator: OperatorInlet,
  dataplane: Pick<Dataplane, 'traffic'>,
): void {
  app.get<{ Querystring: ListQuery }>(
    '/api/v1/sessions',
    {
      schema: {
        summary: 'Lists sessions in order of creation, terminated ones apart',
        querystring: listQuerySchema,
        response: { 200: listSchema },
      },
    },
    (request, reply) => reply.send(page(operator, request.query)),
  );
  app.get<{ Params: { key: string } }>(
    '/api/v1/sessions/:key',
    {
      schema: {
        summary: 'One session with its counters',
        params: keySchema,
        response: { 200: sessionDetailSchema },
      },
    },
    (request, reply) => {
      const { key } = request.params;
      const session =
        operator.sessionByOnt(key) ??
        (isIPv4(key) ? operator.sessionByAddress(parseIpv4(key)) : null) ??
        operator.sessionById(key);
      if (session === null) {
        return sendProblem(reply, 'unknown-session', { detail: `No ONT, address or session id is ${key}.` });
      }
      return reply.send(sessionDetailJson(session, (address) => dataplane.traffic(address)));
    },
  );
}
