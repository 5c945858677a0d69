/**
 * Looks whether the stations of leases are still there: who has sent nothing since the last look is asked, at a bounded rate. What
 * a silent station means is a setting: it is told of, or its session ends. Off, it has no timer.
 */
import type { Dataplane } from '../dataplane/port.js';
import type { Clock, TimerHandle } from '../model/clock.js';
import { formatIpv4 } from '../model/ipv4.js';
import { formatMac } from '../model/mac.js';
import type { AddressProber, ProbeEffort } from './address-prober.js';
import { answers } from './address-prober.js';
import { holding, isServed } from './machine/build.js';
import type { Held } from './machine/types.js';
import type { SessionRecord } from './record.js';
import type { SessionRunner } from './runner.js';
import type { SessionTable } from './table.js';
import type { LivenessResult } from './view.js';

export interface LivenessSettings extends ProbeEffort {
  readonly action: 'off' | 'report' | 'close';
  /** A round over all leases takes so long, or longer where the rate makes it. */
  readonly intervalMs: number;
  /** Questions, over all lines. */
  readonly perSecond: number;
}

export interface LivenessOptions {
  readonly table: Pick<SessionTable, 'all' | 'size'>;
  readonly dataplane: Pick<Dataplane, 'traffic'>;
  readonly prober: AddressProber;
  readonly clock: Clock;
  readonly push: SessionRunner['push'];
  readonly trouble: (record: SessionRecord, reason: string) => void;
  readonly onBug: (error: unknown) => void;
}

const TICK_MS = 100;
/** Looked at in one tick at most: well below a millisecond. */
const MOST_OF_A_TICK = 500;

export class LivenessWatch {
  readonly #o: LivenessOptions;
  readonly #results: Record<LivenessResult, number> = { active: 0, answered: 0, silent: 0 };
  /** What each had sent when it was looked at last. */
  readonly #sent = new WeakMap<SessionRecord, bigint>();
  readonly #asking = new Set<SessionRecord>();
  readonly #silent = new WeakSet<SessionRecord>();
  #settings: LivenessSettings | null = null;
  #timer: TimerHandle | null = null;
  #round: Iterator<SessionRecord> | null = null;
  #roundBeganMs = -Infinity;
  #looked = 0;
  /** Questions that may be put now; below zero while repeated ones have used up more. */
  #allowed = 0;

  constructor(options: LivenessOptions) {
    this.#o = options;
  }

  get results(): Readonly<Record<LivenessResult, number>> {
    return { ...this.#results };
  }

  /** From the next look on. */
  reconfigure(settings: LivenessSettings): void {
    this.close();
    if (settings.action === 'off') return;
    this.#settings = settings;
    this.#roundBeganMs = -Infinity;
    this.#later();
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#settings = null;
    this.#round = null;
  }

  #later(): void {
    this.#timer = this.#o.clock.after(TICK_MS, () => this.#tick());
  }

  #tick(): void {
    const settings = this.#settings;
    if (settings === null) return;
    this.#later();
    const { intervalMs, perSecond } = settings;
    const perTick = (perSecond * TICK_MS) / 1000;
    this.#allowed = Math.min(this.#allowed + perTick, Math.max(1, perTick));
    const nowMs = this.#o.clock.monotonicMs();
    if (this.#round === null) {
      if (nowMs - this.#roundBeganMs < intervalMs) return;
      this.#round = this.#o.table.all()[Symbol.iterator]();
      this.#roundBeganMs = nowMs;
      this.#looked = 0;
    }
    // Spread over the interval, so that a hundred thousand are not asked in its first second.
    const part = Math.min(1, (nowMs - this.#roundBeganMs + TICK_MS) / intervalMs);
    const due = Math.ceil(this.#o.table.size * part) - this.#looked;
    for (let left = Math.min(due, MOST_OF_A_TICK); left > 0 && this.#allowed >= 1; left -= 1) {
      const next = this.#round.next();
      if (next.done === true) {
        this.#round = null;
        return;
      }
      this.#looked += 1;
      this.#look(next.value, settings);
    }
    if (part === 1 && this.#looked >= this.#o.table.size) this.#round = null;
  }

  #look(record: SessionRecord, settings: LivenessSettings): void {
    const lease = leaseOf(record);
    if (lease === null || this.#asking.has(record)) return;
    if (this.#hasSent(record, lease)) {
      this.#found(record, lease, 'active');
      return;
    }
    this.#allowed -= settings.tries;
    this.#asking.add(record);
    this.#ask(record, lease, settings)
      .catch(this.#o.onBug)
      .finally(() => this.#asking.delete(record));
  }

  async #ask(record: SessionRecord, lease: Held, settings: LivenessSettings): Promise<void> {
    const { prober, push } = this.#o;
    const answered = await answers(
      prober,
      { address: lease.grant.address, attachment: lease.attachment },
      settings,
    );
    // Another lease, or another moment of this one: its client has been heard meanwhile.
    const now = leaseOf(record);
    if (now?.grant.address !== lease.grant.address || now.expiresAtMs !== lease.expiresAtMs) return;
    if (answered || this.#hasSent(record, lease)) {
      this.#found(record, lease, answered ? 'answered' : 'active');
      return;
    }
    this.#results.silent += 1;
    if (this.#settings?.action === 'close') {
      push(record, { event: { type: 'end', cause: 'Lost-Carrier' } });
      return;
    }
    // Said once, until it is heard again.
    if (this.#silent.has(record)) return;
    this.#silent.add(record);
    this.#o.trouble(record, `${who(lease)} does not answer`);
  }

  #found(record: SessionRecord, lease: Held, result: 'active' | 'answered'): void {
    this.#results[result] += 1;
    if (this.#silent.delete(record)) this.#o.trouble(record, `${who(lease)} answers again`);
  }

  /** Whether anything has come from the station since the last look. */
  #hasSent(record: SessionRecord, { grant: { address } }: Held): boolean {
    const sent = this.#o.dataplane.traffic(address)?.upstreamPackets ?? 0n;
    const before = this.#sent.get(record);
    this.#sent.set(record, sent);
    return before !== undefined && before !== sent;
  }
}

function leaseOf({ session: { state, step } }: SessionRecord): Held | null {
  return step === null && isServed(state) ? holding(state) : null;
}

function who({ attachment, grant }: Held): string {
  return `${formatMac(attachment.mac)}, which has ${formatIpv4(grant.address)},`;
}
