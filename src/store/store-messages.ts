/** What the store and its thread say to each other. Values only. */
import type { StoreChange, StoreDamage, StoredEntry, StoreFailure, StoreTable } from './port.js';

/** Handed to the thread when it starts. */
export interface StoreThreadOptions {
  readonly path: string;
  readonly tables: readonly StoreTable[];
  readonly wallMs: number;
}

/** `writes` are transactions of their own that share one commit. */
export type StoreRequest =
  | { readonly kind: 'write'; readonly writes: readonly (readonly StoreChange[])[] }
  | { readonly kind: 'get'; readonly table: string; readonly keys: readonly string[] }
  | { readonly kind: 'scan'; readonly table: string; readonly after: string; readonly limit: number }
  | { readonly kind: 'scan-keys'; readonly table: string; readonly after: string; readonly limit: number }
  | { readonly kind: 'close' };

/** One for each request, in order; the first of all answers the opening. */
export type StoreReply =
  | { readonly kind: 'opened'; readonly damage: StoreDamage | null }
  | { readonly kind: 'done' }
  | { readonly kind: 'entries'; readonly entries: readonly StoredEntry[] }
  | { readonly kind: 'keys'; readonly keys: readonly string[] }
  | { readonly kind: 'failed'; readonly failure: StoreFailure };
