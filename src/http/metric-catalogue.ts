/**
 * Makes metric families and remembers what each is, so that the reference in docs/metrics.md says what the registry
 * holds. Nothing here knows where the values come from.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Family, FamilyHead, Sample } from './exposition.js';

/** What each label's values are, in words; its keys are the labels. */
export type LabelMeanings<L extends string> = Readonly<Record<L, string>>;

export interface FamilyDescription extends FamilyHead {
  readonly labels: LabelMeanings<string>;
  /** Upper bounds of a histogram's buckets, in the family's unit. */
  readonly buckets: readonly number[] | null;
}

export class MetricCatalogue {
  readonly #registry = new Registry();
  readonly #descriptions: FamilyDescription[] = [];

  /** In the order of making. */
  get descriptions(): readonly FamilyDescription[] {
    return this.#descriptions;
  }

  counter<L extends string>(name: string, help: string, labels: LabelMeanings<L>): Counter<L> {
    this.describe({ name, type: 'counter', help, labels, buckets: null });
    return new Counter({ name, help, labelNames: labelsOf(labels), registers: [this.#registry] });
  }

  gauge<L extends string>(name: string, help: string, labels: LabelMeanings<L>): Gauge<L> {
    this.describe({ name, type: 'gauge', help, labels, buckets: null });
    return new Gauge({ name, help, labelNames: labelsOf(labels), registers: [this.#registry] });
  }

  histogram<L extends string>(
    name: string,
    help: string,
    options: { readonly labels: LabelMeanings<L>; readonly buckets: readonly number[] },
  ): Histogram<L> {
    const { labels, buckets } = options;
    this.describe({ name, type: 'histogram', help, labels, buckets });
    const labelNames = labelsOf(labels);
    return new Histogram({ name, help, labelNames, buckets: [...buckets], registers: [this.#registry] });
  }

  /** A family that no registry can hold; whoever makes its samples renders them. */
  describe<D extends FamilyDescription>(description: D): D {
    this.#descriptions.push(description);
    return description;
  }

  /** Every family of the registry as it is now. */
  async families(): Promise<readonly Family[]> {
    const found = await this.#registry.getMetricsAsJSON();
    const byName = new Map(found.map((metric) => [metric.name, metric.values]));
    return this.#descriptions.flatMap((description) => {
      const values = byName.get(description.name);
      return values === undefined ? [] : [{ ...description, samples: samplesOf(description.name, values) }];
    });
  }
}

/** Values of prom-client; a histogram's name their sample. */
type RegistryValue = Omit<Sample, 'name'> & { readonly metricName?: string };

function samplesOf(family: string, values: readonly RegistryValue[]): Sample[] {
  return values.map(({ metricName, labels, value }) => ({ name: metricName ?? family, labels, value }));
}

function labelsOf<L extends string>(labels: LabelMeanings<L>): L[] {
  return Object.keys(labels) as L[];
}
