/** BTF as a kernel or another build's object gives it: a table or a wire error, and an ABI of it or a wire error. */
import assert from 'node:assert/strict';
import { extractAbi } from '../../../src/dataplane/abi-layout.js';
import { readBtf } from '../../../src/dataplane/btf.js';
import { layoutOf } from '../../../src/dataplane/map-layout.js';
import { valueOf } from '../value-or-wire-error.js';
import type { FuzzTarget } from '../fuzz-target.js';

const MOST_BYTES = 4_096;

/** Little-endian words, as the header and the types are. */
function words(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

/** int, struct of it, array, enum, typedef, union of all: every kind that the ABI is made of. */
function sample(): Uint8Array {
  const strings = Buffer.from('\0__u32\0one\0all\0A_B\0__be16\0');
  const types = [
    words(1, 1 << 24, 4, 32),
    words(7, (4 << 24) | 1, 4, 7, 1, 0),
    words(0, 3 << 24, 0, 1, 1, 3),
    words(7, (6 << 24) | 1, 4, 15, 1),
    words(19, 8 << 24, 1),
    words(11, (5 << 24) | 2, 4, 7, 2, 0, 15, 4, 0),
  ];
  const body = Buffer.concat(types);
  return new Uint8Array(
    Buffer.concat([words(0x0001eb9f, 24, 0, body.length, body.length, strings.length), body, strings]),
  );
}

export const target: FuzzTarget = {
  seeds: () => [sample()],
  maxBytes: MOST_BYTES,
  boundedRuns: 10_000,
  words: ['all', 'one', '__be16', '__u32'],
  run: (input) => {
    const table = valueOf(() => readBtf(input));
    if (table === null) return;
    // Each type takes 12 bytes.
    assert.ok((table.length - 1) * 12 <= input.length);
    valueOf(() => extractAbi(table, 'all'));
    for (const id of table.keys()) valueOf(() => layoutOf(table, id));
  },
};
