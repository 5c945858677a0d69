/**
 * The store as the house uses it: hands requests to the store's thread in order, and lets writes that come while the disk is
 * busy share one commit. Knows no SQL.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type {
  Store,
  StoreChange,
  StoreDamage,
  StoredEntry,
  StoreFailure,
  StoreResult,
  StoreTable,
} from './port.js';
import type { StoreReply, StoreRequest, StoreThreadOptions } from './store-messages.js';
import { errorText } from '../model/bng-error.js';

/** More than this in one commit would keep readers waiting. */
const MAX_COMMIT_CHANGES = 4_000;
/** Below every key: keys are not empty. */
const BEFORE_ALL = '';

interface Waiting {
  readonly request: StoreRequest;
  /** Of a write request: those that it holds. */
  readonly writes: (readonly StoreChange[])[];
  readonly settle: ((reply: StoreReply) => void)[];
  changes: number;
}

export interface SqliteStoreOptions {
  /** A folder; made when it is missing. */
  readonly path: string;
  readonly tables: readonly StoreTable[];
  /** Names the damaged files that are kept aside. */
  readonly wallMs: number;
}

export class SqliteStore implements Store {
  readonly damage: StoreDamage | null;
  readonly #worker: Worker;
  readonly #queue: Waiting[] = [];
  #underWay: Waiting | null = null;
  /** Set once nothing more can be done; what is asked afterwards fails with it. */
  #ended: StoreFailure | null = null;
  #closing: Promise<void> | null = null;

  private constructor(worker: Worker, damage: StoreDamage | null) {
    this.#worker = worker;
    this.damage = damage;
    worker.on('message', (reply: StoreReply) => this.#replied(reply));
    worker.on('error', (error) =>
      this.#end({ kind: 'unavailable', reason: `store thread: ${error.message}` }),
    );
    worker.on('exit', () => this.#end({ kind: 'closed', reason: 'the store is closed' }));
  }

  /** Opens, checks every row, and salvages when something is damaged (see `damage`). */
  static async open(options: SqliteStoreOptions): Promise<StoreResult<SqliteStore>> {
    const { path, tables, wallMs } = options;
    try {
      mkdirSync(path, { recursive: true, mode: 0o700 });
    } catch (error) {
      const reason = errorText(error);
      return { ok: false, failure: { kind: 'unavailable', reason } };
    }
    const workerData: StoreThreadOptions = { path: join(path, 'bng.db'), tables, wallMs };
    const worker = new Worker(new URL('./store-thread.js', import.meta.url), { workerData });
    return new Promise((resolve, reject) => {
      worker.once('error', reject);
      worker.once('message', (reply: StoreReply) => {
        worker.off('error', reject);
        if (reply.kind === 'opened') resolve({ ok: true, value: new SqliteStore(worker, reply.damage) });
        else if (reply.kind === 'failed') resolve({ ok: false, failure: reply.failure });
        else reject(new Error(`expected the store's thread to open or fail, found ${reply.kind}`));
      });
    });
  }

  async write(changes: readonly StoreChange[]): Promise<StoreResult<null>> {
    if (changes.length === 0) return { ok: true, value: null };
    const reply = await new Promise<StoreReply>((settle) => this.#askWrite(changes, settle));
    return reply.kind === 'failed' ? { ok: false, failure: reply.failure } : { ok: true, value: null };
  }

  async get(table: string, keys: readonly string[]): Promise<StoreResult<readonly StoredEntry[]>> {
    return entriesOf(await this.#ask({ kind: 'get', table, keys }));
  }

  async scan(
    table: string,
    after: string | null,
    limit: number,
  ): Promise<StoreResult<readonly StoredEntry[]>> {
    return entriesOf(await this.#ask({ kind: 'scan', table, after: after ?? BEFORE_ALL, limit }));
  }

  async scanKeys(
    table: string,
    after: string | null,
    limit: number,
  ): Promise<StoreResult<readonly string[]>> {
    const reply = await this.#ask({ kind: 'scan-keys', table, after: after ?? BEFORE_ALL, limit });
    if (reply.kind === 'failed') return { ok: false, failure: reply.failure };
    return { ok: true, value: reply.kind === 'keys' ? reply.keys : [] };
  }

  close(): Promise<void> {
    this.#closing ??= this.#ask({ kind: 'close' }).then(async () => {
      await this.#worker.terminate();
    });
    return this.#closing;
  }

  #ask(request: StoreRequest): Promise<StoreReply> {
    return new Promise((settle) => this.#enqueue({ request, writes: [], settle: [settle], changes: 0 }));
  }

  #askWrite(changes: readonly StoreChange[], settle: (reply: StoreReply) => void): void {
    const last = this.#queue.at(-1);
    if (last?.request.kind === 'write' && last.changes + changes.length <= MAX_COMMIT_CHANGES) {
      last.writes.push(changes);
      last.settle.push(settle);
      last.changes += changes.length;
      return;
    }
    const writes = [changes];
    this.#enqueue({
      request: { kind: 'write', writes },
      writes,
      settle: [settle],
      changes: changes.length,
    });
  }

  #enqueue(waiting: Waiting): void {
    if (this.#ended !== null) return settleAll(waiting, { kind: 'failed', failure: this.#ended });
    this.#queue.push(waiting);
    if (this.#underWay === null) this.#next();
  }

  #next(): void {
    this.#underWay = this.#queue.shift() ?? null;
    if (this.#underWay !== null) this.#worker.postMessage(this.#underWay.request);
  }

  #replied(reply: StoreReply): void {
    const done = this.#underWay;
    this.#next();
    if (done !== null) settleAll(done, reply);
  }

  #end(failure: StoreFailure): void {
    this.#ended ??= failure;
    const left = this.#underWay === null ? this.#queue.splice(0) : [this.#underWay, ...this.#queue.splice(0)];
    this.#underWay = null;
    for (const waiting of left) settleAll(waiting, { kind: 'failed', failure: this.#ended });
  }
}

function settleAll(waiting: Waiting, reply: StoreReply): void {
  for (const settle of waiting.settle) settle(reply);
}

function entriesOf(reply: StoreReply): StoreResult<readonly StoredEntry[]> {
  if (reply.kind === 'failed') return { ok: false, failure: reply.failure };
  return { ok: true, value: reply.kind === 'entries' ? reply.entries : [] };
}
