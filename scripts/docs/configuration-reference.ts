/** docs/configuration.md, made of the schema that checks bng.yaml and of the notes of its keys. */
import { fileSchema, keysOf } from '../../src/config/file-schema.js';
import type { FileKey, JsonSchema } from '../../src/config/file-schema.js';
import type { KeyChange } from '../../src/config/live-keys.js';
import { KEY_CHANGES } from '../../src/config/live-keys.js';
import { KEY_NOTES } from '../../src/config/key-notes.js';
import { cell } from './markdown.js';

const HEAD = `<!-- Written by make docs from src/config; do not edit. -->
# Configuration

The BNG reads one YAML 1.2 file, \`/etc/bng/bng.yaml\` unless \`-c\` says otherwise. Unknown keys are errors.

<!-- not run here: writes below /etc -->
\`\`\`sh
bng config init                    # writes a commented example to /etc/bng/bng.yaml, never over a file that is there
bng check                          # names every problem: line, key, what was expected, what was found
bng config schema > bng.schema.json
\`\`\`

The schema (JSON Schema 2020-12, also in [deploy/bng.schema.json](../deploy/bng.schema.json)) is for editors; \`bng check\` knows more: what keys must have
in common, and whether the files with secrets can be read by others. [deploy/bng.example.yaml](../deploy/bng.example.yaml) is the example.

In the tables \`[]\` stands for each item of a list and \`*\` for a name of your choice. Keys without a default are required in their section where the
column says so. *Change*: \`live\` takes effect at \`bngctl reload\` or SIGHUP; a reload that would change a key marked \`restart\` is refused, by its name, and changes nothing. Secrets are never in this file: it names files with one line of text each, which only their owner may read (\`chmod 600\`).
`;

/** The whole document. */
export function configurationReference(): string {
  const schema = fileSchema();
  const all = keysOf(schema).filter(({ path }) => KEY_NOTES[path] !== undefined);
  const sections = Object.entries(schema.properties ?? {}).map(([name, part]) => {
    const rows = all
      .filter(({ path }) => path.startsWith(`${name}.`) || path.startsWith(`${name}[`))
      .map(row);
    const need = (schema.required ?? []).includes(name) ? 'Required.' : 'May be left out.';
    return `## ${name}

${part.description} ${part.type === 'array' ? 'A list. ' : ''}${need}

| Key | Value | Default | Change | Meaning |
|---|---|---|---|---|
${rows.join('\n')}
`;
  });
  return `${HEAD}\n${sections.join('\n')}`;
}

function row({ path, schema, required }: FileKey): string {
  const note = KEY_NOTES[path];
  const fallback = required ? '**required**' : (note?.otherwise ?? written(path, schema.default) ?? 'none');
  const unit = note?.unit === undefined ? '' : `, in ${note.unit}`;
  return `| \`${path}\` | ${cell(valueOf(path, schema) + unit)} | ${cell(fallback)} | ${changeOf(path)} | ${cell(note?.meaning ?? '')} |`;
}

const CHANGES: Readonly<Record<KeyChange, string>> = {
  live: 'live',
  unused: 'live: added, and taken out when unused',
  restart: 'restart',
};

/** What a reload does with another value; a mapping changes as its keys do. */
function changeOf(path: string): string {
  const change = KEY_CHANGES[path];
  return change === undefined ? '' : CHANGES[change];
}

function written(path: string, value: unknown): string | null {
  if (value === undefined) return null;
  if (KEY_NOTES[path]?.hex === true && typeof value === 'number') return `\`0x${value.toString(16)}\``;
  if (Array.isArray(value)) return value.length === 0 ? 'none' : `\`[${value.join(', ')}]\``;
  return typeof value === 'object'
    ? 'the defaults below'
    : `\`${JSON.stringify(value).replaceAll('"', '')}\``;
}

/** What may be written there, in words. */
function valueOf(path: string, schema: JsonSchema): string {
  if (schema.title !== undefined) return schema.title;
  const words = schema.enum ?? (schema.const === undefined ? null : [schema.const]);
  if (words !== null) return words.map((word) => written(path, word)).join(', ');
  switch (schema.type) {
    case 'boolean':
      return 'true or false';
    case 'integer':
      return `${schema.minimum} to ${schema.maximum}`;
    case 'array':
      return `a list: ${schema.items?.type === 'object' ? 'see below' : valueOf(path, schema.items ?? {})}`;
    case 'object':
      return 'a mapping';
    default:
      throw new Error(`no words for the values of ${path}`);
  }
}
