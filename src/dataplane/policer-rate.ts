/** A service profile's rate as the policers in the kernel want it. Pure arithmetic. */

export interface PolicerRate {
  /** With `fractionBits` fraction bits. */
  readonly nsPerByte: bigint;
  readonly burstNs: bigint;
}

/** All zero: the programs do not police. */
export const UNLIMITED: PolicerRate = { nsPerByte: 0n, burstNs: 0n };

/** The longest IP packet of an access line with some room, so that any packet fits an idle bucket twice. */
const LONGEST_PACKET_BYTES = 1520n;

export interface PolicerRateOptions {
  /** 0 = unlimited. */
  readonly bitsPerSecond: number;
  readonly burstMs: number;
  readonly fractionBits: number;
}

/** The burst is `burstMs` of the rate, but never less than two full packets: a slower bucket would pass nothing. */
export function policerRate({ bitsPerSecond, burstMs, fractionBits }: PolicerRateOptions): PolicerRate {
  if (bitsPerSecond <= 0) return UNLIMITED;
  const fixed = (8_000_000_000n << BigInt(fractionBits)) / BigInt(Math.round(bitsPerSecond));
  // Rates beyond the fraction's resolution (8 Pbit/s at 20 bits) would read as unlimited and as 0 ns alike.
  const nsPerByte = fixed > 0n ? fixed : 1n;
  const packets = (2n * LONGEST_PACKET_BYTES * nsPerByte) >> BigInt(fractionBits);
  const burst = BigInt(Math.round(burstMs * 1_000_000));
  return { nsPerByte, burstNs: burst > packets ? burst : packets };
}

/** A rate in events a second, each costing one "byte", with room for a burst of `burstEvents`. 0 = unlimited. */
export function eventRate(perSecond: number, burstEvents: number, fractionBits: number): PolicerRate {
  if (perSecond <= 0) return UNLIMITED;
  const nsPerEvent = 1_000_000_000 / perSecond;
  return {
    nsPerByte: BigInt(Math.round(nsPerEvent * 2 ** fractionBits)),
    burstNs: BigInt(Math.round(nsPerEvent * burstEvents)),
  };
}

/** The inverse of `policerRate`, rounded to whole bits a second; what a dump shows. */
export function bitsPerSecondOf(rate: PolicerRate, fractionBits: number): number {
  if (rate.nsPerByte === 0n) return 0;
  return Math.round((8e9 * 2 ** fractionBits) / Number(rate.nsPerByte));
}
