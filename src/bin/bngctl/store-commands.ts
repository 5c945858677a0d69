/** `bngctl store`: looks at, writes out and fills the store of a BNG that is not running. Asks no API. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { ExportedRow } from '../../store/offline.js';
import { checkStore, exportStore, formatRow, importStore, parseRow } from '../../store/offline.js';
import type { StoreFailure } from '../../store/port.js';
import { STORE_TABLES } from '../../store-parts.js';
import { harmless } from './terminal.js';
import type { Terminal } from './terminal.js';
import { errorText } from '../../model/bng-error.js';

const DEFAULT_PATH = '/var/lib/bng';

/** 0 done, 1 damaged or refused, 2 what was given cannot be used. */
type StoreExit = 0 | 1 | 2;

type Output = Pick<Terminal, 'out' | 'err'>;

interface StoreOptions {
  readonly path: string;
}

/** Adds the commands; `done` is told each one's exit code. */
export function addStoreCommands(program: Command, terminal: Output, done: (exit: StoreExit) => void): void {
  const store = program
    .command('store')
    .description('the store of a BNG that is not running: check, export, import');
  const add = (name: string, description: string): Command =>
    store
      .command(name)
      .description(description)
      .option('--path <folder>', 'store.path of the configuration', DEFAULT_PATH);
  add('check', 'read every page and every row, and name what is damaged; changes nothing').action(
    ({ path }: StoreOptions) => done(check(path, terminal, program.opts<{ json?: boolean }>().json === true)),
  );
  add('export', 'write every whole row to standard output, one JSON object a line').action(
    ({ path }: StoreOptions) => done(write(path, terminal)),
  );
  add('import', 'fill an empty store with what export has written')
    .argument('[file]', 'lines of JSON', '/dev/stdin')
    .action((file: string, { path }: StoreOptions) => done(read(path, file, terminal)));
}

function check(path: string, terminal: Output, json: boolean): StoreExit {
  const checked = checkStore(path, STORE_TABLES);
  if (!checked.ok) return refused(checked.failure, path, terminal);
  const { damage, rows } = checked.value;
  if (json) terminal.out(JSON.stringify({ path, damage, rows }));
  else {
    terminal.out(harmless(`${path}: ${damage === null ? 'whole' : `damaged: ${damage}`}`));
    for (const [table, count] of Object.entries(rows)) terminal.out(`  ${table}: ${count}`);
    if (damage !== null) {
      terminal.out('At its next start the BNG keeps the damaged files aside and goes on with these rows.');
    }
  }
  return damage === null ? 0 : 1;
}

function write(path: string, terminal: Output): StoreExit {
  const exported = exportStore(path, STORE_TABLES, (row) => terminal.out(formatRow(row)));
  if (!exported.ok) return refused(exported.failure, path, terminal);
  if (exported.value === null) return 0;
  terminal.err(harmless(`bngctl: ${path} is damaged, only whole rows were written: ${exported.value}`));
  return 1;
}

function read(path: string, file: string, terminal: Output): StoreExit {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    terminal.err(`bngctl: ${errorText(error)}`);
    return 2;
  }
  const rows: ExportedRow[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '') continue;
    const row = parseRow(line, STORE_TABLES);
    if (typeof row === 'string') {
      terminal.err(harmless(`bngctl: ${file}:${index + 1}: ${row}`));
      return 2;
    }
    rows.push(row);
  }
  const imported = importStore(path, STORE_TABLES, rows);
  if (!imported.ok) return refused(imported.failure, path, terminal);
  terminal.out(`${path}: ${imported.value} rows`);
  return 0;
}

function refused({ kind, reason }: StoreFailure, path: string, terminal: Output): StoreExit {
  const why = kind === 'in-use' ? 'a BNG is running on it: stop it first' : reason;
  terminal.err(harmless(`bngctl: the store at ${path} cannot be used: ${why}`));
  return 1;
}
