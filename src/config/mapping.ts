/**
 * Reads mappings and lists of mappings entry by entry, so that one bad entry hides no other and checks across entries
 * can still use the good ones. Knows no setting.
 */
import { z } from 'zod';
import type { Finding, Path } from './problem.js';

export type Shape = Readonly<Record<string, z.ZodType>>;
export type Values<S extends Shape> = { readonly [K in keyof S]: z.output<S[K]> };

/** What could be read of a mapping: the entries that are right, and all of them when every one is. */
export interface Reading<S extends Shape> {
  readonly partial: Partial<Values<S>>;
  readonly complete: Values<S> | null;
}

/** Reads the mapping `value` at `path` and adds what is wrong to `findings`. An absent mapping is an empty one. */
export function readMapping<S extends Shape>(
  shape: S,
  source: { readonly value: unknown; readonly path: Path },
  findings: Finding[],
): Reading<S> {
  const { path, value = {} } = source;
  if (!isMapping(value)) {
    findings.push({ path, expected: 'a mapping' });
    return { partial: {}, complete: null };
  }
  const before = findings.length;
  for (const key of Object.keys(value)) {
    if (!Object.hasOwn(shape, key)) findings.push(unknownKey(path, key, knownKeys(shape)));
  }
  const read: Record<string, unknown> = {};
  for (const [key, schema] of Object.entries(shape)) {
    const result = schema.safeParse(Object.hasOwn(value, key) ? value[key] : undefined);
    if (result.success) read[key] = result.data;
    else findings.push(...result.error.issues.flatMap((issue) => findingsOf(issue, [...path, key])));
  }
  // Each entry of `read` came out of the schema of its key.
  return {
    partial: read as Partial<Values<S>>,
    complete: findings.length === before ? (read as Values<S>) : null,
  };
}

/** Reads a list of mappings of one shape; anything but a list is a finding and reads as null. */
export function readMappings<S extends Shape>(
  shape: S,
  source: { readonly value: unknown; readonly path: Path; readonly expected: string },
  findings: Finding[],
): readonly Reading<S>[] | null {
  const { value, path, expected } = source;
  if (!Array.isArray(value)) {
    findings.push({ path, expected });
    return null;
  }
  return value.map((item: unknown, index) =>
    // An item that is there but empty (`- `) is no mapping, unlike an absent section.
    readMapping(shape, { value: item ?? null, path: [...path, index] }, findings),
  );
}

/** The schema of a mapping inside a value; unknown keys are errors there too. */
export function mapping<S extends Shape>(shape: S) {
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? knownKeys(shape) : 'a mapping'),
  });
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function knownKeys(shape: Shape): string {
  return `only the keys ${Object.keys(shape).join(', ')}`;
}

function unknownKey(path: Path, key: string, expected: string): Finding {
  return { path: [...path, key], expected, found: `the unknown key ${key}` };
}

function findingsOf(issue: z.core.$ZodIssue, base: Path): readonly Finding[] {
  const path = [...base, ...issue.path.map((step) => (typeof step === 'number' ? step : String(step)))];
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => unknownKey(path, key, issue.message));
  return [{ path, expected: issue.message }];
}
