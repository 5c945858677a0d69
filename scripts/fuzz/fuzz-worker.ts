/** The thread that one target runs in: a hang or a lack of memory ends it, and not the one that looks after it. */
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import type { FuzzTarget } from '../../test/fuzz/fuzz-target.js';
import type { Bundle } from './bundle.js';
import { Coverage } from './coverage.js';
import type { Failure } from './fuzz-loop.js';
import { FuzzLoop } from './fuzz-loop.js';

export interface WorkerTask {
  readonly bundle: Bundle;
  readonly inputs: readonly Uint8Array[];
  /** End after so many milliseconds, or after as many inputs as the target says, which are the same each time. */
  readonly bound: { readonly ms: number } | 'bounded';
  readonly seed: number;
  /** What runs at the moment: a count of runs, a length, and the input. */
  readonly shared: SharedArrayBuffer;
}

export interface Figures {
  readonly runs: number;
  readonly branches: number;
  readonly features: number;
  readonly inputs: number;
  /** Of the slowest input, in milliseconds; told at the end. */
  readonly slowestMs: number;
}

export type WorkerWord =
  | { readonly kind: 'progress'; readonly figures: Figures }
  | {
      readonly kind: 'end';
      readonly figures: Figures;
      readonly corpus: readonly Uint8Array[];
      readonly failure: Failure | null;
    };

/** In front of the input in the shared memory: runs, length. */
export const SHARED_HEAD = 8;
const PROGRESS_MS = 2_000;

/** Which input took longest: seconds of work for a few bytes are a defect too. */
class Slowest {
  ms = 0;
  #slowest: Uint8Array = new Uint8Array(0);
  #present: Uint8Array = new Uint8Array(0);
  #sinceMs = Infinity;

  begins(input: Uint8Array): void {
    const nowMs = performance.now();
    if (nowMs - this.#sinceMs > this.ms) {
      this.ms = nowMs - this.#sinceMs;
      this.#slowest = this.#present;
    }
    this.#present = input;
    this.#sinceMs = nowMs;
  }

  /** A pause of the collector is not the input's. */
  async timeAgain(target: FuzzTarget): Promise<void> {
    for (let times = 0; times < 3; times++) {
      const startMs = performance.now();
      await target.run(Uint8Array.from(this.#slowest));
      this.ms = Math.min(this.ms, performance.now() - startMs);
    }
  }
}

async function work(task: WorkerTask, tell: (word: WorkerWord) => void): Promise<void> {
  const coverage = new Coverage();
  coverage.install();
  const { target } = (await import(task.bundle.path)) as { readonly target: FuzzTarget };
  const head = new Int32Array(task.shared, 0, 2);
  const room = new Uint8Array(task.shared, SHARED_HEAD);
  const slowest = new Slowest();
  const loop = new FuzzLoop({
    target,
    coverage,
    locations: task.bundle.locations,
    seed: task.seed,
    running: (input) => {
      slowest.begins(input);
      room.set(input.subarray(0, room.length));
      head[1] = input.length;
      Atomics.add(head, 0, 1);
    },
  });
  const figures = (): Figures => ({
    runs: loop.runs,
    branches: coverage.branches,
    features: coverage.features,
    inputs: loop.corpus.length,
    slowestMs: slowest.ms,
  });
  const { bound } = task;
  const startMs = performance.now();
  let toldMs = startMs;
  const goOn = (runs: number): boolean => {
    if (bound === 'bounded') return runs < target.boundedRuns;
    if ((runs & 127) !== 0) return true;
    const nowMs = performance.now();
    if (nowMs - toldMs > PROGRESS_MS) {
      toldMs = nowMs;
      tell({ kind: 'progress', figures: figures() });
    }
    return nowMs - startMs < bound.ms;
  };
  const failure = (await loop.begin([...target.seeds(), ...task.inputs])) ?? (await loop.grow(goOn));
  if (failure === null && bound !== 'bounded') await slowest.timeAgain(target);
  tell({ kind: 'end', figures: figures(), corpus: loop.corpus, failure });
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort;
  await work(workerData as WorkerTask, (word) => port.postMessage(word));
  // A target may have left timers; what it had to say is said.
  process.exit(0);
}
