/** The two text formats, as their specifications write them, and who gets which. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Family } from '../../src/http/exposition.js';
import { negotiateFormat, renderFamilies } from '../../src/http/exposition.js';
import { buildMetrics } from '../../src/http/metrics-app.js';
import { Metrics } from '../../src/http/metrics.js';
import { NO_ADMISSION_FIGURES, NO_LINE_FIGURES } from '../../src/session/view.js';
import { NOTHING_REFUSED } from '../../src/http/store-metrics.js';
import { FakeBng, FakeClock, makeLogger } from './fake-bng.js';

// As Prometheus 2.42 sends it.
const PROMETHEUS_ACCEPT =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';

for (const [accept, format] of [
  [undefined, 'prometheus'],
  ['', 'prometheus'],
  ['*/*', 'prometheus'],
  ['text/html,application/xhtml+xml,*/*;q=0.8', 'prometheus'],
  [PROMETHEUS_ACCEPT, 'openmetrics'],
  ['application/openmetrics-text', 'openmetrics'],
  ['application/openmetrics-text; version="1.0.0"; charset=utf-8', 'openmetrics'],
  ['application/openmetrics-text;version=0.0.1', 'prometheus'],
  ['application/openmetrics-text;q=0', 'prometheus'],
  ['application/openmetrics-text;q=0.2,text/plain;q=0.9', 'prometheus'],
  ['application/openmetrics-text;q=nonsense', 'prometheus'],
] as const) {
  test(`a client that accepts ${accept ?? 'nothing in particular'} gets ${format}`, () => {
    assert.equal(negotiateFormat(accept), format);
  });
}

const FAMILIES: readonly Family[] = [
  {
    name: 'a_total',
    type: 'counter',
    help: 'say "a" \\ b\nc',
    samples: [{ name: 'a_total', labels: { l: 'x"y\\z\n', none: undefined }, value: 18446744073709551615n }],
  },
  {
    name: 'h',
    type: 'histogram',
    help: 'h',
    samples: [
      { name: 'h_bucket', labels: { le: 1 }, value: 2 },
      { name: 'h_bucket', labels: { le: '+Inf' }, value: 3 },
    ],
  },
];

test('the format of Prometheus names a counter in full and escapes line ends in help', () => {
  assert.equal(
    renderFamilies(FAMILIES, 'prometheus'),
    [
      '# HELP a_total say "a" \\\\ b\\nc',
      '# TYPE a_total counter',
      'a_total{l="x\\"y\\\\z\\n"} 18446744073709551615',
      '# HELP h h',
      '# TYPE h histogram',
      'h_bucket{le="1"} 2',
      'h_bucket{le="+Inf"} 3',
      '',
    ].join('\n'),
  );
});

test('OpenMetrics names the family without _total, writes bounds as floats and ends with EOF', () => {
  assert.equal(
    renderFamilies(FAMILIES, 'openmetrics'),
    [
      '# HELP a say \\"a\\" \\\\ b\\nc',
      '# TYPE a counter',
      'a_total{l="x\\"y\\\\z\\n"} 18446744073709551615',
      '# HELP h h',
      '# TYPE h histogram',
      'h_bucket{le="1.0"} 2',
      'h_bucket{le="+Inf"} 3',
      '# EOF',
      '',
    ].join('\n'),
  );
});

test('/metrics answers in the format that was asked for, with the same samples, and says that it varies', async (t) => {
  const bng = new FakeBng();
  const metrics = new Metrics({
    operator: bng,
    lifecycle: bng,
    pools: bng.pools,
    dataplane: bng.dataplane,
    radius: () => bng.radius,
    clock: new FakeClock(),
    topTalkers: 10,
    store: () => NOTHING_REFUSED,
    lines: () => NO_LINE_FIGURES,
    admission: () => NO_ADMISSION_FIGURES,
  });
  t.after(() => metrics.close());
  const app = buildMetrics({ metrics, subscribers: null, logger: makeLogger().logger });
  // The first scrape begins to look at the garden; later ones know what was found.
  await app.inject({ url: '/metrics' });
  const [plain, open] = [
    await app.inject({ url: '/metrics' }),
    await app.inject({ url: '/metrics', headers: { accept: PROMETHEUS_ACCEPT } }),
  ];
  assert.equal(plain.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  assert.equal(open.headers['content-type'], 'application/openmetrics-text; version=1.0.0; charset=utf-8');
  assert.equal(open.headers['vary'], 'accept');
  assert.ok(open.body.endsWith('\n# EOF\n') && !plain.body.includes('EOF'));
  const samples = (body: string): string[] =>
    body
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#') && !line.includes('_bucket{'))
      .map((line) => line.split(' ')[0] ?? '');
  assert.deepEqual(samples(open.body), samples(plain.body));
});
