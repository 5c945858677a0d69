/** `bng config`: the example file and the schema, for who writes a configuration. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { exampleFile } from '../../config/example-file.js';
import { fileSchema } from '../../config/file-schema.js';

/** The schema as it is printed and published. */
export function schemaText(): string {
  return `${JSON.stringify(fileSchema(), null, 2)}\n`;
}

/** Writes the commented example to `path`. Returns the exit status: 1 when something is there or it cannot be written. */
export function configInit(path: string): number {
  try {
    mkdirSync(dirname(path), { recursive: true });
    // `wx` looks and writes in one step: nobody's configuration is written over.
    writeFileSync(path, exampleFile(), { flag: 'wx', mode: 0o644 });
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    const reason =
      error.code === 'EEXIST' ? 'is there already; expected a path without a file' : error.message;
    process.stderr.write(`${path}: ${reason}\n`);
    return 1;
  }
  process.stdout.write(
    `${path}: written. Name your interfaces and pools in it, then: bng check -c ${path}\n`,
  );
  return 0;
}

/** Prints the JSON schema of the configuration file. */
export function configSchema(): void {
  process.stdout.write(schemaText());
}
