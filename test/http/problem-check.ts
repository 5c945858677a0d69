/** Checks that an answer is a problem document (RFC 9457 §3) with the status of its kind, and gives it back. */
import assert from 'node:assert/strict';
import { problemSchema } from '../../src/http/problem.js';
import type { Problem } from '../../src/http/problem.js';

export function checkProblemText(status: number, contentType: string | undefined, body: string): Problem {
  assert.match(contentType ?? '', /^application\/problem\+json/);
  const problem = JSON.parse(body) as Problem;
  for (const member of problemSchema.required) assert.ok(member in problem, `${member} is missing`);
  for (const member of Object.keys(problem))
    assert.ok(member in problemSchema.properties, `${member} is unknown`);
  assert.ok(problemSchema.properties.type.enum.includes(problem.type), problem.type);
  assert.equal(problem.status, status);
  assert.notEqual(problem.title, '');
  assert.notEqual(problem.detail, '');
  for (const [name, value] of Object.entries(problem)) {
    const wanted = name === 'status' ? 'number' : name === 'checks' ? 'object' : 'string';
    assert.equal(typeof value, wanted, name);
  }
  return problem;
}

export function checkProblem(
  response: { statusCode: number; headers: Record<string, unknown>; body: string },
  status: number,
  kind: string,
): Problem {
  assert.equal(response.statusCode, status, response.body);
  const contentType = String(response.headers['content-type']);
  const problem = checkProblemText(status, contentType, response.body);
  assert.equal(problem.type, `urn:bng:problem:${kind}`);
  assert.equal(response.headers['cache-control'], 'no-store');
  return problem;
}
