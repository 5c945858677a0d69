/**
 * Accounting on its whole way: session ledger, records, durable store, RADIUS client, server. Measures records a second and
 * how long the event loop stands still with many sessions that report now and then.
 */
import type { AccountingSender } from '../../src/aaa/accounting-sender.js';
import { RadiusAccountingSender } from '../../src/aaa/accounting-senders.js';
import type { AccountingSession } from '../../src/aaa/port.js';
import { ACCOUNTING_TABLES, RadiusAccounting } from '../../src/aaa/radius-accounting.js';
import { RadiusClient } from '../../src/aaa/radius-client.js';
import { BngError } from '../../src/model/bng-error.js';
import type { Clock } from '../../src/model/clock.js';
import { systemClock } from '../../src/model/system-clock.js';
import type { TrafficCounters } from '../../src/model/traffic-counters.js';
import { AccountingLedger } from '../../src/session/ledger.js';
import { SessionRecord } from '../../src/session/record.js';
import { SqliteStore } from '../../src/store/sqlite-store.js';
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import { benchAddress, benchLine, benchNas, benchProfile, benchTerms } from './radius-fixtures.js';
import type { Rate } from './radius-rates.js';
import { beginRate, benchServer, mainThreadTimes } from './radius-rates.js';

/** Records between their making and their delivery: more than can be in flight, so that the client never waits for us. */
const AHEAD = 4_000;
const LAST_WORDS_MS = 30_000;
/** Sessions that start, report and stop together: 12,000 records. */
const GROUP = 4_000;
export const INTERIM_SECONDS = 300;

interface Delivered {
  count: number;
  /** Called when a record was counted. */
  told: () => void;
}

/** Accounting as the BNG opens it, and how much of it was delivered. */
class Path {
  readonly accounting: RadiusAccounting;
  readonly delivered: Delivered;
  readonly #close: () => Promise<void>;

  private constructor(parts: Pick<Path, 'accounting' | 'delivered'>, close: () => Promise<void>) {
    this.accounting = parts.accounting;
    this.delivered = parts.delivered;
    this.#close = close;
  }

  static async open(folder: string, port: number): Promise<Path> {
    const store = await SqliteStore.open({ path: folder, tables: ACCOUNTING_TABLES, wallMs: Date.now() });
    if (!store.ok) throw new BngError('BNG_ERR_STORE', store.failure.reason);
    const client = new RadiusClient({ servers: [benchServer(port)], clock: systemClock });
    const carrier = new RadiusAccountingSender({ client, nas: benchNas });
    const delivered: Delivered = { count: 0, told: () => undefined };
    const sender: AccountingSender = {
      async send(record, options) {
        const outcome = await carrier.send(record, options);
        if (outcome !== 'delivered') throw new BngError('BNG_ERR_LAB', 'expected an answer', { outcome });
        delivered.count += 1;
        delivered.told();
        return outcome;
      },
    };
    const accounting = await RadiusAccounting.open({
      store: store.value,
      sender,
      clock: systemClock,
      nas: benchNas,
      interimIntervalSeconds: INTERIM_SECONDS,
      bootId: 'boot',
    });
    if (!accounting.ok) throw new BngError('BNG_ERR_STORE', accounting.failure.reason);
    return new Path({ accounting: accounting.value, delivered }, async () => {
      client.close();
      await store.value.close();
    });
  }

  /** All that was given must have arrived. */
  async close(given: number): Promise<void> {
    const failure = await this.accounting.close(LAST_WORDS_MS);
    const { length } = this.accounting.figures();
    await this.#close();
    if (failure !== null || length !== 0 || this.delivered.count !== given) {
      const context = { given, delivered: this.delivered.count, left: length };
      throw new BngError('BNG_ERR_LAB', 'expected every accounting record to arrive', context);
    }
  }
}

function sessionOf(n: number): AccountingSession {
  return {
    accountingId: `bench-${n.toString(16)}`,
    multiSessionId: `multi-${n.toString(16)}`,
    subscriberId: `subscriber-${n}`,
    ontSerial: null,
    line: benchLine(n),
    address: benchAddress(n),
    profile: benchProfile,
    terms: benchTerms(n),
    startedWallMs: Date.now(),
  };
}

function traffic(n: number): TrafficCounters {
  const packets = BigInt(n) * 1_000n + BigInt(Math.floor(performance.now()));
  return {
    upstreamPackets: packets,
    upstreamBytes: packets * 300n,
    downstreamPackets: packets * 2n,
    downstreamBytes: packets * 2_400n,
  };
}

export interface AccountingRateOptions {
  readonly port: number;
  /** Of the store; empty. */
  readonly folder: string;
  /** The first records of the process: measured while its code is not compiled yet. */
  readonly first: number;
  /** Records after them that are not measured. */
  readonly between: number;
  /** Records after those: measured as in a process that has run for long. */
  readonly last: number;
}

export interface AccountingRates {
  readonly first: Rate;
  readonly last: Rate;
}

/** Records a second: starts, an interim of each, stops; stored, sent, answered, removed. */
export async function accountingRate(options: AccountingRateOptions): Promise<AccountingRates> {
  const { port, folder, first, between, last } = options;
  const path = await Path.open(folder, port);
  const { accounting, delivered } = path;
  const measured = first + between + last;
  // What comes after: at the very end all would wait for one record that a server lost, and comes again seconds later.
  const records = measured + 3 * GROUP;
  const found: Rate[] = [];
  let finish = beginRate();
  delivered.told = () => {
    if (delivered.count === first) found.push(finish(first));
    if (delivered.count === first + between) finish = beginRate();
    if (delivered.count === measured) found.push(finish(last));
  };
  let given = 0;
  const give = async (act: () => void): Promise<void> => {
    while (given - delivered.count >= AHEAD) await new Promise(setImmediate);
    act();
    given += 1;
  };
  for (let from = 0; 3 * from < records; from += GROUP) {
    // Made in their groups, so that every part measured has as many of each kind.
    const group = Array.from({ length: Math.min(GROUP, records / 3 - from) }, (_, n) => from + n);
    const sessions = group.map((n) => ({ n, session: sessionOf(n) }));
    for (const { session } of sessions) await give(() => accounting.start(session));
    for (const { n, session } of sessions) {
      await give(() => accounting.interim(session, { traffic: traffic(n), durationMs: 60_000 }));
    }
    for (const { n, session } of sessions) {
      const usage = { traffic: traffic(2 * n), durationMs: 120_000, cause: 'User-Request' as const };
      await give(() => accounting.stop(session, usage));
    }
  }
  await path.close(given);
  const [cold, warm] = found;
  if (cold === undefined || warm === undefined) {
    throw new BngError('BNG_ERR_VALUE', 'expected parts to measure, each of whole groups', { ...options });
  }
  return { first: cold, last: warm };
}

export interface Stall {
  readonly p99Ms: number;
  readonly mostMs: number;
  /** The longest pause of the garbage collector: a part of it. */
  readonly gcMostMs: number;
  /** How long our main thread could have run, in all, and had no processor: not our doing. */
  readonly waitedMs: number;
}

/** How late a timer of 1 ms came in that time. */
async function stallFor(seconds: number): Promise<Stall> {
  const loop = monitorEventLoopDelay({ resolution: 1 });
  let gcMostMs = 0;
  const collector = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) gcMostMs = Math.max(gcMostMs, duration);
  });
  collector.observe({ entryTypes: ['gc'] });
  const { waitedMs } = mainThreadTimes();
  loop.enable();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  loop.disable();
  collector.disconnect();
  // The histogram holds the whole time from timer to timer.
  return {
    p99Ms: Math.max(0, loop.percentile(99) / 1e6 - 1),
    mostMs: Math.max(0, loop.max / 1e6 - 1),
    gcMostMs,
    waitedMs: mainThreadTimes().waitedMs - waitedMs,
  };
}

export interface InterimStallOptions {
  readonly port: number;
  readonly folder: string;
  readonly sessions: number;
  readonly seconds: number;
  readonly windows: number;
}

export interface InterimStall {
  /** Of a process that does nothing: what the machine does to anybody. */
  readonly idle: Stall;
  readonly windows: readonly Stall[];
  readonly interimsPerSecond: readonly number[];
}

/**
 * All sessions start at once and are reported; then come `windows` of their interims. Half of the interval would pass before
 * the first: the ledger's clock is stretched so that interims come from the beginning as they do later, evenly over 5 minutes.
 */
export async function interimStall(options: InterimStallOptions): Promise<InterimStall> {
  const { port, folder, sessions, seconds, windows } = options;
  const idle = await stallFor(Math.min(seconds, 5));
  const path = await Path.open(folder, port);
  const { accounting, delivered } = path;
  const intervalMs = INTERIM_SECONDS * 1000;
  const clock: Clock = {
    ...systemClock,
    after: (delayMs, fire) => systemClock.after(2 * (delayMs - intervalMs / 2), fire),
  };
  const counted = { interims: 0, isOver: false };
  const ledger = new AccountingLedger({
    accounting: {
      interimIntervalSeconds: INTERIM_SECONDS,
      stored: () => Promise.resolve(null),
      start: (session) => accounting.start(session),
      interim: (session, usage) => {
        if (counted.isOver) return;
        counted.interims += 1;
        accounting.interim(session, usage);
      },
      stop: (session, final) => accounting.stop(session, final),
    },
    dataplane: { traffic: (address) => traffic(address - benchAddress(0)) },
    clock,
    onTimeout: () => undefined,
  });
  for (let n = 0; n < sessions; n++) {
    while (n + counted.interims - delivered.count >= AHEAD) await new Promise(setImmediate);
    begin(ledger, n);
  }
  while (delivered.count < sessions) await new Promise((resolve) => setTimeout(resolve, 50));
  const found: Stall[] = [];
  const rates: number[] = [];
  for (let window = 0; window < windows; window++) {
    const before = counted.interims;
    const began = performance.now();
    found.push(await stallFor(seconds));
    rates.push((1000 * (counted.interims - before)) / (performance.now() - began));
  }
  counted.isOver = true;
  await path.close(sessions + counted.interims);
  return { idle, windows: found, interimsPerSecond: rates };
}

function begin(ledger: AccountingLedger, n: number): void {
  const line = benchLine(n);
  const record = new SessionRecord({
    id: `session-${n.toString(16)}`,
    identity: { subscriberId: `subscriber-${n}`, ontSerial: null },
    line,
    circuitId: line.circuitId ?? null,
    mayHoldLostLease: false,
    nowMs: performance.now(),
    wallMs: Date.now(),
  });
  const grant = {
    profile: benchProfile,
    address: benchAddress(n),
    leaseSeconds: 3_600,
    terms: benchTerms(n),
  };
  ledger.started(record, grant, line);
}
