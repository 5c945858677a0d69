/**
 * Every verb with arguments of every kind in every place: it answers, or throws an error of the addon with its code. Getters close what
 * is looked at, bytes are detached meanwhile. Under the sanitizers (`make test-asan`) this is the addon's fuzzer.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NativeFailure, NativeObject } from '../../src/dataplane/native-binding.js';
import { seededRandom } from '../support/mutate.js';
import { fixture, native, skip } from './support.js';

const ROUNDS = 8;
const CALLS = 600;
const SEED = 7;
/** Names that get further than a random text. */
const NAMES = [
  'hash',
  'array',
  'lpm',
  'counters',
  'ring',
  '.rodata',
  'xdp_verdict',
  'xdp_pass',
  'tc_mark',
  'lo',
  'a\0b',
  '',
];
const NUMBERS = [0, 1, 2, 3, 8, 16, 64, 4_096, -1, 1.5, NaN, 2 ** 31, 2 ** 32, Infinity];
const LENGTHS = [0, 1, 4, 8, 12, 16, 20, 32, 64, 128, 1_514, 70_000];

type Callable = Readonly<Record<string, unknown>>;

function detached(): Uint8Array {
  const bytes = new Uint8Array(64);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}

function verbsOf(handle: object): readonly string[] {
  const prototype: object = Object.getPrototypeOf(handle) as object;
  const names = Object.getOwnPropertyNames(prototype === Object.prototype ? handle : prototype);
  return names.filter((name) => name !== 'constructor' && typeof (handle as Callable)[name] === 'function');
}

function loaded(): NativeObject {
  const object = native.openObject(fixture('fixture'));
  for (const name of ['hash', 'lpm', 'counters']) object.setMaxEntries(name, 16);
  object.setMaxEntries('ring', 4_096);
  object.load();
  return object;
}

test(`of ${ROUNDS * CALLS} random calls each answers or throws an error of the addon`, { skip }, () => {
  const random = seededRandom(SEED);
  const pick = <T>(values: readonly T[]): T => values[random(values.length)]!;
  const codes = new Map<string, number>();
  let answers = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const object = loaded();
    const handles: object[] = [native, object, native.openObject(fixture('fixture'))];
    for (const name of ['hash', 'array', 'counters', 'ring', 'lpm']) handles.push(object.map(name));
    for (const name of ['xdp_verdict', 'tc_mark']) handles.push(object.program(name));
    const close = (): void => (pick(handles) as { close?: () => void }).close?.();
    const value = (): unknown => {
      const kinds: readonly (() => unknown)[] = [
        () => pick(NAMES),
        () => pick(NUMBERS),
        () => pick(NUMBERS),
        () => new Uint8Array(pick(LENGTHS)).fill(random(256)),
        () => new Uint8Array(pick(LENGTHS)).fill(random(256)),
        () => pick(handles),
        () =>
          pick([undefined, null, true, 5n, Symbol('odd'), [], detached(), new DataView(new ArrayBuffer(8))]),
        () => pick(['native', 'generic', 'ingress', 'egress', 'any', 'create', 'replace']),
        () => options(),
      ];
      return pick(kinds)();
    };
    const options = (): object => ({
      ifindex: pick([1, 1, 99, 'lo']),
      slabBytes: pick([64, 100, 4_096, 1]),
      onBatch: () => undefined,
      onFrame: pick([undefined, () => undefined, 5]),
      repeat: pick([undefined, 1, 3]),
      ingressIfindex: pick([undefined, 1, 77]),
      // What is read of the options last has been closed or taken away by then.
      get data(): Uint8Array {
        const bytes = new Uint8Array(pick(LENGTHS));
        if (random(6) === 0) close();
        if (random(6) === 0) structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
        return bytes;
      },
    });
    for (let call = 0; call < CALLS; call++) {
      const handle = pick(handles);
      const verb = pick(verbsOf(handle));
      // Closed too often, nothing is left to be called.
      if (verb === 'close' && random(8) !== 0) continue;
      try {
        const given = Array.from({ length: random(5) }, value);
        const answer: unknown = Reflect.apply((handle as Callable)[verb] as () => unknown, handle, given);
        answers += 1;
        if (typeof answer === 'object' && answer !== null && 'close' in answer) handles.push(answer);
      } catch (error) {
        const { code, operation, errno } = error as NativeFailure;
        assert.ok(error instanceof Error && errno > 0 && operation !== '', `${verb}: ${String(error)}`);
        codes.set(code, (codes.get(code) ?? 0) + 1);
      }
    }
    for (const handle of handles) (handle as { close?: () => void }).close?.();
  }
  // Arguments that all are refused at the door would show nothing.
  assert.ok(answers > CALLS && codes.size > 3, `${answers} answers, ${JSON.stringify([...codes])}`);
});
