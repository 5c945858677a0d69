/** Rows that another hand has put into the store, under right checksums: read when they are ours, set aside when not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIpv4 } from '../../src/model/ipv4.js';
import { Instants } from '../../src/session/instants.js';
import { assignmentOf, quarantineOf } from '../../src/session/kept-rows.js';
import { World } from '../support/lives.js';
import { openStore } from '../../src/store-parts.js';
import { FakeClock } from '../support/fake-clock.js';
import { STORED_PROFILE as PROFILE } from '../support/stored-rows.js';

const ASSIGNMENT = { profile: PROFILE, resumeTo: null, suspendedFor: null };
const AT = { bootId: 'boot-1', bootMs: 5_000, wallMs: 1 };
const QUARANTINE = { poolName: 'isp', line: 'a', untilMs: 9_000, at: AT };

const instants = new Instants(new FakeClock(), { bootId: 'boot-1', bootMs: () => 1_000 });

test('an assignment is read as it was written, and is none without any of its parts', () => {
  assert.deepEqual(assignmentOf({ value: JSON.stringify(ASSIGNMENT) }), ASSIGNMENT);
  const others = [
    'null',
    '7',
    'no json',
    JSON.stringify({ ...ASSIGNMENT, profile: { ...PROFILE, walled: 'no' } }),
    JSON.stringify({ ...ASSIGNMENT, resumeTo: {} }),
    JSON.stringify({ ...ASSIGNMENT, suspendedFor: 5 }),
  ];
  for (const value of [...others, new Uint8Array(3)])
    assert.equal(assignmentOf({ value }), null, String(value));
});

test('a quarantine is read as it was written, and is none with a key that is no address or without its moment', () => {
  const address = parseIpv4('10.0.0.7');
  const found = quarantineOf({ key: '10.0.0.7', value: JSON.stringify(QUARANTINE) }, instants);
  assert.deepEqual(found, { address, quarantine: { poolName: 'isp', line: 'a', untilMs: 9_000 } });
  const others: readonly (readonly [string, unknown])[] = [
    ['10.0.0', QUARANTINE],
    ['10.0.0.7', { ...QUARANTINE, at: undefined }],
    ['10.0.0.7', { ...QUARANTINE, at: { ...AT, wallMs: 'now' } }],
    ['10.0.0.7', { ...QUARANTINE, untilMs: null }],
  ];
  for (const [key, row] of others)
    assert.equal(quarantineOf({ key, value: JSON.stringify(row) }, instants), null, JSON.stringify(row));
});

test('rows that are whole but not ours keep no session from service: the start names them and goes on', async (t) => {
  const world = new World(t);
  const first = await world.start();
  await world.ont('ONT1').lease();
  await first.quiet();
  await world.kill();
  const store = await openStore(world.folder, world.wallMs);
  const rows: readonly (readonly [string, string, unknown])[] = [
    ['quarantine', 'not an address', QUARANTINE],
    ['quarantine', '10.0.0.7', { ...QUARANTINE, at: null }],
    ['assignment', 'ont:ONT2', { profile: {} }],
    ['session', 'other', { at: AT }],
  ];
  const put = rows.map(
    ([table, key, row]) => ({ op: 'put', table, key, value: JSON.stringify(row) }) as const,
  );
  assert.ok((await store.write(put)).ok);
  await store.close();
  const second = await world.start();
  assert.equal(second.manager.operator.sessionByOnt('ONT1')?.state, 'wgar');
  const unserved = world.logged.filter(({ reason }) => String(reason).endsWith('cannot be read'));
  assert.equal(unserved.length, rows.length, JSON.stringify(world.logged));
});
