/** The store's own thread: SQLite waits for the disk, and nothing else may wait with it. One request at a time, in order. */
import { parentPort, workerData } from 'node:worker_threads';
import type { OpenedFile } from './open-file.js';
import { openFile } from './open-file.js';
import { SqliteFileError } from './sqlite-file.js';
import type { StoreReply, StoreRequest, StoreThreadOptions } from './store-messages.js';

function answer(opened: OpenedFile, request: StoreRequest): StoreReply {
  const { file, unlock } = opened;
  switch (request.kind) {
    case 'write':
      // One transaction: one wait for the disk for all of them. If it fails, all of them failed.
      file.write(request.writes.flat());
      return { kind: 'done' };
    case 'get':
      return { kind: 'entries', entries: file.get(request.table, request.keys) };
    case 'scan':
      return { kind: 'entries', entries: file.scan(request.table, request.after, request.limit) };
    case 'scan-keys':
      return { kind: 'keys', keys: file.scanKeys(request.table, request.after, request.limit) };
    case 'close':
      file.close();
      unlock();
      return { kind: 'done' };
  }
}

/** Our bugs are not caught: they end the thread, which the store reports. */
function orFailure(act: () => StoreReply): StoreReply {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof SqliteFileError)) throw error;
    return { kind: 'failed', failure: error.failure };
  }
}

function run(port: NonNullable<typeof parentPort>, options: StoreThreadOptions): void {
  const state: { opened: OpenedFile | null } = { opened: null };
  port.postMessage(
    orFailure(() => {
      state.opened = openFile(options.path, options.tables, options.wallMs);
      return { kind: 'opened', damage: state.opened.damage };
    }),
  );
  const { opened } = state;
  if (opened === null) {
    port.close();
    return;
  }
  port.on('message', (request: StoreRequest) => {
    port.postMessage(orFailure(() => answer(opened, request)));
    if (request.kind === 'close') port.close();
  });
}

if (parentPort === null) throw new Error('expected to be started as a thread of the store');
run(parentPort, workerData as StoreThreadOptions);
