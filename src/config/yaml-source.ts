/** The YAML text: its plain values, and where and how an entry of them is written. Knows no setting. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Document, Node } from 'yaml';
import { configProblem } from './problem.js';
import type { ConfigProblem, Path } from './problem.js';
import { errorText } from '../model/bng-error.js';

/** Where an entry stands, or the nearest one around it, and its value as it is written. */
export interface Place {
  /** Counts from 1; null in an empty document. */
  readonly line: number | null;
  readonly found: string;
}

export interface YamlSource {
  readonly value: unknown;
  locate(path: Path): Place;
}

export type YamlResult =
  | { readonly ok: true; readonly source: YamlSource }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** Reads one YAML 1.2 document; duplicate keys, unknown tags and broken syntax are problems with their line. */
export function readYaml(text: string): YamlResult {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) {
    return { ok: false, problems: faults.map((e) => yamlProblem(lines.linePos(e.pos[0]).line, e.message)) };
  }
  try {
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    return { ok: true, source: { value, locate: (path) => locate(document, lines, path) } };
  } catch (error) {
    // The library throws for aliases that do not resolve or multiply beyond measure.
    return {
      ok: false,
      problems: [yamlProblem(null, errorText(error))],
    };
  }
}

function yamlProblem(line: number | null, fault: string): ConfigProblem {
  return configProblem([], { line, expected: 'valid YAML', found: fault.trim() });
}

function locate(document: Document.Parsed, lines: LineCounter, path: Path): Place {
  let node: Node | null = document.contents;
  let offset = startOf(node);
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document) ?? null;
    const entry = entryOf(node, step);
    offset = entry?.offset ?? offset;
    node = entry?.node ?? null;
    if (entry === null) break;
  }
  if (isAlias(node)) node = node.resolve(document) ?? null;
  return { line: offset === null ? null : lines.linePos(offset).line, found: describe(node) };
}

interface Entry {
  readonly node: Node | null;
  readonly offset: number | null;
}

function entryOf(node: Node | null, step: string | number): Entry | null {
  if (isSeq<Node>(node) && typeof step === 'number') {
    const item = node.items[step];
    return item === undefined ? null : { node: item, offset: startOf(item) };
  }
  if (!isMap<Node, Node | null>(node)) return null;
  const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === step);
  return pair === undefined ? null : { node: pair.value, offset: startOf(pair.key) };
}

function startOf(node: Node | null): number | null {
  return node?.range?.[0] ?? null;
}

/** A value in a few words; scalars as they are written, since 0x9100 should not come back as 37120. */
function describe(node: Node | null): string {
  if (isSeq(node)) return node.items.length === 0 ? 'an empty list' : 'a list';
  if (isMap(node)) return 'a mapping';
  if (!isScalar(node) || node.value === null) return 'nothing';
  const text = (node.source ?? JSON.stringify(node.value)).replace(/\s+/g, ' ');
  if (text === '') return 'an empty text';
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
