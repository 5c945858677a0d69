/**
 * Reads what the sanitizers wrote during `make test-asan` and says what of it concerns our addon: every error, and each leak that has a frame
 * of ours. `node dist/scripts/sanitizer-reports.js FOLDER STATUS`; STATUS is that of the tests, which counts too.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addonLeaks, sanitizerErrors } from './sanitizer-text.js';

const [folder = '', status = '1'] = process.argv.slice(2);
const reports = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
const errors = [...new Set(reports.flatMap(sanitizerErrors))];
const leaks = [...new Set(reports.flatMap(addonLeaks))];
for (const text of [...errors, ...leaks]) console.log(`\nSANITIZER ${text}`);
console.log(
  `\nsanitizers: ${reports.length} processes reported, ${errors.length} errors, ${leaks.length} leaks of the addon`,
);
process.exit(errors.length + leaks.length > 0 ? 1 : Number(status));
