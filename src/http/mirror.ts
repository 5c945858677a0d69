/** Metrics that are counted elsewhere: the source, not prom-client, keeps the total. */
import type { Counter } from 'prom-client';

/** Sets a counter that was reset to what its source counted. */
export function mirror(
  counter: Counter,
  labels: Readonly<Record<string, string>>,
  total: number | bigint,
): void {
  counter.inc(labels, Number(total));
}

/** Sets a counter to totals by the values of its only label. */
export function mirrorEach(
  counter: Counter,
  label: string,
  totals: Readonly<Record<string, number | bigint>>,
): void {
  counter.reset();
  for (const [value, total] of Object.entries(totals)) mirror(counter, { [label]: value }, total);
}
