/**
 * Leases in use: turns their starts and ends into accounting sessions whose ids are never used again, and watches what
 * depends on use while they last: interim records, Session-Timeout, Idle-Timeout. Decides no state.
 */
import { randomBytes } from 'node:crypto';
import type { Accounting, AccountingSession, AccountingUsage, TerminateCause } from '../aaa/port.js';
import type { Dataplane } from '../dataplane/port.js';
import type { AccessLine, Attachment } from '../model/access-line.js';
import { accessLine } from '../model/access-line.js';
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
  /** The dataplane began to count anew, and the session's row may not say so. */
  isAnew: boolean;
  /** When the lease ran out, where that was before this run. */
  endedMs: number;
  interim: TimerHandle | null;
  timeout: TimerHandle | null;
  idle: TimerHandle | null;
}

export class AccountingLedger {
  readonly #o: LedgerOptions;
  /** What the ids of this run begin with. */
  readonly prefix = randomBytes(6).toString('hex');
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
      accountingId: `${this.prefix}-${this.#count.toString(16)}`,
      multiSessionId: record.id,
      subscriberId: record.identity.subscriberId,
      ontSerial: record.identity.ontSerial,
      line: record.line === attachment ? record.line : accessLine(attachment, record.line ?? {}),
      address: grant.address,
      profile: servedProfile(grant),
      terms: grant.terms,
      startedWallMs: this.#o.clock.wallMs(),
    };
    const startedMs = this.#o.clock.monotonicMs();
    const unused = { startedMs, base: NO_TRAFFIC, known: NO_TRAFFIC, activeMs: startedMs };
    const entry = this.#add(record, session, unused, Infinity);
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
    this.#add(record, session, use, expiresAtMs <= this.#o.clock.monotonicMs() ? expiresAtMs : Infinity);
  }

  /** The dataplane lost its counters of this address, or counts it anew: the account goes on from what was known. */
  countsAnew(address: Ipv4): void {
    const entry = this.#byAddress.get(address);
    if (entry === undefined) return;
    entry.base = entry.known;
    entry.isAnew = true;
  }

  /** Whether it does so since the row of this session was written. */
  isAnew(record: SessionRecord, address: Ipv4): boolean {
    const entry = this.#byAddress.get(address);
    return entry?.record === record && entry.isAnew;
  }

  /** The lease was renewed: it does not end where it seemed to when it was adopted. */
  prolonged(address: Ipv4, expiresAtMs: number): void {
    const entry = this.#byAddress.get(address);
    if (entry !== undefined)
      entry.endedMs = expiresAtMs <= this.#o.clock.monotonicMs() ? expiresAtMs : Infinity;
  }

  /** What was adopted of this session and still is its own; null for none. */
  adopted(
    record: SessionRecord,
    address: Ipv4,
  ): { readonly accountingId: string; readonly usage: AccountingUsage } | null {
    const entry = this.#byAddress.get(address);
    return entry?.record === record
      ? { accountingId: entry.session.accountingId, usage: usageUntil(entry, record.writtenMs) }
      : null;
  }

  /** Looks after what was adopted of this session. */
  resume(record: SessionRecord, address: Ipv4): void {
    const entry = this.#byAddress.get(address);
    if (entry?.record !== record) return;
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

  /** The accounting sessions that are open. */
  ids(): ReadonlySet<string> {
    return new Set(this.#byAccountingId.keys());
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

  #add(
    record: SessionRecord,
    session: AccountingSession,
    { startedMs, base, known, activeMs }: Pick<Entry, 'startedMs' | 'base' | 'known' | 'activeMs'>,
    endedMs: number,
  ): Entry {
    const used = { startedMs, base, known, activeMs, endedMs, isAnew: false };
    const entry = { session, record, ...used, interim: null, timeout: null, idle: null };
    this.#byAddress.set(session.address, entry);
    this.#byAccountingId.set(session.accountingId, record);
    return entry;
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
    for (const timer of [entry.interim, entry.timeout, entry.idle]) timer?.cancel();
    entry.interim = null;
    entry.timeout = null;
    entry.idle = null;
  }

  #watch(entry: Entry): void {
    this.#unwatch(entry);
    const { sessionTimeoutSeconds, idleTimeoutSeconds } = entry.session.terms;
    // The first comes at a random part of the interval: sessions that began together must not report together.
    this.#reportAfter(entry, this.#intervalMs(entry) * (1 + Math.random()) * 0.5);
    if (sessionTimeoutSeconds !== null) {
      const usedMs = this.#o.clock.monotonicMs() - entry.startedMs;
      entry.timeout = this.#after(1000 * sessionTimeoutSeconds - usedMs, () =>
        this.#o.onTimeout(entry.record, 'Session-Timeout'),
      );
    }
    if (idleTimeoutSeconds !== null) this.#watchIdle(entry, 1000 * idleTimeoutSeconds);
  }

  #intervalMs({ session: { terms } }: Entry): number {
    return 1000 * (terms.interimIntervalSeconds ?? this.#o.accounting.interimIntervalSeconds);
  }

  #reportAfter(entry: Entry, delayMs: number): void {
    entry.interim = this.#after(delayMs, () => this.#report(entry));
  }

  #report(entry: Entry): void {
    this.#o.accounting.interim(entry.session, this.#usage(entry, this.#traffic(entry)));
    this.#o.onReported?.(entry.record);
    this.#reportAfter(entry, this.#intervalMs(entry));
  }

  #watchIdle(entry: Entry, timeoutMs: number): void {
    const { clock } = this.#o;
    let last = total(this.#traffic(entry));
    const look = (): void => {
      const now = total(this.#traffic(entry));
      if (now !== last) entry.activeMs = clock.monotonicMs();
      last = now;
      if (clock.monotonicMs() - entry.activeMs >= timeoutMs) this.#o.onTimeout(entry.record, 'Idle-Timeout');
      else entry.idle = this.#after(timeoutMs / IDLE_LOOKS, look);
    };
    entry.idle = this.#after(timeoutMs / IDLE_LOOKS, look);
  }

  #after(delayMs: number, fire: () => void): TimerHandle {
    return this.#o.clock.after(Math.max(0, delayMs), fire);
  }
}

/** As far as is known. */
function usageUntil({ known, startedMs }: Entry, atMs: number): AccountingUsage {
  return { traffic: known, durationMs: Math.max(0, atMs - startedMs) };
}

function total(traffic: TrafficCounters): bigint {
  return traffic.upstreamPackets + traffic.downstreamPackets;
}
