/** Turns a batch of ring buffer records into punted frames. Pure; knows nothing of what is in a frame. */
import { BNG_PUNT_SIZE, readBngPunt } from './abi.js';
import type { PuntedFrame } from './port.js';

const RECORD_HEAD = 8;

/**
 * Calls `listener` for each record of a slab (u32 length, u32 zero, bytes, padded to 8) and returns how many records
 * were not whole: only a program of another build writes such. Frames are views into the slab, valid during the call.
 */
export function readPunts(slab: Uint8Array, used: number, listener: (punted: PuntedFrame) => void): number {
  const view = new DataView(slab.buffer, slab.byteOffset, used);
  let broken = 0;
  let at = 0;
  while (at + RECORD_HEAD <= used) {
    const length = view.getUint32(at, true);
    const start = at + RECORD_HEAD;
    at = start + Math.ceil(length / 8) * 8;
    if (length < BNG_PUNT_SIZE || start + length > used) {
      broken++;
      continue;
    }
    const punt = readBngPunt(view, start);
    if (BNG_PUNT_SIZE + punt.frameLength > length) {
      broken++;
      continue;
    }
    const from = start + BNG_PUNT_SIZE;
    listener({
      frame: slab.subarray(from, from + punt.frameLength),
      ifindex: punt.ifindex,
      sVlan: punt.sVlan,
      cVlan: punt.cVlan,
      sTpid: punt.sTpid,
      cTpid: punt.cTpid,
    });
  }
  return broken;
}
