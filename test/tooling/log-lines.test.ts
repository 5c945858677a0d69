/** Log lines of one turn are written together, all of them, in their order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogLines, linesWritten } from '../../src/log-lines.js';

test('The lines of one turn are written at once, and those of the next after them', async () => {
  const writes: string[] = [];
  const lines = new LogLines({ write: (text) => void writes.push(text) });
  lines.write('a\n');
  lines.write('b\n');
  assert.deepEqual(writes, []);
  await linesWritten();
  assert.deepEqual(writes, ['a\nb\n']);
  lines.write('c\n');
  await linesWritten();
  assert.deepEqual(writes, ['a\nb\n', 'c\n']);
});
