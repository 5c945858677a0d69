/** What operators read of records: which ones, and what is known of one beside its picture. Looks only. */
import type { Mac } from '../model/mac.js';
import type { SessionQuery } from './inlet.js';
import type { AccountingLedger } from './ledger.js';
import { holding, isServed } from './machine/build.js';
import type { SessionRecord } from './record.js';
import type { SessionTable } from './table.js';
import type { SessionDetails } from './view.js';

/** The records that a query asks for, in order of creation. Makes no picture of those that it passes over. */
export function* recordsOf(table: SessionTable, { state, after }: SessionQuery): Iterable<SessionRecord> {
  const last = after === undefined ? null : table.byId(after.id);
  let behind = last === null;
  for (const record of table.all()) {
    if (!behind) {
      behind = record === last;
      continue;
    }
    if (last === null && after !== undefined && record.createdWallMs < after.createdWallMs) continue;
    if (state === undefined || record.session.state.name === state) yield record;
  }
}

/** By the MAC that holds a lease, or asks for one. A walk over all records. */
export function recordByMac(table: SessionTable, mac: Mac): SessionRecord | null {
  return find(table, ({ session: { state }, line }) => {
    if (line?.mac === mac) return true;
    return isServed(state) && holding(state)?.attachment.mac === mac;
  });
}

/** A walk over all records. */
export function recordByCircuitId(table: SessionTable, circuitId: Uint8Array): SessionRecord | null {
  return find(
    table,
    (record) => record.circuitId !== null && Buffer.compare(record.circuitId, circuitId) === 0,
  );
}

function find(table: SessionTable, isIt: (record: SessionRecord) => boolean): SessionRecord | null {
  for (const record of table.all()) if (isIt(record)) return record;
  return null;
}

export function detailsOf(record: SessionRecord, ledger: AccountingLedger): SessionDetails {
  const { state } = record.session;
  const served = isServed(state) ? state : null;
  const held = served === null ? null : holding(served);
  const accounting = held === null ? null : ledger.sessionAt(held.grant.address);
  return {
    subscriberId: record.identity.subscriberId,
    authentication: record.authentication,
    terms: served?.grant.terms ?? null,
    accounting:
      accounting === null
        ? null
        : { accountingId: accounting.accountingId, startedWallMs: accounting.startedWallMs },
  };
}
