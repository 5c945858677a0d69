/** Ring buffer records into punted frames, and mutated records into a count. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BNG_LEASE_ANSWERED_SIZE,
  BNG_PUNT_SIZE,
  BngDhcpAnswer,
  BngPuntReason,
  writeBngLeaseAnswered,
  writeBngPunt,
} from '../../src/dataplane/abi.js';
import type { PuntedFrame } from '../../src/dataplane/port.js';
import { type PuntListeners, readPunts } from '../../src/dataplane/punt-reader.js';

/** A record as the addon lays it out: length, zero, struct bng_punt, `padding` spare bytes of a size class. */
function record(frame: Uint8Array, padding = 0): Uint8Array {
  const length = BNG_PUNT_SIZE + frame.length + padding;
  const bytes = new Uint8Array(8 + Math.ceil(length / 8) * 8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length, true);
  writeBngPunt(view, 8, {
    timeNs: 1n,
    ifindex: 7,
    frameLength: frame.length,
    reason: BngPuntReason.dhcp,
    sVlan: 100,
    cVlan: 7,
    sTpid: 0x88a8,
    cTpid: 0x8100,
    l3Offset: 22,
  });
  bytes.set(frame, 8 + BNG_PUNT_SIZE);
  return bytes;
}

/** For slabs in which nothing was answered. */
function frames(punted: (frame: PuntedFrame) => void): PuntListeners {
  return { punted, answered: () => assert.fail('an answer that nobody gave') };
}

function answeredRecord(): Buffer {
  const bytes = Buffer.alloc(8 + BNG_LEASE_ANSWERED_SIZE);
  bytes.writeUInt32LE(BNG_LEASE_ANSWERED_SIZE, 0);
  writeBngLeaseAnswered(new DataView(bytes.buffer, bytes.byteOffset), 8, {
    head: {
      timeNs: 5_000_000_000n,
      ifindex: 7,
      frameLength: 0,
      reason: BngPuntReason.leaseAnswered,
      sVlan: 100,
      cVlan: 7,
      sTpid: 0x88a8,
      cTpid: 0x8100,
      l3Offset: 22,
    },
    address: 0x0a000009,
    leaseSeconds: 600,
    mac: Uint8Array.of(2, 0, 0, 0, 0, 9),
    answer: BngDhcpAnswer.ack,
  });
  return bytes;
}

test('a record of an answer tells who was told what and when, among frames', () => {
  const slab = Buffer.concat([record(Uint8Array.of(1)), answeredRecord(), record(Uint8Array.of(2))]);
  const seen: unknown[] = [];
  const broken = readPunts(slab, slab.length, {
    punted: ({ frame }) => seen.push([...frame]),
    answered: (told) => seen.push(told),
  });
  assert.equal(broken, 0);
  const told = {
    answer: 'ack',
    address: 0x0a000009,
    attachment: { ifindex: 7, sVlan: 100, cVlan: 7, mac: 0x020000000009 },
    leaseSeconds: 600,
    atNs: 5_000_000_000n,
  };
  assert.deepEqual(seen, [[1], told, [2]]);
});

test('a record of an answer that is cut short is counted as broken', () => {
  const slab = Buffer.concat([record(new Uint8Array(0)), record(Uint8Array.of(1))]);
  slab.writeUInt32LE(BngPuntReason.leaseAnswered, 8 + 16);
  const seen: number[] = [];
  assert.equal(
    readPunts(
      slab,
      slab.length,
      frames(({ frame }) => seen.push(frame.length)),
    ),
    1,
  );
  assert.deepEqual(seen, [1]);
});

test('every record becomes a frame with its line, spare bytes of its size class left out', () => {
  const slab = Buffer.concat([record(Uint8Array.of(1, 2, 3)), record(Uint8Array.of(4, 5), 61)]);
  const seen: PuntedFrame[] = [];
  assert.equal(
    readPunts(
      slab,
      slab.length,
      frames((punted) => seen.push({ ...punted, frame: punted.frame.slice() })),
    ),
    0,
  );
  assert.deepEqual(
    seen.map(({ frame }) => [...frame]),
    [
      [1, 2, 3],
      [4, 5],
    ],
  );
  assert.deepEqual(
    { ...seen[1], frame: null },
    { frame: null, ifindex: 7, sVlan: 100, cVlan: 7, sTpid: 0x88a8, cTpid: 0x8100 },
  );
});

test('mutated and truncated slabs give frames within the slab or a count, never an error', () => {
  const good = Buffer.concat([record(new Uint8Array(300)), record(new Uint8Array(60))]);
  let seed = 1;
  for (let round = 0; round < 2000; round++) {
    const slab = Buffer.from(good);
    for (let change = 0; change < 3; change++) {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      slab[(seed >>> 8) % slab.length] = seed >>> 24;
    }
    const used = (seed >>> 4) % (slab.length + 1);
    readPunts(slab, used, {
      punted: ({ frame }) => assert.ok(frame.byteOffset - slab.byteOffset + frame.length <= used),
      answered: () => undefined,
    });
  }
});

test('a frame longer than its record is counted as broken, and the next record is read', () => {
  const bad = record(new Uint8Array(16));
  new DataView(bad.buffer).setUint32(8 + 12, 9999, true);
  const slab = Buffer.concat([bad, record(Uint8Array.of(9))]);
  const seen: number[] = [];
  assert.equal(
    readPunts(
      slab,
      slab.length,
      frames(({ frame }) => seen.push(frame.length)),
    ),
    1,
  );
  assert.deepEqual(seen, [1]);
});
