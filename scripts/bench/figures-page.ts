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

/** What one has to know to judge a bench's figures: beneath them. */
const REMARKS: Readonly<Record<string, readonly string[]>> = {
  packets: [
    'Where the floor is. An upstream packet cannot do with less than the FIB lookup, one hash lookup (the source guard), the new',
    'header and the redirect; each is timed alone in the same run, and `floor` is their sum. What the path takes beyond it is parsing,',
    'the policer and the counters. The kernel of these figures answers speculative return stack overflow with Safe RET: every',
    'return of a kernel function is a misprediction, so a helper costs what `one call of a helper that does nothing` says before it',
    'does anything, and the FIB lookup is a dozen nested calls. Arrays are read without a call, hence buckets and counters in arrays',
    'and values, and a clock that is read once a tick.',
    '',
    'With 100,000 random subscribers every cache line that is theirs has to come from beyond the L2 cache, and its page is not in the TLB:',
    '`one cache line alone`, random less hot, is what one costs. A packet needs four: the bucket of the hash, two of the element (head',
    'and key; value with its policer), one of counters; bucket and element wait for each other, as `one hash lookup alone` shows.',
    'A DHCP answer needs bucket and element of its lease, and its record in the ring. Hardware counters are not to be had in a virtual',
    'machine without a PMU (`perf stat`: not supported), so the lines are counted from the layout and timed, not counted by the CPU.',
  ],
  flood: [
    'The flood is made, and so received, on a CPU of its own (a card with queues does the same); the other line, its BNG and the core have',
    'the rest. Both columns of a pair bear the making of the flood; what differs is whether the BNG is at its other end.',
  ],
};

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
    ...(REMARKS[bench] === undefined ? [] : ['', ...REMARKS[bench]]),
  ]);
  return `${[...head, ...sections].join('\n')}\n`;
}
