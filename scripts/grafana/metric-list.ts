/** Every metric family of the product, read from the very objects that serve them. */
import { SUBSCRIBER_FAMILIES } from '../../src/http/subscriber-metrics.js';
import type { FamilyDescription } from '../../src/http/metric-catalogue.js';
import { MetricCatalogue } from '../../src/http/metric-catalogue.js';
import { defineFamilies } from '../../src/http/metric-families.js';
import { defineProcessFamilies } from '../../src/http/process-metrics.js';
import { defineRadiusFamilies } from '../../src/http/radius-metric-families.js';

export interface MetricList {
  /** Of `/metrics`, in groups as they are defined. */
  readonly groups: readonly { readonly title: string; readonly families: readonly FamilyDescription[] }[];
  /** Of `/metrics/subscribers`. */
  readonly subscribers: readonly FamilyDescription[];
}

export function metricFamilies(): MetricList {
  const group = (title: string, define: (catalogue: MetricCatalogue) => unknown) => {
    const catalogue = new MetricCatalogue();
    define(catalogue);
    return { title, families: catalogue.descriptions };
  };
  return {
    groups: [
      group('Sessions, pools, dataplane, store', defineFamilies),
      group('RADIUS, accounting, CoA', defineRadiusFamilies),
      group('The control plane’s process', defineProcessFamilies),
    ],
    subscribers: Object.values(SUBSCRIBER_FAMILIES),
  };
}
