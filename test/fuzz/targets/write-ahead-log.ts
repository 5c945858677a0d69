/**
 * The check of SQLite's write-ahead log. Any bytes are a whole log or damage in words, with right sums as well; a log that SQLite could
 * have written is whole, and a byte changed before its last commit is told of by the number of its frame.
 */
import assert from 'node:assert/strict';
import { walDamage } from '../../../src/store/wal-check.js';
import { walLog, withRightWalSums } from '../../support/wal-log.js';
import type { FuzzTarget } from '../fuzz-target.js';

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const PAGE_BYTES = 512;
const MOST_FRAMES = 6;

/** Frames as the input's bytes say: what is in a page, and which frames end a commit; the last does in any case. */
function wrote(input: Buffer): { readonly log: Buffer; readonly frames: number } {
  const frames = 2 + ((input[0] ?? 0) % (MOST_FRAMES - 1));
  const commits = Array.from({ length: frames }, (_, frame) =>
    frame === frames - 1 || ((input[1] ?? 0) >> frame) % 2 === 1 ? frame + 1 : 0,
  );
  const bigEndian = (input[2] ?? 0) % 2 === 1;
  return { log: walLog({ pageBytes: PAGE_BYTES, commits, bigEndian, content: input.subarray(3) }), frames };
}

/** One byte of it changed, in a frame before the last. */
function checkDamage(input: Buffer): void {
  const { log, frames } = wrote(input);
  assert.equal(walDamage(log), null);
  const frameBytes = FRAME_HEADER_BYTES + PAGE_BYTES;
  const frame = (input[3] ?? 0) % (frames - 1);
  const place = ((input[4] ?? 0) * 256 + (input[5] ?? 0)) % frameBytes;
  const at = HEADER_BYTES + frame * frameBytes + place;
  log.writeUInt8((log[at] ?? 0) ^ ((input[6] ?? 0) || 1), at);
  const found = walDamage(log);
  assert.ok(found?.includes(`from frame ${frame + 1} on`), `byte ${place} of frame ${frame + 1}: ${found}`);
}

export const target: FuzzTarget = {
  seeds: () => [
    walLog({ pageBytes: PAGE_BYTES, commits: [0, 2, 3], bigEndian: false, content: Buffer.from('page') }),
    walLog({ pageBytes: PAGE_BYTES, commits: [1, 0, 0, 2], bigEndian: true, content: Buffer.from([1, 2]) }),
    Buffer.from([3, 0b101, 0, 1, 0, 9, 0xff, 1, 2, 3]),
  ],
  maxBytes: 3_000,
  boundedRuns: 4_000,
  run: (input) => {
    const log = Buffer.from(input);
    for (const bytes of [log, withRightWalSums(log)]) assert.notEqual(walDamage(bytes), '');
    checkDamage(log);
  },
};
