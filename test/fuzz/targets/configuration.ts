/** bng.yaml: any text is a configuration or a list of problems, each with its place. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parseConfig } from '../../../src/config/parse-config.js';
import { MINIMAL } from '../../config/minimal-yaml.js';
import { bytesOf } from '../fuzz-target.js';
import type { FuzzTarget } from '../fuzz-target.js';

/** Sections of the example one by one: the whole is too long to be changed much. */
function sections(): readonly string[] {
  const example = readFileSync('deploy/bng.example.yaml', 'utf8').replace(/^\s*#.*\n/gm, '');
  return example.split(/^(?=[a-zA-Z])/m);
}

export const target: FuzzTarget = {
  seeds: () =>
    [
      MINIMAL,
      ...sections().map((section) => `${section}\n`),
      ...sections().map((section) => MINIMAL + section),
    ].map(bytesOf),
  words: [
    'null',
    '[]',
    '{}',
    '*a',
    '&a ',
    '<<: ',
    '!!binary ',
    '- ',
    ': ',
    '10.0.0.0/8',
    '0.0.0.0/0',
    '-1',
    '1e9',
    '~',
    '"',
    '|',
    '>',
  ],
  maxBytes: 3_000,
  boundedRuns: 300,
  run: (input) => {
    const text = Buffer.from(input).toString('utf8');
    const result = parseConfig(text);
    if (result.ok) return;
    assert.ok(result.problems.length > 0, 'refused without a reason');
    const lines = text.split('\n').length;
    for (const { line, message } of result.problems) {
      assert.ok(line === null || (line >= 1 && line <= lines + 1), `line ${line} of ${lines}`);
      assert.ok(message.length > 0 && message.length < 2_000 + text.length);
    }
  },
};
