/**
 * Writes docs/metrics.md from the metric registry and grafana/dashboards/ from scripts/grafana/; with `--check` it writes
 * nothing and fails when a committed file is stale.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { metricFamilies } from './grafana/metric-list.js';
import { metricsReference } from './grafana/metrics-reference.js';
import { dataplaneDashboard } from './grafana/dataplane-dashboard.js';
import { overviewDashboard } from './grafana/overview-dashboard.js';

const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

const FILES: Readonly<Record<string, () => string>> = {
  'docs/metrics.md': () => metricsReference(metricFamilies()),
  'grafana/dashboards/bng-overview.json': () => json(overviewDashboard),
  'grafana/dashboards/bng-dataplane.json': () => json(dataplaneDashboard),
};

function committed(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

const isCheck = process.argv.includes('--check');
for (const [path, make] of Object.entries(FILES)) {
  const text = make();
  if (committed(path) === text) continue;
  if (isCheck) {
    console.error(`${path} is stale: run make docs`);
    process.exitCode = 1;
    continue;
  }
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  console.error(`written: ${path}`);
}
