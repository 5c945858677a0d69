/**
 * Where a holder belongs on the ring of a network: hash, home and probe sequence. Pure arithmetic, no state.
 * **Everything here is frozen for ever**: subscribers keep their addresses over restarts and releases only because
 * it never changes. test/pool/placement.test.ts holds the vectors.
 */

/** Probes after which the search goes on linearly; part of the placement, so as frozen as the hash. */
export const PROBE_LIMIT = 32;

const HOME_SEED = 0;
const STEP_SEED = 0x9747b28c;

const encoder = new TextEncoder();

/** MurmurHash3 x86_32 (Appleby, public domain) of bytes; the result is an unsigned 32-bit number. */
export function murmur3(bytes: Uint8Array, seed: number): number {
  const at = (i: number): number => bytes[i] ?? 0;
  const mixed = (k: number): number => {
    const multiplied = Math.imul(k, 0xcc9e2d51);
    return Math.imul((multiplied << 15) | (multiplied >>> 17), 0x1b873593);
  };
  const whole = bytes.length & ~3;
  let h = seed;
  for (let i = 0; i < whole; i += 4) {
    h ^= mixed(at(i) | (at(i + 1) << 8) | (at(i + 2) << 16) | (at(i + 3) << 24));
    h = (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
  }
  // Bytes past the end read as zero and mix to zero, so an empty tail changes nothing.
  h ^= mixed(at(whole) | (at(whole + 1) << 8) | (at(whole + 2) << 16));
  h ^= bytes.length;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Start and step of a holder's walk round a ring. */
export interface Placement {
  readonly start: number;
  readonly step: number;
}

/**
 * The walk of `holder` (as UTF-8) round a ring of `size` positions; `size` is a power of two up to 2^20.
 * The step is odd, hence coprime with the size: the walk would visit every position once.
 */
export function placeOnRing(holder: string, size: number): Placement {
  const bytes = encoder.encode(holder);
  return {
    start: Math.floor((murmur3(bytes, HOME_SEED) / 2 ** 32) * size),
    step: (murmur3(bytes, STEP_SEED) | 1) & (size - 1),
  };
}
