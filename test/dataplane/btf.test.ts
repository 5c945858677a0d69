/** The BTF reader against literal bytes (laid out by hand after the kernel's Documentation/bpf/btf.rst). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { extractAbi, findStruct } from '../../src/dataplane/abi-layout.js';
import { readBtf } from '../../src/dataplane/btf.js';
import { layoutOf } from '../../src/dataplane/map-layout.js';
import { isBngError, isWireError } from '../../src/model/bng-error.js';
import { Random } from '../support/random.js';

const STRINGS =
  '\0unsigned short\0__u16\0__be16\0port\0tag\0ports\0bng_one\0bng_two\0BNG_TWO_A\0BNG_TWO_B\0all\0';

function name(text: string): number {
  return text === '' ? 0 : STRINGS.indexOf(`\0${text}\0`) + 1;
}

function longs(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => bytes.writeUInt32LE(value >>> 0, index * 4));
  return bytes;
}

function type(label: string, kind: number, count: number, sizeOrType: number, ...more: number[]): Buffer {
  return longs(name(label), kind * 2 ** 24 + count, sizeOrType, ...more);
}

/** struct bng_one { __be16 port; __u16 tag; __be16 ports[3]; } and enum bng_two, in union all. */
function sample(types?: readonly Buffer[]): Buffer {
  const body = Buffer.concat(
    types ?? [
      type('unsigned short', 1, 0, 2, 16),
      type('__u16', 8, 0, 1),
      type('__be16', 8, 0, 2),
      type('', 3, 0, 0, 3, 1, 3),
      type('bng_one', 4, 3, 10, name('port'), 3, 0, name('tag'), 2, 16, name('ports'), 4, 32),
      type('bng_two', 6, 2, 4, name('BNG_TWO_A'), 0, name('BNG_TWO_B'), 7),
      type('all', 5, 2, 10, name('tag'), 5, 0, name('port'), 6, 0),
    ],
  );
  const strings = Buffer.from(STRINGS, 'latin1');
  const head = longs(0x0001eb9f, 24, 0, body.length, body.length, strings.length);
  return Buffer.concat([head, body, strings]);
}

test('a struct is read with offsets, sizes and the byte order that its typedefs tell', () => {
  const struct = findStruct(readBtf(sample()), 'bng_one');
  assert.deepEqual(struct, {
    name: 'bng_one',
    size: 10,
    fields: [
      { name: 'port', offset: 0, size: 2, kind: 'be16' },
      { name: 'tag', offset: 2, size: 2, kind: 'u16' },
      { name: 'ports', offset: 4, size: 6, kind: 'array', count: 3, element: 'be16' },
    ],
  });
});

test('the union names what the ABI consists of', () => {
  const abi = extractAbi(readBtf(sample()), 'all');
  assert.deepEqual(
    abi.structs.map((struct) => struct.name),
    ['bng_one'],
  );
  assert.deepEqual(abi.enums, [{ name: 'bng_two', members: { BNG_TWO_A: 0, BNG_TWO_B: 7 } }]);
});

test('a missing union is refused', () => {
  assert.throws(
    () => extractAbi(readBtf(sample()), 'none'),
    (error) => isBngError(error, 'BNG_ERR_WIRE_UNSUPPORTED'),
  );
});

test('a bit-field is refused, for it has no byte offset', () => {
  const types = [type('unsigned short', 1, 0, 2, 16), type('bng_one', 4, 1, 2, name('port'), 1, 3)];
  assert.throws(
    () => readBtf(sample(types)),
    (error) => isBngError(error, 'BNG_ERR_WIRE_UNSUPPORTED'),
  );
});

test('a chain of typedefs that bites its own tail is refused', () => {
  const types = [
    type('__u16', 8, 0, 2),
    type('__u16', 8, 0, 1),
    type('bng_one', 4, 1, 2, name('port'), 1, 0),
  ];
  const table = readBtf(sample(types));
  assert.throws(
    () => findStruct(table, 'bng_one'),
    (error) => isBngError(error, 'BNG_ERR_WIRE_UNSUPPORTED'),
  );
});

test('a struct that holds itself is refused, in the ABI as in the layout of a map', () => {
  const types = [type('bng_one', 4, 1, 4, name('port'), 1, 0), type('all', 5, 1, 4, name('tag'), 1, 0)];
  const table = readBtf(sample(types));
  for (const read of [() => extractAbi(table, 'all'), () => layoutOf(table, 1)]) {
    assert.throws(read, (error) => isBngError(error, 'BNG_ERR_WIRE_UNSUPPORTED'));
  }
});

test('an array that is its own element is refused', () => {
  const table = readBtf(sample([type('', 3, 0, 0, 1, 1, 3), type('bng_one', 4, 1, 4, name('port'), 1, 0)]));
  assert.throws(
    () => findStruct(table, 'bng_one'),
    (error) => isBngError(error, 'BNG_ERR_WIRE_UNSUPPORTED'),
  );
});

test('a name of any length is read', () => {
  const long = 'x'.repeat(500_000);
  const strings = Buffer.from(`\0${long}\0`, 'latin1');
  const body = longs(1, 1 * 2 ** 24, 4, 32);
  const head = longs(0x0001eb9f, 24, 0, body.length, body.length, strings.length);
  const table = readBtf(Buffer.concat([head, body, strings]));
  assert.deepEqual(table[1], { kind: 'int', name: long, size: 4 });
});

test('a big-endian object is refused', () => {
  const swapped = sample();
  swapped.writeUInt16BE(0xeb9f, 0);
  assert.throws(
    () => readBtf(swapped),
    (error) => isBngError(error, 'BNG_ERR_WIRE_MALFORMED'),
  );
});

test('BTF cut off anywhere is a wire error', () => {
  const whole = sample();
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => readBtf(whole.subarray(0, length)), isWireError, `${length}`);
  }
});

test('mutated BTF gives a table or a wire error, nothing else', () => {
  const random = new Random(7);
  for (let round = 0; round < 20_000; round++) {
    const mutated = sample();
    for (let hits = 1 + random.below(3); hits > 0; hits--)
      mutated[random.below(mutated.length)] = random.below(256);
    try {
      extractAbi(readBtf(mutated), 'all');
    } catch (error) {
      assert.ok(isWireError(error), `round ${round}: ${String(error)}`);
    }
  }
});
