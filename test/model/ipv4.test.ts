import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isBngError } from '../../src/model/bng-error.js';
import type { Ipv4 } from '../../src/model/ipv4.js';
import {
  IPV4_BROADCAST,
  formatIpv4,
  formatPrefix,
  ipv4FromBytes,
  ipv4FromNumber,
  ipv4ToBytes,
  parseIpv4,
  parsePrefix,
  prefixContains,
  prefixLast,
  prefixMask,
  prefixesOverlap,
} from '../../src/model/ipv4.js';

const refused = (error: unknown): boolean => isBngError(error, 'BNG_ERR_VALUE');

describe('an IPv4 address', () => {
  const addresses: readonly (readonly [string, number])[] = [
    ['0.0.0.0', 0],
    ['10.0.0.1', 0x0a000001],
    ['127.255.255.255', 0x7fffffff],
    ['128.0.0.0', 0x80000000],
    ['192.0.2.1', 0xc0000201],
    ['255.255.255.255', 0xffffffff],
  ];

  it('is an unsigned number, and text and bytes of it read back the same', () => {
    for (const [text, number] of addresses) {
      assert.equal(parseIpv4(text), number);
      assert.equal(formatIpv4(number as Ipv4), text);
      const bytes = ipv4ToBytes(number as Ipv4);
      assert.deepEqual([...bytes], text.split('.').map(Number));
      assert.equal(ipv4FromBytes(bytes), number);
      assert.equal(ipv4FromBytes(Uint8Array.of(9, ...bytes, 9), 1), number);
    }
  });

  it('is not short, octal, padded, hexadecimal or too large text', () => {
    for (const text of [
      '',
      '1.2.3',
      '1.2.3.4.5',
      '01.2.3.4',
      '1.2.3.256',
      '0x1.2.3.4',
      ' 1.2.3.4',
      '1.2.3.4 ',
      '::1',
    ]) {
      assert.throws(() => parseIpv4(text), refused, JSON.stringify(text));
    }
  });

  it('is truncated when fewer than four bytes are there', () => {
    for (const [length, offset] of [
      [0, 0],
      [3, 0],
      [4, 1],
    ] as const) {
      const truncated = (error: unknown): boolean => isBngError(error, 'BNG_ERR_WIRE_TRUNCATED');
      assert.throws(() => ipv4FromBytes(new Uint8Array(length), offset), truncated);
    }
  });

  it('wraps round at 2^32', () => {
    assert.equal(ipv4FromNumber(2 ** 32), 0);
    assert.equal(ipv4FromNumber(-1), IPV4_BROADCAST);
  });
});

describe('an IPv4 prefix', () => {
  it('has a mask for each length', () => {
    const masks = [
      [0, 0],
      [1, 0x80000000],
      [12, 0xfff00000],
      [24, 0xffffff00],
      [31, 0xfffffffe],
      [32, 0xffffffff],
    ];
    for (const [length, mask] of masks) assert.equal(prefixMask(length!), mask);
  });

  it('reads back as it was written, and knows its last address', () => {
    const lasts = {
      '0.0.0.0/0': '255.255.255.255',
      '10.0.0.0/12': '10.15.255.255',
      '192.0.2.0/24': '192.0.2.255',
      '192.0.2.4/31': '192.0.2.5',
      '255.255.255.255/32': '255.255.255.255',
    };
    for (const [text, last] of Object.entries(lasts)) {
      const prefix = parsePrefix(text);
      assert.equal(formatPrefix(prefix), text);
      assert.equal(formatIpv4(prefixLast(prefix)), last);
    }
  });

  it('has no host bits, one slash and a length up to 32', () => {
    for (const text of [
      '10.0.0.1/24',
      '10.0.0.0',
      '10.0.0.0/',
      '10.0.0.0/33',
      '10.0.0.0/8/8',
      '10.0.0/8',
      '10.0.0.0/-1',
    ]) {
      assert.throws(() => parsePrefix(text), refused, text);
    }
  });

  it('contains its first and last address and not their outer neighbours', () => {
    for (const text of ['10.16.0.0/12', '128.0.0.0/1', '192.0.2.8/30', '192.0.2.9/32']) {
      const prefix = parsePrefix(text);
      const { network } = prefix;
      const last = prefixLast(prefix);
      assert.ok(prefixContains(prefix, network) && prefixContains(prefix, last));
      assert.ok(!prefixContains(prefix, ipv4FromNumber(network - 1)));
      assert.ok(!prefixContains(prefix, ipv4FromNumber(last + 1)));
    }
  });

  it('overlaps another exactly when one contains the other, whichever is asked', () => {
    const cases: readonly (readonly [string, string, boolean])[] = [
      ['10.0.0.0/12', '10.16.0.0/12', false],
      ['10.0.0.0/8', '10.16.0.0/12', true],
      ['0.0.0.0/0', '192.0.2.1/32', true],
      ['192.0.2.0/24', '192.0.2.0/24', true],
      ['192.0.2.0/25', '192.0.2.128/25', false],
    ];
    for (const [a, b, expected] of cases) {
      assert.equal(prefixesOverlap(parsePrefix(a), parsePrefix(b)), expected);
      assert.equal(prefixesOverlap(parsePrefix(b), parsePrefix(a)), expected);
    }
  });
});
