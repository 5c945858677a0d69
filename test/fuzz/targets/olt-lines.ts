/** The access node's stream: lines do not depend on how it is cut, and each is a message or a reason why not. */
import assert from 'node:assert/strict';
import { JsonLines, toLine } from '../../../src/olt/json-lines.js';
import {
  messageSchema,
  ontListSchema,
  parseLine,
  requestIdOf,
  requestSchema,
  statsSchema,
} from '../../../src/olt/protocol.js';
import { bytesOf } from '../fuzz-target.js';
import type { FuzzTarget } from '../fuzz-target.js';

const ONT = {
  ontSerial: 'ONT1',
  port: '1/1/1',
  aggregatorId: 'agg-01',
  interface: 'ont1',
  tagging: 'qinq',
  sVlan: 100,
  cVlan: 7,
  state: 'provisioned',
  qosDownloadBps: 0,
  qosUploadBps: 1e6,
  circuitId: 'agg-01|1/1/1',
  mac: '02:00:00:00:00:01',
};
const SCHEMAS = [requestSchema, messageSchema, ontListSchema, statsSchema];

function linesOf(bytes: Uint8Array, step: number): readonly string[] {
  const lines: string[] = [];
  const reader = new JsonLines({
    onLine: (line) => lines.push(line),
    onTooLong: () => lines.push('TOO LONG'),
  });
  for (let at = 0; at < bytes.length; at += step) reader.push(bytes.subarray(at, at + step));
  return lines;
}

export const target: FuzzTarget = {
  seeds: () =>
    [
      toLine({ event: { type: 'NewONTDetected', ...ONT } }),
      toLine({ id: 1, result: [ONT] }) + toLine({ id: 2, error: { message: 'no' } }),
      toLine({
        id: 3,
        method: 'plug',
        params: { ontSerial: 'ONT1', port: '1/1/1', interface: 'ont1', tagging: 'single', cVlan: 7 },
      }),
      toLine({
        id: 4,
        method: 'reconfigure',
        params: { ontSerial: 'A', sVlan: 1, qosDownloadBps: 0, qosUploadBps: 0 },
      }),
      toLine({ id: 5, method: 'stats' }) +
        toLine([ONT]) +
        toLine({ peers: 1, badLines: 0, counts: { up: 1 } }),
    ].map(bytesOf),
  words: [
    'null',
    '__proto__',
    '"constructor"',
    '1e999',
    '-0',
    '\\u0000',
    '[[[[',
    '{"a":',
    '"unplug"',
    '"onts"',
    '\n',
  ],
  maxBytes: 2_000,
  boundedRuns: 1_500,
  run: (input) => {
    const lines = linesOf(input, input.length || 1);
    assert.deepEqual(linesOf(input, 1 + (input.length % 7)), lines);
    for (const line of lines) {
      requestIdOf(line);
      for (const schema of SCHEMAS) {
        const parsed = parseLine<unknown>(schema, line);
        if (!parsed.ok) assert.notEqual(parsed.reason, '');
        // What is understood is understood again when it is passed on.
        else assert.deepEqual(parseLine<unknown>(schema, JSON.stringify(parsed.value)), parsed);
      }
    }
  },
};
