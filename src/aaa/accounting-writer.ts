/**
 * Keeps the store in step with the accounting queue: one write at a time, strictly in order, so that a later change is never
 * overtaken by the retry of an earlier one. What the store cannot take now is kept and tried again.
 */
import type { Clock, TimerHandle } from '../model/clock.js';
import type { Store, StoreChange, StoreFailure } from '../store/port.js';
import { ACCOUNTING_QUEUE_TABLE } from './accounting-backlog.js';

const MAX_ROUND = 2_000;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 60_000;

/** A record that is to be stored. `value` turns null when it was delivered before the store could take it. */
export interface Saving {
  readonly key: string;
  value: string | null;
  /** Changes that belong to it: they happen with it or not at all. */
  readonly changes: readonly StoreChange[];
  /** Called once it is stored, or once for the first failure to store it. */
  readonly settled: (failure: StoreFailure | null) => void;
  told: boolean;
}

export class AccountingWriter {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #onFailure: (failure: StoreFailure) => void;
  #saves: Saving[] = [];
  #removals: string[] = [];
  #running = false;
  #failure: StoreFailure | null = null;
  #failures = 0;
  #retry: TimerHandle | null = null;
  #idle: (() => void)[] = [];

  constructor(options: {
    readonly store: Store;
    readonly clock: Clock;
    /** Called when the store begins to fail, and for each other failure until it works again. */
    readonly onFailure: (failure: StoreFailure) => void;
  }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#onFailure = options.onFailure;
  }

  /** Why the store does not take anything at the moment; null when it does. */
  get failure(): StoreFailure | null {
    return this.#failure;
  }

  get unsaved(): number {
    return this.#saves.length;
  }

  save(saving: Saving): void {
    this.#saves.push(saving);
    if (this.#failure !== null) tell(saving, this.#failure);
    this.#start();
  }

  remove(key: string): void {
    this.#removals.push(key);
    this.#start();
  }

  /** Resolves when all that was given has been written (null), or with the failure that keeps it waiting. */
  async settled(): Promise<StoreFailure | null> {
    while (this.#running) await new Promise<void>((resolve) => this.#idle.push(resolve));
    return this.#failure;
  }

  /** Tries once more what is left, and then gives up. */
  async close(): Promise<StoreFailure | null> {
    await this.settled();
    this.#retry?.cancel();
    this.#retry = null;
    if (this.#failure !== null) this.#start();
    const failure = await this.settled();
    this.#cancelRetry();
    return failure;
  }

  #cancelRetry(): void {
    this.#retry?.cancel();
    this.#retry = null;
  }

  #start(): void {
    if (this.#running || this.#retry !== null) return;
    this.#running = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    // Everything that the current turn of the event loop has to say goes into one commit.
    await Promise.resolve();
    while (this.#saves.length + this.#removals.length > 0) {
      const ok = await this.#round();
      if (!ok) break;
    }
    this.#running = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** After a failure, removals go alone: on a full disk they may make the room that records need. */
  async #round(): Promise<boolean> {
    const removals = this.#removals.slice(0, MAX_ROUND);
    const alone = this.#failure !== null && removals.length > 0;
    const saves = alone ? [] : this.#saves.slice(0, MAX_ROUND);
    const written = await this.#store.write([...saves.flatMap(changesOf), ...removals.map(removalOf)]);
    if (!written.ok) {
      this.#failed(written.failure);
      return false;
    }
    this.#removals = this.#removals.slice(removals.length);
    this.#saves = this.#saves.slice(saves.length);
    // Delivered while this was being written.
    for (const saving of saves) tell(saving, null);
    if (!alone) {
      this.#failure = null;
      this.#failures = 0;
    }
    return true;
  }

  #failed(failure: StoreFailure): void {
    const isNew = this.#failure?.kind !== failure.kind;
    this.#failure = failure;
    const delayMs = Math.min(FIRST_RETRY_MS * 2 ** this.#failures, LAST_RETRY_MS);
    this.#failures += 1;
    this.#retry = this.#clock.after(delayMs, () => {
      this.#retry = null;
      this.#start();
    });
    if (isNew) this.#onFailure(failure);
    for (const saving of this.#saves) tell(saving, failure);
  }
}

function tell(saving: Saving, failure: StoreFailure | null): void {
  if (failure !== null && saving.told) return;
  saving.told = true;
  saving.settled(failure);
}

function changesOf({ key, value, changes }: Saving): readonly StoreChange[] {
  if (value === null) return changes;
  return [{ op: 'put', table: ACCOUNTING_QUEUE_TABLE.name, key, value }, ...changes];
}

function removalOf(key: string): StoreChange {
  return { op: 'delete', table: ACCOUNTING_QUEUE_TABLE.name, key };
}
