// Dashboards, alerts and runbooks, held against each other, against the registry and against Grafana's own schema. What needs a
// Prometheus is in test/lab/prometheus.test.ts.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import ts from 'typescript';
import { metricFamilies } from '../../scripts/grafana/metric-list.js';
import {
  dashboardFiles,
  metricsIn,
  readText,
  repository,
  runbooks,
  shellLines,
  shippedAlerts,
  shippedDashboards,
} from '../support/observability-files.js';

const dashboards = shippedDashboards();
const alerts = shippedAlerts();

function sampleNames(): ReadonlySet<string> {
  const { groups, subscribers } = metricFamilies();
  const families = [...groups.flatMap(({ families }) => families), ...subscribers];
  return new Set(
    families.flatMap(({ name, type }) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  );
}

describe('dashboards and alerts', () => {
  it('the overview has the six panels of the mission, and every panel says what it shows', () => {
    const overview = dashboards.find(({ uid }) => uid === 'bng-overview');
    const panels = overview?.panels.filter(({ type }) => type !== 'row') ?? [];
    assert.deepEqual(
      panels.map(({ type, title }) => [title, type]),
      [
        ['Sessions over time', 'timeseries'],
        ['State distribution', 'piechart'],
        ['Pool utilisation', 'gauge'],
        ['Activation funnel', 'bargauge'],
        ['Activation rate and average time', 'timeseries'],
        ['Top talkers', 'table'],
      ],
    );
    for (const panel of dashboards.flatMap((dashboard) => dashboard.panels)) {
      if (panel.type !== 'row') assert.ok(String(panel['description']).length > 20, panel.title);
    }
  });

  it('no query and no alert names a metric that the registry does not hold', () => {
    const known = sampleNames();
    const expressions = [
      ...dashboards.flatMap(({ panels }) => panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))),
      ...alerts.map(({ expr }) => expr),
    ];
    assert.ok(expressions.length > 50);
    for (const expression of expressions) {
      const names = metricsIn(expression).filter((name) => name !== 'up');
      assert.ok(names.length > 0 || expression.startsWith('up'), expression);
      for (const name of names) assert.ok(known.has(name), `${name} in ${expression}`);
    }
  });

  it('every alert has a runbook with meaning, causes and what to type, and every runbook its alert', () => {
    const sections = runbooks();
    assert.deepEqual(
      alerts.map(({ annotations }) => annotations.runbook_url),
      alerts.map(({ alert }) => `docs/runbooks.md#${alert.toLowerCase()}`),
    );
    assert.deepEqual(
      [...sections.keys()],
      alerts.map(({ alert }) => alert.toLowerCase()),
    );
    for (const [anchor, text] of sections) {
      assert.ok(text.includes('**Meaning.**') && text.includes('**Causes.**'), anchor);
      assert.ok(shellLines(text).length > 0, anchor);
    }
  });

  it('every alert is shown firing in alerts.test.yml, and silent as well or beside others', () => {
    const tests = readText('grafana/prometheus/alerts.test.yml');
    for (const { alert } of alerts) {
      const firing = new RegExp(`alertname: ${alert}\\n\\s+exp_alerts:\\n\\s+- exp_labels`);
      assert.match(tests, firing, alert);
      assert.match(tests, new RegExp(`alertname: ${alert} \\}`), `${alert}: a time at which it is silent`);
    }
  });
});

/** Complaints of the compiler about a dashboard's JSON as a literal of the schema's type. */
function complaints(dashboard: string): string[] {
  const file = join(repository, 'scripts/grafana/checked-literal.ts');
  const text = `import type { Board } from './panel-types.js';\nexport const board: Board = ${dashboard};\n`;
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts'],
    strict: true,
    skipLibCheck: true,
    noEmit: true,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (name) => name === file || fileExists.call(host, name);
  host.getSourceFile = (name, ...rest) =>
    name === file ? ts.createSourceFile(name, text, rest[0]) : getSourceFile.call(host, name, ...rest);
  const program = ts.createProgram([file], options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
}

describe('dashboards as types of @grafana/schema', () => {
  it('the JSON that is shipped is a value of the schema', () => {
    for (const [name, text] of dashboardFiles()) assert.deepEqual(complaints(text), [], name);
  });

  it('an option that Grafana does not know, or a value of none of its kinds, is found', () => {
    const text = dashboardFiles().get('bng-dataplane.json') ?? '';
    for (const [right, wrong] of [
      ['"mode": "multi"', '"mode": "sometimes"'],
      ['"gridPos"', '"gridPosition"'],
      ['"drawStyle": "line"', '"drawStile": "line"'],
      ['"refId": "A"', '"refId": 1'],
    ] as const) {
      assert.ok(text.includes(right), right);
      assert.match(
        complaints(text.replace(right, wrong)).join(),
        /not assignable|may only specify|but .* does not exist/,
        wrong,
      );
    }
  });
});
