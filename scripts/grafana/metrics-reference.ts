/** docs/metrics.md as text. Pure. */
import type { FamilyDescription } from '../../src/http/metric-catalogue.js';
import type { MetricList } from './metric-list.js';

export function metricsReference({ groups, subscribers }: MetricList): string {
  return [
    '# Metrics reference',
    '',
    'Written by `make docs` from the registry; do not edit. All names begin with `bng_`. `/metrics` is bounded: its labels have values',
    'from small closed sets or from the configuration, top talkers are at most `metrics.topTalkers`. Both endpoints serve the format of Prometheus and,',
    'to who accepts `application/openmetrics-text`, OpenMetrics 1.0.0. A family without series says that there is nothing to measure, such as',
    'an accounting queue without a store.',
    '',
    ...groups.flatMap(({ title, families }) => [`## ${title}`, '', ...families.flatMap(entry)]),
    '## /metrics/subscribers',
    '',
    'Served where `metrics.subscribers` is true: some series for every subscriber with an address, streamed. Scrape it seldom, and apart.',
    '',
    ...subscribers.flatMap(entry),
  ]
    .join('\n')
    .trimEnd()
    .concat('\n');
}

function entry({ name, type, help, labels, buckets }: FamilyDescription): string[] {
  return [
    `### ${name}`,
    '',
    `${type[0]?.toUpperCase()}${type.slice(1)}. ${help}.`,
    '',
    ...Object.entries(labels).map(([label, values]) => `- \`${label}\`: ${values}`),
    ...(buckets === null ? [] : [`- buckets up to ${buckets.join(', ')} s`]),
    ...(buckets === null && Object.keys(labels).length === 0 ? [] : ['']),
  ];
}
