/** Aligned tables that fit the terminal: the widest columns give way first, then the last ones go. */
import { harmless, paint } from './terminal.js';
import type { Style, Terminal } from './terminal.js';

export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  readonly right?: boolean;
  readonly style?: (row: Row) => Style | null;
}

const GAP = '  ';
/** A column that must give way is never narrower; what is shorter by nature stays whole. */
const NARROWEST = 8;

/** Columns with their widths, settled once so that rows that come later stand under the same titles. */
export interface Layout<Row> {
  readonly columns: readonly Column<Row>[];
  readonly widths: readonly number[];
  /** How many columns had no room. */
  readonly leftOut: number;
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1));
}

/** The widths that fit, or null when even the narrowest do not. */
function fit(natural: readonly number[], available: number): number[] | null {
  const fitted = [...natural];
  while (total(fitted) > available) {
    const widest = Math.max(...fitted);
    if (widest <= NARROWEST) return null;
    fitted[fitted.indexOf(widest)] = widest - 1;
  }
  return fitted;
}

/** Settles widths by these rows; at least the first column always stays. */
export function layOut<Row>(
  terminal: Pick<Terminal, 'width'>,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): Layout<Row> {
  const natural = columns.map(({ title, text }) =>
    rows.reduce((widest, row) => Math.max(widest, harmless(text(row)).length), title.length),
  );
  if (terminal.width === null) return { columns, widths: natural, leftOut: 0 };
  for (let count = columns.length; count > 1; count--) {
    const widths = fit(natural.slice(0, count), terminal.width);
    if (widths !== null) {
      return { columns: columns.slice(0, count), widths, leftOut: columns.length - count };
    }
  }
  const widths = natural.slice(0, 1).map((width) => Math.min(width, terminal.width ?? width));
  return { columns: columns.slice(0, 1), widths, leftOut: Math.max(columns.length - 1, 0) };
}

function cell(
  text: string,
  width: number,
  { right = false, isCut }: { right?: boolean; isCut: boolean },
): string {
  const short = text.length <= width || !isCut ? text : `${text.slice(0, width - 1)}…`;
  return right ? short.padStart(width) : short.padEnd(width);
}

function line<Row>(
  terminal: Terminal,
  { columns, widths }: Layout<Row>,
  content: (column: Column<Row>) => { readonly text: string; readonly style: Style | null },
): string {
  const isCut = terminal.width !== null;
  return columns
    .map((column, index) => {
      const { text, style } = content(column);
      const right = column.right ?? false;
      return paint(terminal, style, cell(harmless(text), widths[index] ?? 0, { right, isCut }));
    })
    .join(GAP)
    .trimEnd();
}

/** The line of titles. */
export function titles<Row>(terminal: Terminal, layout: Layout<Row>): string {
  return line(terminal, layout, ({ title }) => ({ text: title, style: 'bold' }));
}

/** One line a row. */
export function rowsOf<Row>(terminal: Terminal, layout: Layout<Row>, rows: readonly Row[]): string[] {
  return rows.map((row) =>
    line(terminal, layout, ({ text, style }) => ({ text: text(row), style: style?.(row) ?? null })),
  );
}

/** Renders rows under their titles, one line each. */
export function table<Row>(
  terminal: Terminal,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): string[] {
  const layout = layOut(terminal, columns, rows);
  return [titles(terminal, layout), ...rowsOf(terminal, layout, rows)];
}
