/** Who is let in when more ask than can be: a town after a power cut, against an AAA server of limited rate. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GateLimits } from '../../src/session/admission-gate.js';
import { AdmissionGate } from '../../src/session/admission-gate.js';
import { SessionRecord } from '../../src/session/record.js';
import { FakeClock } from '../support/fake-clock.js';
import { seededRandom } from '../support/seeded-random.js';

const TICK_MS = 50;
/** How long a client takes an answer to what it said. */
const LISTENS_MS = 10_000;
/** RFC 2131 §4.1, and as long again from then on. */
const BACKOFF_MS = [4_000, 8_000, 16_000, 32_000, 64_000] as const;

interface Station {
  readonly record: SessionRecord;
  nextMs: number;
  tries: number;
  isWaiting: boolean;
  heardMs: number;
  /** AAA has accepted it; its client is told when it asks next, if it did not listen then. */
  isAccepted: boolean;
  doneMs: number | null;
}

function recordOf(n: number): SessionRecord {
  const record = new SessionRecord({
    id: `session-${n}`,
    identity: { subscriberId: `line-${n}`, ontSerial: null },
    line: null,
    circuitId: null,
    mayHoldLostLease: false,
    nowMs: 0,
    wallMs: 0,
  });
  const waiting = {
    type: 'discover',
    attachment: { ifindex: 1, sVlan: 1, cVlan: n, mac: '' as never },
    nowMs: 0,
  } as const;
  record.session = { state: { name: 'discovered', auth: 'pending', waiting }, step: null };
  return record;
}

interface StormResult {
  readonly tookMs: number;
  readonly mostWaiting: number;
  readonly mostInProgress: number;
  readonly gate: AdmissionGate;
  readonly asked: number;
  readonly unanswered: number;
  /** By how many messages each station got in. */
  readonly mostTries: number;
}

/** `count` stations ask within a second, an AAA server answers `ratePerSecond` and forgets what is older than 30 s. */
async function storm(
  count: number,
  ratePerSecond: number,
  limits: Partial<GateLimits> = {},
): Promise<StormResult> {
  const clock = new FakeClock();
  const gate = new AdmissionGate(clock, limits);
  const random = seededRandom(8);
  const startMs = clock.monotonicMs();
  const stations: Station[] = Array.from({ length: count }, (_, n) => ({
    record: recordOf(n),
    nextMs: startMs + random() * 1_000,
    tries: 0,
    isWaiting: false,
    heardMs: 0,
    isAccepted: false,
    doneMs: null,
  }));
  const server: { readonly station: Station; readonly sinceMs: number }[] = [];
  let [answered, credit, asked, unanswered, done, mostWaiting, mostInProgress] = [0, 0, 0, 0, 0, 0, 0];
  const letIn = (station: Station): void => {
    asked += 1;
    server.push({ station, sinceMs: clock.monotonicMs() });
  };
  const served = (station: Station): void => {
    station.doneMs = clock.monotonicMs();
    done += 1;
  };
  const ask = (station: Station): void => {
    station.heardMs = clock.monotonicMs();
    if (station.isAccepted) return served(station);
    if (station.isWaiting) return gate.heard(station.record);
    station.isWaiting = true;
    const turn = gate.enter(station.record);
    if (typeof turn === 'string') return letIn(station);
    void turn.then((now) => {
      if (now === 'in') letIn(station);
      else station.isWaiting = false;
    });
  };
  const due: Station[][] = [];
  const plan = (station: Station): void => {
    const tick = Math.max(0, Math.ceil((station.nextMs - startMs) / TICK_MS));
    (due[tick] ??= []).push(station);
  };
  for (const station of stations) plan(station);
  for (let tick = 0; done < count; tick += 1) {
    assert.ok(tick * TICK_MS < 600_000, `after ten minutes ${count - done} still wait`);
    const nowMs = clock.monotonicMs();
    for (const station of due[tick] ?? []) {
      if (station.doneMs !== null) continue;
      const wait = BACKOFF_MS[Math.min(station.tries, BACKOFF_MS.length - 1)]!;
      station.tries += 1;
      station.nextMs = nowMs + wait - 1_000 + random() * 2_000;
      plan(station);
      ask(station);
    }
    credit = Math.min(credit + (ratePerSecond * TICK_MS) / 1_000, ratePerSecond);
    for (; credit >= 1 && answered < server.length; answered += 1) {
      const { station, sinceMs } = server[answered]!;
      const tookMs = nowMs - sinceMs;
      const isAnswer = tookMs < 30_000;
      credit -= 1;
      gate.answered(station.record, { tookMs, isAnswer });
      station.isWaiting = false;
      station.isAccepted = isAnswer;
      if (!isAnswer) unanswered += 1;
      else if (nowMs - station.heardMs <= LISTENS_MS) served(station);
      gate.left();
    }
    const { waiting, inProgress } = gate.figures();
    mostWaiting = Math.max(mostWaiting, waiting);
    mostInProgress = Math.max(mostInProgress, inProgress);
    await clock.advance(TICK_MS);
  }
  const tookMs = clock.monotonicMs() - startMs;
  const mostTries = Math.max(...stations.map(({ tries }) => tries));
  return { tookMs, mostWaiting, mostInProgress, gate, asked, unanswered, mostTries };
}

describe('a storm of 100,000 stations', () => {
  it('is over as soon as an AAA server of 5,000 a second can be, and nobody is asked for twice', async () => {
    const { tookMs, asked, unanswered, mostInProgress, gate } = await storm(100_000, 5_000);
    assert.ok(tookMs < 25_000 * 1.2, `${tookMs} ms`);
    assert.deepEqual([asked, unanswered], [100_000, 0]);
    assert.ok(mostInProgress <= 4_096, String(mostInProgress));
    assert.deepEqual(gate.figures().waiting, 0);
  });

  it('of which a server of 1,000 a second can answer few in time ends all the same: nobody starves, none is asked in vain', async () => {
    const { tookMs, asked, unanswered, gate, mostTries } = await storm(100_000, 1_000);
    // At the server's rate, and then the longest that a client is silent.
    assert.ok(tookMs < 100_000 + 65_000, `${tookMs} ms`);
    assert.deepEqual([asked, unanswered, gate.figures().dropped], [100_000, 0, 0]);
    assert.ok(mostTries <= 6, String(mostTries));
  });

  it('fills no more than the places there are, and those that are dropped get in after all', async () => {
    const { mostWaiting, gate, asked } = await storm(20_000, 1_000, { mostWaiting: 2_000 });
    assert.ok(mostWaiting <= 2_000, String(mostWaiting));
    assert.ok(gate.figures().dropped > 0);
    assert.equal(asked, 20_000);
  });
});

describe('the gate', () => {
  const small = { startWindow: 1, leastWindow: 1, mostWindow: 1, patienceMs: 10_000 };
  const order: string[] = [];
  const enter = (gate: AdmissionGate, record: SessionRecord): void => {
    const turn = gate.enter(record);
    if (turn instanceof Promise) void turn.then((now) => order.push(`${record.id} ${now}`));
    else order.push(`${record.id} ${turn}`);
  };

  it('lets in who listens before who does not, and in the order of their first messages', async () => {
    order.length = 0;
    const clock = new FakeClock();
    const gate = new AdmissionGate(clock, small);
    const records = [0, 1, 2, 3].map(recordOf);
    for (const record of records.slice(0, 3)) enter(gate, record);
    await clock.advance(10_001);
    enter(gate, records[3]!);
    gate.heard(records[2]!);
    for (let n = 0; n < 3; n++) {
      gate.left();
      await clock.advance(0);
    }
    assert.deepEqual(order, ['session-0 in', 'session-2 in', 'session-3 in', 'session-1 in']);
  });

  it('drops who has been silent longest when too many wait; when it comes again it stands where it stood', async () => {
    order.length = 0;
    const clock = new FakeClock();
    const gate = new AdmissionGate(clock, { ...small, mostWaiting: 2 });
    const records = [0, 1, 2, 3].map(recordOf);
    for (const record of records.slice(0, 3)) {
      enter(gate, record);
      await clock.advance(1_000);
    }
    gate.heard(records[1]!);
    enter(gate, records[3]!);
    await clock.advance(0);
    assert.deepEqual(order, ['session-0 in', 'session-2 dropped']);
    gate.left();
    await clock.advance(0);
    enter(gate, records[2]!);
    for (let n = 0; n < 2; n++) {
      gate.left();
      await clock.advance(0);
    }
    assert.deepEqual(order.slice(2), ['session-1 in', 'session-2 in', 'session-3 in']);
  });

  it('keeps the one place of a client that asks again and again', async () => {
    order.length = 0;
    const clock = new FakeClock();
    const gate = new AdmissionGate(clock, small);
    const [first, second] = [recordOf(0), recordOf(1)];
    enter(gate, first);
    enter(gate, second);
    for (let n = 0; n < 5; n++) {
      await clock.advance(9_000);
      gate.heard(second);
    }
    assert.equal(gate.figures().waiting, 1);
    gate.left();
    await clock.advance(0);
    assert.deepEqual(order, ['session-0 in', 'session-1 in']);
  });

  it('a line of which only the access node tells comes behind clients, but in each eighth turn, and moves up when its client asks', async () => {
    order.length = 0;
    const clock = new FakeClock();
    const gate = new AdmissionGate(clock, small);
    const unasked = (n: number): SessionRecord => {
      const record = recordOf(n);
      record.session = { state: { name: 'discovered', auth: 'pending', waiting: null }, step: null };
      return record;
    };
    const [told, asks] = [unasked(100), unasked(101)];
    for (const record of [recordOf(0), told, asks]) enter(gate, record);
    await clock.advance(1);
    for (let n = 1; n <= 12; n++) enter(gate, recordOf(n));
    gate.heard(asks);
    for (let n = 0; n < 14; n++) {
      gate.left();
      await clock.advance(1);
    }
    gate.left();
    const turns = order.map((line) => Number(/session-(\d+) in/.exec(line)?.[1]));
    assert.equal(turns.length, 15);
    assert.equal(turns[1], 101);
    assert.ok(turns.indexOf(100) > 1 && turns.indexOf(100) <= 9, turns.join(' '));
  });

  it('asks for fewer at a time when AAA takes long or does not answer, and for more when it is fast', async () => {
    const clock = new FakeClock();
    const gate = new AdmissionGate(clock, { startWindow: 100, leastWindow: 10, mostWindow: 400 });
    const record = recordOf(0);
    for (let n = 0; n < 1_000; n++) gate.began();
    for (let n = 0; n < 1_000; n++) gate.answered(record, { tookMs: 10, isAnswer: true });
    assert.equal(gate.figures().window, 400);
    for (let n = 0; n < 100; n++) {
      gate.answered(record, { tookMs: n % 2 === 0 ? 1_500 : 30_000, isAnswer: n % 2 === 0 });
      await clock.advance(250);
    }
    assert.equal(gate.figures().window, 10);
    for (let n = 0; n < 100; n++) gate.answered(record, { tookMs: 10, isAnswer: true });
    assert.ok(gate.figures().window > 10 && gate.figures().window < 30, String(gate.figures().window));
  });

  it('a server that is far away is not taken for one that is busy', () => {
    const gate = new AdmissionGate(new FakeClock(), { startWindow: 100, leastWindow: 10, mostWindow: 400 });
    const record = recordOf(0);
    for (let n = 0; n < 100; n++) gate.answered(record, { tookMs: 1_500, isAnswer: true });
    assert.equal(gate.figures().window, 100);
  });
});
