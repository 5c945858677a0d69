/**
 * Writes whatever is made from the code and committed: references, schema and example of the configuration, bngctl's manual page and
 * completion, the metrics reference, Grafana's dashboards and the cluster's alerts. With `--check` it writes nothing and fails when one is stale.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { schemaText } from '../src/bin/bng/config.js';
import { completionOf, SHELLS } from '../src/bin/bngctl/completion.js';
import { BNG_PAGE } from '../src/bin/bng/page-notes.js';
import { bngProgram } from '../src/bin/bng/program.js';
import { manPage } from '../src/bin/bngctl/man-page.js';
import { BNGCTL_PAGE } from '../src/bin/bngctl/page-notes.js';
import { bngctlProgram } from '../src/bin/bngctl/program.js';
import { exampleFile } from '../src/config/example-file.js';
import { apiDescription } from './docs/api-description.js';
import { apiReference } from './docs/api-reference.js';
import { configurationReference } from './docs/configuration-reference.js';
import { dataplaneReference } from './docs/dataplane-reference.js';
import { logReference } from './docs/log-reference.js';
import { prometheusRule } from './docs/prometheus-rule.js';
import { dataplaneDashboard } from './grafana/dataplane-dashboard.js';
import { metricFamilies } from './grafana/metric-list.js';
import { metricsReference } from './grafana/metrics-reference.js';
import { overviewDashboard } from './grafana/overview-dashboard.js';

const quiet = { out: (): void => undefined, err: (): void => undefined };
const bngctl = bngctlProgram(quiet, async () => undefined);
const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

const FILES: Readonly<Record<string, () => string | Promise<string>>> = {
  'docs/configuration.md': configurationReference,
  'deploy/bng.schema.json': schemaText,
  'deploy/bng.example.yaml': exampleFile,
  'docs/logs.md': logReference,
  'docs/dataplane.md': dataplaneReference,
  'docs/http-api.md': async () => apiReference(await apiDescription()),
  'docs/bng.1': () => manPage(bngProgram(), BNG_PAGE),
  'docs/bngctl.1': () => manPage(bngctl, BNGCTL_PAGE),
  ...Object.fromEntries(
    [bngProgram(), bngctl].flatMap((program) =>
      SHELLS.map((shell) => [
        `deploy/completion/${program.name()}.${shell}`,
        () => `${completionOf(program, shell)}\n`,
      ]),
    ),
  ),
  'docs/metrics.md': () => metricsReference(metricFamilies()),
  'deploy/kubernetes/base/prometheusrule.yaml': prometheusRule,
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
  const text = await make();
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
