/** Turns the starts and ends of leases into accounting sessions whose ids are never used again. */
import { randomBytes } from 'node:crypto';
import type { Accounting } from '../aaa/port.js';
import type { Attachment } from '../model/access-line.js';
import type { Clock } from '../model/clock.js';
import type { Effect, Grant } from './machine/types.js';
import type { SessionRecord } from './record.js';

export class AccountingLedger {
  readonly #accounting: Accounting;
  readonly #clock: Clock;
  readonly #boot = randomBytes(6).toString('hex');
  #count = 0;

  constructor(options: { readonly accounting: Accounting; readonly clock: Clock }) {
    this.#accounting = options.accounting;
    this.#clock = options.clock;
  }

  started(record: SessionRecord, grant: Grant, attachment: Attachment): void {
    this.#count += 1;
    const session = {
      accountingId: `${this.#boot}-${this.#count.toString(16)}`,
      subscriberId: record.identity.subscriberId,
      ontSerial: record.identity.ontSerial,
      line: { ...record.line, ...attachment },
      address: grant.address,
      profile: grant.profile,
      startedWallMs: this.#clock.wallMs(),
      startedMs: this.#clock.monotonicMs(),
    };
    record.accounting.set(grant.address, session);
    this.#accounting.start(session);
  }

  ended(record: SessionRecord, effect: Extract<Effect, { type: 'lease-ended' }>): void {
    const session = record.accounting.get(effect.grant.address);
    if (session === undefined) return;
    record.accounting.delete(effect.grant.address);
    const durationMs = this.#clock.monotonicMs() - session.startedMs;
    this.#accounting.stop(session, { traffic: effect.traffic, cause: effect.cause, durationMs });
  }
}
