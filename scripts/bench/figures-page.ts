/** The figures as people read them: a table for the terminal and the page docs/figures.md. Pure: text in, text out. */
import type { Figure } from './figure.js';
import { formatValue, summarize } from './figure.js';

export interface Machine {
  readonly cpuModel: string;
  readonly cores: number;
  readonly kernel: string;
  readonly nodeVersion: string;
  /** Mean number of runnable processes in the minute before the bench began; anything far above 0 blurs the figures. */
  readonly loadBefore: number;
}

export interface PageOptions {
  readonly figures: readonly Figure[];
  readonly machine: Machine;
  /** ISO 8601 date. */
  readonly date: string;
  /** Fewer runs than usual were made. */
  readonly quick: boolean;
}

interface Row {
  readonly name: string;
  readonly median: string;
  readonly spread: string;
  readonly unit: string;
  readonly runs: string;
  readonly note: string;
}

function rowOf(figure: Figure): Row {
  const { median, least, most, runs } = summarize(figure.values);
  return {
    name: figure.name,
    median: formatValue(median),
    spread: `${formatValue(least)}–${formatValue(most)}`,
    unit: figure.unit,
    runs: String(runs),
    note: figure.note ?? '',
  };
}

function benchesOf(figures: readonly Figure[]): string[] {
  return [...new Set(figures.map((figure) => figure.bench))];
}

/** Lines for the terminal, columns aligned. */
export function figuresTable(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => ({ ...rowOf(figure), bench: figure.bench }));
  const width = (column: keyof Row | 'bench'): number =>
    Math.max(0, ...rows.map((row) => row[column].length));
  const widths = {
    bench: width('bench'),
    name: width('name'),
    median: width('median'),
    spread: width('spread'),
  };
  return rows
    .map((row) =>
      [
        row.bench.padEnd(widths.bench),
        row.name.padEnd(widths.name),
        row.median.padStart(widths.median),
        `(${row.spread})`.padEnd(widths.spread + 2),
        row.unit,
        `n=${row.runs}`,
        row.note,
      ]
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** The whole of docs/figures.md. */
export function figuresPage(options: PageOptions): string {
  const { figures, machine, date, quick } = options;
  const head = [
    '# Figures',
    '',
    'Written by `make bench` (`node dist/scripts/bench.js --write`); do not edit. No figure here is a promise: they are',
    'medians on one machine, with the least and the most of all runs beside them.',
    '',
    `- Date: ${date}`,
    `- Machine: ${machine.cpuModel}, ${machine.cores} cores, Linux ${machine.kernel}, Node.js ${machine.nodeVersion}`,
    `- Load before the bench: ${machine.loadBefore.toFixed(2)} runnable processes`,
    ...(quick ? ['- Quick: fewer and shorter runs than usual'] : []),
  ];
  const sections = benchesOf(figures).flatMap((bench) => [
    '',
    `## ${bench}`,
    '',
    '| figure | median | least–most | unit | runs | note |',
    '|---|---:|---:|---|---:|---|',
    ...figures
      .filter((figure) => figure.bench === bench)
      .map(rowOf)
      .map(
        (row) => `| ${row.name} | ${row.median} | ${row.spread} | ${row.unit} | ${row.runs} | ${row.note} |`,
      ),
  ]);
  return `${[...head, ...sections].join('\n')}\n`;
}
