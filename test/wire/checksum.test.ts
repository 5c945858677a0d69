/** The Internet checksum against RFC 1071's own example. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addWords, foldChecksum, internetChecksum } from '../../src/wire/checksum.js';
import { hex } from './fixtures/bytes.js';

test('RFC 1071 §3: the words 0001 f203 f4f5 f6f7 add up to ddf2', () => {
  assert.equal(internetChecksum(hex('0001f203f4f5f6f7')), ~0xddf2 & 0xffff);
});

test('RFC 1071 §4.1: an odd last byte is the high half of a word', () => {
  assert.equal(internetChecksum(hex('0001f2')), internetChecksum(hex('0001f200')));
  assert.notEqual(internetChecksum(hex('0001f2')), internetChecksum(hex('000100f2')));
});

test('nothing adds up to 0, whose complement is ffff', () => {
  assert.equal(internetChecksum(new Uint8Array(0)), 0xffff);
});

test('the largest datagram of all ones is summed without loss', () => {
  const bytes = new Uint8Array(65534).fill(0xff);
  assert.equal(addWords(bytes, 0, bytes.length), 32767 * 0xffff);
  assert.equal(foldChecksum(32767 * 0xffff), 0);
});

test('only the given range is summed', () => {
  assert.equal(internetChecksum(hex('ffff0001f203f4f5f6f7ffff'), 2, 10), ~0xddf2 & 0xffff);
});
