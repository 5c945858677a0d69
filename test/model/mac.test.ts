import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isBngError } from '../../src/model/bng-error.js';
import type { Mac } from '../../src/model/mac.js';
import {
  MAC_BROADCAST,
  formatMac,
  isGroupMac,
  macFromBytes,
  macToBytes,
  parseMac,
} from '../../src/model/mac.js';

describe('a MAC address', () => {
  const macs: readonly (readonly [string, number])[] = [
    ['00:00:00:00:00:00', 0],
    ['00:00:00:00:00:01', 1],
    ['02:00:00:aa:bb:cc', 0x020000aabbcc],
    ['7f:ff:ff:ff:ff:ff', 0x7fffffffffff],
    ['80:00:00:00:00:00', 0x800000000000],
    ['ff:ff:ff:ff:ff:ff', 0xffffffffffff],
  ];

  it('is a 48-bit number, and text and bytes of it read back the same', () => {
    for (const [text, number] of macs) {
      assert.equal(parseMac(text), number);
      assert.equal(parseMac(text.toUpperCase()), number);
      assert.equal(formatMac(number as Mac), text);
      const bytes = macToBytes(number as Mac);
      assert.equal(Buffer.from(bytes).toString('hex'), text.replaceAll(':', ''));
      assert.equal(macFromBytes(bytes), number);
      assert.equal(macFromBytes(Uint8Array.of(9, ...bytes, 9), 1), number);
    }
  });

  it('is six pairs of hexadecimal digits with colons, and no other text', () => {
    const others = [
      '',
      '02:00:00:aa:bb',
      '02:00:00:aa:bb:cc:dd',
      '02-00-00-aa-bb-cc',
      '2:0:0:a:b:c',
      '02:00:00:aa:bb:cg',
    ];
    for (const text of others) {
      assert.throws(
        () => parseMac(text),
        (error) => isBngError(error, 'BNG_ERR_VALUE'),
        text,
      );
    }
  });

  it('is truncated when fewer than six bytes are there', () => {
    for (const [length, offset] of [
      [0, 0],
      [5, 0],
      [6, 1],
    ] as const) {
      const truncated = (error: unknown): boolean => isBngError(error, 'BNG_ERR_WIRE_TRUNCATED');
      assert.throws(() => macFromBytes(new Uint8Array(length), offset), truncated);
    }
  });

  it('names a group when the lowest bit of its first octet is set', () => {
    for (const text of ['01:00:5e:00:00:01', '33:33:00:00:00:01']) assert.ok(isGroupMac(parseMac(text)));
    assert.ok(isGroupMac(MAC_BROADCAST));
    for (const text of ['00:00:00:00:00:00', '02:00:00:00:00:01', 'fe:ff:ff:ff:ff:ff']) {
      assert.ok(!isGroupMac(parseMac(text)), text);
    }
  });
});
