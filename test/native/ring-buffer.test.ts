/** NativeRingBuffer: every record of a program arrives, in order, whatever the slab's size and the callback's manners. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test, type TestContext } from 'node:test';
import type { NativeMap, NativeObject } from '../../src/dataplane/native-binding.js';
import { patience } from '../../src/lab/patience.js';
import { failure, fixture, loadFixture, native, skip, until } from './support.js';

const RECORD_BYTES = [13, 64, 200];
const ADDON = new URL('../../../build/Release/bng_native.node', import.meta.url).pathname;

function open(t: TestContext): NativeObject {
  const object = loadFixture();
  t.after(() => object.close());
  return object;
}

function emit(object: NativeObject, count: number): void {
  const result = object.program('xdp_emit').testRun({ data: new Uint8Array(64), repeat: count });
  assert.equal(result.returnValue, 2);
}

/** Checks the layout of one slab whose first record must have the number `next`; gives the number after its last. */
function readSlab(slab: Uint8Array, used: number, records: number, next: number): number {
  const view = new DataView(slab.buffer, slab.byteOffset, used);
  let offset = 0;
  let number = next;
  for (; offset < used; number += 1) {
    const length = view.getUint32(offset, true);
    assert.equal(length, RECORD_BYTES[number % 3]);
    assert.equal(view.getUint32(offset + 4, true), 0);
    assert.equal(view.getBigUint64(offset + 8, true), BigInt(number));
    offset += 8 + Math.ceil(length / 8) * 8;
  }
  assert.equal(offset, used);
  assert.equal(number - next, records);
  return number;
}

for (const slabBytes of [64, 72, 208, 256, 1_000, 65_536, 4_194_304]) {
  test(`8 000 records all arrive in order through a slab of ${slabBytes} bytes`, { skip }, async (t) => {
    const object = open(t);
    let next = 0;
    let batches = 0;
    native.openRingBuffer(object.map('ring'), {
      slabBytes,
      onBatch: (slab, used, records) => {
        batches += 1;
        next = readSlab(slab, used, records, next);
      },
    });
    for (let round = 1; round <= 3; round += 1) {
      emit(object, 8_000);
      await until('all records', () => next === round * 8_000);
    }
    if (slabBytes === 4_194_304) assert.equal(batches, 3, 'JavaScript is called once a slab');
  });
}

test('a slab that the callback gave away is made anew', { skip }, async (t) => {
  const object = open(t);
  let next = 0;
  native.openRingBuffer(object.map('ring'), {
    slabBytes: 4_096,
    onBatch: (slab, used, records) => {
      next = readSlab(slab, used, records, next);
      structuredClone(slab.buffer, { transfer: [slab.buffer as ArrayBuffer] });
    },
  });
  emit(object, 1_000);
  await until('all records', () => next === 1_000);
});

test('the callback may close the ring buffer, or the object, and is not called again', {
  skip,
}, async (t) => {
  for (const what of ['ring', 'object'] as const) {
    const object = open(t);
    let calls = 0;
    const ring = native.openRingBuffer(object.map('ring'), {
      slabBytes: 256,
      onBatch: () => {
        calls += 1;
        if (what === 'ring') ring.close();
        else object.close();
      },
    });
    emit(object, 1_000);
    await until('a call', () => calls > 0);
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(calls, 1);
    ring.close();
  }
});

test('what the callback throws is an uncaught exception, and no later record is lost', { skip }, () => {
  const script = `
    const native = require(${JSON.stringify(ADDON)});
    const object = native.openObject(${JSON.stringify(fixture('fixture'))});
    object.load();
    let records = 0, thrown = 0;
    process.on('uncaughtException', (error) => { if (error.message === 'mine') thrown += 1; });
    native.openRingBuffer(object.map('ring'), { slabBytes: 256, onBatch: (slab, used, count) => {
      records += count;
      if (records === 500) { object.close(); console.log(JSON.stringify({ records, thrown })); }
      throw new Error('mine');
    } });
    object.program('xdp_emit').testRun({ data: new Uint8Array(64), repeat: 500 });`;
  const child = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8', timeout: 30_000 * patience });
  assert.equal(child.status, 0, child.stderr);
  const { records, thrown } = JSON.parse(child.stdout) as { records: number; thrown: number };
  assert.equal(records, 500);
  assert.ok(thrown > 100);

  const uncaught = spawnSync(process.execPath, ['-e', script.replace(/process\.on.*\n/, '\n')], {
    encoding: 'utf8',
  });
  assert.equal(uncaught.status, 1, 'an exit code, not a signal');
  assert.match(uncaught.stderr, /Error: mine/);
});

test('an open ring buffer keeps the process alive, a closed one does not', { skip }, () => {
  const script = `
    const native = require(${JSON.stringify(ADDON)});
    const object = native.openObject(${JSON.stringify(fixture('fixture'))});
    object.load();
    const ring = native.openRingBuffer(object.map('ring'), { slabBytes: 256, onBatch: () => {} });
    setTimeout(() => { console.log('alive'); ring.close(); }, 50).unref();`;
  const child = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8', timeout: 30_000 * patience });
  assert.deepEqual([child.status, child.stdout], [0, 'alive\n'], child.stderr);
});

test('misuse is refused and names what was expected', { skip }, (t) => {
  const object = open(t);
  const map = object.map('ring');
  const onBatch = (): void => undefined;
  const refused = (given: unknown, options: unknown, code: string): void =>
    assert.throws(
      () => native.openRingBuffer(given as NativeMap, options as never),
      failure('ringBuffer.open', code),
    );
  for (const bad of [0, -1, 63, Number.NaN, 2 ** 31, '256', undefined])
    refused(map, { slabBytes: bad, onBatch }, 'EINVAL');
  for (const bad of [undefined, null, {}, 'f']) refused(map, { slabBytes: 256, onBatch: bad }, 'EINVAL');
  for (const bad of [undefined, null, 7]) refused(map, bad, 'EINVAL');
  for (const bad of [undefined, {}, object, object.map('hash')])
    refused(bad, { slabBytes: 256, onBatch }, 'EINVAL');
  const treacherous = {
    onBatch,
    get slabBytes(): number {
      object.close();
      return 256;
    },
  };
  refused(map, treacherous, 'EBADF');
});
