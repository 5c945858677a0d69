/**
 * Rows of the store as another hand may have put them there: each is read or set aside, what is read can be gone on with, and the lines
 * of an export come back as they were. The first byte says which table.
 */
import assert from 'node:assert/strict';
import { accountingAttributes } from '../../../src/aaa/accounting-attributes.js';
import { parseBacklogKey, parseRecord } from '../../../src/aaa/accounting-backlog.js';
import { isBngError } from '../../../src/model/bng-error.js';
import { Instants } from '../../../src/session/instants.js';
import { assignmentOf, quarantineOf } from '../../../src/session/kept-rows.js';
import { SessionRows } from '../../../src/session/session-row.js';
import { formatRow, parseRow } from '../../../src/store/offline.js';
import { STORE_TABLES } from '../../../src/store-parts.js';
import { NAS } from '../../support/accounting-world.js';
import { FakeClock } from '../../support/fake-clock.js';
import { STOP_RECORD, STORED_PROFILE as PROFILE } from '../../support/stored-rows.js';
import { bytesOf } from '../fuzz-target.js';
import type { FuzzTarget } from '../fuzz-target.js';

const AT = { bootId: 'boot-2', bootMs: 5_000, wallMs: 1_767_225_600_000 };
const LINE = {
  port: 'access0',
  sVlan: 100,
  cVlan: 7,
  mac: '02:00:00:00:00:01',
  circuitId: '0102',
  option82: '01020304',
};
const TRAFFIC = { upstreamPackets: '1', upstreamBytes: '2', downstreamPackets: '3', downstreamBytes: '4' };
const TERMS = { userName: 'ONT1', sessionTimeoutSeconds: null, fixedAddress: '10.0.0.9', classes: ['01'] };
const GRANT = { profile: PROFILE, address: '10.0.0.5', leaseSeconds: 600, terms: TERMS };
const SESSION = {
  subscriber: 'ont:ONT1',
  ont: 'ONT1',
  state: 'active',
  grant: GRANT,
  lease: { phase: 'bound', line: LINE, expiresMs: 9_000 },
  held: { grant: GRANT, line: LINE, expiresMs: 9_000 },
  resumeTo: PROFILE,
  suspendedFor: null,
  step: { kind: 'closing', cause: 'NAS-Request', ordered: true },
  mustReprovision: false,
  line: LINE,
  circuitId: '0102',
  mayHoldLostLease: false,
  createdWallMs: 1,
  stateSinceMs: 2,
  stateSinceWallMs: 3,
  use: {
    accountingId: 'a',
    startedMs: 1,
    startedWallMs: 2,
    activeMs: 3,
    line: LINE,
    base: TRAFFIC,
    known: TRAFFIC,
  },
  at: AT,
};
const RECORD = { ...STOP_RECORD, 'ADSL-Agent-Circuit-Id': '0x0102' };

const clock = new FakeClock();
const instants = new Instants(clock, { bootId: 'boot-1', bootMs: () => 10_000 });
const rows = new SessionRows(instants, {
  nameOf: () => 'access0',
  indexOf: (name) => (name === 'access0' ? 3 : null),
});

function session(value: string): void {
  const saved = rows.decode('session-1', value);
  if (saved === null) return;
  const { state, use } = saved;
  const times = [saved.stateSinceMs, saved.writtenMs, saved.createdWallMs, use?.startedMs, use?.activeMs];
  if (state.lease.phase === 'bound') times.push(state.lease.expiresAtMs);
  times.push(state.held?.expiresAtMs);
  for (const time of times) assert.ok(time === undefined || Number.isFinite(time), 'a time that is none');
  const addresses = [state.grant.address, state.held?.grant.address ?? 0];
  for (const address of addresses) assert.ok(address >= 0 && address <= 0xffffffff);
}

function accounting(value: string): void {
  const record = parseRecord(value);
  if (record === null) return;
  try {
    accountingAttributes(record, NAS);
  } catch (error) {
    // What no packet can hold is set aside by whoever sends.
    if (!isBngError(error, 'BNG_ERR_VALUE')) throw error;
  }
}

function line(text: string): void {
  const row = parseRow(text, STORE_TABLES);
  if (typeof row === 'string') return;
  assert.deepEqual(parseRow(formatRow(row), STORE_TABLES), row);
}

const READERS: readonly ((value: string) => void)[] = [
  session,
  accounting,
  line,
  (value) => assignmentOf({ value }),
  (text) => {
    const [key = '', ...rest] = text.split('\n');
    const found = quarantineOf({ key, value: rest.join('\n') }, instants);
    if (found !== null) assert.ok(Number.isFinite(found.quarantine.untilMs));
  },
  (key) => parseBacklogKey(key),
];

function seed(reader: number, text: string): Uint8Array {
  return new Uint8Array([reader, ...bytesOf(text)]);
}

export const target: FuzzTarget = {
  seeds: () => [
    seed(0, JSON.stringify(SESSION)),
    seed(0, JSON.stringify({ ...SESSION, held: null, step: null, use: null, lease: { phase: 'none' } })),
    seed(1, JSON.stringify(RECORD)),
    seed(
      1,
      JSON.stringify({ 'Acct-Status-Type': 'Accounting-On', 'Acct-Session-Id': 'a', 'Event-Timestamp': 1 }),
    ),
    seed(2, JSON.stringify({ table: 'session', key: 'a', schemaVersion: 1, value: SESSION })),
    seed(2, JSON.stringify({ table: 'assignment', key: 'a', schemaVersion: 1, text: '{ }' })),
    seed(2, JSON.stringify({ table: 'accounting_queue', key: 'a', schemaVersion: 1, bytes: 'AAEC' })),
    seed(3, JSON.stringify({ profile: PROFILE, resumeTo: null, suspendedFor: 'unpaid' })),
    seed(4, `10.0.0.7\n${JSON.stringify({ poolName: 'isp', line: 'l', untilMs: 9_000, at: AT })}`),
    seed(5, '000000000001 start 1767225600000 a'),
  ],
  words: [
    'null',
    '[]',
    '{}',
    '""',
    '1e999',
    '-1',
    '"__proto__"',
    'true',
    '"0x"',
    '1.5',
    '4294967296',
    ...Object.keys(SESSION),
    ...Object.keys(RECORD),
  ],
  maxBytes: 4_000,
  boundedRuns: 4_000,
  run: (input) => {
    READERS[(input[0] ?? 0) % READERS.length]?.(Buffer.from(input.subarray(1)).toString('utf8'));
  },
};
