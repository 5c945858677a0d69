/** What outlives a process: maps and links pinned in bpffs, filters left in place; and what is asked of the kernel. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { readBtf } from '../../src/dataplane/btf.js';
import type { NativeMap, NativeObject, NativeProgram } from '../../src/dataplane/native-binding.js';
import { failure, fixture, inNamespace, loadFixture, makeVeth, native, skip, until } from './support.js';

const filtersOf = (name: string): string =>
  execFileSync('tc', ['filter', 'show', 'dev', name, 'egress'], { encoding: 'utf8' });

if (inNamespace(import.meta.url)) {
  describe('pinned in bpffs', { skip }, () => {
    const folder = `/sys/fs/bpf/bng-native-${process.pid}`;
    const at = (name: string): string => join(folder, name);
    let object: NativeObject;
    let far = 0;
    before(() => {
      mkdirSync(folder);
      far = makeVeth('pin-near', 'pin-far').far;
      object = loadFixture();
    });
    after(() => {
      object.close();
      for (const name of readdirSync(folder)) unlinkSync(at(name));
      rmSync(folder, { recursive: true });
    });

    test('a pinned map outlives its object, is opened by its path with its shape, and goes with its pin', () => {
      const first = loadFixture();
      const made = first.map('hash');
      const key = new Uint8Array(made.keySize).fill(1);
      const value = new Uint8Array(made.valueSize).fill(7);
      made.update(key, value);
      made.pin(at('hash'));
      assert.throws(() => made.pin(at('hash')), failure('map.pin', 'EEXIST', /path/));
      const shape = ({ name, type, keySize, valueSize, maxEntries, flags }: NativeMap): unknown[] => [
        name,
        type,
        keySize,
        valueSize,
        maxEntries,
        flags,
      ];
      const expected = shape(made);
      first.close();
      const opened = native.openPinnedMap(at('hash'));
      assert.deepEqual(shape(opened), expected);
      assert.deepEqual(opened.lookup(key), value);
      assert.equal(opened.readAll().count, 1);

      const second = native.openObject(fixture('fixture'));
      second.reuseMap('hash', opened);
      opened.close();
      opened.close();
      assert.throws(() => opened.lookup(key), failure('map.lookup', 'EBADF'));
      second.load();
      assert.deepEqual(second.map('hash').lookup(key), value);
      second.close();
      unlinkSync(at('hash'));
      assert.throws(() => native.openPinnedMap(at('hash')), failure('map.openPinned', 'ENOENT', /path/));
    });

    test('a map says what it is before and after load, and which one it is', () => {
      const unloaded = native.openObject(fixture('fixture'));
      unloaded.setMaxEntries('hash', 1000);
      const { keyTypeId, valueTypeId, ...shape } = unloaded.mapShape('hash');
      assert.deepEqual(shape, { type: 1, keySize: 16, valueSize: 8, maxEntries: 1000, flags: 1 });
      const types = readBtf(unloaded.btf());
      assert.deepEqual([types[keyTypeId]?.kind, types[valueTypeId]?.kind], ['struct', 'typedef']);
      assert.throws(() => unloaded.mapShape('nothing'), failure('object.mapShape', 'ENOENT'));
      unloaded.close();
      assert.equal(object.map('hash').id(), object.map('hash').id());
      assert.notEqual(object.map('hash').id(), object.map('array').id());
    });

    test('a map knows the types that it was made with', () => {
      const types = object.map('hash').types();
      const kernel = object.map('hash').btf();
      assert.ok(types !== null && kernel !== null);
      for (const bytes of [kernel, object.btf()]) {
        const table = readBtf(bytes);
        assert.equal(table[types.keyTypeId]?.kind, 'struct');
        assert.equal(table[types.valueTypeId]?.kind, 'typedef');
      }
    });

    test('records of a pinned ring buffer wait for the next reader', async () => {
      const first = loadFixture();
      first.map('ring').pin(at('ring'));
      first.program('xdp_emit').testRun({ data: new Uint8Array(64).fill(3) });
      first.close();
      const opened = native.openPinnedMap(at('ring'));
      let records = 0;
      const reader = native.openRingBuffer(opened, {
        slabBytes: 65536,
        onBatch: (_slab, _used, count) => (records += count),
      });
      await until('the record of before', () => records === 1);
      opened.close();
      reader.close();
      unlinkSync(at('ring'));
    });

    test('a pinned link forwards on after its object, takes another program by its path, and is detached', () => {
      const first = loadFixture();
      const link = first.program('xdp_pass').attachXdp(far, 'native');
      link.pin(at('link'));
      assert.throws(() => link.pin(at('link')), failure('link.pin', 'EEXIST'));
      first.close();
      const before = native.xdpOf(far);
      assert.equal(before?.mode, 'native');

      const opened = native.openPinnedLink(at('link'));
      assert.deepEqual(opened.info(), { ifindex: far, programId: before.programId });
      opened.replace(object.program('xdp_drop'));
      const now = native.xdpOf(far);
      assert.notEqual(now?.programId, before.programId);
      assert.equal(opened.info().programId, now?.programId);
      opened.close();
      assert.throws(() => opened.info(), failure('link.info', 'EBADF'));
      assert.throws(() => opened.pin(at('other')), failure('link.pin', 'EBADF'));
      assert.notEqual(native.xdpOf(far), null);

      const last = native.openPinnedLink(at('link'));
      last.detach();
      last.detach();
      assert.equal(native.xdpOf(far), null);
      const gone = native.openPinnedLink(at('link'));
      assert.equal(gone.info().ifindex, 0);
      gone.close();
      unlinkSync(at('link'));
      assert.equal(native.xdpOf(far), null);
    });

    test('what runs on an interface is told', () => {
      assert.equal(native.xdpOf(far), null);
      const link = object.program('xdp_pass').attachXdp(far, 'generic');
      assert.equal(native.xdpOf(far)?.mode, 'generic');
      link.close();
    });

    test('bytes of any length are kept in an array, which outlives its handle once it is pinned', () => {
      const bytes = Uint8Array.from({ length: 100_001 }, (_, index) => index % 251);
      const made = native.createArray('bytes', bytes);
      assert.equal(made.types(), null);
      assert.equal(made.btf(), null);
      made.pin(at('bytes'));
      made.close();
      const opened = native.openPinnedMap(at('bytes'));
      assert.deepEqual(opened.lookup(new Uint8Array(4)), bytes);
      opened.close();
      unlinkSync(at('bytes'));
      assert.throws(
        () => native.createArray('none', new Uint8Array(0)),
        failure('map.createArray', 'EINVAL'),
      );
      for (const bad of [null, 1, 'with\0nul'] as never[]) {
        assert.throws(() => native.createArray(bad, bytes), failure('map.createArray', 'EINVAL'));
      }
      assert.throws(() => native.createArray('text', 'text' as never), failure('map.createArray', 'EINVAL'));
    });

    test('a tc filter that was left goes on after its object, and the next one takes its place', () => {
      const first = loadFixture();
      const link = first.program('tc_drop').attachTc(far, 'egress');
      assert.throws(() => link.pin(at('tc')), failure('link.pin', 'EOPNOTSUPP'));
      assert.equal(link.info().ifindex, far);
      link.leave();
      first.close();
      assert.match(filtersOf('pin-far'), /tc_drop/);
      const next = object.program('tc_mark').attachTc(far, 'egress');
      assert.doesNotMatch(filtersOf('pin-far'), /tc_drop/);
      next.leave();
      next.detach();
      assert.equal(filtersOf('pin-far'), '');
      assert.throws(() => next.leave(), failure('link.leave', 'EBADF'));
    });

    test('one kind of pin is not taken for another, and impossible arguments are refused', () => {
      object.map('hash').pin(at('a-map'));
      const link = object.program('xdp_pass').attachXdp(far, 'native');
      link.pin(at('a-link'));
      assert.throws(
        () => native.openPinnedMap(at('a-link')),
        failure('map.openPinned', 'EINVAL', /found bpf-link/),
      );
      assert.throws(
        () => native.openPinnedLink(at('a-map')),
        failure('link.openPinned', 'EINVAL', /found bpf-map/),
      );
      link.detach();
      for (const bad of [null, undefined, 1, {}, 'with\0nul'] as never[]) {
        assert.throws(() => native.openPinnedMap(bad), failure('map.openPinned', 'EINVAL'));
        assert.throws(() => native.openPinnedLink(bad), failure('link.openPinned', 'EINVAL'));
        assert.throws(() => object.map('hash').pin(bad), failure('map.pin', 'EINVAL'));
      }
      for (const bad of [0, -1, Number.NaN, 1.5, '1', null] as never[]) {
        assert.throws(() => native.xdpOf(bad), failure('xdpOf', 'EINVAL'));
      }
      assert.throws(() => native.openPinnedMap('/tmp'), failure('map.openPinned', 'EACCES'));
      assert.throws(() => object.map('hash').pin('/tmp/bng-no-bpffs'), failure('map.pin', 'EPERM'));
      const { replace } = link as { replace: (program: NativeProgram) => void };
      assert.throws(() => replace(object.program('xdp_pass')), TypeError);
    });
  });
}
