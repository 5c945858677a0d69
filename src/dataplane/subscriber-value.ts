/** A subscriber's rates as `struct bng_subscriber` has them, there and back. Pure. */
import { BngLimit, type BngSubscriber } from './abi.js';
import type { PolicerRate } from './policer-rate.js';

const EXPONENT_BITS = BigInt(BngLimit.burstExponentBits);
const MANTISSA_BITS = 32 - BngLimit.burstExponentBits;

export type SubscriberRates = Pick<
  BngSubscriber,
  'upstreamNsPerByte' | 'downstreamNsPerByte' | 'upstreamBurst' | 'downstreamBurst'
>;

/** 27 bits and by how many they are moved: exact to 134 ms, to a part in 2^26 beyond. Rounded up, since less is refused sooner. */
function packBurst(burstNs: bigint): number {
  const bits = burstNs.toString(2).length;
  const exponent = BigInt(Math.max(0, bits - MANTISSA_BITS));
  const mantissa = (burstNs + (1n << exponent) - 1n) >> exponent;
  // All ones, rounded up, need a bit more.
  if (mantissa >> BigInt(MANTISSA_BITS) !== 0n)
    return Number(((mantissa >> 1n) << EXPONENT_BITS) | (exponent + 1n));
  return Number((mantissa << EXPONENT_BITS) | exponent);
}

function unpackBurst(burst: number): bigint {
  const packed = BigInt(burst);
  return (packed >> EXPONENT_BITS) << (packed & ((1n << EXPONENT_BITS) - 1n));
}

/** A rate as one direction of the value has it. */
export interface PackedRate {
  readonly nsPerByte: bigint;
  readonly burst: number;
}

export function packRate({ nsPerByte, burstNs }: PolicerRate): PackedRate {
  return { nsPerByte, burst: packBurst(burstNs) };
}

export function packRates(rates: {
  readonly upstream: PolicerRate;
  readonly downstream: PolicerRate;
}): SubscriberRates {
  const upstream = packRate(rates.upstream);
  const downstream = packRate(rates.downstream);
  return {
    upstreamNsPerByte: upstream.nsPerByte,
    downstreamNsPerByte: downstream.nsPerByte,
    upstreamBurst: upstream.burst,
    downstreamBurst: downstream.burst,
  };
}

export function unpackRates(value: SubscriberRates): {
  readonly upstream: PolicerRate;
  readonly downstream: PolicerRate;
} {
  return {
    upstream: { nsPerByte: value.upstreamNsPerByte, burstNs: unpackBurst(value.upstreamBurst) },
    downstream: { nsPerByte: value.downstreamNsPerByte, burstNs: unpackBurst(value.downstreamBurst) },
  };
}
