/**
 * Problem documents (RFC 9457): the table of kinds, and how one is made and sent. Knows no route and no domain rule.
 */
import type { FastifyReply } from 'fastify';

export const PROBLEM_CONTENT_TYPE = 'application/problem+json; charset=utf-8';

const PROBLEMS = {
  'bad-request': { status: 400, title: 'The request cannot be understood' },
  'invalid-field': { status: 400, title: 'A field has a value that is not allowed' },
  unauthorized: { status: 401, title: 'A valid bearer token is needed' },
  'not-found': { status: 404, title: 'There is no such resource' },
  'unknown-ont': { status: 404, title: 'No ONT with this serial is known' },
  'unknown-map': { status: 404, title: 'No map has this name' },
  'unknown-session': { status: 404, title: 'No session matches' },
  'method-not-allowed': { status: 405, title: 'The resource does not take this method' },
  'request-timeout': { status: 408, title: 'The request did not arrive in time' },
  conflict: { status: 409, title: 'The present state of the session does not allow it' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'uri-too-long': { status: 414, title: 'The address is too long' },
  'unsupported-media-type': { status: 415, title: 'The body must be application/json' },
  misdirected: { status: 421, title: 'This host name is not served here' },
  'headers-too-large': { status: 431, title: 'The header fields are too large' },
  'too-many-requests': { status: 429, title: 'Too many requests' },
  internal: { status: 500, title: 'The BNG made a mistake' },
  failed: { status: 503, title: 'The order could not be carried out' },
  'not-ready': { status: 503, title: 'The BNG is not ready' },
  'too-many-clients': { status: 503, title: 'Too many clients follow the events' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemKind = keyof typeof PROBLEMS;

/** What a problem says beyond its kind. `field`, `found` and `expected` belong to invalid fields, `state` to conflicts. */
export interface ProblemMembers {
  readonly detail: string;
  readonly field?: string;
  readonly found?: string;
  readonly expected?: string;
  readonly state?: string;
  readonly checks?: readonly object[];
}

export interface Problem extends ProblemMembers {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly instance: string;
}

/** The JSON schema of every problem document; `checks` only comes with `not-ready`. */
export const problemSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'instance'],
  additionalProperties: false,
  properties: {
    type: { type: 'string', enum: Object.keys(PROBLEMS).map((kind) => `urn:bng:problem:${kind}`) },
    title: { type: 'string' },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    detail: { type: 'string' },
    instance: { type: 'string', description: 'path and query of the request' },
    field: { type: 'string', description: 'the field at fault' },
    found: { type: 'string', description: 'what it held, shortened' },
    expected: { type: 'string', description: 'what is allowed there' },
    state: { type: 'string', description: 'the state the session is in (409)' },
    checks: { type: 'array', items: { type: 'object' }, description: 'all readiness checks (/readyz)' },
  },
} as const;

/** Makes a problem document; `instance` is the path and query of the request it answers. */
export function makeProblem(kind: ProblemKind, instance: string, members: ProblemMembers): Problem {
  const { status, title } = PROBLEMS[kind];
  return { type: `urn:bng:problem:${kind}`, title, status, instance, ...members };
}

/** Answers the request of `reply` with a problem document. */
export function sendProblem(reply: FastifyReply, kind: ProblemKind, members: ProblemMembers): FastifyReply {
  const problem = makeProblem(kind, reply.request.url, members);
  if (kind === 'unauthorized') reply.header('www-authenticate', 'Bearer realm="bng"');
  return reply
    .code(problem.status)
    .header('content-type', PROBLEM_CONTENT_TYPE)
    .header('cache-control', 'no-store')
    .send(JSON.stringify(problem));
}
