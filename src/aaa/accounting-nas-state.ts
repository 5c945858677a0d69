/**
 * What the accounting server was last told of this NAS as a whole, kept with the record that told it. Accounting-On ends
 * every session that a server knows (RFC 2866 §5.1), so it must not be said again while sessions go on.
 */
import type { Store, StoreChange, StoreResult, StoreTable } from '../store/port.js';

export const ACCOUNTING_NAS_TABLE: StoreTable = { name: 'accounting_nas', schemaVersion: 1 };

export interface NasState {
  readonly status: 'On' | 'Off';
  readonly bootId: string;
  /**
   * While what an earlier boot left is gone through: how the Acct-Session-Ids begin that were given out since that On. All
   * others have ended for the server. Left out when it is done.
   */
  readonly begun?: readonly string[];
}

const KEY = 'last';

export function nasStateChange(state: NasState): StoreChange {
  return { op: 'put', table: ACCOUNTING_NAS_TABLE.name, key: KEY, value: JSON.stringify(state) };
}

/** Null where nothing was ever said, or what was said cannot be read: then it is said again. */
export async function loadNasState(store: Store): Promise<StoreResult<NasState | null>> {
  const found = await store.get(ACCOUNTING_NAS_TABLE.name, [KEY]);
  if (!found.ok) return found;
  const value = found.value[0]?.value;
  if (typeof value !== 'string') return { ok: true, value: null };
  try {
    const { status, bootId, begun } = JSON.parse(value) as NasState;
    const isKnown = begun === undefined || begun.every((prefix) => typeof prefix === 'string');
    return {
      ok: true,
      value: isKnown && begun !== undefined ? { status, bootId, begun } : { status, bootId },
    };
  } catch {
    return { ok: true, value: null };
  }
}
