/** What must never be in the log is not in it, whoever hands it over. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logEvent, openLog } from '../../src/log-events.js';

function logged(fields: object): Record<string, unknown> {
  const lines: string[] = [];
  const log = openLog('info', { write: (line) => void lines.push(line) });
  logEvent(log, 'started', fields);
  return JSON.parse(lines[0] ?? '') as Record<string, unknown>;
}

test('A secret is cut out of a line wherever it stands, and the caller keeps it', () => {
  const fields = {
    token: 't',
    a: { password: 'p', b: { authorization: 'x', kept: 1 } },
    list: [{ secret: 's', kept: 2 }],
  };
  const line = logged(fields);
  assert.equal(line['token'], '[secret]');
  assert.deepEqual(line['a'], { password: '[secret]', b: { authorization: '[secret]', kept: 1 } });
  assert.deepEqual(line['list'], [{ secret: '[secret]', kept: 2 }]);
  assert.equal(fields.a.password, 'p');
  assert.equal(fields.list[0]?.secret, 's');
});

test('An error is told with its stack, and without the secrets of its context', () => {
  const { err } = logged({ err: Object.assign(new Error('expected more'), { context: { secret: 's' } }) });
  assert.ok(
    typeof err === 'object' && err !== null && 'stack' in err && 'message' in err && 'context' in err,
  );
  assert.equal(err.message, 'expected more');
  assert.match(String(err.stack), /log-secrets/);
  assert.deepEqual(err.context, { secret: '[secret]' });
});
