/**
 * Loaded into a BNG with `--import`: tells whoever connects to the socket named in BNG_MEMORY_PROBE what memory is in use once all
 * that nobody needs any more is collected; who writes the name of a file to it first has a heap snapshot there. Changes nothing of the BNG.
 */
import { createServer } from 'node:net';
import { getHeapCodeStatistics, setFlagsFromString, writeHeapSnapshot } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';
import { BngError } from '../../src/model/bng-error.js';

/** Finalizers of one collection free what only the next one can take. */
const COLLECTIONS = 3;

function serve(path: string): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    // Whoever asks may be gone before the answer: then nobody misses it.
    socket.on('error', () => undefined);
    let file = '';
    socket.setEncoding('utf8').on('data', (text: string) => (file += text));
    socket.on('end', () => {
      for (let times = 0; times < COLLECTIONS; times++) collect();
      const { heapUsed, external, rss } = process.memoryUsage();
      const { code_and_metadata_size: compiled } = getHeapCodeStatistics();
      if (file !== '') writeHeapSnapshot(file);
      socket.end(JSON.stringify({ heapUsed, external, compiled, rss }));
    });
  });
  server.listen(path);
  server.unref();
}

// Workers of the BNG load it too: theirs are other heaps.
if (isMainThread) {
  const path = process.env['BNG_MEMORY_PROBE'];
  if (path === undefined) throw new BngError('BNG_ERR_VALUE', 'expected BNG_MEMORY_PROBE to name a socket');
  serve(path);
}
