/**
 * The whole file as one JSON schema, made of the very shapes that check it and of the notes of its keys. For editors and
 * for the reference; what settings of different sections must have in common is not in it.
 */
import { z } from 'zod';
import { KEY_NOTES } from './key-notes.js';
import * as sections from './sections.js';

/** The part of JSON Schema (2020-12) that our shapes make. */
export interface JsonSchema {
  readonly type?: string;
  readonly title?: string;
  description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly propertyNames?: JsonSchema;
  readonly additionalProperties?: boolean | JsonSchema;
}

/** A section that may be left out, because each of its keys may. */
const withDefaults = <S extends z.ZodRawShape>(shape: S) => z.strictObject(shape).prefault({} as never);

const { records: _read, ...authKeys } = sections.AUTH;

/** The order is that of the example file. */
const FILE = z.strictObject({
  access: z.strictObject(sections.ACCESS),
  core: z.strictObject(sections.CORE),
  pools: z.array(z.strictObject(sections.POOL)).min(1),
  poolGroups: sections.POOL_GROUPS,
  dhcp: withDefaults(sections.DHCP),
  lines: withDefaults(sections.LINES),
  auth: z.strictObject({
    ...authKeys,
    records: z.array(z.strictObject(sections.AUTH_RECORD)).prefault([]),
  }),
  radius: z.strictObject(sections.RADIUS).optional(),
  accounting: withDefaults(sections.ACCOUNTING),
  walledGarden: z.strictObject(sections.WALLED_GARDEN),
  portal: withDefaults(sections.PORTAL),
  olt: z.strictObject(sections.OLT).optional(),
  api: withDefaults(sections.API),
  metrics: withDefaults(sections.METRICS),
  store: withDefaults(sections.STORE),
  audit: withDefaults(sections.AUDIT),
  log: withDefaults(sections.LOG),
  qos: withDefaults(sections.QOS),
  dataplane: withDefaults(sections.DATAPLANE),
} satisfies Record<keyof typeof sections.ROOT, z.ZodType>);

/** One key of the file. `[]` in a path stands for each item of a list, `*` for each name of a mapping. */
export interface FileKey {
  readonly path: string;
  readonly schema: JsonSchema;
  readonly required: boolean;
}

/** The schema of bng.yaml. Throws when a key has no note: a defect of ours. */
export function fileSchema(): JsonSchema {
  const schema = z.toJSONSchema(FILE, { io: 'input' }) as JsonSchema;
  for (const { path, schema: part } of keysOf(schema)) {
    const note = KEY_NOTES[path];
    // Items of a list are told of with the list.
    if (note === undefined && path.endsWith('[]')) continue;
    if (note === undefined) throw new Error(`no note in src/config/key-notes.ts for ${path}`);
    part.description = note.meaning;
  }
  return { title: 'bng.yaml', ...schema };
}

/** Every key below `schema`, each before those below it, in the order of the file. */
export function keysOf(schema: JsonSchema, base = ''): readonly FileKey[] {
  const below = (path: string, part: JsonSchema, required: boolean): readonly FileKey[] => [
    { path, schema: part, required },
    ...keysOf(part, path),
  ];
  const { properties = {}, required = [], items, additionalProperties } = schema;
  return [
    ...Object.entries(properties).flatMap(([key, part]) =>
      below(base === '' ? key : `${base}.${key}`, part, required.includes(key)),
    ),
    ...(items === undefined ? [] : below(`${base}[]`, items, false)),
    ...(typeof additionalProperties === 'object' ? below(`${base}.*`, additionalProperties, false) : []),
  ];
}
