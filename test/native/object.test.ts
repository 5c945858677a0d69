/** NativeObject and the binding's own verbs: opening, settings before load, load, names. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { NativeMap } from '../../src/dataplane/native-binding.js';
import { failure, fixture, loadFixture, native, skip } from './support.js';

test('possibleCpus is a positive whole number', () => {
  assert.ok(Number.isInteger(native.possibleCpus()) && native.possibleCpus() > 0);
});

test('interfaceIndex finds lo and refuses names that are not there', () => {
  assert.equal(native.interfaceIndex('lo'), 1);
  assert.throws(() => native.interfaceIndex('nat-none'), failure('interfaceIndex', 'ENODEV', /nat-none/));
  assert.throws(() => native.interfaceIndex('a'.repeat(500)), failure('interfaceIndex', 'ENODEV'));
  assert.throws(() => native.interfaceIndex('lo\0x'), failure('interfaceIndex', 'EINVAL', /NUL/));
  assert.throws(
    () => native.interfaceIndex(1 as never),
    failure('interfaceIndex', 'EINVAL', /found a number/),
  );
});

test('a path without a file, a path to no ELF and no path are refused', { skip }, (t) => {
  assert.throws(() => native.openObject('/nat/none.o'), failure('object.open', 'ENOENT', /\/nat\/none\.o/));
  const text = join(tmpdir(), `nat-${process.pid}.o`);
  writeFileSync(text, 'no ELF at all');
  t.after(() => import('node:fs').then((fs) => fs.rmSync(text)));
  assert.throws(() => native.openObject(text), failure('object.open', 'LIBBPF_FORMAT'));
  assert.throws(() => native.openObject(undefined as never), TypeError);
});

test('an open object tells its BTF, maps, programs and .rodata', { skip }, (t) => {
  const object = native.openObject(fixture('fixture'));
  t.after(() => object.close());
  assert.equal(new DataView(object.btf().buffer).getUint16(0, true), 0xeb9f, 'the magic of BTF');
  for (const name of ['hash', 'array', 'lpm', 'counters', 'ring'])
    assert.ok(object.mapNames().includes(name));
  assert.ok(object.programNames().includes('xdp_verdict'));
  assert.deepEqual([...object.rodata()], [2, 0, 0, 0]);
});

test('.rodata set before load is what programs see', { skip }, (t) => {
  const object = native.openObject(fixture('fixture'));
  t.after(() => object.close());
  assert.throws(
    () => object.setRodata(new Uint8Array(5)),
    failure('object.setRodata', 'EINVAL', /4 bytes, found 5/),
  );
  assert.throws(() => object.setRodata(null as never), failure('object.setRodata', 'EINVAL'));
  object.setRodata(Uint8Array.of(1, 0, 0, 0));
  assert.deepEqual([...object.rodata()], [1, 0, 0, 0]);
  object.load();
  assert.equal(object.program('xdp_verdict').testRun({ data: new Uint8Array(64) }).returnValue, 1);
});

test('setMaxEntries sizes a map, and refuses zero, fractions and unknown maps', { skip }, (t) => {
  const object = native.openObject(fixture('fixture'));
  t.after(() => object.close());
  for (const bad of [0, -1, 1.5, Number.NaN, 2 ** 32, Infinity]) {
    assert.throws(
      () => object.setMaxEntries('hash', bad),
      failure('object.setMaxEntries', 'EINVAL'),
      String(bad),
    );
  }
  assert.throws(() => object.setMaxEntries('hash', '7' as never), failure('object.setMaxEntries', 'EINVAL'));
  assert.throws(
    () => object.setMaxEntries('none', 7),
    failure('object.setMaxEntries', 'ENOENT', /\[map:none\]/),
  );
  object.setMaxEntries('hash', 7);
  object.load();
  assert.equal(object.map('hash').maxEntries, 7);
});

test('maps and programs are there after load only, settings before load only', { skip }, (t) => {
  const object = native.openObject(fixture('fixture'));
  t.after(() => object.close());
  assert.throws(() => object.map('hash'), failure('object.map', 'EINVAL', /before load/));
  assert.throws(() => object.program('xdp_pass'), failure('object.program', 'EINVAL', /before load/));
  object.load();
  assert.throws(() => object.load(), failure('object.load', 'EBUSY'));
  assert.throws(() => object.rodata(), failure('object.rodata', 'EBUSY'));
  assert.throws(() => object.setRodata(new Uint8Array(4)), failure('object.setRodata', 'EBUSY'));
  assert.throws(() => object.setMaxEntries('hash', 1), failure('object.setMaxEntries', 'EBUSY'));
  assert.throws(() => object.reuseMap('hash', object.map('hash')), failure('object.reuseMap', 'EBUSY'));
  assert.throws(() => object.map('none'), failure('object.map', 'ENOENT', /\[map:none\]/));
  assert.throws(() => object.program('none'), failure('object.program', 'ENOENT', /\[program:none\]/));
});

test('a refused load quotes the verifier and leaves an object that cannot be loaded', { skip }, (t) => {
  const object = native.openObject(fixture('refused'));
  t.after(() => object.close());
  assert.throws(() => object.load(), failure('object.load', 'EACCES', /R1 invalid mem access 'pkt_end'/));
  assert.throws(() => object.load(), failure('object.load', 'EBUSY'));
  assert.throws(() => object.map('x'), failure('object.map', 'EINVAL'));
});

test("a reused map is the other object's map, even after that one closed", { skip }, (t) => {
  const first = loadFixture();
  const second = native.openObject(fixture('fixture'));
  t.after(() => second.close());
  t.after(() => first.close());
  assert.throws(
    () => second.reuseMap('hash', first.map('array')),
    failure('object.reuseMap', 'EINVAL', /type is 1/),
  );
  assert.throws(() => second.reuseMap('none', first.map('hash')), failure('object.reuseMap', 'ENOENT'));
  for (const bad of [null, {}, first, Object.create(first.map('hash')), new Proxy(first.map('hash'), {})]) {
    assert.throws(() => second.reuseMap('hash', bad as NativeMap), failure('object.reuseMap', 'EINVAL'));
  }
  const shared = first.map('hash');
  second.reuseMap('hash', shared);
  second.load();
  shared.update(new Uint8Array(16).fill(9), new Uint8Array(8).fill(1));
  first.close();
  assert.deepEqual([...second.map('hash').lookup(new Uint8Array(16).fill(9))!], [1, 1, 1, 1, 1, 1, 1, 1]);
  assert.throws(() => shared.lookup(new Uint8Array(16)), failure('map.lookup', 'EBADF'));
});

test('every verb of a closed object answers EBADF, closing again is fine', { skip }, () => {
  const object = loadFixture();
  object.close();
  object.close();
  assert.throws(() => object.btf(), failure('object.btf', 'EBADF'));
  assert.throws(() => object.mapNames(), failure('object.mapNames', 'EBADF'));
  assert.throws(() => object.programNames(), failure('object.programNames', 'EBADF'));
  assert.throws(() => object.rodata(), failure('object.rodata', 'EBADF'));
  assert.throws(() => object.setRodata(new Uint8Array(4)), failure('object.setRodata', 'EBADF'));
  assert.throws(() => object.setMaxEntries('hash', 1), failure('object.setMaxEntries', 'EBADF'));
  assert.throws(() => object.load(), failure('object.load', 'EBADF'));
  assert.throws(() => object.map('hash'), failure('object.map', 'EBADF'));
  assert.throws(() => object.program('xdp_pass'), failure('object.program', 'EBADF'));
});

test('a class cannot be constructed from JavaScript, nor its verbs called on another receiver', {
  skip,
}, (t) => {
  const object = loadFixture();
  t.after(() => object.close());
  const map = object.map('hash');
  for (const made of [object, map, object.program('xdp_pass')]) {
    const Class = made.constructor as new () => unknown;
    assert.throws(() => new Class(), failure('construct', 'EINVAL'));
    assert.throws(() => Reflect.construct(Class, [], object.constructor), failure('construct', 'EINVAL'));
  }
  for (const receiver of [undefined, null, 1, {}, object, Object.create(map)]) {
    assert.throws(() => map.lookup.call(receiver as NativeMap, new Uint8Array(16)), TypeError);
  }
});
