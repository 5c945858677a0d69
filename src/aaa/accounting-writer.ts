/**
 * Keeps the store in step with the accounting queue, and with whoever joins it: one commit at a time, strictly in order, so
 * that a later change is never overtaken by the retry of an earlier one. What the store cannot take now is tried again.
 */
import type { Clock, TimerHandle } from '../model/clock.js';
import type { Commits, RowSource, Store, StoreChange, StoreFailure } from '../store/port.js';
import { ACCOUNTING_QUEUE_TABLE } from './accounting-backlog.js';

const MAX_ROUND = 2_000;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 15_000;

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

interface Given {
  readonly saving: Saving;
  /** Its place in the order of everything that was given. */
  readonly order: number;
}

export class AccountingWriter implements Commits {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #onFailure: (failure: StoreFailure) => void;
  readonly #onRecovered: () => void;
  #saves: Given[] = [];
  #removals: string[] = [];
  #source: RowSource | null = null;
  #touched = false;
  /** How much was given so far, and up to where it is durable. */
  #given = 0;
  #durable = 0;
  #waiting: { readonly through: number; readonly resolve: (failure: StoreFailure | null) => void }[] = [];
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
    /** Called when it works again. */
    readonly onRecovered?: () => void;
  }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#onFailure = options.onFailure;
    this.#onRecovered = options.onRecovered ?? ((): void => {});
  }

  get failure(): StoreFailure | null {
    return this.#failure;
  }

  get unsaved(): number {
    return this.#saves.length;
  }

  save(saving: Saving): void {
    this.#given += 1;
    this.#saves.push({ saving, order: this.#given });
    if (this.#failure !== null) tell(saving, this.#failure);
    this.#start();
  }

  remove(key: string): void {
    this.#removals.push(key);
    this.#start();
  }

  join(source: RowSource): void {
    this.#source = source;
  }

  touch(): void {
    this.#given += 1;
    this.#touched = true;
    this.#start();
  }

  settled(): Promise<StoreFailure | null> {
    if (!this.#running && this.#failure !== null) return Promise.resolve(this.#failure);
    if (this.#durable === this.#given) return Promise.resolve(null);
    return new Promise((resolve) => this.#waiting.push({ through: this.#given, resolve }));
  }

  /** Resolves when there is nothing left to write, removals included (null), or with what keeps it waiting. */
  async drained(): Promise<StoreFailure | null> {
    while (this.#running) await new Promise<void>((resolve) => this.#idle.push(resolve));
    return this.#failure;
  }

  /** Tries once more what is left, and then gives up. */
  async close(): Promise<StoreFailure | null> {
    await this.drained();
    this.#cancelRetry();
    if (this.#failure !== null) this.#start();
    const failure = await this.drained();
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
    while (this.#touched || this.#saves.length + this.#removals.length > 0) {
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
    // A row must not be durable before the record that was given with it: rows go with the last of the records.
    const withRows = !alone && saves.length === this.#saves.length;
    const through = withRows ? this.#given : (saves.at(-1)?.order ?? this.#durable);
    const rows = withRows && this.#touched ? this.#takeRows() : null;
    const changes = [
      ...saves.flatMap(({ saving }) => changesOf(saving)),
      ...(rows ?? []),
      ...removals.map(removalOf),
    ];
    const written = await this.#store.write(changes);
    if (!written.ok) {
      if (rows !== null) {
        this.#touched = true;
        this.#source?.settled(written.failure);
      }
      this.#failed(written.failure);
      return false;
    }
    this.#removals = this.#removals.slice(removals.length);
    this.#saves = this.#saves.slice(saves.length);
    if (rows !== null) this.#source?.settled(null);
    // Delivered while this was being written.
    for (const { saving } of saves) tell(saving, null);
    if (!alone) {
      if (this.#failure !== null) this.#onRecovered();
      this.#failure = null;
      this.#failures = 0;
    }
    this.#reached(through);
    return true;
  }

  #takeRows(): readonly StoreChange[] {
    this.#touched = false;
    return this.#source?.take() ?? [];
  }

  #reached(through: number): void {
    this.#durable = through;
    const done = this.#waiting.filter((waiting) => waiting.through <= through);
    if (done.length === 0) return;
    this.#waiting = this.#waiting.filter((waiting) => waiting.through > through);
    for (const { resolve } of done) resolve(null);
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
    for (const { saving } of this.#saves) tell(saving, failure);
    for (const { resolve } of this.#waiting.splice(0)) resolve(failure);
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
