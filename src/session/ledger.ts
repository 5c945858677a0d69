/**
 * Leases in use: turns their starts and ends into accounting sessions whose ids are never used again, and watches what
 * depends on use while they last: interim records, Session-Timeout, Idle-Timeout. Decides no state.
 */
import { randomBytes } from 'node:crypto';
import type { Accounting, AccountingSession, AccountingUsage, TerminateCause } from '../aaa/port.js';
import type { Dataplane } from '../dataplane/port.js';
import type { AccessLine, Attachment } from '../model/access-line.js';
import type { Clock, TimerHandle } from '../model/clock.js';
import type { Ipv4 } from '../model/ipv4.js';
import { addTraffic, mostTraffic, NO_TRAFFIC } from '../model/traffic-counters.js';
import type { TrafficCounters } from '../model/traffic-counters.js';
import { servedProfile } from './machine/build.js';
import type { Effect, Grant, Held } from './machine/types.js';
import type { SessionRecord } from './record.js';

/** How many times an idle subscriber is looked at in one idle timeout: the timeout is met within this part of it. */
const IDLE_LOOKS = 4;

export interface LedgerOptions {
  readonly accounting: Accounting;
  readonly dataplane: Pick<Dataplane, 'traffic'>;
  readonly clock: Clock;
  /** A timer of the AAA server ran out; the session must end. */
  readonly onTimeout: (record: SessionRecord, cause: TerminateCause) => void;
  /** Accounting was told what the session has used so far. */
  readonly onReported?: (record: SessionRecord) => void;
}

/** What of the use of an address outlives us. Times are monotonic. */
export interface SavedUse {
  readonly accountingId: string;
  readonly startedMs: number;
  readonly startedWallMs: number;
  /** When the subscriber was last seen to do anything; only kept up where there is an idle timeout. */
  readonly activeMs: number;
  readonly line: AccessLine;
  /** What was used before the dataplane's counters began. */
  readonly base: TrafficCounters;
  /** All that was used as far as we had looked, the base included. */
  readonly known: TrafficCounters;
}

interface Entry {
  session: AccountingSession;
  readonly record: SessionRecord;
  readonly startedMs: number;
  base: TrafficCounters;
  known: TrafficCounters;
  activeMs: number;
  /** When the lease ran out, where that was before this run. */
  endedMs: number;
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

  /** The accounting of the address; null while nobody uses it. */
  sessionAt(address: Ipv4): AccountingSession | null {
    return this.#byAddress.get(address)?.session ?? null;
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
      profile: servedProfile(grant),
      terms: grant.terms,
      startedWallMs: this.#o.clock.wallMs(),
    };
    const startedMs = this.#o.clock.monotonicMs();
    const entry: Entry = {
      session,
      record,
      startedMs,
      base: NO_TRAFFIC,
      known: NO_TRAFFIC,
      activeMs: startedMs,
      endedMs: Infinity,
      timers: new Map(),
    };
    this.#byAddress.set(grant.address, entry);
    this.#byAccountingId.set(session.accountingId, record);
    this.#o.accounting.start(session);
    this.#watch(entry);
  }

  /** Takes over what an earlier run began. Nothing is told and nothing watched until `resume`. */
  adopt(record: SessionRecord, { grant, expiresAtMs }: Held, use: SavedUse): void {
    const { identity } = record;
    const session: AccountingSession = {
      accountingId: use.accountingId,
      multiSessionId: record.id,
      subscriberId: identity.subscriberId,
      ontSerial: identity.ontSerial,
      line: use.line,
      address: grant.address,
      profile: servedProfile(grant),
      terms: grant.terms,
      startedWallMs: use.startedWallMs,
    };
    const { startedMs, base, known, activeMs } = use;
    const endedMs = expiresAtMs <= this.#o.clock.monotonicMs() ? expiresAtMs : Infinity;
    const entry = { session, record, startedMs, base, known, activeMs, endedMs, timers: new Map() };
    this.#byAddress.set(grant.address, entry);
    this.#byAccountingId.set(use.accountingId, record);
  }

  /** The dataplane lost its counters of this address, or counts it anew: the account goes on from what was known. */
  countsAnew(address: Ipv4): void {
    const entry = this.#byAddress.get(address);
    if (entry !== undefined) entry.base = entry.known;
  }

  /** The lease was renewed: it does not end where it seemed to when it was adopted. */
  prolonged(address: Ipv4, expiresAtMs: number): void {
    const entry = this.#byAddress.get(address);
    if (entry !== undefined)
      entry.endedMs = expiresAtMs <= this.#o.clock.monotonicMs() ? expiresAtMs : Infinity;
  }

  /** Looks after what was adopted. */
  resume(address: Ipv4): void {
    const entry = this.#byAddress.get(address);
    if (entry === undefined) return;
    const nowMs = this.#o.clock.monotonicMs();
    // Traffic since the last look: it was active, nobody knows when.
    if (total(this.#used(entry, this.#traffic(entry))) !== total(entry.known)) entry.activeMs = nowMs;
    this.#watch(entry);
  }

  /** Ends what was adopted without a word: accounting itself closes it. */
  drop(address: Ipv4): void {
    const entry = this.#byAddress.get(address);
    if (entry !== undefined) this.#remove(entry);
  }

  /** The accounting sessions that are open, and what each has used as far as is known. */
  *open(): Iterable<readonly [accountingId: string, usage: AccountingUsage]> {
    for (const { session, startedMs, known, record } of this.#byAddress.values()) {
      const durationMs = Math.max(0, record.writtenMs - startedMs);
      yield [session.accountingId, { traffic: known, durationMs }];
    }
  }

  /** Looks how much was used by now. */
  look(address: Ipv4): void {
    const entry = this.#byAddress.get(address);
    if (entry !== undefined) this.#usage(entry, this.#traffic(entry));
  }

  /** As it is to be kept; null when the address is not in use by this session. */
  useAt(address: Ipv4, record: SessionRecord): SavedUse | null {
    const entry = this.#byAddress.get(address);
    if (entry === undefined || entry.record !== record) return null;
    const { startedMs, activeMs, base, known } = entry;
    const { accountingId, startedWallMs, line } = entry.session;
    return { accountingId, startedMs, startedWallMs, activeMs, line, base, known };
  }

  /** Stops watching; what is in use stays so. */
  close(): void {
    for (const entry of this.#byAddress.values()) this.#unwatch(entry);
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
    entry.session = { ...entry.session, profile: servedProfile(grant), terms: grant.terms };
    entry.activeMs = this.#o.clock.monotonicMs();
    this.#watch(entry);
  }

  ended(effect: Extract<Effect, { type: 'lease-ended' }>): void {
    const entry = this.#byAddress.get(effect.grant.address);
    if (entry === undefined) return;
    this.#remove(entry);
    this.#o.accounting.stop(entry.session, { ...this.#usage(entry, effect.traffic), cause: effect.cause });
  }

  #remove(entry: Entry): void {
    this.#unwatch(entry);
    this.#byAddress.delete(entry.session.address);
    this.#byAccountingId.delete(entry.session.accountingId);
  }

  #usage(entry: Entry, counted: TrafficCounters): AccountingUsage {
    const traffic = this.#used(entry, counted);
    entry.known = traffic;
    const untilMs = Math.min(this.#o.clock.monotonicMs(), entry.endedMs);
    return { traffic, durationMs: Math.max(0, untilMs - entry.startedMs) };
  }

  /** Never less than what was known: after a restart the counters may be those of a later entry. */
  #used(entry: Entry, counted: TrafficCounters): TrafficCounters {
    return mostTraffic(entry.known, addTraffic(entry.base, counted));
  }

  #traffic(entry: Entry): TrafficCounters {
    return this.#o.dataplane.traffic(entry.session.address) ?? NO_TRAFFIC;
  }

  #unwatch(entry: Entry): void {
    for (const timer of entry.timers.values()) timer.cancel();
    entry.timers.clear();
  }

  #watch(entry: Entry): void {
    this.#unwatch(entry);
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
      this.#o.onReported?.(entry.record);
      this.#after(entry, 'interim', intervalMs, report);
    };
    this.#after(entry, 'interim', intervalMs * (1 + Math.random()) * 0.5, report);
  }

  #watchIdle(entry: Entry, timeoutMs: number): void {
    const { clock } = this.#o;
    let last = total(this.#traffic(entry));
    const look = (): void => {
      const now = total(this.#traffic(entry));
      if (now !== last) entry.activeMs = clock.monotonicMs();
      last = now;
      if (clock.monotonicMs() - entry.activeMs >= timeoutMs) this.#o.onTimeout(entry.record, 'Idle-Timeout');
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
