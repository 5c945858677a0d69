/** Charts over time: uPlot paints, a list beside it says the same in words. Knows no figure's meaning. */
import uPlot from 'uplot';
import { h, setAttribute, setText } from './element.js';
import { timeOfDay } from './format.js';
import { colour, onThemeChange } from './theme.js';

const HEIGHT = 168;
/** Nothing that is charted comes in halves. */
const WHOLE_STEPS = Array.from({ length: 15 }, (_, power) =>
  [1, 2, 5].map((step) => step * 10 ** power),
).flat();
const FONT = '11px system-ui, sans-serif';

export interface ChartLine {
  readonly name: string;
  /** Of the style sheet, without its dashes. */
  readonly colour: string;
}

export interface ChartOptions {
  readonly title: string;
  readonly lines: readonly ChartLine[];
  /** Lines are put on top of each other, the first at the bottom. */
  readonly isStacked?: boolean;
  readonly value: (value: number) => string;
  readonly axisValue: (value: number) => string;
  readonly leastTop: number;
}

type Column = readonly (number | null)[];

export class Chart {
  readonly element: HTMLElement;
  readonly #o: ChartOptions;
  readonly #plot: uPlot;
  readonly #holder: HTMLElement;
  readonly #when: HTMLElement;
  readonly #values: readonly HTMLElement[];
  #time: readonly number[] = [];
  #columns: readonly Column[] = [];

  constructor(options: ChartOptions) {
    this.#o = options;
    this.#when = h('span', { class: 'when' }, 'now');
    this.#values = options.lines.map(() => h('span', { class: 'value' }));
    this.#holder = h('div', { class: 'plot', role: 'img', 'aria-label': options.title });
    const legend = options.lines.map((line, index) =>
      h(
        'li',
        {},
        h('span', { class: `swatch ${line.colour}` }),
        `${line.name} `,
        this.#values[index] ?? null,
      ),
    );
    this.element = h(
      'section',
      { class: 'panel' },
      h('header', {}, h('h2', {}, options.title), this.#when),
      h('ul', { class: 'legend' }, ...legend),
      this.#holder,
    );
    this.#plot = new uPlot(this.#plotOptions(), [[]], this.#holder);
    new ResizeObserver(([entry]) => {
      const width = Math.floor(entry?.contentRect.width ?? 0);
      if (width > 0) this.#plot.setSize({ width, height: HEIGHT });
    }).observe(this.#holder);
    onThemeChange(() => this.#plot.redraw(false));
  }

  /** One column for each line. */
  show(time: readonly number[], columns: readonly Column[]): void {
    this.#time = time;
    this.#columns = columns;
    const painted = this.#o.isStacked === true ? stacked(columns) : columns;
    // The topmost sum is painted first and what lies below it over it.
    this.#plot.setData([[...time], ...painted.map((column) => [...column]).reverse()]);
    this.#tell(this.#plot.cursor.idx ?? null);
  }

  #tell(hovered: number | null): void {
    const index = hovered ?? this.#time.length - 1;
    const at = this.#time[index];
    setText(this.#when, hovered === null || at === undefined ? 'now' : timeOfDay(at * 1000));
    const said = this.#o.lines.map((line, number) => {
      const value = this.#columns[number]?.[index] ?? null;
      const text = value === null ? '–' : this.#o.value(value);
      const holder = this.#values[number];
      if (holder !== undefined) setText(holder, text);
      return `${line.name} ${text}`;
    });
    if (hovered === null) setAttribute(this.#holder, 'aria-label', `${this.#o.title}: ${said.join(', ')}`);
  }

  #plotOptions(): uPlot.Options {
    const { lines, isStacked = false, axisValue, leastTop } = this.#o;
    const axis = {
      stroke: () => colour('muted'),
      font: FONT,
      grid: { stroke: () => colour('grid'), width: 1 },
      ticks: { show: false },
    };
    return {
      width: 300,
      height: HEIGHT,
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, y: false, points: { show: false } },
      padding: [8, 4, 0, 0],
      scales: { y: { range: (_plot, _least, most) => [0, Math.max(leastTop, (most ?? 0) * 1.08)] } },
      axes: [
        { ...axis, size: 26, values: (_plot, splits) => timeLabels(splits), space: 80 },
        {
          ...axis,
          size: 56,
          values: (_plot, splits) => splits.map(axisValue),
          space: 34,
          incrs: WHOLE_STEPS,
        },
      ],
      series: [
        {},
        ...[...lines].reverse().map((line) => ({
          stroke: () => colour(line.colour),
          width: isStacked ? 1 : 1.75,
          points: { show: false },
          ...(isStacked ? { fill: () => colour(`${line.colour}-area`) } : {}),
        })),
      ],
      hooks: { setCursor: [(plot) => this.#tell(plot.cursor.idx ?? null)] },
    };
  }
}

/** With seconds where minutes would repeat themselves. */
function timeLabels(splits: readonly number[]): string[] {
  const [first = 0, second = 60] = splits;
  return splits.map((at) => timeOfDay(at * 1000).slice(0, second - first < 60 ? 8 : 5));
}

function stacked(columns: readonly Column[]): readonly Column[] {
  const sums: Column[] = [];
  for (const column of columns) {
    const below = sums.at(-1);
    sums.push(column.map((value, index) => (value ?? 0) + (below?.[index] ?? 0)));
  }
  return sums;
}
