/** Reads the configuration file. The only other reader of files is secret-file.ts. */
import { readFileSync } from 'node:fs';
import { parseConfig } from './parse-config.js';
import type { ConfigResult } from './parse-config.js';
import { configProblem } from './problem.js';
import { errorText } from '../model/bng-error.js';

/** Reads and parses the file at `path`; a file that cannot be read is a problem like any other. */
export function loadConfig(path: string): ConfigResult {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const found = errorText(error);
    return { ok: false, problems: [configProblem([], { line: null, expected: 'a readable file', found })] };
  }
  return parseConfig(text);
}
