/**
 * Loaded into a BNG with `--import`: tells whoever connects to the socket named in BNG_LOOP_PROBE how late the event loop was
 * since the last one who did, then begins anew; and at the socket beside it what memory is in use once its garbage is
 * collected. Changes nothing of the BNG.
 */
import { createServer } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';
import { BngError } from '../../src/model/bng-error.js';
import { memorySocket } from './loop-delay.js';

/** Between two askings of the loop: a delay includes it. */
const RESOLUTION_MS = 1;

const ms = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);

function answerEach(path: string, answer: () => unknown): void {
  const server = createServer((socket) => {
    // Whoever asks may be gone before the answer: then nobody misses it.
    socket.on('error', () => undefined);
    socket.end(JSON.stringify(answer()));
  });
  server.listen(path);
  server.unref();
}

function serve(path: string): void {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  answerEach(path, () => {
    const found = { p99Ms: ms(delay.percentile(99)), mostMs: ms(delay.max), count: delay.count };
    delay.reset();
    return found;
  });
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  answerEach(memorySocket(path), () => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return { heapBytes: heapUsed, externalBytes: external };
  });
}

// Workers of the BNG load it too: theirs are other loops.
if (isMainThread) {
  const path = process.env['BNG_LOOP_PROBE'];
  if (path === undefined) throw new BngError('BNG_ERR_VALUE', 'expected BNG_LOOP_PROBE to name a socket');
  serve(path);
}
