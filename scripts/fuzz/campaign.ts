/** Has a target run in a thread of its own and sees to it that each input ends in time and within memory. Prints nothing. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { bundleTarget } from './bundle.js';
import type { Failure } from './fuzz-loop.js';
import type { Figures, WorkerTask, WorkerWord } from './fuzz-worker.js';
import { SHARED_HEAD } from './fuzz-worker.js';
import { readSeeds, seedPath } from './seed-file.js';

export interface CampaignOptions {
  readonly repository: string;
  readonly target: string;
  readonly bound: WorkerTask['bound'];
  readonly seed: number;
  readonly progress?: (figures: Figures) => void;
}

export interface CampaignResult {
  readonly figures: Figures;
  readonly locations: number;
  readonly corpus: readonly Uint8Array[];
  readonly failure: Failure | null;
}

/** Longer than the longest input of any target. */
const LONGEST_INPUT = 1 << 16;
/** One input may take so long; the slowest take milliseconds. */
const HANG_MS = 10_000;
const HEAP_MEGABYTES = 256;
/** What is outside V8's heap: buffers. Of the whole process, above what it had. */
const OUTSIDE_BYTES = 512 * 2 ** 20;
const WATCH_MS = 250;

/** The names of all targets, sorted. */
export function targetNames(repository: string): readonly string[] {
  return readdirSync(join(repository, 'test/fuzz/targets'))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -3))
    .sort();
}

export async function runCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const { repository, target, bound, seed } = options;
  const bundle = await bundleTarget(repository, target);
  const shared = new SharedArrayBuffer(SHARED_HEAD + LONGEST_INPUT);
  const inputs = readSeeds(join(repository, seedPath(target)));
  const workerData: WorkerTask = { bundle, inputs, bound, seed, shared };
  const worker = new Worker(new URL('./fuzz-worker.js', import.meta.url), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MEGABYTES },
  });
  let figures: Figures = { runs: 0, branches: 0, features: 0, inputs: 0, slowestMs: 0 };
  return new Promise((resolve) => {
    const end = (corpus: readonly Uint8Array[], failure: Failure | null): void => {
      clearInterval(watch);
      void worker.terminate();
      resolve({ figures, locations: bundle.locations, corpus, failure });
    };
    const fail = (text: string): void => end([], { input: runningInput(shared), text });
    const watch = watchOver(shared, fail);
    worker.on('message', (word: WorkerWord) => {
      figures = word.figures;
      if (word.kind === 'end') end(word.corpus, word.failure);
      else options.progress?.(figures);
    });
    worker.on('error', (error) => fail(error.stack ?? error.message));
    worker.on('exit', (code) => fail(`the thread ended with ${code} before it had said anything`));
  });
}

function runningInput(shared: SharedArrayBuffer): Uint8Array {
  const [, length = 0] = new Int32Array(shared, 0, 2);
  return Uint8Array.from(new Uint8Array(shared, SHARED_HEAD, Math.min(length, LONGEST_INPUT)));
}

function watchOver(shared: SharedArrayBuffer, fail: (text: string) => void): NodeJS.Timeout {
  const head = new Int32Array(shared, 0, 2);
  const before = process.memoryUsage().rss;
  let runs = 0;
  let sinceMs = performance.now();
  return setInterval(() => {
    const now = Atomics.load(head, 0);
    if (now !== runs) {
      runs = now;
      sinceMs = performance.now();
    } else if (runs > 0 && performance.now() - sinceMs > HANG_MS) fail(`one input took over ${HANG_MS} ms`);
    const grown = process.memoryUsage().rss - before;
    if (grown > HEAP_MEGABYTES * 2 ** 20 + OUTSIDE_BYTES)
      fail(`memory grew by ${Math.round(grown / 2 ** 20)} MiB`);
  }, WATCH_MS);
}
