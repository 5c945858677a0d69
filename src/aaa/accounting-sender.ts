/** What the accounting queue asks of whoever carries a record away. No queue, no store. */
import type { AccountingRecord } from './accounting-record.js';

/**
 * `delivered`: the other side has it for good (RFC 2866 §2). `failed`: nobody knows, it will be given again. `unsendable`:
 * no try will ever do better.
 */
export type SendOutcome = 'delivered' | 'failed' | 'unsendable';

export interface AccountingSender {
  /** Tries once, with a deadline of its own. A probe is the only try of an outage: it is to see soon when that is over. */
  send(record: AccountingRecord, options: { readonly isProbe: boolean }): Promise<SendOutcome>;
}
