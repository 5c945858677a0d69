/** Handles in any order of use, closing and garbage collection, and the end of their thread or process. */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { before, describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import type { NativeFailure, NativeObject } from '../../src/dataplane/native-binding.js';
import { patience } from '../../src/lab/patience.js';
import { fixture, inNamespace, makeVeth, native, skip, until } from './support.js';

const ADDON = new URL('../../../build/Release/bng_native.node', import.meta.url).pathname;
const ROUNDS = 60;
const STEPS = 40;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Park-Miller: the same torture every time. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

function small(): NativeObject {
  const object = native.openObject(fixture('fixture'));
  for (const name of ['hash', 'lpm', 'counters']) object.setMaxEntries(name, 16);
  object.setMaxEntries('ring', 4_096);
  object.load();
  return object;
}

/** What a verb may answer when its handle or its interface's place is taken: nothing else is forgiven. */
function tolerated(run: () => void): void {
  try {
    run();
  } catch (error) {
    assert.match((error as NativeFailure).code, /^(EBADF|EBUSY)$/, String(error));
  }
}

function hasXdp(name: string): boolean {
  return execFileSync('ip', ['-j', 'link', 'show', 'dev', name], { encoding: 'utf8' }).includes('"xdp"');
}

/** Code for another thread or process: opens one of each and leaves everything open. */
function opensEverything(ifindex: number, then: string): string {
  return `
    const native = require(${JSON.stringify(ADDON)});
    const object = native.openObject(${JSON.stringify(fixture('fixture'))});
    object.setMaxEntries('counters', 16);
    object.load();
    const held = [
      object.map('hash'),
      object.program('xdp_pass').attachXdp(${ifindex}, 'native'),
      object.program('tc_mark').attachTc(${ifindex}, 'egress'),
      native.openRingBuffer(object.map('ring'), { slabBytes: 256, onBatch: () => {} }),
      native.openPacketSocket({ ifindex: ${ifindex}, onFrame: () => {} }),
    ];
    object.program('xdp_emit').testRun({ data: new Uint8Array(64), repeat: 10 });
    ${then}`;
}

if (inNamespace(import.meta.url)) {
  describe('lifetimes', { skip }, () => {
    let near = 0;
    const filters = (): string =>
      execFileSync('tc', ['filter', 'show', 'dev', 'nat-near', 'egress'], { encoding: 'utf8' });
    const runs = (then: string): number | null =>
      spawnSync(process.execPath, ['-e', opensEverything(near, then)], { timeout: 30_000 * patience }).status;

    before(() => {
      near = makeVeth('nat-near', 'nat-far').near;
    });

    test('a torture of uses, closings and collections in random order ends with nothing attached', async () => {
      const random = seeded(20_240_607);
      for (let round = 0; round < ROUNDS; round += 1) {
        const objects = [small()];
        const closables: { close(): void }[] = [];
        // Polled, so they live on unreferenced, with all that their callbacks see: these are closed in the end.
        const polled: { close(): void }[] = [];
        const uses: (() => void)[] = [];
        const steps: (() => void)[] = [
          () => objects.push(small()),
          () => tolerated(() => objects[random(objects.length)]?.close()),
          () => void objects.splice(random(objects.length), 1),
          () => void closables.splice(random(closables.length + 1), 1),
          () => void uses.splice(random(uses.length + 1), 1),
          () => closables[random(closables.length + 1)]?.close(),
          () => polled[random(polled.length + 1)]?.close(),
          () => tolerated(() => uses[random(uses.length + 1)]?.()),
          () => tolerated(() => uses[random(uses.length + 1)]?.()),
          collectGarbage,
        ];
        const make: ((object: NativeObject) => void)[] = [
          (object) => {
            const map = object.map('hash');
            closables.push(map);
            uses.push(
              () => map.update(new Uint8Array(16), new Uint8Array(8)),
              () => void map.readAll(),
            );
          },
          (object) => {
            const map = object.map('counters');
            uses.push(() => void map.readSums(0, 16));
          },
          (object) => {
            const program = object.program('xdp_emit');
            uses.push(() => void program.testRun({ data: new Uint8Array(64) }));
          },
          (object) => {
            const link = object.program('xdp_pass').attachXdp(near, 'native');
            closables.push(link);
            uses.push(() => link.replace(object.program('xdp_drop')));
          },
          (object) => closables.push(object.program('tc_mark').attachTc(near, 'egress')),
          (object) =>
            polled.push(
              native.openRingBuffer(object.map('ring'), { slabBytes: 64, onBatch: () => object.close() }),
            ),
          () => polled.push(native.openPacketSocket({ ifindex: near, onFrame: () => undefined })),
        ];
        for (let step = 0; step < STEPS; step += 1) {
          const object = objects[random(objects.length + 1)];
          if (object !== undefined && random(2) === 0) tolerated(() => make[random(make.length)]?.(object));
          else steps[random(steps.length)]?.();
          if (random(8) === 0) await new Promise((resolve) => setImmediate(resolve));
        }
        for (const closable of [...closables, ...polled]) closable.close();
        for (const object of objects) object.close();
      }
      // Objects that were dropped unclosed go with the collector.
      await until('no XDP on the interface', () => {
        collectGarbage();
        return !hasXdp('nat-near');
      });
    });

    test('a map keeps working when its object is no longer referenced', async () => {
      const map = ((): ReturnType<NativeObject['map']> => small().map('hash'))();
      for (let turn = 0; turn < 5; turn += 1) {
        collectGarbage();
        await new Promise((resolve) => setImmediate(resolve));
      }
      map.update(new Uint8Array(16), new Uint8Array(8).fill(4));
      assert.deepEqual([...map.lookup(new Uint8Array(16))!], Array(8).fill(4));
    });

    test('an open ring buffer goes on when nothing references it', async () => {
      let records = 0;
      const program = ((): ReturnType<NativeObject['program']> => {
        const object = small();
        native.openRingBuffer(object.map('ring'), {
          slabBytes: 256,
          onBatch: (_slab, _used, count) => {
            records += count;
            if (records === 20) object.close();
          },
        });
        return object.program('xdp_emit');
      })();
      for (let turn = 0; turn < 5; turn += 1) {
        collectGarbage();
        await new Promise((resolve) => setImmediate(resolve));
      }
      program.testRun({ data: new Uint8Array(64), repeat: 20 });
      await until('the records', () => records === 20);
    });

    test('a worker that is terminated, or ends, leaves nothing attached and the process whole', async () => {
      for (const then of [
        'postMessage()',
        'postMessage(); process.exit()',
        'postMessage(); throw new Error("mine")',
      ]) {
        const code = `const postMessage = () => require('node:worker_threads').parentPort.postMessage('open');`;
        const worker = new Worker(code + opensEverything(near, then), { eval: true });
        const failures: Error[] = [];
        worker.on('error', (error) => failures.push(error));
        const exited = new Promise((resolve) => worker.once('exit', resolve));
        await Promise.race([exited, new Promise((resolve) => worker.once('message', resolve))]);
        if (then === 'postMessage()') await worker.terminate();
        await exited;
        assert.deepEqual(
          failures.map((error) => error.message),
          then.includes('throw') ? ['mine'] : [],
        );
        assert.equal(hasXdp('nat-near'), false);
        assert.equal(filters(), '');
      }
    });

    test('a process that comes to its end without closing its links leaves nothing attached', () => {
      assert.equal(runs('held[3].close(); held[4].close();'), 0);
      assert.equal(hasXdp('nat-near'), false);
      assert.equal(filters(), '');
    });

    // Node runs no cleanup hooks then, and a tc filter, unlike an XDP link, belongs to no process.
    for (const [then, status] of [
      ['process.exit(0)', 0],
      ['throw new Error("mine")', 1],
    ] as const) {
      test(`a process that dies by ${then} leaves its tc filter, which the next one takes over`, () => {
        assert.equal(runs(then), status);
        assert.equal(hasXdp('nat-near'), false);
        assert.match(filters(), /tc_mark/);
        const object = small();
        object.program('tc_drop').attachTc(near, 'egress');
        assert.match(filters(), /tc_drop/);
        assert.doesNotMatch(filters(), /tc_mark/);
        object.close();
        assert.equal(filters(), '');
      });
    }
  });
}
