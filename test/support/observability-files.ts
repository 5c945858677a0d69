/** The dashboards, alerts and runbooks as they are shipped, read for tests. Judges nothing. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

export const repository = join(import.meta.dirname, '..', '..', '..');

const dashboardSchema = z.looseObject({
  uid: z.string(),
  title: z.string(),
  panels: z.array(
    z.looseObject({
      type: z.string(),
      title: z.string(),
      targets: z
        .array(z.looseObject({ expr: z.string(), legendFormat: z.string(), range: z.boolean() }))
        .default([]),
    }),
  ),
});

export type ShippedDashboard = z.infer<typeof dashboardSchema>;

const alertsSchema = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({
          alert: z.string(),
          expr: z.string(),
          labels: z.object({ severity: z.enum(['warning', 'critical']) }),
          annotations: z.object({ summary: z.string(), description: z.string(), runbook_url: z.string() }),
        }),
      ),
    }),
  ),
});

export const readText = (path: string): string => readFileSync(join(repository, path), 'utf8');

/** The JSON of every dashboard, by file name. */
export function dashboardFiles(): ReadonlyMap<string, string> {
  const folder = 'grafana/dashboards';
  return new Map(readdirSync(join(repository, folder)).map((name) => [name, readText(`${folder}/${name}`)]));
}

export function shippedDashboards(): readonly ShippedDashboard[] {
  return [...dashboardFiles().values()].map((text) => dashboardSchema.parse(JSON.parse(text)));
}

export function shippedAlerts() {
  const { groups } = alertsSchema.parse(parse(readText('grafana/prometheus/alerts.yml')));
  return groups.flatMap(({ rules }) => rules);
}

/** Names of metrics in an expression, without the suffixes of a histogram's samples. */
export function metricsIn(expression: string): readonly string[] {
  const names = expression.match(/\b(?:bng_[a-z_]+|up\b)/g) ?? [];
  return [...new Set(names)];
}

/** Sections of the runbooks by their anchor. */
export function runbooks(): ReadonlyMap<string, string> {
  const sections = readText('docs/runbooks.md').split(/^## /m).slice(1);
  return new Map(sections.map((text) => [text.slice(0, text.indexOf('\n')).toLowerCase(), text]));
}

/** The lines of a text's shell blocks. */
export function shellLines(text: string): readonly string[] {
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) =>
    block.trim().split('\n'),
  );
}
