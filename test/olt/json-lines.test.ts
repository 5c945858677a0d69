import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { JsonLines, toLine } from '../../src/olt/json-lines.js';

function collect(chunks: readonly (string | Uint8Array)[]): { lines: string[]; tooLong: number } {
  const result = { lines: [] as string[], tooLong: 0 };
  const lines = new JsonLines({
    onLine: (line) => result.lines.push(line),
    onTooLong: () => (result.tooLong += 1),
  });
  for (const chunk of chunks) lines.push(Buffer.from(chunk as string));
  return result;
}

describe('lines out of a stream', () => {
  it('a line is given when its end has come, however it was cut', () => {
    const text = Buffer.from('{"name":"Müller"}\n{"b":2}\n{"unfinished"');
    for (let cut = 0; cut <= text.length; cut++) {
      assert.deepEqual(collect([text.subarray(0, cut), text.subarray(cut)]).lines, [
        '{"name":"Müller"}',
        '{"b":2}',
      ]);
    }
  });

  it('empty lines are passed over', () => assert.deepEqual(collect(['\n \na\n']).lines, ['a']));

  it('a line longer than 64 KiB is told once and skipped to its end, in one piece or in many', () => {
    const long = 'x'.repeat(70_000);
    assert.deepEqual(collect([`${long}\nnext\n`]), { lines: ['next'], tooLong: 1 });
    assert.deepEqual(collect([long, long, `${long}\nnext\n`]), { lines: ['next'], tooLong: 1 });
  });

  it('a reader that allows for longer lines is given them', () => {
    const found: string[] = [];
    const lines = new JsonLines({
      onLine: (line) => found.push(line),
      onTooLong: () => found.push('too long'),
      longest: 200_000,
    });
    const long = 'x'.repeat(199_999);
    for (const chunk of [long, 'y\n', long, 'yz\n', 'next\n']) lines.push(Buffer.from(chunk));
    assert.deepEqual(found, [`${long}y`, 'too long', 'next']);
  });

  it('a value becomes one line', () => assert.equal(toLine({ a: 'b\nc' }), '{"a":"b\\nc"}\n'));
});
