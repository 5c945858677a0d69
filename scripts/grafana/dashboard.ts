/** Puts panels into a dashboard: rows of panels from left to right, the data source and the BNG chosen at the top. */
import type { AnyPanel, Board } from './panel-types.js';

export interface Row {
  readonly title: string;
  readonly panels: readonly AnyPanel[];
}

export interface DashboardPlan {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly rows: readonly Row[];
}

const GRID_WIDTH = 24;
const PANELS_IN_A_LINE = 3;
const PANEL_HEIGHT = 9;
const DATA_SOURCE = { type: 'prometheus', uid: '${datasource}' } as const;
/** Of the dashboard's JSON; Grafana brings older ones up to date when it loads them. */
const SCHEMA_VERSION = 41;

export function dashboard({ uid, title, description, rows }: DashboardPlan): Board {
  const panels: Board['panels'][number][] = [];
  let y = 0;
  const nextId = (): number => panels.length + 1;
  for (const row of rows) {
    panels.push({
      type: 'row',
      id: nextId(),
      title: row.title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: GRID_WIDTH, h: 1 },
    });
    y += 1;
    const w = GRID_WIDTH / Math.min(PANELS_IN_A_LINE, row.panels.length);
    for (const [index, panel] of row.panels.entries()) {
      const x = (index % PANELS_IN_A_LINE) * w;
      const below = Math.floor(index / PANELS_IN_A_LINE) * PANEL_HEIGHT;
      panels.push({
        ...panel,
        id: nextId(),
        datasource: DATA_SOURCE,
        gridPos: { x, y: y + below, w, h: PANEL_HEIGHT },
      });
    }
    y += Math.ceil(row.panels.length / PANELS_IN_A_LINE) * PANEL_HEIGHT;
  }
  return {
    uid,
    title,
    description,
    tags: ['bng'],
    schemaVersion: SCHEMA_VERSION,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    timezone: 'browser',
    links: [
      {
        type: 'dashboards',
        title: 'BNG',
        icon: 'external link',
        tooltip: '',
        tags: ['bng'],
        asDropdown: false,
        includeVars: true,
        keepTime: true,
        targetBlank: false,
      },
    ],
    templating: {
      list: [
        { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' },
        {
          name: 'instance',
          label: 'BNG',
          type: 'query',
          datasource: DATA_SOURCE,
          query: { query: 'label_values(bng_sessions_total, instance)', refId: 'instance' },
          refresh: 2,
          includeAll: true,
          multi: true,
          allValue: '.*',
          current: { selected: true, text: 'All', value: '$__all' },
        },
      ],
    },
    panels,
  };
}
