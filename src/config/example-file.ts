/**
 * bng.yaml with every key and what it means, made of the schema, the notes and the example values. A setting that is
 * switched off has `#` right before its key and shows its default.
 */
import { stringify } from 'yaml';
import { HIDDEN, SHOWN } from './example-values.js';
import { fileSchema } from './file-schema.js';
import type { JsonSchema } from './file-schema.js';
import { KEY_NOTES } from './key-notes.js';

const HEAD = `# bng.yaml: every setting. A setting with # right before its key is switched off and shows its default, or an example
# where it has none. \`bng check\` names every problem with its line; unknown keys are errors.
# Times are a whole number and a unit: 600s, 10m, 24h, 7d; timers of RADIUS also take ms.
`;

/** Comments stand here, where the setting leaves room. */
const COMMENT_COLUMN = 34;
const WIDTH = 118;

type Mapping = Readonly<Record<string, unknown>>;

/** The text of the example. Throws when a key has neither a default nor an example: a defect of ours. */
export function exampleFile(): string {
  const lines = entries(fileSchema(), { path: '', on: SHOWN, off: HIDDEN, all: false, indent: '' });
  return `${HEAD}${lines.join('\n')}\n`;
}

interface Place {
  readonly path: string;
  readonly on: Mapping;
  /** Values of keys that `on` has not. */
  readonly off: Mapping;
  /** Inside what is switched off, everything shows as if it were on. */
  readonly all: boolean;
  readonly indent: string;
}

/** The lines of a mapping's keys; sections have an empty line before them. */
function entries(schema: JsonSchema, { path, on, off, all, indent }: Place): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, part]) => {
    const below = path === '' ? key : `${path}.${key}`;
    const isOn = Object.hasOwn(on, key);
    const hidden = off[key];
    const value = isOn
      ? on[key]
      : (hidden ?? part.default ?? (part.properties === undefined ? undefined : {}));
    if (value === undefined) throw new Error(`no example in src/config/example-values.ts for ${below}`);
    const lines = entry(key, part, {
      path: below,
      value,
      off: isMapping(hidden) ? hidden : {},
      all: all || !isOn,
      indent,
    });
    const written = isOn || all ? lines : lines.map((line) => switchedOff(line, indent));
    return path === '' ? ['', ...written] : written;
  });
}

/** Comments of its own level stay as they are; those beside settings keep their column. */
function switchedOff(line: string, indent: string): string {
  const text = line.slice(indent.length);
  return text.startsWith('# ') ? line : `${indent}#${text.replace(/(?<=\S) {2,}# /, (gap) => gap.slice(1))}`;
}

interface Entry {
  readonly path: string;
  readonly value: unknown;
  readonly off: Mapping;
  readonly all: boolean;
  readonly indent: string;
}

function entry(key: string, schema: JsonSchema, { path, value, off, all, indent }: Entry): string[] {
  const comment = commentOf(path, schema);
  const inner = `${indent}  `;
  const mapped = (part: JsonSchema, at: string, on: Mapping, room: string): string[] =>
    entries(part, { path: at, on, off, all, indent: room });
  const head = withComment(`${indent}${key}:`, comment, indent);
  if (schema.properties !== undefined && isMapping(value))
    return [...head, ...mapped(schema, path, value, inner)];
  const { items, additionalProperties } = schema;
  if (items?.properties !== undefined && Array.isArray(value)) {
    return [
      ...head,
      ...value.flatMap((item: Mapping, index) => {
        if (index > 0) return [`${inner}- ${flow(item)}`];
        const [first = '', ...rest] = mapped(items, `${path}[]`, item, `${inner}  `);
        return [`${inner}- ${first.trimStart()}`, ...rest];
      }),
    ];
  }
  if (typeof additionalProperties === 'object' && additionalProperties.properties && isMapping(value)) {
    return [...head, ...Object.entries(value).map(([name, item]) => `${inner}${name}: ${flow(item)}`)];
  }
  const hex = KEY_NOTES[path]?.hex === true && typeof value === 'number';
  return withComment(`${indent}${key}: ${hex ? `0x${value.toString(16)}` : flow(value)}`, comment, indent);
}

/** The meaning of a key and, where the words are few, which it takes. */
function commentOf(path: string, schema: JsonSchema): string {
  const meaning = KEY_NOTES[path]?.meaning ?? '';
  return schema.enum === undefined || schema.type !== 'string'
    ? meaning
    : `${meaning.replace(/\.$/, '')} (${schema.enum.join(', ')}).`;
}

/** The comment beside the setting, or in lines above it. */
function withComment(setting: string, comment: string, indent: string): string[] {
  const beside = `${setting.padEnd(COMMENT_COLUMN)} # ${comment}`;
  if (beside.length <= WIDTH) return [beside];
  const lines = [''];
  for (const word of comment.split(' ')) {
    const last = lines.at(-1) ?? '';
    if (`${indent}# ${last} ${word}`.length <= WIDTH) lines[lines.length - 1] = `${last} ${word}`.trim();
    else lines.push(word);
  }
  return [...lines.map((line) => `${indent}# ${line}`), setting];
}

function flow(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0 }).trim();
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
