/** NativeProgram's test run. Attaching is in link.test.ts. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestRunOptions } from '../../src/dataplane/native-binding.js';
import { failure, loadFixture, skip } from './support.js';

test('a run gives the return value, the frame after the program and a duration', { skip }, (t) => {
  const object = loadFixture();
  t.after(() => object.close());
  const program = object.program('xdp_verdict');
  assert.equal(program.name, 'xdp_verdict');
  const frame = new Uint8Array(100).map((_, index) => index);
  const result = program.testRun({ data: frame });
  assert.equal(result.returnValue, 2);
  assert.deepEqual([...result.dataOut], [2, ...frame]);
  assert.ok(result.durationNs >= 0);
  assert.equal(program.testRun({ data: frame, repeat: 10 }).dataOut.length, 110);
});

test('live frames are as many as asked for, and nothing comes back', { skip }, (t) => {
  const object = loadFixture();
  t.after(() => object.close());
  const result = object
    .program('xdp_count')
    .testRun({ data: new Uint8Array(64), repeat: 1000, liveFrames: true });
  assert.equal(result.dataOut.length, 0);
  assert.throws(
    () => object.program('tc_drop').testRun({ data: new Uint8Array(64), liveFrames: true }),
    failure('program.testRun', 'EINVAL'),
  );
});

test('a tc program runs on plain bytes', { skip }, (t) => {
  const object = loadFixture();
  t.after(() => object.close());
  const result = object.program('tc_drop').testRun({ data: new Uint8Array(64) });
  assert.deepEqual([result.returnValue, result.dataOut.length], [2, 64]);
});

test('what the kernel or the addon cannot run is refused', { skip }, (t) => {
  const object = loadFixture();
  t.after(() => object.close());
  const program = object.program('xdp_pass');
  const refused = (options: unknown, code: string): void =>
    assert.throws(() => program.testRun(options as TestRunOptions), failure('program.testRun', code));
  const data = new Uint8Array(64);
  for (const bad of [undefined, null, 1, 'x', {}, { data: null }, { data: [1] }]) refused(bad, 'EINVAL');
  refused({ data: new Uint8Array(0) }, 'EINVAL');
  refused({ data: new Uint8Array(2 ** 21) }, 'EMSGSIZE');
  for (const bad of [0, -1, Number.NaN, 1.5, 2 ** 31, null, '1']) refused({ data, repeat: bad }, 'EINVAL');
  for (const bad of [0, -1, Number.NaN, 2 ** 31, null, '1']) refused({ data, ingressIfindex: bad }, 'EINVAL');
  refused({ data, ingressIfindex: 2 ** 31 - 1 }, 'ENODEV');
  for (const bad of [0, 1, null, 'yes']) refused({ data, liveFrames: bad }, 'EINVAL');
  const thrower = {
    get data(): never {
      throw new RangeError('mine');
    },
  };
  assert.throws(() => program.testRun(thrower), RangeError);
  const closer = {
    data,
    get repeat(): number {
      object.close();
      return 1;
    },
  };
  refused(closer, 'EBADF');
});

test('a getter that detaches the frame leaves nothing to read', { skip }, (t) => {
  const object = loadFixture();
  t.after(() => object.close());
  const data = new Uint8Array(64);
  const options = {
    data,
    get repeat(): number {
      structuredClone(data.buffer, { transfer: [data.buffer] });
      return 1;
    },
  };
  assert.throws(() => object.program('xdp_pass').testRun(options), failure('program.testRun', 'EINVAL'));
});
