/** Who carries accounting records away: a RADIUS server, or a log where there is none. One try each; no queue. */
import { isBngError } from '../model/bng-error.js';
import { RadiusCode } from '../wire/radius-packet.js';
import { accountingAttributes } from './accounting-attributes.js';
import type { AccountingRecord } from './accounting-record.js';
import type { AccountingSender, SendOutcome } from './accounting-sender.js';
import type { RadiusExchangeResult } from './radius-exchange.js';
import { answerOf, type RadiusJournal } from './radius-journal.js';
import type { RadiusNas } from './radius-nas-attributes.js';
import type { RadiusRequest } from './radius-request.js';

/** Acct-Delay-Time is true on each transmission: the client adds it, from the record's own time. */
export class RadiusAccountingSender implements AccountingSender {
  readonly #client: { exchange(request: RadiusRequest): Promise<RadiusExchangeResult> };
  readonly #nas: RadiusNas;
  readonly #journal: RadiusJournal | null;

  constructor(options: {
    readonly client: { exchange(request: RadiusRequest): Promise<RadiusExchangeResult> };
    readonly nas: RadiusNas;
    /** Told what was reported of each subscriber. */
    readonly journal?: RadiusJournal;
  }) {
    this.#client = options.client;
    this.#nas = options.nas;
    this.#journal = options.journal ?? null;
  }

  async send(record: AccountingRecord, { isProbe }: { readonly isProbe: boolean }): Promise<SendOutcome> {
    const request = this.#request(record, isProbe);
    if (request === null) return 'unsendable';
    const beganMs = this.#journal?.nowMs() ?? 0;
    const result = await this.#client.exchange(request);
    if ('Bng-Subscriber-Id' in record) {
      this.#journal?.note('accounting', record['Bng-Subscriber-Id'], {
        beganMs,
        ...answerOf(result),
        request: { code: RadiusCode['Accounting-Request'], attributes: request.attributes },
      });
    }
    const { kind } = result;
    if (kind === 'response') return 'delivered';
    return kind === 'unsendable' ? 'unsendable' : 'failed';
  }

  #request(record: AccountingRecord, steady: boolean): RadiusRequest | null {
    try {
      const attributes = accountingAttributes(record, this.#nas);
      return { kind: 'accounting', attributes, happenedWallMs: record['Event-Timestamp'] * 1000, steady };
    } catch (error) {
      if (isBngError(error, 'BNG_ERR_VALUE')) return null;
      throw error;
    }
  }
}

/** The same records as they are stored, for a log of JSON lines. */
export class LogAccountingSender implements AccountingSender {
  readonly #write: (record: AccountingRecord) => void;
  readonly #written: () => Promise<void>;

  constructor(options: {
    readonly write: (record: AccountingRecord) => void;
    /** Resolves when the log has what was written; at once without it. */
    readonly written?: () => Promise<void>;
  }) {
    this.#write = options.write;
    this.#written = options.written ?? ((): Promise<void> => Promise.resolve());
  }

  async send(record: AccountingRecord): Promise<SendOutcome> {
    this.#write(record);
    await this.#written();
    return 'delivered';
  }
}
