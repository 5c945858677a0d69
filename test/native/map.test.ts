/** NativeMap against the kernel: single entries, batches, per-CPU sums. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { NativeMap, NativeObject } from '../../src/dataplane/native-binding.js';
import { failure, loadFixture, native, skip } from './support.js';

const BATCH_ENTRIES = 100_000;

function numbered(count: number, stride: number, offset = 0): Uint8Array {
  const bytes = new Uint8Array(count * stride);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < count; index += 1) view.setUint32(index * stride, index + offset, true);
  return bytes;
}

function detached(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}

describe('NativeMap', { skip }, () => {
  let object: NativeObject;
  let hash: NativeMap;
  before(() => {
    object = loadFixture();
    hash = object.map('hash');
  });
  after(() => object.close());

  test('tells its name, type and sizes, which cannot be written', () => {
    const { name, type, keySize, valueSize, maxEntries } = hash;
    assert.deepEqual(
      { name, type, keySize, valueSize, maxEntries },
      { name: 'hash', type: 1, keySize: 16, valueSize: 8, maxEntries: 131072 },
    );
    assert.throws(() => {
      (hash as { keySize: number }).keySize = 1;
    }, TypeError);
  });

  test('an entry is absent, then there, then replaced, then deleted once', () => {
    const key = new Uint8Array(16).fill(1);
    assert.equal(hash.lookup(key), null);
    assert.throws(() => hash.update(key, new Uint8Array(8), 'replace'), failure('map.update', 'ENOENT'));
    hash.update(key, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), 'create');
    assert.throws(
      () => hash.update(key, new Uint8Array(8), 'create'),
      failure('map.update', 'EEXIST', /\[map:hash\]/),
    );
    assert.deepEqual([...hash.lookup(key)!], [1, 2, 3, 4, 5, 6, 7, 8]);
    hash.update(key, new Uint8Array(8).fill(9), 'replace');
    hash.update(key, new Uint8Array(8).fill(7), 'any');
    assert.deepEqual([...hash.lookup(key)!], Array(8).fill(7));
    assert.equal(hash.delete(key), true);
    assert.equal(hash.delete(key), false);
  });

  test('keys and values of the wrong length or type never reach the kernel', () => {
    const key = new Uint8Array(16);
    const value = new Uint8Array(8);
    assert.throws(
      () => hash.update(new Uint8Array(4), value),
      (error: Error) =>
        error.message === 'map.update: expected a key of 16 bytes, found 4 [map:hash] EINVAL' &&
        failure('map.update', 'EINVAL')(error),
    );
    assert.throws(
      () => hash.update(key, new Uint8Array(9)),
      failure('map.update', 'EINVAL', /value of 8 bytes, found 9/),
    );
    assert.throws(() => hash.lookup(detached(16)), failure('map.lookup', 'EINVAL', /found 0/));
    assert.throws(() => hash.update(key, detached(8)), failure('map.update', 'EINVAL', /found 0/));
    const wrong = [
      undefined,
      null,
      7,
      Number.NaN,
      'key',
      [1],
      {},
      new ArrayBuffer(16),
      new DataView(new ArrayBuffer(16)),
    ];
    for (const bad of [
      ...wrong,
      new Int8Array(16),
      new Uint16Array(8),
      new Uint8ClampedArray(16),
    ] as never[]) {
      assert.throws(() => hash.lookup(bad), TypeError);
      assert.throws(() => hash.lookup(bad), failure('map.lookup', 'EINVAL'));
      assert.throws(() => hash.update(key, bad), failure('map.update', 'EINVAL'));
      assert.throws(() => hash.delete(bad), failure('map.delete', 'EINVAL'));
    }
    for (const mode of ['', 'ANY', 1, null] as never[]) {
      assert.throws(() => hash.update(key, value, mode), failure('map.update', 'EINVAL'));
    }
    assert.equal(hash.lookup(key), null);
  });

  test('a Buffer into a larger pool and a view with an offset are read at their place', () => {
    const pool = new Uint8Array(64).fill(5, 16, 32);
    hash.update(pool.subarray(16, 32), Buffer.from('abcdefgh'));
    assert.equal(Buffer.from(hash.lookup(new Uint8Array(16).fill(5))!).toString(), 'abcdefgh');
    assert.equal(hash.delete(Buffer.alloc(16, 5)), true);
  });

  test('an array refuses an index beyond its end and deletion', () => {
    const array = object.map('array');
    assert.throws(
      () => array.update(Uint8Array.of(10, 0, 0, 0), new Uint8Array(4)),
      failure('map.update', 'E2BIG'),
    );
    assert.throws(() => array.delete(new Uint8Array(4)), failure('map.delete', 'EINVAL'));
    assert.equal(array.lookup(Uint8Array.of(10, 0, 0, 0)), null);
  });

  test('100 000 entries written in a batch are all read back', () => {
    const keys = numbered(BATCH_ENTRIES, 16);
    const values = numbered(BATCH_ENTRIES, 8, 1_000_000);
    hash.updateBatch(keys, values, BATCH_ENTRIES);
    const all = hash.readAll();
    assert.equal(all.count, BATCH_ENTRIES);
    assert.equal(all.keys.length, BATCH_ENTRIES * 16);
    assert.equal(all.values.length, BATCH_ENTRIES * 8);
    const keyView = new DataView(all.keys.buffer);
    const valueView = new DataView(all.values.buffer);
    const seen = new Uint8Array(BATCH_ENTRIES);
    for (let index = 0; index < all.count; index += 1) {
      const key = keyView.getUint32(index * 16, true);
      seen[key]! += 1;
      if (valueView.getUint32(index * 8, true) !== key + 1_000_000) assert.fail(`value of key ${key}`);
    }
    assert.ok(seen.every((times) => times === 1));
  });

  test('a batch whose lengths and count disagree is refused whole', () => {
    const refused = (keys: Uint8Array, values: Uint8Array, count: unknown, text: RegExp): void =>
      assert.throws(
        () => hash.updateBatch(keys, values, count as number),
        failure('map.updateBatch', 'EINVAL', text),
      );
    refused(new Uint8Array(32), new Uint8Array(16), 3, /keys of 48 bytes, found 32/);
    refused(new Uint8Array(32), new Uint8Array(15), 2, /values of 16 bytes, found 15/);
    for (const bad of [-1, 0.5, Number.NaN, 2 ** 32, 2 ** 53])
      refused(new Uint8Array(0), new Uint8Array(0), bad, /count/);
    refused(new Uint8Array(0), new Uint8Array(0), 2 ** 32 - 1, /keys of/);
    for (const bad of [undefined, null, '1', 1n])
      refused(new Uint8Array(16), new Uint8Array(8), bad, /count/);
    hash.updateBatch(new Uint8Array(0), new Uint8Array(0), 0);
  });

  test('a batch that does not fit says how many entries were written', () => {
    const array = object.map('array');
    assert.throws(
      () => array.updateBatch(numbered(12, 4), numbered(12, 4), 12),
      failure('map.updateBatch', 'E2BIG', /\[written:10\]/),
    );
  });

  test('readAll reads an array with every index and an LPM trie with every prefix', () => {
    const array = object.map('array');
    array.updateBatch(numbered(10, 4), numbered(10, 4, 50), 10);
    assert.deepEqual(array.readAll(), { keys: numbered(10, 4), values: numbered(10, 4, 50), count: 10 });

    const lpm = object.map('lpm');
    assert.equal(lpm.readAll().count, 0);
    const prefixes = 10_000;
    const keys = new Uint8Array(prefixes * 8);
    for (let index = 0; index < prefixes; index += 1)
      keys.set([24, 0, 0, 0, 10, index >> 8, index & 255, 0], index * 8);
    lpm.updateBatch(keys, numbered(prefixes, 4), prefixes);
    const all = lpm.readAll();
    assert.equal(all.count, prefixes);
    const found = new Set(
      Array.from({ length: all.count }, (_, at) => all.keys.subarray(at * 8, at * 8 + 8).join()),
    );
    assert.equal(found.size, prefixes);
  });

  test('readAll refuses per-CPU maps and maps without entries', () => {
    assert.throws(() => object.map('counters').readAll(), failure('map.readAll', 'EINVAL', /per CPU/));
    assert.throws(() => object.map('ring').readAll(), failure('map.readAll', 'EINVAL'));
  });

  test('readSums equals the sum of what lookup gives for each CPU, from any first entry', () => {
    const counters = object.map('counters');
    const cpus = native.possibleCpus();
    const written = [0, 1, 2, 4_095, 4_096, 4_097, 70_000, 131_070, 131_071];
    for (const index of written) {
      const value = new BigUint64Array(4 * cpus);
      for (let word = 0; word < value.length; word += 1)
        value[word] = BigInt(index) * 1_000_003n + BigInt(word) * 2n ** 40n;
      counters.update(new Uint8Array(Uint32Array.of(index).buffer), new Uint8Array(value.buffer));
    }
    const naive = (index: number): bigint[] => {
      const bytes = counters.lookup(new Uint8Array(Uint32Array.of(index).buffer))!;
      assert.equal(bytes.length, 32 * cpus);
      const words = new BigUint64Array(bytes.buffer);
      return [0, 1, 2, 3].map((word) => {
        let sum = 0n;
        for (let cpu = 0; cpu < cpus; cpu += 1) sum += words[cpu * 4 + word]!;
        return sum;
      });
    };
    for (const [first, count] of [
      [0, 131_072],
      [1, 5],
      [4_095, 4_100],
      [131_071, 1],
      [131_070, 2],
      [60_000, 20_000],
    ] as const) {
      const sums = counters.readSums(first, count);
      assert.equal(sums.length, count * 4);
      for (const index of written) {
        if (index < first || index >= first + count) continue;
        assert.deepEqual(
          [...sums.subarray((index - first) * 4, (index - first) * 4 + 4)],
          naive(index),
          `${index}`,
        );
      }
      const nonZero = written.filter((index) => index >= first && index < first + count).length * 4;
      assert.ok(sums.filter((sum) => sum !== 0n).length <= nonZero);
    }
    assert.equal(counters.readSums(0, 0).length, 0);
    assert.equal(counters.readSums(131_072, 0).length, 0);
  });

  test("a program's counts arrive in readSums", () => {
    const counters = object.map('counters');
    const [before0 = 0n, , , before3 = 0n] = counters.readSums(5, 1);
    object.program('xdp_count').testRun({ data: new Uint8Array(64), repeat: 100 });
    const [after0 = 0n, , , after3 = 0n] = counters.readSums(5, 1);
    assert.deepEqual([after0 - before0, after3 - before3], [100n, 700n]);
  });

  test('readSums refuses a range beyond the map and other maps', () => {
    const counters = object.map('counters');
    for (const [first, count] of [
      [0, 131_073],
      [131_072, 1],
      [131_071, 2],
      [-1, 1],
      [Number.NaN, 1],
      [0, 1e300],
      [0, 2 ** 32],
    ]) {
      assert.throws(
        () => counters.readSums(first!, count!),
        failure('map.readSums', 'EINVAL'),
        `${first} ${count}`,
      );
    }
    assert.throws(() => counters.readSums('0' as never, 1), failure('map.readSums', 'EINVAL'));
    assert.throws(() => hash.readSums(0, 1), failure('map.readSums', 'EINVAL', /per-CPU array/));
  });

  test('a closed handle answers EBADF while another handle of the same map works', () => {
    const closed = object.map('hash');
    closed.close();
    closed.close();
    const key = new Uint8Array(16);
    assert.throws(() => closed.lookup(key), failure('map.lookup', 'EBADF'));
    assert.throws(() => closed.update(key, new Uint8Array(8)), failure('map.update', 'EBADF'));
    assert.throws(() => closed.delete(key), failure('map.delete', 'EBADF'));
    assert.throws(() => closed.updateBatch(key, new Uint8Array(8), 1), failure('map.updateBatch', 'EBADF'));
    assert.throws(() => closed.readAll(), failure('map.readAll', 'EBADF'));
    assert.throws(() => closed.readSums(0, 1), failure('map.readSums', 'EBADF'));
    assert.notEqual(hash.lookup(key), null);
  });
});
