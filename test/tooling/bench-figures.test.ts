// The arithmetic of the bench and how it writes its figures down; what it measures is never asserted.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseBenchArguments } from '../../scripts/bench/bench-arguments.js';
import type { Figure } from '../../scripts/bench/figure.js';
import { formatValue, median, quantile, summarize } from '../../scripts/bench/figure.js';
import { figuresPage, figuresTable } from '../../scripts/bench/figures-page.js';
import { isBngError } from '../../src/model/bng-error.js';

const KNOWN = ['packets', 'dhcp', 'tcp'];

const FIGURES: readonly Figure[] = [
  { bench: 'packets', name: 'upstream', unit: 'ns', values: [215, 210, 260] },
  { bench: 'dhcp', name: 'DORA, most', unit: '1/s', values: [4100.4, 3900], note: '32 under way' },
];

describe('a quantile', () => {
  const cases: readonly [values: readonly number[], share: number, expected: number][] = [
    [[3], 0.99, 3],
    [[3, 1, 2], 0.5, 2],
    [[4, 1, 3, 2], 0.5, 2.5],
    [[10, 20], 0.25, 12.5],
    [[5, 1, 9], 0, 1],
    [[5, 1, 9], 1, 9],
    [[-1, -3], 0.5, -2],
  ];
  for (const [values, share, expected] of cases) {
    it(`${share} of ${values.join(', ')} is ${expected}`, () => {
      assert.equal(quantile(values, share), expected);
    });
  }

  it('leaves the values in their order', () => {
    const values = [3, 1, 2];
    assert.equal(median(values), 2);
    assert.deepEqual(values, [3, 1, 2]);
  });

  it('of nothing, or for a share that is none, is refused', () => {
    for (const [values, share] of [
      [[], 0.5],
      [[1], -0.1],
      [[1], 1.1],
      [[1], NaN],
    ] as const) {
      assert.throws(
        () => quantile(values, share),
        (error) => isBngError(error, 'BNG_ERR_VALUE'),
      );
    }
  });

  it('summary has runs, median, least and most', () => {
    assert.deepEqual(summarize([215, 210, 260]), { runs: 3, median: 215, least: 210, most: 260 });
  });
});

describe('a value is written', () => {
  const cases: readonly [number, string][] = [
    [0, '0'],
    [0.00947, '0.00947'],
    [1.5, '1.5'],
    [2.345, '2.35'],
    [100, '100'],
    [123.4, '123'],
    [999.9, '1,000'],
    [1000, '1,000'],
    [1234567.8, '1,234,568'],
  ];
  for (const [value, expected] of cases) {
    it(`${value} as ${expected}`, () => assert.equal(formatValue(value), expected));
  }
});

describe('the figures', () => {
  const machine = { cpuModel: 'A CPU', cores: 2, kernel: '6.18.1', nodeVersion: '20.20.2', loadBefore: 0.25 };

  it('on the page stand below their bench, with median, spread, unit, runs and note', () => {
    const page = figuresPage({ figures: FIGURES, machine, date: '2026-11-23', quick: false });
    assert.match(page, /^- Date: 2026-11-23$/m);
    assert.match(page, /^- Machine: A CPU, 2 cores, Linux 6\.18\.1, Node\.js 20\.20\.2$/m);
    assert.match(page, /^- Load before the bench: 0\.25/m);
    assert.match(
      page,
      /## packets\n\n\| figure .*\n\|---.*\n\| upstream \| 215 \| 210–260 \| ns \| 3 \|  \|\n/,
    );
    assert.match(
      page,
      /## dhcp\n\n.*\n.*\n\| DORA, most \| 4,000 \| 3,900–4,100 \| 1\/s \| 2 \| 32 under way \|\n/,
    );
    assert.doesNotMatch(page, /Quick/);
  });

  it('of a quick run are marked as such', () => {
    assert.match(figuresPage({ figures: FIGURES, machine, date: '2026-11-23', quick: true }), /^- Quick: /m);
  });

  it('in the terminal are one line each, in columns', () => {
    assert.deepEqual(figuresTable(FIGURES).split('\n'), [
      'packets  upstream      215  (210–260)      ns  n=3',
      'dhcp     DORA, most  4,000  (3,900–4,100)  1/s  n=2  32 under way',
    ]);
  });
});

describe('the command line of the bench', () => {
  it('without options runs everything, prints a table and writes nothing', () => {
    assert.deepEqual(parseBenchArguments([], KNOWN), {
      benches: KNOWN,
      quick: false,
      json: false,
      write: false,
      prefix: 'bn',
    });
  });

  it('--only may be given again; the order stays the one of the benches', () => {
    const { benches } = parseBenchArguments(['--only', 'tcp', '--only', 'packets'], KNOWN);
    assert.deepEqual(benches, ['packets', 'tcp']);
  });

  it('takes every option', () => {
    const given = ['--quick', '--json', '--write', '--prefix', 'x1', '--only', 'dhcp'];
    assert.deepEqual(parseBenchArguments(given, KNOWN), {
      benches: ['dhcp'],
      quick: true,
      json: true,
      write: true,
      prefix: 'x1',
    });
  });

  const refused = [
    ['--only', 'disk'],
    ['--prefix', 'toolong'],
    ['--prefix', 'A'],
    ['--fast'],
    ['dhcp'],
    ['--only'],
  ];
  for (const argv of refused) {
    it(`${argv.join(' ')} is refused`, () => {
      assert.throws(
        () => parseBenchArguments(argv, KNOWN),
        (error) => isBngError(error, 'BNG_ERR_VALUE'),
      );
    });
  }
});
