import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventParser } from '../../src/operator-page/event-parser.js';

const STREAM =
  ': the overview from now on\n\nevent: history\ndata: [1]\n\n: heartbeat\n\nevent: overview\ndata: {"a":\ndata: 1}\n\n';

test('events come out the same wherever the stream is cut', () => {
  const whole = [
    { event: 'history', data: '[1]' },
    { event: 'overview', data: '{"a":\n1}' },
  ];
  for (let cut = 0; cut <= STREAM.length; cut++) {
    const parser = new EventParser();
    const found = [...parser.push(STREAM.slice(0, cut)), ...parser.push(STREAM.slice(cut))];
    assert.deepEqual(found, whole, `cut at ${cut}`);
  }
  const parser = new EventParser();
  assert.deepEqual(
    [...STREAM].flatMap((letter) => parser.push(letter)),
    whole,
  );
});

test('an event that has not ended yet is not told', () => {
  const parser = new EventParser();
  assert.deepEqual(parser.push('event: overview\ndata: {}\n'), []);
  assert.deepEqual(parser.push('\n'), [{ event: 'overview', data: '{}' }]);
});
