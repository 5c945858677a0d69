/** Deterministic mutation of byte strings: the same seed gives the same run. Knows no format. */

/** mulberry32: a small PRNG of 32 bits of state; gives integers from 0 to `below` - 1. */
export type Random = (below: number) => number;

export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const INTERESTING = [0, 1, 2, 3, 4, 52, 53, 82, 127, 128, 254, 255] as const;

/** A changed copy: 1 to 4 of flips, sets, cuts, insertions, repeats. The length may change; the input does not. */
export function mutate(input: Uint8Array, random: Random): Uint8Array {
  let bytes = Array.from(input);
  for (let rounds = 1 + random(4); rounds > 0; rounds--) {
    const at = random(bytes.length + 1);
    switch (random(6)) {
      case 0:
        if (at < bytes.length) bytes[at]! ^= 1 << random(8);
        break;
      case 1:
        if (at < bytes.length) bytes[at] = INTERESTING[random(INTERESTING.length)]!;
        break;
      case 2:
        if (at < bytes.length) bytes[at] = random(256);
        break;
      case 3:
        bytes = bytes.slice(0, at);
        break;
      case 4:
        bytes.splice(at, random(8));
        break;
      default:
        bytes.splice(at, 0, ...bytes.slice(at, at + random(16)), random(256));
    }
  }
  return Uint8Array.from(bytes);
}
