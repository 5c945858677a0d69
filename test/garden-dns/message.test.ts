/** Queries of the garden's DNS, byte by byte. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode } from 'dns-packet';
import { parseIpv4 } from '../../src/model/ipv4.js';
import { readQuery, writeAnswer } from '../../src/garden-dns/message.js';

const QUERY = encode({ type: 'query', id: 7, questions: [{ type: 'A', name: 'a.example' }] });
const NOTHING = { id: 7, questionBytes: null, isExtended: false };
/** Where the header counts questions, answers, authorities and additional records (RFC 1035 §4.1.1). */
const COUNTS = [4, 6, 8, 10];

test('a query with one question is read', () => {
  assert.equal(readQuery(QUERY).kind, 'query');
});

test('a header that claims more records than a query has is refused before any is looked for', () => {
  for (const offset of COUNTS) {
    const bytes = Buffer.concat([QUERY, Buffer.alloc(40)]);
    bytes.writeUInt16BE(offset === 10 ? 3 : 2, offset);
    assert.deepEqual(readQuery(bytes), { kind: 'refused', code: 'formatError', echo: NOTHING }, `${offset}`);
  }
});

test('a message longer than we say that we take is refused', () => {
  assert.equal(readQuery(Buffer.concat([QUERY, Buffer.alloc(1_232)])).kind, 'refused');
});

test('a name that is no text stands in the answer byte for byte', () => {
  const name = Uint8Array.of(36, ...Array.from({ length: 36 }, () => 0xf0), 0);
  const bytes = Buffer.concat([QUERY.subarray(0, 12), name, Buffer.of(0, 1, 0, 1)]);
  const read = readQuery(bytes);
  assert.ok(read.kind === 'query');
  const found = { addresses: [parseIpv4('10.255.0.1')], ttlSeconds: 5 };
  const answer = writeAnswer(read.query, 'noError', found);
  assert.deepEqual(answer.subarray(12, bytes.length), bytes.subarray(12));
  assert.deepEqual(
    decode(answer).answers?.map((one) => ('data' in one ? one.data : null)),
    ['10.255.0.1'],
  );
});

test('a question whose name is a pointer or does not end is refused', () => {
  for (const name of [[0xc0, 12], [5, 97], Array.from({ length: 200 }, () => [1, 97]).flat()]) {
    const bytes = Buffer.concat([QUERY.subarray(0, 12), Buffer.from([...name, 0, 0, 1, 0, 1])]);
    assert.equal(readQuery(bytes).kind, 'refused');
  }
});
