/**
 * Leases in use: turns their starts and ends into accounting sessions whose ids are never used again, and watches what
 * depends on use while they last: interim records, Session-Timeout, Idle-Timeout. Decides no state.
 */
import { randomBytes } from 'node:crypto';
import type { Accounting, AccountingSession, AccountingUsage, TerminateCause } from '../aaa/port.js';
import type { Dataplane } from '../dataplane/port.js';
import type { Attachment } from '../model/access-line.js';
import type { Clock, TimerHandle } from '../model/clock.js';
import type { Ipv4 } from '../model/ipv4.js';
import { NO_TRAFFIC } from '../model/traffic-counters.js';
import type { TrafficCounters } from '../model/traffic-counters.js';
import type { Effect, Grant } from './machine/types.js';
import type { SessionRecord } from './record.js';

/** How many times an idle subscriber is looked at in one idle timeout: the timeout is met within this part of it. */
const IDLE_LOOKS = 4;

export interface LedgerOptions {
  readonly accounting: Accounting;
  readonly dataplane: Pick<Dataplane, 'traffic'>;
  readonly clock: Clock;
  /** A timer of the AAA server ran out; the session must end. */
  readonly onTimeout: (record: SessionRecord, cause: TerminateCause) => void;
}

interface Entry {
  session: AccountingSession;
  readonly record: SessionRecord;
  readonly startedMs: number;
  readonly timers: Map<'interim' | 'session' | 'idle', TimerHandle>;
}

export class AccountingLedger {
  readonly #o: LedgerOptions;
  readonly #boot = randomBytes(6).toString('hex');
  readonly #byAddress = new Map<Ipv4, Entry>();
  readonly #byAccountingId = new Map<string, SessionRecord>();
  #count = 0;

  constructor(options: LedgerOptions) {
    this.#o = options;
  }

  /** The session that an Acct-Session-Id in use belongs to. */
  recordOf(accountingId: string): SessionRecord | null {
    return this.#byAccountingId.get(accountingId) ?? null;
  }

  started(record: SessionRecord, grant: Grant, attachment: Attachment): void {
    this.#count += 1;
    const session: AccountingSession = {
      accountingId: `${this.#boot}-${this.#count.toString(16)}`,
      multiSessionId: record.id,
      subscriberId: record.identity.subscriberId,
      ontSerial: record.identity.ontSerial,
      line: { ...record.line, ...attachment },
      address: grant.address,
      profile: grant.profile,
      terms: grant.terms,
      startedWallMs: this.#o.clock.wallMs(),
    };
    const entry = { session, record, startedMs: this.#o.clock.monotonicMs(), timers: new Map() };
    this.#byAddress.set(grant.address, entry);
    this.#byAccountingId.set(session.accountingId, record);
    this.#o.accounting.start(session);
    this.#watch(entry);
  }

  /** When the AAA server's Session-Timeout ends the use of an address, on the monotonic clock; null: never. */
  endsAtMs(address: Ipv4): number | null {
    const entry = this.#byAddress.get(address);
    const timeout = entry?.session.terms.sessionTimeoutSeconds ?? null;
    return entry === undefined || timeout === null ? null : entry.startedMs + 1000 * timeout;
  }

  /** Resolves when accounting would not lose what it was told so far. */
  stored(): Promise<unknown> {
    return this.#o.accounting.stored();
  }

  /** The same lease goes on with other rates or timers. */
  reprofiled(grant: Grant): void {
    const entry = this.#byAddress.get(grant.address);
    if (entry === undefined) return;
    entry.session = { ...entry.session, profile: grant.profile, terms: grant.terms };
    this.#watch(entry);
  }

  ended(effect: Extract<Effect, { type: 'lease-ended' }>): void {
    const entry = this.#byAddress.get(effect.grant.address);
    if (entry === undefined) return;
    for (const timer of entry.timers.values()) timer.cancel();
    this.#byAddress.delete(effect.grant.address);
    this.#byAccountingId.delete(entry.session.accountingId);
    this.#o.accounting.stop(entry.session, { ...this.#usage(entry, effect.traffic), cause: effect.cause });
  }

  #usage(entry: Entry, traffic: TrafficCounters): AccountingUsage {
    return { traffic, durationMs: this.#o.clock.monotonicMs() - entry.startedMs };
  }

  #traffic(entry: Entry): TrafficCounters {
    return this.#o.dataplane.traffic(entry.session.address) ?? NO_TRAFFIC;
  }

  #watch(entry: Entry): void {
    for (const timer of entry.timers.values()) timer.cancel();
    entry.timers.clear();
    const { sessionTimeoutSeconds, idleTimeoutSeconds, interimIntervalSeconds } = entry.session.terms;
    this.#watchInterim(entry, 1000 * (interimIntervalSeconds ?? this.#o.accounting.interimIntervalSeconds));
    if (sessionTimeoutSeconds !== null) {
      const usedMs = this.#o.clock.monotonicMs() - entry.startedMs;
      this.#after(entry, 'session', 1000 * sessionTimeoutSeconds - usedMs, () =>
        this.#o.onTimeout(entry.record, 'Session-Timeout'),
      );
    }
    if (idleTimeoutSeconds !== null) this.#watchIdle(entry, 1000 * idleTimeoutSeconds);
  }

  /** The first interim comes at a random part of the interval: sessions that began together must not report together. */
  #watchInterim(entry: Entry, intervalMs: number): void {
    const report = (): void => {
      this.#o.accounting.interim(entry.session, this.#usage(entry, this.#traffic(entry)));
      this.#after(entry, 'interim', intervalMs, report);
    };
    this.#after(entry, 'interim', intervalMs * (1 + Math.random()) * 0.5, report);
  }

  #watchIdle(entry: Entry, timeoutMs: number): void {
    const { clock } = this.#o;
    let last = total(this.#traffic(entry));
    let activeMs = clock.monotonicMs();
    const look = (): void => {
      const now = total(this.#traffic(entry));
      if (now !== last) activeMs = clock.monotonicMs();
      last = now;
      if (clock.monotonicMs() - activeMs >= timeoutMs) this.#o.onTimeout(entry.record, 'Idle-Timeout');
      else this.#after(entry, 'idle', timeoutMs / IDLE_LOOKS, look);
    };
    this.#after(entry, 'idle', timeoutMs / IDLE_LOOKS, look);
  }

  #after(entry: Entry, name: 'interim' | 'session' | 'idle', delayMs: number, fire: () => void): void {
    entry.timers.set(name, this.#o.clock.after(Math.max(0, delayMs), fire));
  }
}

function total(traffic: TrafficCounters): bigint {
  return traffic.upstreamPackets + traffic.downstreamPackets;
}
