/** Bounds of the reading and the writing cursor. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteReader } from '../../src/wire/byte-reader.js';
import { ByteWriter } from '../../src/wire/byte-writer.js';
import { throwsBng } from './fixtures/wire-errors.js';
import { hex } from './fixtures/bytes.js';

const BYTES = hex('ff fffe fffffffd c0000201 fe0000aabbcc 0102');

test('values are read in network order, the high bit is no sign, and written back to the same bytes', () => {
  const reader = new ByteReader(BYTES);
  const values = [reader.u8(), reader.u16(), reader.u32(), reader.ipv4(), reader.mac()] as const;
  assert.deepEqual(values, [0xff, 0xfffe, 0xfffffffd, 0xc0000201, 0xfe0000aabbcc]);
  assert.equal(reader.remaining, 2);
  const rest = reader.take(2);
  const bytes = new Uint8Array(BYTES.length);
  const writer = new ByteWriter(bytes);
  writer.u8(values[0]);
  writer.u16(values[1]);
  writer.u32(values[2]);
  writer.ipv4(values[3]);
  writer.mac(values[4]);
  writer.bytes(rest);
  assert.deepEqual(bytes, BYTES);
  assert.equal(writer.offset, BYTES.length);
});

test('a read over the end says where, how much was expected, and how much was there, and does not move', () => {
  const reader = new ByteReader(hex('00010203'), 1);
  reader.u8();
  for (const read of [() => reader.u32(), () => reader.ipv4(), () => reader.take(4), () => reader.skip(4)]) {
    throwsBng(read, 'BNG_ERR_WIRE_TRUNCATED', { offset: 2, expected: 4, found: 2 });
  }
  assert.equal(reader.u16(), 0x0203);
  throwsBng(() => reader.u8(), 'BNG_ERR_WIRE_TRUNCATED', { offset: 4 });
});

test('a reader with an end does not read what lies behind it', () => {
  const reader = new ByteReader(hex('00010203'), 0, 2);
  reader.skip(1);
  throwsBng(() => reader.u16(), 'BNG_ERR_WIRE_TRUNCATED', { offset: 1, found: 1 });
});

test('a reader cannot be made with an end beyond the bytes or a start beyond the end', () => {
  throwsBng(() => new ByteReader(hex('0001'), 0, 3), 'BNG_ERR_WIRE_TRUNCATED');
  throwsBng(() => new ByteReader(hex('0001'), 3), 'BNG_ERR_WIRE_TRUNCATED');
});

test('a write over the end is an error of ours, not silence', () => {
  const writer = new ByteWriter(new Uint8Array(3), 2);
  throwsBng(() => writer.u16(1), 'BNG_ERR_VALUE', { offset: 2, found: 1 });
  writer.u8(1);
  throwsBng(() => writer.bytes(hex('00')), 'BNG_ERR_VALUE');
  throwsBng(() => writer.skip(1), 'BNG_ERR_VALUE');
});
