/** Panels as our dashboards use them: what they ask and how it is shown; everything else is the same for all. */
import type {
  AnyPanel,
  BarGaugePanel,
  GaugePanel,
  PieChartPanel,
  PrometheusTarget,
  StatPanel,
  TablePanel,
  TimeSeriesPanel,
} from './panel-types.js';

/** What one panel asks: the legend's text to the expression, in PromQL. */
export type Queries = Readonly<Record<string, string>>;

interface Common {
  readonly title: string;
  /** What a reader should know: where it comes from, when to worry. */
  readonly description: string;
  readonly queries: Queries;
  /** Of Grafana: `short`, `s`, `bytes`, `bps`, `pps`, `percentunit` and so on. */
  readonly unit: string;
}

const REF_IDS = 'ABCDEFGHIJ';
const LEGEND = { calcs: [], displayMode: 'list', placement: 'bottom', showLegend: true } as const;
const TOOLTIP = { mode: 'multi', sort: 'desc' } as const;
const LAST = { calcs: ['lastNotNull'], fields: '', values: false } as const;

function targets(queries: Queries, how: 'range' | 'instant' | 'table'): readonly PrometheusTarget[] {
  return Object.entries(queries).map(([legendFormat, expr], index) => ({
    refId: REF_IDS[index] ?? '',
    expr,
    legendFormat,
    instant: how !== 'range',
    range: how === 'range',
    format: how === 'table' ? 'table' : 'time_series',
  }));
}

export interface Curves extends Common {
  /** Curves on top of each other. */
  readonly stacked?: boolean;
  /** Units of single curves, by legend; they go to an axis on the right. */
  readonly rightUnits?: Readonly<Record<string, string>>;
}

export function curves({
  title,
  description,
  queries,
  unit,
  stacked = false,
  rightUnits = {},
}: Curves): AnyPanel {
  const panel: TimeSeriesPanel = {
    type: 'timeseries',
    title,
    description,
    targets: targets(queries, 'range'),
    options: { legend: LEGEND, tooltip: TOOLTIP },
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        color: { mode: 'palette-classic' },
        custom: {
          drawStyle: 'line',
          lineWidth: 1,
          fillOpacity: stacked ? 40 : 10,
          showPoints: 'never',
          spanNulls: false,
          stacking: { mode: stacked ? 'normal' : 'none', group: 'A' },
        },
      },
      overrides: Object.entries(rightUnits).map(([legend, right]) => ({
        matcher: { id: 'byName', options: legend },
        properties: [
          { id: 'unit', value: right },
          { id: 'custom.axisPlacement', value: 'right' },
        ],
      })),
    },
  };
  return panel;
}

/** Green, then orange and red from the two values on. */
const warned = (orange: number, red: number) =>
  ({
    mode: 'absolute',
    steps: [
      { value: null, color: 'green' },
      { value: orange, color: 'orange' },
      { value: red, color: 'red' },
    ],
  }) as const;

export interface Gauges extends Common {
  readonly max: number;
  readonly orange: number;
  readonly red: number;
}

export function gauges({ title, description, queries, unit, max, orange, red }: Gauges): AnyPanel {
  const panel: GaugePanel = {
    type: 'gauge',
    title,
    description,
    targets: targets(queries, 'instant'),
    options: {
      reduceOptions: LAST,
      orientation: 'auto',
      shape: 'gauge',
      barShape: 'flat',
      barWidthFactor: 0.5,
      segmentCount: 1,
      segmentSpacing: 0.3,
      effects: {},
      sizing: 'auto',
      minVizHeight: 75,
      minVizWidth: 75,
      showThresholdLabels: false,
      showThresholdMarkers: true,
    },
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        max,
        decimals: 1,
        color: { mode: 'thresholds' },
        thresholds: warned(orange, red),
      },
      overrides: [],
    },
  };
  return panel;
}

/** Bars below each other, in the order of the queries: each a part of the one above. */
export function funnel({ title, description, queries, unit }: Common): AnyPanel {
  const panel: BarGaugePanel = {
    type: 'bargauge',
    title,
    description,
    targets: targets(queries, 'instant'),
    options: {
      reduceOptions: LAST,
      orientation: 'horizontal',
      displayMode: 'basic',
      valueMode: 'color',
      namePlacement: 'auto',
      showUnfilled: true,
      sizing: 'auto',
      minVizHeight: 16,
      minVizWidth: 8,
      maxVizHeight: 300,
      legend: { ...LEGEND, showLegend: false },
    },
    fieldConfig: { defaults: { unit, min: 0, color: { mode: 'palette-classic' } }, overrides: [] },
  };
  return panel;
}

export function pie({ title, description, queries, unit }: Common): AnyPanel {
  const panel: PieChartPanel = {
    type: 'piechart',
    title,
    description,
    targets: targets(queries, 'instant'),
    options: {
      reduceOptions: LAST,
      orientation: 'auto',
      pieType: 'pie',
      sort: 'desc',
      displayLabels: ['percent'],
      legend: { ...LEGEND, displayMode: 'table', placement: 'right', values: ['value', 'percent'] },
      tooltip: { mode: 'single', sort: 'none' },
    },
    fieldConfig: { defaults: { unit, color: { mode: 'palette-classic' } }, overrides: [] },
  };
  return panel;
}

export interface Numbers extends Common {
  readonly orange: number;
  readonly red: number;
  /** Texts instead of numbers: what is shown, and in which colour. */
  readonly words?: Readonly<Record<string, { readonly text: string; readonly color: string }>>;
}

export function numbers({ title, description, queries, unit, orange, red, words }: Numbers): AnyPanel {
  const panel: StatPanel = {
    type: 'stat',
    title,
    description,
    targets: targets(queries, 'instant'),
    options: {
      reduceOptions: LAST,
      orientation: 'auto',
      colorMode: 'background',
      graphMode: 'none',
      justifyMode: 'auto',
      textMode: 'value_and_name',
      percentChangeColorMode: 'standard',
      showPercentChange: false,
      wideLayout: true,
    },
    fieldConfig: {
      defaults: {
        unit,
        color: { mode: 'thresholds' },
        thresholds: warned(orange, red),
        mappings: words === undefined ? [] : [{ type: 'value', options: words }],
      },
      overrides: [],
    },
  };
  return panel;
}

export interface Columns extends Common {
  /** Heads of the label columns, by label, in their order; the queries' values follow, headed by their legends. */
  readonly labels: Readonly<Record<string, string>>;
  /** The column that it is sorted by, the largest first. */
  readonly sortBy: string;
}

/** One row for each set of labels that the queries have in common. */
export function table({ title, description, queries, unit, labels, sortBy }: Columns): AnyPanel {
  const values = Object.keys(queries).map((head, index) => [`Value #${REF_IDS[index] ?? ''}`, head] as const);
  const heads = [...Object.entries(labels), ...values];
  const panel: TablePanel = {
    type: 'table',
    title,
    description,
    targets: targets(queries, 'table'),
    transformations: [
      { id: 'merge', options: {} },
      {
        id: 'organize',
        options: {
          excludeByName: { Time: true },
          indexByName: Object.fromEntries(heads.map(([name], index) => [name, index])),
          renameByName: Object.fromEntries(heads),
        },
      },
    ],
    options: { frameIndex: 0, showHeader: true, sortBy: [{ displayName: sortBy, desc: true }] },
    fieldConfig: {
      defaults: { custom: { align: 'auto' } },
      overrides: values.map(([, head]) => ({
        matcher: { id: 'byName', options: head },
        properties: [{ id: 'unit', value: unit }],
      })),
    },
  };
  return panel;
}
