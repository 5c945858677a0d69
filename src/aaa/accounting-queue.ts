/**
 * The durable accounting queue: a record is stored before it is sent and leaves the store on a valid response. Order is kept
 * within a session, sessions go side by side, tries go on for ever. Knows neither RADIUS nor SQL.
 *
 * A crash between a response and the removal sends a record again: same Acct-Session-Id, Acct-Status-Type, Event-Timestamp
 * and counters; only Acct-Delay-Time differs. That is how a server tells a repetition (RFC 2866 §2 leaves it no other way).
 */
import { BngError } from '../model/bng-error.js';
import type { Clock, TimerHandle } from '../model/clock.js';
import type { Store, StoreChange, StoreFailure, StoreResult } from '../store/port.js';
import { formatBacklogKey, loadBacklog, readRecords } from './accounting-backlog.js';
import { ArrivalOrder } from './accounting-order.js';
import { retryDelayMs, SendWindow } from './accounting-pace.js';
import type { AccountingRecord } from './accounting-record.js';
import type { AccountingSender, SendOutcome } from './accounting-sender.js';
import type {
  AccountingNotice,
  AccountingQueueFigures,
  AccountingQueueLimits,
  AccountingQueueOptions,
  NewRecord,
} from './accounting-queue-options.js';
import {
  ACCOUNTING_REFUSED_TABLE,
  DEFAULT_ACCOUNTING_QUEUE_LIMITS,
  NAS_STREAM,
} from './accounting-queue-options.js';
import type { AccountingStream, QueuedRecord } from './accounting-stream.js';
import { newStream, takeSuperseded } from './accounting-stream.js';
import { AccountingWriter } from './accounting-writer.js';

export class AccountingQueue {
  readonly #store: Store;
  readonly #sender: AccountingSender;
  readonly #clock: Clock;
  readonly #limits: AccountingQueueLimits;
  readonly #notice: (notice: AccountingNotice) => void;
  readonly #writer: AccountingWriter;
  readonly #window: SendWindow;
  readonly #streams = new Map<string, AccountingStream>();
  /** In the order in which their turn comes. */
  readonly #ready = new Set<AccountingStream>();
  /** Those that wait for another try since one in which the server answered nobody: its next answer is theirs as well. */
  readonly #silenced = new Set<AccountingStream>();
  readonly #order = new ArrivalOrder();
  /** Of records that concern every session (Accounting-On): what came later waits for them. */
  readonly #barriers: number[] = [];
  #nextSequence = 0;
  #length = 0;
  #inMemory = 0;
  #inFlight = 0;
  #delivered = 0;
  #retried = 0;
  #answers = 0;
  readonly #dropped = { supersededInterim: 0, unsendable: 0, damaged: 0 };
  #pause: TimerHandle | null = null;
  #isOpen = true;
  #changed: (() => void)[] = [];

  private constructor(options: AccountingQueueOptions) {
    const { store, sender, clock, notice = () => {} } = options;
    this.#store = store;
    this.#sender = sender;
    this.#clock = clock;
    this.#limits = { ...DEFAULT_ACCOUNTING_QUEUE_LIMITS, ...options.limits };
    this.#notice = notice;
    this.#window = new SendWindow({ ...this.#limits, clock });
    const onFailure = (failure: StoreFailure): void => notice({ kind: 'store-failed', failure });
    this.#writer = options.writer ?? new AccountingWriter({ store, clock, onFailure });
  }

  /** Takes over what an earlier run left, and begins to send it. The store must have both tables of the queue. */
  static async open(options: AccountingQueueOptions): Promise<StoreResult<AccountingQueue>> {
    const backlog = await loadBacklog(options.store);
    if (!backlog.ok) return backlog;
    const queue = new AccountingQueue(options);
    const { rows, nextSequence } = backlog.value;
    queue.#nextSequence = nextSequence;
    for (const [key, parsed] of rows) {
      const place = queue.#order.add(parsed.queuedWallMs);
      queue.#append({ key, parsed, place, record: null, saving: null, sendable: true, isGone: false });
    }
    for (const stream of queue.#streams.values()) queue.#offer(stream);
    if (rows.length > 0) queue.#notice({ kind: 'recovered', length: rows.length });
    queue.#pump();
    return { ok: true, value: queue };
  }

  /** Takes the record over; it is durable when `kept()` resolves. After `close` it is `BNG_ERR_CLOSED`. */
  put({ kind, stream: id, record, changes }: NewRecord): void {
    if (!this.#isOpen)
      throw new BngError('BNG_ERR_CLOSED', 'expected an accounting queue that is open', { id });
    const sequence = this.#nextSequence;
    this.#nextSequence += 1;
    const parsed = { sequence, kind, queuedWallMs: this.#clock.wallMs(), stream: id };
    const key = formatBacklogKey(parsed);
    const place = this.#order.add(parsed.queuedWallMs);
    const queued: QueuedRecord = { key, parsed, place, record, saving: null, sendable: false, isGone: false };
    queued.saving = {
      key,
      value: JSON.stringify(record),
      changes,
      told: false,
      settled: (failure) => this.#saved(queued, failure),
    };
    this.#inMemory += 1;
    const stream = this.#append(queued);
    this.#writer.save(queued.saving);
    if (this.#length > this.#limits.coalesceAbove) this.#coalesce(stream);
  }

  /** False once nothing more is taken. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Changes without a record, behind all that was put before. */
  change(changes: readonly StoreChange[]): void {
    this.#writer.save({ key: '', value: null, changes, told: true, settled: () => {} });
  }

  /** Resolves when everything put before is durable (null), or with the failure that keeps it in memory only. */
  kept(): Promise<StoreFailure | null> {
    return this.#writer.settled();
  }

  /** The same once nothing is left to be written at all, which under a steady load is never. */
  stored(): Promise<StoreFailure | null> {
    return this.#writer.drained();
  }

  /**
   * The server has answered something else, such as an Access-Request: whoever waits for another try since it was silent tries at
   * once. Who is never answered while others are keeps to its own pauses.
   */
  serverAnswered(): void {
    this.#answers += 1;
    if (this.#silenced.size === 0 && !this.#window.isOutage) return;
    this.#window.resume();
    for (const stream of [...this.#silenced]) this.#again(stream);
    this.#pump();
  }

  figures(): AccountingQueueFigures {
    const now = this.#clock.wallMs();
    return {
      length: this.#length,
      unsaved: this.#writer.unsaved,
      inFlight: this.#inFlight,
      // A wall clock set back in between would make it negative.
      oldestAgeMs: Math.max(0, now - (this.#order.oldestWallMs ?? now)),
      delivered: this.#delivered,
      retried: this.#retried,
      dropped: { ...this.#dropped },
      outage: this.#window.isOutage,
      store: this.#writer.failure,
    };
  }

  /** Takes nothing more, goes on sending for at most `deadlineMs`, and leaves the rest in the store. */
  async close(deadlineMs: number): Promise<StoreFailure | null> {
    this.#isOpen = false;
    const late = this.#clock.monotonicMs() + deadlineMs;
    const timer = this.#clock.after(deadlineMs, () => this.#wakeClosers());
    while (this.#length > 0 && this.#clock.monotonicMs() < late) {
      await new Promise<void>((resolve) => this.#changed.push(resolve));
    }
    timer.cancel();
    this.#window.stop();
    this.#pause?.cancel();
    for (const stream of this.#streams.values()) stream.retry?.cancel();
    return this.#writer.close();
  }

  #append(queued: QueuedRecord): AccountingStream {
    const { stream: id, kind, sequence } = queued.parsed;
    const stream = this.#streams.get(id) ?? newStream(id);
    this.#streams.set(id, stream);
    stream.records.push(queued);
    this.#length += 1;
    if (kind === 'nas') this.#barriers.push(sequence);
    return stream;
  }

  #saved(queued: QueuedRecord, failure: StoreFailure | null): void {
    if (failure === null) queued.saving = null;
    const stream = this.#streams.get(queued.parsed.stream);
    // Delivered, or dropped, before the store could take it.
    if (stream === undefined || queued.isGone) return;
    queued.sendable = true;
    if (failure === null && queued.record !== null && this.#inMemory > this.#limits.maxInMemory) {
      queued.record = null;
      this.#inMemory -= 1;
    }
    this.#offer(stream);
    this.#pump();
  }

  /** Gives the stream its turn when its first record may go. */
  #offer(stream: AccountingStream): void {
    const [first] = stream.records;
    if (stream.state !== 'idle' || first === undefined || !first.sendable) return;
    const [barrier] = this.#barriers;
    if (barrier !== undefined && first.parsed.sequence >= barrier) return;
    stream.state = 'ready';
    this.#ready.add(stream);
  }

  #pump(): void {
    const absent: AccountingStream[] = [];
    for (const stream of this.#ready) {
      if (!this.#window.mayStart(this.#inFlight)) break;
      this.#ready.delete(stream);
      this.#start(stream, absent);
    }
    const nas = this.#nasTurn();
    if (nas !== null) this.#start(nas, absent);
    if (absent.length > 0) void this.#fetch(absent);
    const waitMs = this.#window.pauseMs;
    if (this.#pause === null && waitMs > 0 && this.#length > 0) {
      this.#pause = this.#clock.after(waitMs, () => {
        this.#pause = null;
        this.#pump();
      });
    }
  }

  /** What concerns every session goes when nothing before it is left, but for what has failed and waits for another try. */
  #nasTurn(): AccountingStream | null {
    if (this.#barriers.length === 0 || this.#ready.size > 0 || !this.#window.mayStart(this.#inFlight))
      return null;
    const stream = this.#streams.get(NAS_STREAM);
    const isNext = stream?.state === 'idle' && stream.records[0]?.sendable === true;
    return isNext && this.#inFlight === 0 ? stream : null;
  }

  #start(stream: AccountingStream, absent: AccountingStream[]): void {
    const [first] = stream.records;
    stream.state = 'idle';
    // Dropped in favour of a later one that the store does not have yet: its turn comes when it has.
    if (first === undefined || !first.sendable) return;
    stream.state = 'busy';
    stream.answersBefore = this.#answers;
    this.#inFlight += 1;
    if (first.record === null) absent.push(stream);
    else void this.#send(stream, { queued: first, record: first.record });
  }

  /** Reads the first records of those streams back from the store. */
  async #fetch(streams: readonly AccountingStream[]): Promise<void> {
    const firsts = streams.flatMap((stream) =>
      stream.records.slice(0, 1).map((queued) => ({ stream, queued })),
    );
    const keys = firsts.map(({ queued }) => queued.key);
    const records = await readRecords(this.#store, keys);
    for (const { stream, queued } of firsts) {
      const record = records.get(queued.key);
      if (record === undefined) {
        // The store's silence is not the server's.
        stream.answersBefore = -1;
        this.#settle(stream, queued, 'failed');
      } else if (record === null) this.#settle(stream, queued, 'damaged');
      else void this.#send(stream, { queued, record });
    }
  }

  async #send(
    stream: AccountingStream,
    { queued, record }: { readonly queued: QueuedRecord; readonly record: AccountingRecord },
  ): Promise<void> {
    const isProbe = this.#window.isOutage;
    this.#settle(stream, queued, await this.#sender.send(record, { isProbe }));
  }

  #settle(stream: AccountingStream, queued: QueuedRecord, outcome: SendOutcome | 'damaged'): void {
    this.#inFlight -= 1;
    if (outcome === 'failed') this.#failed(stream);
    else {
      stream.records.shift();
      stream.failures = 0;
      stream.state = 'idle';
      if (outcome === 'delivered') this.#delivered += 1;
      else this.#refuse(queued, outcome);
      this.#forget(queued, outcome);
      if (queued.parsed.kind === 'nas') this.#passBarrier();
      if (stream.records.length === 0) this.#streams.delete(stream.id);
      else this.#offer(stream);
      if (outcome === 'delivered') {
        if (this.#window.succeeded()) this.#notice({ kind: 'outage-ended', length: this.#length });
        this.serverAnswered();
      }
    }
    this.#pump();
    if (this.#length === 0) this.#wakeClosers();
  }

  #failed(stream: AccountingStream): void {
    this.#retried += 1;
    stream.state = 'waiting';
    stream.retry = this.#clock.after(retryDelayMs(stream.failures, this.#limits), () => this.#again(stream));
    stream.failures += 1;
    if (stream.answersBefore === this.#answers) this.#silenced.add(stream);
    if (this.#window.failed()) this.#notice({ kind: 'outage-began', length: this.#length });
  }

  #again(stream: AccountingStream): void {
    stream.retry?.cancel();
    stream.retry = null;
    this.#silenced.delete(stream);
    if (stream.state !== 'waiting') return;
    stream.state = 'idle';
    this.#offer(stream);
    this.#pump();
  }

  #passBarrier(): void {
    this.#barriers.shift();
    for (const stream of this.#streams.values()) this.#offer(stream);
  }

  /** Moved, not deleted: what cannot be delivered is for an operator to see. A damaged row has nothing to move. */
  #refuse(queued: QueuedRecord, reason: 'unsendable' | 'damaged'): void {
    this.#dropped[reason] += 1;
    this.#notice({ kind: 'refused', key: queued.key, reason });
    if (queued.record === null && reason === 'damaged') return;
    const value = JSON.stringify({ reason, record: queued.record });
    const changes: StoreChange[] = [
      { op: 'put', table: ACCOUNTING_REFUSED_TABLE.name, key: queued.key, value },
    ];
    this.change(changes);
  }

  #coalesce(stream: AccountingStream): void {
    for (const queued of takeSuperseded(stream)) {
      this.#dropped.supersededInterim += 1;
      this.#forget(queued, 'superseded');
    }
  }

  #forget(queued: QueuedRecord, why: 'delivered' | 'unsendable' | 'damaged' | 'superseded'): void {
    queued.isGone = true;
    this.#order.remove(queued.place);
    if (queued.saving !== null) queued.saving.value = null;
    if (queued.record !== null) this.#inMemory -= 1;
    this.#length -= 1;
    // A damaged row stays where it is: the next start keeps the whole file aside because of it.
    if (why !== 'damaged') this.#writer.remove(queued.key);
  }

  #wakeClosers(): void {
    for (const wake of this.#changed.splice(0)) wake();
  }
}
