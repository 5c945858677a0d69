/** What operators read of sessions and how draining holds back new ones, at the real manager. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMac } from '../../src/model/mac.js';
import type { SessionView } from '../../src/session/view.js';
import { settled } from '../support/fake-clock.js';
import { InnerBng } from '../support/inner-bng.js';

const circuit = (port: number): Uint8Array => new TextEncoder().encode(`agg|${port}`);

async function bngWith(count: number): Promise<InnerBng> {
  const bng = new InnerBng({});
  for (let port = 0; port < count; port++) {
    bng.manager.onts.ontDetected({ ontSerial: `ONT${port}`, circuitId: circuit(port) });
  }
  await settled();
  return bng;
}

const serials = (views: Iterable<SessionView>): (string | null)[] => [...views].map((view) => view.ontSerial);

test('sessions go on behind a given one, and from its instant of creation on when it has ended', async () => {
  const bng = await bngWith(5);
  const [first, second] = [...bng.manager.operator.sessions()];
  const after = { id: second!.id, createdWallMs: second!.createdWallMs };
  assert.deepEqual(serials(bng.manager.operator.sessions({ after })), ['ONT2', 'ONT3', 'ONT4']);
  const gone = { id: 'gone', createdWallMs: first!.createdWallMs };
  assert.deepEqual(serials(bng.manager.operator.sessions({ after: gone })), [
    'ONT0',
    'ONT1',
    'ONT2',
    'ONT3',
    'ONT4',
  ]);
  const later = { id: 'gone', createdWallMs: first!.createdWallMs + 1 };
  assert.deepEqual(serials(bng.manager.operator.sessions({ after: later })), []);
  assert.deepEqual(serials(bng.manager.operator.sessions({ state: 'active' })), []);
});

test('a session is found by circuit-id, and its details tell how AAA answered', async () => {
  const bng = await bngWith(3);
  const session = bng.manager.operator.sessionByCircuitId(circuit(1));
  assert.equal(session?.ontSerial, 'ONT1');
  assert.equal(bng.manager.operator.sessionByCircuitId(circuit(9)), null);
  assert.equal(bng.manager.operator.sessionByMac(parseMac('02:00:00:00:00:77')), null);
  const details = bng.manager.operator.sessionDetails(session.id);
  assert.equal(details?.subscriberId, 'ont:ONT1');
  assert.deepEqual([details?.authentication?.outcome, details?.authentication?.reason], ['accepted', null]);
  assert.notEqual(details?.terms ?? null, null);
  assert.equal(details?.accounting, null);
  assert.equal(bng.manager.operator.sessionDetails('nobody'), null);
});

test('while draining no session begins; lines reported meanwhile get theirs when it ends', async () => {
  const bng = await bngWith(1);
  bng.manager.operator.setDraining(true);
  bng.manager.onts.ontDetected({ ontSerial: 'LATE', circuitId: circuit(7) });
  bng.manager.onts.ontDetected({ ontSerial: 'ONT0', circuitId: circuit(0) });
  await settled();
  assert.deepEqual(
    [bng.manager.operator.isDraining, serials(bng.manager.operator.sessions())],
    [true, ['ONT0']],
  );
  bng.manager.operator.setDraining(false);
  await settled();
  assert.deepEqual(serials(bng.manager.operator.sessions()), ['ONT0', 'LATE']);
});
