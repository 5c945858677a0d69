import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { transition } from '../../src/session/machine/machine.js';
import type { Session, SessionEvent, Transition } from '../../src/session/machine/types.js';
import { answers, effectText, events, sessionText, states, steps } from './machine-cases.js';
import { restingTable } from './machine-table.js';
import { waitingTable } from './machine-waiting-table.js';

function isUnchanged(before: Session, { session, effects, ask }: Transition): boolean {
  const same = session.state === before.state && session.step === before.step;
  return same && effects.length === 0 && ask === null;
}

function text(next: Transition): string {
  const effects = next.effects.map(effectText).join(', ');
  if (next.ask === null) return `${sessionText(next.session)} | ${effects}`;
  const entry = 'entry' in next.ask ? next.ask.entry : null;
  const detail = entry === null ? '' : ` ${entry.walled ? 'walled' : 'open'} ${entry.attachment.sVlan}`;
  return `${sessionText(next.session)} | ${effects} | ask ${next.ask.ask}${detail}`;
}

type Cases = Readonly<Record<string, SessionEvent>>;

function checkRow(row: Readonly<Record<string, string>>, session: Session, cases: Cases): void {
  for (const name of Object.keys(row)) assert.ok(name in cases, `the table names an unknown event: ${name}`);
  for (const [name, event] of Object.entries(cases)) {
    const next = transition(session, event);
    const expected = row[name];
    if (expected === undefined)
      assert.ok(isUnchanged(session, next), `${name} must change nothing: ${text(next)}`);
    else assert.equal(text(next), expected, name);
  }
}

describe('the session machine, every state with every event', () => {
  it('has a row for every state and every step', () => {
    assert.deepEqual(Object.keys(restingTable), Object.keys(states));
    assert.deepEqual(Object.keys(waitingTable), Object.keys(steps));
  });

  for (const [name, session] of Object.entries(states)) {
    it(`at rest: ${name}`, () => checkRow(restingTable[name] ?? {}, session, { ...events, ...answers }));
  }

  for (const [name, session] of Object.entries(steps)) {
    it(`with a question out: ${name}`, () =>
      checkRow(waitingTable[name] ?? {}, session, { ...events, ...answers }));
  }
});

describe('the invariants of the session machine', () => {
  const all = { ...states, ...steps };
  const transitions = Object.values(all).flatMap((session) =>
    Object.values({ ...events, ...answers }).map((event) => ({
      session,
      event,
      next: transition(session, event),
    })),
  );

  it('install before promise: an ACK of a new lease follows the install, never a request alone', () => {
    for (const { session, event, next } of transitions) {
      const started = next.effects.some((effect) => effect.type === 'lease-started');
      if (started) assert.equal(event.type, 'installed', sessionText(session));
      const acks = next.effects.some((effect) => effect.type === 'answer' && effect.answer.say === 'ack');
      if (acks) assert.ok(started || next.effects.some((effect) => effect.type === 'lease-renewed'));
    }
  });

  it('remove, read, report, free: what was installed is reported before it is freed, and only after its removal', () => {
    for (const { event, next } of transitions) {
      const ended = next.effects.findIndex((effect) => effect.type === 'lease-ended');
      if (ended === -1) continue;
      assert.equal(event.type, 'removed');
      const freed = next.effects.findIndex(
        (effect) => effect.type === 'free' || effect.type === 'quarantine',
      );
      assert.ok(freed === -1 || freed > ended);
    }
  });

  it('never has a bound lease and a held one at once', () => {
    for (const { next } of transitions) {
      const { state } = next.session;
      if ('held' in state)
        assert.ok(state.held === null || state.lease.phase !== 'bound', sessionText(next.session));
    }
  });

  it('answers every DHCP message once, or says later', () => {
    for (const { session, event, next } of transitions) {
      if (
        !['discover', 'request', 'inform', 'release', 'decline'].includes(event.type) ||
        session.step !== null
      )
        continue;
      const answered = next.effects.filter((effect) => effect.type === 'answer').length;
      assert.ok(
        answered === 1 || (answered === 0 && next.ask !== null),
        `${sessionText(session)} ${event.type}`,
      );
    }
  });
});
