/** A store that tells how its writes go. Changes nothing about them. */
import type { Clock } from '../model/clock.js';
import type { Store, StoreChange, StoreDamage, StoredEntry, StoreFailure, StoreResult } from './port.js';

export interface ObservedStoreOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** Told of every write when it is safe on disk or has failed. */
  readonly onWritten: (durationMs: number, failure: StoreFailure['kind'] | null) => void;
}

export class ObservedStore implements Store {
  readonly #o: ObservedStoreOptions;

  constructor(options: ObservedStoreOptions) {
    this.#o = options;
  }

  get damage(): StoreDamage | null {
    return this.#o.store.damage;
  }

  async write(changes: readonly StoreChange[]): Promise<StoreResult<null>> {
    const { store, clock, onWritten } = this.#o;
    const beganMs = clock.monotonicMs();
    const result = await store.write(changes);
    onWritten(clock.monotonicMs() - beganMs, result.ok ? null : result.failure.kind);
    return result;
  }

  get(table: string, keys: readonly string[]): Promise<StoreResult<readonly StoredEntry[]>> {
    return this.#o.store.get(table, keys);
  }

  scan(table: string, after: string | null, limit: number): Promise<StoreResult<readonly StoredEntry[]>> {
    return this.#o.store.scan(table, after, limit);
  }

  scanKeys(table: string, after: string | null, limit: number): Promise<StoreResult<readonly string[]>> {
    return this.#o.store.scanKeys(table, after, limit);
  }

  close(): Promise<void> {
    return this.#o.store.close();
  }
}
