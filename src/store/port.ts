/**
 * What outlives us, as the rest of the house sees it: tables of key → value that are changed together or not at all. No
 * SQL, no files, no decisions about what is kept.
 */

/** Why the store could not do it. The store itself stays usable: `full` and `unavailable` may pass. */
export interface StoreFailure {
  readonly kind: 'full' | 'corrupt' | 'in-use' | 'unavailable' | 'closed';
  readonly reason: string;
}

export type StoreResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: StoreFailure };

/** A table is named and versioned by its owner. Rows keep the version they were written with (see `StoredEntry`). */
export interface StoreTable {
  /** Lower-case letters, digits and underscores; operators see it. */
  readonly name: string;
  /** Of the values written from now on; a row with a higher one is refused when the store opens. */
  readonly schemaVersion: number;
}

/** Text (JSON, as a rule: operators can read it) or bytes. */
export type StoreValue = string | Uint8Array;

export interface StoredEntry {
  readonly key: string;
  readonly value: StoreValue;
  /** The schema version that the row was written with: its owner knows how to read older ones. */
  readonly schemaVersion: number;
}

export type StoreChange =
  | { readonly op: 'put'; readonly table: string; readonly key: string; readonly value: StoreValue }
  | { readonly op: 'delete'; readonly table: string; readonly key: string };

/** What was found damaged when the store was opened, and what became of it. */
export interface StoreDamage {
  /** Where the damage is, in words for an operator. */
  readonly problem: string;
  /** The damaged files, kept untouched for an operator. */
  readonly keptAt: string;
  /** Rows that could be read and are whole; they are what the store holds now. */
  readonly rowsKept: number;
}

export interface Store {
  /** Null when everything was whole. */
  readonly damage: StoreDamage | null;
  /**
   * Applies all changes in their order, or none, and resolves when they would survive a loss of power. Calls take effect in
   * the order in which they are made. A missing key may be deleted.
   */
  write(changes: readonly StoreChange[]): Promise<StoreResult<null>>;
  /** The entries that exist of those keys, in no particular order. Sees every write called before. */
  get(table: string, keys: readonly string[]): Promise<StoreResult<readonly StoredEntry[]>>;
  /** At most `limit` entries with keys after `after` (all, when null), in the order of their keys as bytes. */
  scan(table: string, after: string | null, limit: number): Promise<StoreResult<readonly StoredEntry[]>>;
  /** The same for keys alone. */
  scanKeys(table: string, after: string | null, limit: number): Promise<StoreResult<readonly string[]>>;
  /** Waits for what was asked before; afterwards everything fails with `closed`. */
  close(): Promise<void>;
}

/**
 * Gives, each time a commit is made, the newest state of everything of its that changed since: what changes several times
 * between two commits is written once.
 */
export interface RowSource {
  take(): readonly StoreChange[];
  /** What was taken last is durable (null); or it is not, and belongs into the next commit too. */
  settled(failure: StoreFailure | null): void;
}

/** Commits one after the other, each of everything that was there to be written when it began: all of it or none. */
export interface Commits {
  /** Why the store takes nothing at the moment; null when it does. Tried again by itself. */
  readonly failure: StoreFailure | null;
  /** One source; given before anything is touched. */
  join(source: RowSource): void;
  /** The source has something to write. */
  touch(): void;
  /** Resolves when all that was given or touched before is durable (null), or with what keeps it from being so. */
  settled(): Promise<StoreFailure | null>;
}
