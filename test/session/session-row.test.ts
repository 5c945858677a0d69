/** Sessions as rows: what is the same is said once and is one object when it is read; rows of an earlier version are read too. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseMac } from '../../src/model/mac.js';
import { Instants } from '../../src/session/instants.js';
import { SessionRecord } from '../../src/session/record.js';
import type { SavedSession } from '../../src/session/session-row.js';
import { SessionRows } from '../../src/session/session-row.js';
import { FakeClock } from '../support/fake-clock.js';

const LINE = {
  ...{ port: 'access0', sVlan: 100, cVlan: 7, mac: '02:00:00:00:00:01', sTpid: 0x88a8, cTpid: 0x8100 },
  ...{ circuitId: '6131', remoteId: '4f4e5431', option82: '01026131' + '02044f4e5431' },
};
const TRAFFIC = { upstreamPackets: '0', upstreamBytes: '0', downstreamPackets: '0', downstreamBytes: '0' };
const MOVED = { upstreamPackets: '1', upstreamBytes: '100', downstreamPackets: '2', downstreamBytes: '300' };
const AT = { bootId: 'boot', bootMs: 5_000_000, wallMs: 1_000 };

/** As version 1 wrote it: each line in full, counters that are zero too. */
const OLD = {
  ...{ subscriber: 'ont:ONT1', ont: 'ONT1', state: 'active' },
  grant: {
    profile: {
      ...{ serviceId: 'home', poolName: 'isp', walled: false },
      ...{ downloadBitsPerSecond: 1_000, uploadBitsPerSecond: 500 },
    },
    ...{ address: '10.0.0.9', leaseSeconds: 600 },
    terms: {
      ...{ userName: 'ONT1', fixedAddress: null, sessionTimeoutSeconds: null, idleTimeoutSeconds: null },
      ...{ interimIntervalSeconds: 60, classes: ['00ff'] },
    },
  },
  lease: { phase: 'bound', line: LINE, expiresMs: 5_600_000 },
  ...{ held: null, resumeTo: null, suspendedFor: null, step: null, mustReprovision: false },
  line: LINE,
  ...{ circuitId: LINE.circuitId, mayHoldLostLease: false },
  ...{ createdWallMs: 1, stateSinceMs: 5_000_000, stateSinceWallMs: 2 },
  use: {
    ...{ accountingId: 'a-1', startedMs: 4_000_000, startedWallMs: 3, activeMs: 4_500_000 },
    ...{ line: LINE, base: TRAFFIC, known: MOVED },
  },
  at: AT,
};
/** As version 2 wrote the same: the line once, no counters that are zero. */
const SECOND = {
  ...OLD,
  lease: { ...OLD.lease, line: 'same' },
  use: { ...OLD.use, line: 'same', base: undefined },
};
/** And as it is written now: nothing that goes without saying. */
const NEW = {
  ...{ subscriber: 'ont:ONT1', ont: 'ONT1', state: 'active' },
  grant: {
    profile: { serviceId: 'home', poolName: 'isp', downloadBitsPerSecond: 1_000, uploadBitsPerSecond: 500 },
    ...{ address: '10.0.0.9', leaseSeconds: 600 },
    terms: { interimIntervalSeconds: 60, classes: ['00ff'] },
  },
  lease: { phase: 'bound', expiresMs: 5_600_000 },
  line: { ...LINE, circuitId: [2, 2], remoteId: [6, 4] },
  ...{ createdWallMs: 1, stateSinceMs: 5_000_000, stateSinceWallMs: 2 },
  use: {
    ...{ accountingId: 'a-1', startedMs: 4_000_000, startedWallMs: 3, activeMs: 4_500_000 },
    known: ['1', '100', '2', '300'],
  },
  at: AT,
};

/** A session that a row of today makes. */
function recordOf(saved: SavedSession): SessionRecord {
  const { id, subscriberId, ontSerial, line, circuitId, mayHoldLostLease } = saved;
  const times = { nowMs: saved.stateSinceMs, wallMs: saved.createdWallMs };
  const identity = { subscriberId, ontSerial };
  const record = new SessionRecord({ id, identity, line, circuitId, mayHoldLostLease, ...times });
  record.session = { state: saved.state, step: saved.step };
  record.stateSinceWallMs = saved.stateSinceWallMs;
  return record;
}

function rows(): SessionRows {
  const clock = new FakeClock();
  const instants = new Instants(clock, { bootId: 'boot', bootMs: () => 5_000_000 });
  return new SessionRows(instants, {
    nameOf: () => 'access0',
    indexOf: (name) => (name === 'access0' ? 3 : null),
  });
}

describe('a session as a row', () => {
  it('of version 1 or 2 says the same as one of today', () => {
    const read = (row: object) => rows().decode('id', JSON.stringify(row));
    const old = read(OLD);
    assert.deepEqual(old, read(NEW));
    assert.deepEqual(old, read(SECOND));
    assert.equal(old?.use?.known.downstreamBytes, 300n);
    assert.equal(old.line?.mac, parseMac(LINE.mac));
    assert.equal(old.isPortGone, false);
  });

  it('gives one object for all that is the same, also of different sessions', () => {
    for (const row of [OLD, SECOND, NEW]) {
      const own = rows();
      const [first, second] = ['a', 'b'].map((id) => own.decode(id, JSON.stringify(row)));
      assert.ok(first !== null && first !== undefined && first.state.lease.phase === 'bound');
      assert.equal(first.state.lease.attachment, first.line);
      assert.ok(first.line !== null);
      assert.equal(first.use?.line, first.line);
      assert.equal(first.circuitId, first.line.circuitId);
      assert.equal(first.state.grant.profile, second?.state.grant.profile);
    }
  });

  it('keeps apart what is not the same', () => {
    const elsewhere = { ...LINE, cVlan: 8, port: 'access9' };
    const read = rows().decode('id', JSON.stringify({ ...NEW, lease: { ...OLD.lease, line: elsewhere } }));
    assert.ok(read?.state.lease.phase === 'bound');
    assert.equal(read.state.lease.attachment.cVlan, 8);
    assert.equal(read.line?.cVlan, 7);
    assert.equal(read.isPortGone, true);
  });

  it('that names a line it does not have is no session', () => {
    for (const row of [SECOND, NEW]) {
      assert.equal(rows().decode('id', JSON.stringify({ ...row, line: null })), null);
    }
  });

  it('is written as it is read, without what goes without saying', () => {
    const own = rows();
    const saved = own.decode('id', JSON.stringify(OLD));
    assert.ok(saved !== null);
    const text = own.encode(recordOf(saved), saved.use, AT);
    assert.deepEqual(JSON.parse(text ?? ''), NEW);
    assert.deepEqual(own.decode('id', text ?? ''), saved);
  });

  it('names bytes that are not of its option 82, and bytes beyond it are no session', () => {
    const own = rows();
    const bare = { ...OLD, line: { ...LINE, option82: undefined }, circuitId: '77' };
    const saved = own.decode('id', JSON.stringify(bare));
    assert.ok(saved !== null);
    const text = own.encode(recordOf(saved), saved.use, AT) ?? '';
    assert.deepEqual(own.decode('id', text), saved);
    const beyond = { ...NEW, line: { ...LINE, circuitId: [8, 9] } };
    assert.equal(own.decode('id', JSON.stringify(beyond)), null);
  });

  it('leaves room for others on a page of the store', () => {
    const own = rows();
    const far = Object.fromEntries(Object.keys(MOVED).map((key) => [key, '1'.repeat(15)]));
    const saved = own.decode('id', JSON.stringify({ ...OLD, use: { ...OLD.use, base: far, known: far } }));
    assert.ok(saved !== null);
    // More than about a thousand bytes of key and value take a page of 4,096 for themselves.
    assert.ok((own.encode(recordOf(saved), saved.use, AT) ?? '').length < 850);
  });
});
