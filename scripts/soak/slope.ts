/** Whether memory grows: a line through what was measured. Pure. */

export interface Sample {
  readonly atMs: number;
  readonly value: number;
}

/** Least squares: how much the value grows in a second; 0 of fewer than two samples. */
export function slopePerSecond(samples: readonly Sample[]): number {
  const count = samples.length;
  const meanAt = samples.reduce((sum, { atMs }) => sum + atMs, 0) / count;
  const meanValue = samples.reduce((sum, { value }) => sum + value, 0) / count;
  let covariance = 0;
  let variance = 0;
  for (const { atMs, value } of samples) {
    covariance += (atMs - meanAt) * (value - meanValue);
    variance += (atMs - meanAt) ** 2;
  }
  return variance === 0 ? 0 : (covariance / variance) * 1000;
}
