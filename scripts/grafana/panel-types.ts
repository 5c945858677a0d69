/**
 * Dashboards and their panels as Grafana's own schema package types them, with enums as the texts that stand in the JSON.
 * Types only.
 */
import type { Dashboard, DataQuery, FieldConfig, FieldConfigSource, Panel, RowPanel } from '@grafana/schema';
import type { Options as BarGaugeOptions } from '@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen';
import type { Options as GaugeOptions } from '@grafana/schema/dist/esm/raw/composable/gauge/panelcfg/x/GaugePanelCfg_types.gen';
import type {
  FieldConfig as PieChartCustom,
  Options as PieChartOptions,
} from '@grafana/schema/dist/esm/raw/composable/piechart/panelcfg/x/PieChartPanelCfg_types.gen';
import type { Options as StatOptions } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type {
  FieldConfig as TableCustom,
  Options as TableOptions,
} from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type {
  FieldConfig as TimeSeriesCustom,
  Options as TimeSeriesOptions,
} from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

/** JSON of a schema type: members of enums as their values. */
export type Plain<T> = T extends string
  ? `${T}`
  : T extends number
    ? number
    : T extends readonly (infer E)[]
      ? readonly Plain<E>[]
      : T extends object
        ? { readonly [K in keyof T]: Plain<T[K]> }
        : T;

/** A query of Prometheus; what is Prometheus' own is not in the schema package. */
export interface PrometheusTarget extends Plain<Omit<DataQuery, 'datasource'>> {
  readonly expr: string;
  readonly legendFormat?: string;
  readonly instant: boolean;
  readonly range: boolean;
  readonly format?: 'time_series' | 'table';
}

interface PanelOf<Kind extends string, Options, Custom>
  extends Omit<Plain<Panel>, 'type' | 'options' | 'fieldConfig' | 'targets'> {
  readonly type: Kind;
  readonly title: string;
  readonly description: string;
  readonly options: Plain<Options>;
  readonly fieldConfig: {
    readonly defaults: Omit<Plain<FieldConfig>, 'custom'> & { readonly custom?: Plain<Partial<Custom>> };
    readonly overrides: Plain<FieldConfigSource['overrides']>;
  };
  readonly targets: readonly PrometheusTarget[];
}

export type TimeSeriesPanel = PanelOf<'timeseries', TimeSeriesOptions, TimeSeriesCustom>;
export type GaugePanel = PanelOf<'gauge', GaugeOptions, object>;
export type BarGaugePanel = PanelOf<'bargauge', BarGaugeOptions, object>;
export type StatPanel = PanelOf<'stat', StatOptions, object>;
export type PieChartPanel = PanelOf<'piechart', PieChartOptions, PieChartCustom>;
export type TablePanel = PanelOf<'table', TableOptions, TableCustom>;
export type AnyPanel = TimeSeriesPanel | GaugePanel | BarGaugePanel | StatPanel | PieChartPanel | TablePanel;

export interface Board extends Omit<Plain<Dashboard>, 'panels'> {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly (AnyPanel | Plain<RowPanel>)[];
}
