/** The alerts of `grafana/prometheus/alerts.yml` as what the Prometheus operator reads in a cluster. */
import { readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';

/** The manifest's text; the alerts are taken over whole, so that there is one place to change them. */
export function prometheusRule(): string {
  const alerts = parse(readFileSync('grafana/prometheus/alerts.yml', 'utf8')) as object;
  const manifest = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'bng', labels: { 'app.kubernetes.io/name': 'bng' } },
    spec: alerts,
  };
  return `# Made from grafana/prometheus/alerts.yml by make docs.\n${stringify(manifest, { lineWidth: 0 })}`;
}
