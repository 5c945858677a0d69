/** Figures from a histogram of round trips. Values in, values out: no JSON, no Prometheus. */
import type { RoundTripReport } from './radius-report.js';

/** Null before the first. */
export function meanMs({ count, sumMs }: RoundTripReport): number | null {
  return count === 0 ? null : sumMs / count;
}

/**
 * Estimates the time that a share (0 to 1) of the round trips does not exceed: within a bucket they are taken for evenly
 * spread, as Prometheus' `histogram_quantile` does, so that both agree. Above the last bound nothing is known: the bound.
 * Null before the first.
 */
export function quantileMs({ count, boundsMs, buckets }: RoundTripReport, share: number): number | null {
  if (count === 0) return null;
  const rank = share * count;
  let below = 0;
  let lowerMs = 0;
  for (const [index, upperMs] of boundsMs.entries()) {
    const inBucket = buckets[index] ?? 0;
    if (inBucket > 0 && below + inBucket >= rank) {
      return lowerMs + (upperMs - lowerMs) * ((rank - below) / inBucket);
    }
    below += inBucket;
    lowerMs = upperMs;
  }
  return lowerMs;
}

/** How many round trips took at most each bound; all of them are in `count`. */
export function cumulative({ boundsMs, buckets }: RoundTripReport): readonly number[] {
  let sum = 0;
  return boundsMs.map((_bound, index) => (sum += buckets[index] ?? 0));
}
