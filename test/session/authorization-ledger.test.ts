/** What depends on the use of a lease: interim records, Session-Timeout, Idle-Timeout, with a clock that tests move. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { AccountingSession, AccountingUsage, TerminateCause } from '../../src/aaa/port.js';
import type { Attachment } from '../../src/model/access-line.js';
import type { Ipv4 } from '../../src/model/ipv4.js';
import type { Mac } from '../../src/model/mac.js';
import type { SessionTerms } from '../../src/model/session-terms.js';
import { plainTerms } from '../../src/model/session-terms.js';
import type { TrafficCounters } from '../../src/model/traffic-counters.js';
import { AccountingLedger } from '../../src/session/ledger.js';
import type { Grant } from '../../src/session/machine/types.js';
import { SessionRecord } from '../../src/session/record.js';
import { FakeClock } from '../support/fake-clock.js';
import { gardenProfile } from '../support/inner-bng.js';

interface Interim {
  readonly session: AccountingSession;
  readonly usage: AccountingUsage;
  readonly atMs: number;
}

let clock: FakeClock;
let interims: Interim[];
let stops: { readonly session: AccountingSession; readonly usage: AccountingUsage }[];
let timeouts: { readonly id: string; readonly cause: TerminateCause; readonly atMs: number }[];
let traffic: Map<Ipv4, TrafficCounters>;
let ledger: AccountingLedger;

beforeEach(open);

function open(): void {
  clock = new FakeClock();
  interims = [];
  stops = [];
  timeouts = [];
  traffic = new Map();
  ledger = new AccountingLedger({
    accounting: {
      interimIntervalSeconds: 300,
      stored: () => Promise.resolve(null),
      start: () => undefined,
      interim: (session, usage) => interims.push({ session, usage, atMs: clock.monotonicMs() }),
      stop: (session, usage) => stops.push({ session, usage }),
    },
    dataplane: { traffic: (address) => traffic.get(address) ?? null },
    clock,
    onTimeout: ({ id }, cause) => timeouts.push({ id, cause, atMs: clock.monotonicMs() }),
  });
}

const packets = (count: number): TrafficCounters => ({
  upstreamPackets: BigInt(count),
  upstreamBytes: BigInt(count * 100),
  downstreamPackets: BigInt(2 * count),
  downstreamBytes: BigInt(count * 2000),
});

function start(
  n: number,
  terms: Partial<SessionTerms> = {},
): {
  record: SessionRecord;
  grant: Grant;
  attachment: Attachment;
} {
  const attachment = {
    ifindex: 3,
    sVlan: 0,
    cVlan: 0,
    sTpid: 0,
    cTpid: 0,
    mac: (0x02_00_00_00_00_00 + n) as Mac,
  };
  const record = new SessionRecord({
    id: `S${n}`,
    identity: { subscriberId: `ont:${n}`, ontSerial: `ONT${n}` },
    line: attachment,
    circuitId: null,
    mayHoldLostLease: false,
    nowMs: clock.monotonicMs(),
    wallMs: clock.wallMs(),
  });
  const grant: Grant = {
    profile: gardenProfile,
    address: (0x0a000001 + n) as Ipv4,
    leaseSeconds: 600,
    terms: { ...plainTerms(`ONT${n}`), ...terms },
  };
  ledger.started(record, grant, attachment);
  return { record, grant, attachment };
}

function end(grant: Grant, final: TrafficCounters): void {
  ledger.ended({ type: 'lease-ended', grant, traffic: final, cause: 'Admin-Reset' });
}

describe('an Acct-Session-Id', () => {
  it('comes once, over a restart too; another address of the session has the same Acct-Multi-Session-Id', () => {
    const ids = new Set<string>();
    for (let boot = 0; boot < 3; boot++) {
      open();
      for (let n = 0; n < 100; n++) {
        const { record, grant, attachment } = start(n);
        const first = ledger.sessionAt(grant.address)!;
        const moved = { ...grant, address: (grant.address + 1_000) as Ipv4 };
        ledger.started(record, moved, attachment);
        const second = ledger.sessionAt(moved.address)!;
        assert.equal(first.multiSessionId, second.multiSessionId);
        ids.add(first.accountingId).add(second.accountingId);
      }
    }
    assert.equal(ids.size, 600);
  });
});

describe('interim records', () => {
  it('of a thousand sessions that began together are spread over the interval', async () => {
    for (let n = 0; n < 1_000; n++) start(n);
    const began = clock.monotonicMs();
    await clock.advance(1_200_000);
    // In the second half of the first interval, and one interval after another from there.
    const seconds = new Map<number, number>();
    for (const { atMs } of interims) {
      const second = Math.floor((atMs - began) / 1000);
      seconds.set(second, (seconds.get(second) ?? 0) + 1);
    }
    assert.ok(Math.min(...seconds.keys()) >= 150);
    // 1,000 over 150 s are 6.7/s; a bunch would show as a peak far above it.
    assert.ok(Math.max(...seconds.values()) < 30, `peak ${Math.max(...seconds.values())}/s`);
    for (const [from, to] of [
      [150, 200],
      [200, 250],
      [250, 300],
    ] as const) {
      const count = [...seconds]
        .filter(([at]) => at >= from && at < to)
        .reduce((sum, [, many]) => sum + many, 0);
      assert.ok(count > 230 && count < 440, `${count} from ${from} to ${to}`);
    }
    const perSession = new Map<string, number[]>();
    for (const { session, atMs } of interims) {
      perSession.set(session.accountingId, [...(perSession.get(session.accountingId) ?? []), atMs]);
    }
    assert.equal(perSession.size, 1_000);
    for (const times of perSession.values()) {
      times.slice(1).forEach((at, before) => assert.ok(Math.abs(at - times[before]! - 300_000) < 1));
    }
  });

  it('follow the interval of the terms', async () => {
    start(1, { interimIntervalSeconds: 60 });
    await clock.advance(600_000);
    assert.ok(interims.length === 9 || interims.length === 10, `${interims.length} in ten minutes`);
  });

  it('follow a change of the interval from the change on', async () => {
    const { grant } = start(1);
    await clock.advance(100_000);
    ledger.reprofiled({ ...grant, terms: { ...grant.terms, interimIntervalSeconds: 60 } });
    await clock.advance(120_000);
    assert.ok(interims.length >= 1 && interims.length <= 2, `${interims.length} in two minutes`);
  });

  it('have counters and times that never run backwards, up to the final ones', async () => {
    const { grant } = start(1, { interimIntervalSeconds: 60 });
    for (let step = 1; step <= 40; step++) {
      traffic.set(grant.address, packets(step * 10));
      await clock.advance(17_000);
      if (step % 10 === 0)
        ledger.reprofiled({ ...grant, terms: { ...grant.terms, interimIntervalSeconds: 60 + step } });
    }
    end(grant, packets(400));
    const usages = [...interims, ...stops].map(({ usage }) => usage);
    assert.ok(usages.length > 5);
    usages.slice(1).forEach((now, before) => {
      const last = usages[before]!;
      assert.ok(now.durationMs >= last.durationMs);
      for (const key of Object.keys(now.traffic) as (keyof TrafficCounters)[]) {
        assert.ok(now.traffic[key] >= last.traffic[key], key);
      }
    });
    assert.equal(stops[0]!.usage.durationMs, 40 * 17_000);
  });

  it('end with the lease, and so does every timer', async () => {
    const { grant } = start(1, { sessionTimeoutSeconds: 900, idleTimeoutSeconds: 900 });
    end(grant, packets(1));
    assert.equal(clock.pendingTimers, 0);
    await clock.advance(3_600_000);
    assert.deepEqual([interims, timeouts], [[], []]);
  });
});

describe('Session-Timeout', () => {
  it('ends the session when the lease has been in use for so long', async () => {
    start(1, { sessionTimeoutSeconds: 600 });
    const began = clock.monotonicMs();
    await clock.advance(599_999);
    assert.deepEqual(timeouts, []);
    await clock.advance(1);
    assert.deepEqual(timeouts, [{ id: 'S1', cause: 'Session-Timeout', atMs: began + 600_000 }]);
  });

  it('counts from the start of the lease when it is changed on the way', async () => {
    const { grant } = start(1, { sessionTimeoutSeconds: 600 });
    const began = clock.monotonicMs();
    await clock.advance(200_000);
    ledger.reprofiled({ ...grant, terms: { ...grant.terms, sessionTimeoutSeconds: 300 } });
    await clock.advance(1_000_000);
    assert.deepEqual(timeouts, [{ id: 'S1', cause: 'Session-Timeout', atMs: began + 300_000 }]);
  });

  it('that is over when it comes ends the session at once', async () => {
    const { grant } = start(1);
    await clock.advance(200_000);
    ledger.reprofiled({ ...grant, terms: { ...grant.terms, sessionTimeoutSeconds: 100 } });
    await clock.advance(0);
    assert.equal(timeouts.length, 1);
  });
});

describe('Idle-Timeout', () => {
  it('ends a session without traffic, within a quarter of the timeout', async () => {
    start(1, { idleTimeoutSeconds: 400 });
    const began = clock.monotonicMs();
    await clock.advance(1_000_000);
    assert.equal(timeouts.length, 1);
    assert.equal(timeouts[0]!.cause, 'Idle-Timeout');
    const after = timeouts[0]!.atMs - began;
    assert.ok(after >= 400_000 && after <= 500_000, `${after} ms`);
  });

  it('waits as long as there is traffic in either direction, and from the last of it', async () => {
    const { grant } = start(1, { idleTimeoutSeconds: 400 });
    for (let step = 1; step <= 20; step++) {
      const now = packets(step);
      traffic.set(grant.address, step % 2 === 0 ? now : { ...now, upstreamPackets: BigInt(step - 1) });
      await clock.advance(300_000);
    }
    assert.deepEqual(timeouts, []);
    const last = clock.monotonicMs();
    await clock.advance(1_000_000);
    assert.deepEqual(
      timeouts.map(({ cause }) => cause),
      ['Idle-Timeout'],
    );
    for (const { atMs } of timeouts) assert.ok(atMs - last <= 500_000);
  });
});
