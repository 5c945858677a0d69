/**
 * The two text formats of metrics, Prometheus 0.0.4 and OpenMetrics 1.0.0, and which of them a client wants. Values in,
 * text out: nothing here knows a metric.
 */
export type ExpositionFormat = 'prometheus' | 'openmetrics';

export const EXPOSITION_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

export interface Sample {
  /** The family's name, or with `_bucket`, `_sum` or `_count` after it. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string | number | undefined>>;
  readonly value: number | bigint;
}

export interface FamilyHead {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
}

export interface Family extends FamilyHead {
  readonly samples: Iterable<Sample>;
}

/** The version of OpenMetrics that is written; one that asks for another gets the older format, which all read. */
const OPENMETRICS_VERSION = '1.0.0';

/** Chooses by an `Accept` header (RFC 9110 §12.5.1); without a clear wish for OpenMetrics, the older format. */
export function negotiateFormat(accept: string | undefined): ExpositionFormat {
  let openmetrics = 0;
  let text = 0;
  for (const range of (accept ?? '').split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const weight = Number(valueOf(parameters, 'q') ?? '1');
    if (!(weight > 0)) continue;
    if (type === 'application/openmetrics-text') {
      const version = valueOf(parameters, 'version') ?? OPENMETRICS_VERSION;
      if (version === OPENMETRICS_VERSION) openmetrics = Math.max(openmetrics, weight);
    } else if (type === 'text/plain' || type === 'text/*' || type === '*/*') text = Math.max(text, weight);
  }
  return openmetrics > 0 && openmetrics >= text ? 'openmetrics' : 'prometheus';
}

function valueOf(parameters: readonly string[], name: string): string | null {
  const found = parameters.find((parameter) => parameter.startsWith(`${name}=`));
  return found === undefined ? null : found.slice(name.length + 1).replace(/^"(.*)"$/, '$1');
}

/** All families one after the other, with the end mark that OpenMetrics wants. */
export function renderFamilies(families: Iterable<Family>, format: ExpositionFormat): string {
  let text = '';
  for (const family of families) {
    text += familyHead(family, format);
    for (const sample of family.samples) text += sampleLine(sample, format);
  }
  return text + expositionEnd(format);
}

/** What stands before a family's samples. In OpenMetrics a counter's family is named without `_total`. */
export function familyHead({ name, type, help }: FamilyHead, format: ExpositionFormat): string {
  const escaped = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  if (format === 'prometheus') return `# HELP ${name} ${escaped}\n# TYPE ${name} ${type}\n`;
  const family = type === 'counter' ? name.replace(/_total$/, '') : name;
  return `# HELP ${family} ${escaped.replaceAll('"', '\\"')}\n# TYPE ${family} ${type}\n`;
}

export function sampleLine({ name, labels, value }: Sample, format: ExpositionFormat): string {
  let inner = '';
  for (const [label, text] of Object.entries(labels)) {
    if (text === undefined) continue;
    inner += `${inner === '' ? '' : ','}${label}="${labelValue(label, String(text), format)}"`;
  }
  return `${name}${inner === '' ? '' : `{${inner}}`} ${valueText(value)}\n`;
}

export function expositionEnd(format: ExpositionFormat): string {
  return format === 'openmetrics' ? '# EOF\n' : '';
}

function labelValue(label: string, text: string, format: ExpositionFormat): string {
  // Canonical numbers of OpenMetrics: a bound is written as a float.
  if (label === 'le' && format === 'openmetrics' && /^\d+$/.test(text)) return `${text}.0`;
  return /[\\"\n]/.test(text)
    ? text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
    : text;
}

function valueText(value: number | bigint): string {
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  return String(value);
}
