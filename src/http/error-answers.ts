/**
 * Turns what fastify and Node refuse (schema, body, URL, broken HTTP) into problem documents. No route, no domain rule.
 */
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { makeProblem, PROBLEM_CONTENT_TYPE, sendProblem } from './problem.js';
import type { ProblemKind, ProblemMembers } from './problem.js';

const LONGEST_FOUND = 100;

/** One ajv error with `verbose` on: `data` is the value at fault, `parentSchema` the schema that refused it. */
interface VerboseSchemaError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string;
  readonly data?: unknown;
  readonly parentSchema?: { readonly description?: string };
}

function shortText(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length <= LONGEST_FOUND ? text : `${text.slice(0, LONGEST_FOUND)}…`;
}

function describeSchemaError(error: VerboseSchemaError, part: string): ProblemMembers {
  const parent = error.instancePath.split('/').slice(1).join('.');
  const inside = (name: unknown): string => (parent === '' ? String(name) : `${parent}.${String(name)}`);
  const say = (field: string, found: string, expected: string): ProblemMembers => ({
    detail: `${field}: expected ${expected}, found ${found}`,
    field,
    found,
    expected,
  });
  if (error.keyword === 'required') return say(inside(error.params['missingProperty']), 'nothing', 'a value');
  if (error.keyword === 'additionalProperties') {
    const name = error.params['additionalProperty'];
    const value = (error.data as Readonly<Record<string, unknown>> | undefined)?.[String(name)];
    return say(inside(name).slice(0, LONGEST_FOUND), shortText(value), 'no field of this name');
  }
  const field = parent === '' ? part : parent;
  const allowed = error.params['allowedValues'];
  if (Array.isArray(allowed)) return say(field, shortText(error.data), `one of ${allowed.join(', ')}`);
  const message = (error.message ?? 'another value').replace(/^must (be )?/, '');
  const expected = error.keyword === 'pattern' ? (error.parentSchema?.description ?? message) : message;
  return say(field, shortText(error.data), expected);
}

const KIND_BY_STATUS: Readonly<Record<number, ProblemKind>> = {
  408: 'request-timeout',
  413: 'body-too-large',
  414: 'uri-too-long',
  415: 'unsupported-media-type',
};

/** Answers an error that fastify or a handler raised. Errors of ours are logged and answered without their text. */
export function answerError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const [schemaError] = (error.validation ?? []) as readonly VerboseSchemaError[];
  const status = error.statusCode ?? 500;
  if (schemaError !== undefined) {
    sendProblem(reply, 'invalid-field', describeSchemaError(schemaError, error.validationContext ?? 'body'));
  } else if (status >= 500) {
    request.log.error({ event: 'http-request-failed', err: error });
    sendProblem(reply, 'internal', { detail: 'The log of the BNG says more.' });
  } else {
    sendProblem(reply, KIND_BY_STATUS[status] ?? 'bad-request', { detail: error.message });
  }
}

/** Answers bytes that Node's HTTP parser refused; there is no request yet, so the answer is written by hand. */
export function answerBrokenHttp(error: { readonly code?: string }, socket: Socket): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const kind: ProblemKind =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? 'headers-too-large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? 'request-timeout'
        : 'bad-request';
  const problem = makeProblem(kind, '', {
    detail: `expected an HTTP/1.1 request [code:${error.code ?? 'none'}]`,
  });
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} ${problem.title}\r\nContent-Type: ${PROBLEM_CONTENT_TYPE}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
