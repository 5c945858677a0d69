#!/usr/bin/env node
/** bngctl: asks a running BNG through its operator API. Only hands the process's world to the program. */
import { runBngctl } from './bngctl/program.js';

// A reader that has seen enough (`bngctl sessions | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

/** Set by people for a pipe; in a terminal its own width is the truth, which changes. */
function givenWidth(): number | null {
  const columns = Number(process.env['COLUMNS'] ?? '');
  return Number.isInteger(columns) && columns > 0 ? columns : null;
}

process.exitCode = await runBngctl(process.argv.slice(2), {
  out: (text) => process.stdout.write(`${text}\n`),
  err: (text) => process.stderr.write(`${text}\n`),
  get width() {
    return process.stdout.isTTY ? process.stdout.columns : givenWidth();
  },
  colour: process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '',
  isScreen: process.stdout.isTTY,
});
