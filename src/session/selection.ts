/** Finds the one session that a CoA or Disconnect names. Looks only. */
import type { SessionSelector } from '../aaa/port.js';
import type { AccountingLedger } from './ledger.js';
import { holding, isServed } from './machine/build.js';
import type { SessionRecord } from './record.js';
import type { SessionTable } from './table.js';

export type Selection = SessionRecord | 'no-session' | 'ambiguous';

export interface Places {
  readonly table: SessionTable;
  readonly ledger: AccountingLedger;
}

/** Every attribute that is given must agree; none given names nobody. */
export function select({ table, ledger }: Places, selector: SessionSelector): Selection {
  const { accountingId, framedAddress } = selector;
  // The two that name one session by themselves spare a walk over all of them.
  const sure =
    accountingId !== undefined
      ? ledger.recordOf(accountingId)
      : framedAddress !== undefined
        ? table.byAddress(framedAddress)
        : undefined;
  if (sure !== undefined) return sure !== null && agrees(sure, selector, ledger) ? sure : 'no-session';
  if (Object.keys(selector).length === 0) return 'no-session';
  let found: SessionRecord | null = null;
  for (const record of table.all()) {
    if (!agrees(record, selector, ledger)) continue;
    if (found !== null) return 'ambiguous';
    found = record;
  }
  return found ?? 'no-session';
}

function agrees(record: SessionRecord, selector: SessionSelector, ledger: AccountingLedger): boolean {
  const { state } = record.session;
  if (!isServed(state)) return false;
  const { accountingId, framedAddress, userName, mac, circuitId } = selector;
  const now = holding(state);
  return (
    (accountingId === undefined || ledger.recordOf(accountingId) === record) &&
    (framedAddress === undefined || now?.grant.address === framedAddress) &&
    (userName === undefined || state.grant.terms.userName === userName) &&
    (mac === undefined || now?.attachment.mac === mac) &&
    (circuitId === undefined ||
      (record.circuitId !== null && Buffer.compare(record.circuitId, circuitId) === 0))
  );
}
