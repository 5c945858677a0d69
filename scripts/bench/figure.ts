/** What a bench hands back: one figure with every value that was measured, and what is said of many values. Pure. */
import { BngError } from '../../src/model/bng-error.js';

export interface Figure {
  /** Which bench it is from. */
  readonly bench: string;
  /** What was measured, without its unit. */
  readonly name: string;
  readonly unit: string;
  /** One value a run, in the order of the runs. */
  readonly values: readonly number[];
  /** What one has to know to read it. */
  readonly note?: string;
}

export interface Summary {
  readonly runs: number;
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/**
 * The value below which `share` (0 to 1) of the values lie, interpolated between the two nearest ranks. Throws
 * `BNG_ERR_VALUE` when there are no values or the share is none.
 */
export function quantile(values: ArrayLike<number>, share: number): number {
  if (values.length === 0 || !(share >= 0 && share <= 1)) {
    throw new BngError('BNG_ERR_VALUE', 'expected values and a share from 0 to 1', {
      values: values.length,
      share,
    });
  }
  const sorted = Float64Array.from(values).sort();
  const rank = share * (sorted.length - 1);
  const low = Math.floor(rank);
  const below = sorted[low] ?? 0;
  const above = sorted[Math.min(low + 1, sorted.length - 1)] ?? 0;
  return below + (above - below) * (rank - low);
}

export function median(values: ArrayLike<number>): number {
  return quantile(values, 0.5);
}

export function summarize(values: ArrayLike<number>): Summary {
  return {
    runs: values.length,
    median: median(values),
    least: quantile(values, 0),
    most: quantile(values, 1),
  };
}

/** A number as a person reads it: three significant digits below 1,000, whole numbers with separators above. */
export function formatValue(value: number): string {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US');
  const text = value.toPrecision(3);
  return text.includes('e') ? String(value) : text.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '');
}
