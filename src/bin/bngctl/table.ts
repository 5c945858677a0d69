/** Aligned tables that fit the terminal: the widest columns give way first. */
import { harmless, paint } from './terminal.js';
import type { Style, Terminal } from './terminal.js';

export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  readonly right?: boolean;
  readonly style?: (row: Row) => Style | null;
}

const GAP = '  ';
const NARROWEST = 4;

function fit(widths: readonly number[], available: number): number[] {
  const fitted = [...widths];
  let excess = fitted.reduce((sum, width) => sum + width, GAP.length * (fitted.length - 1)) - available;
  while (excess > 0) {
    const widest = Math.max(...fitted);
    if (widest <= NARROWEST) break;
    fitted[fitted.indexOf(widest)] = widest - 1;
    excess -= 1;
  }
  return fitted;
}

function cell(text: string, width: number, right: boolean): string {
  const short = text.length <= width ? text : `${text.slice(0, width - 1)}…`;
  return right ? short.padStart(width) : short.padEnd(width);
}

/** Renders rows under their titles, one line each. */
export function table<Row>(
  terminal: Terminal,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): string[] {
  const texts = rows.map((row) => columns.map((column) => harmless(column.text(row))));
  const natural = columns.map((column, index) =>
    texts.reduce((widest, row) => Math.max(widest, row[index]?.length ?? 0), column.title.length),
  );
  const widths = terminal.width === null ? natural : fit(natural, terminal.width);
  const line = (cells: readonly string[], style: (index: number) => Style | null): string =>
    columns
      .map(({ right = false }, index) =>
        paint(terminal, style(index), cell(cells[index] ?? '', widths[index] ?? 0, right)),
      )
      .join(GAP)
      .trimEnd();
  return [
    line(
      columns.map((column) => column.title),
      () => 'bold',
    ),
    ...rows.map((row, index) => line(texts[index] ?? [], (place) => columns[place]?.style?.(row) ?? null)),
  ];
}
