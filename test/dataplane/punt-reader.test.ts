/** Ring buffer records into punted frames, and mutated records into a count. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BNG_PUNT_SIZE, BngPuntReason, writeBngPunt } from '../../src/dataplane/abi.js';
import type { PuntedFrame } from '../../src/dataplane/port.js';
import { readPunts } from '../../src/dataplane/punt-reader.js';

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

test('every record becomes a frame with its line, spare bytes of its size class left out', () => {
  const slab = Buffer.concat([record(Uint8Array.of(1, 2, 3)), record(Uint8Array.of(4, 5), 61)]);
  const seen: PuntedFrame[] = [];
  assert.equal(
    readPunts(slab, slab.length, (punted) => seen.push({ ...punted, frame: punted.frame.slice() })),
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
    readPunts(slab, used, ({ frame }) =>
      assert.ok(frame.byteOffset - slab.byteOffset + frame.length <= used),
    );
  }
});

test('a frame longer than its record is counted as broken, and the next record is read', () => {
  const bad = record(new Uint8Array(16));
  new DataView(bad.buffer).setUint32(8 + 12, 9999, true);
  const slab = Buffer.concat([bad, record(Uint8Array.of(9))]);
  const seen: number[] = [];
  assert.equal(
    readPunts(slab, slab.length, ({ frame }) => seen.push(frame.length)),
    1,
  );
  assert.deepEqual(seen, [1]);
});
