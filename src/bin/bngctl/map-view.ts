/** How the maps of the kernel look to people: keys and values as columns, by whatever the ABI decoded. */
import { formatRate } from './rate.js';
import type { Column } from './table.js';
import { table } from './table.js';
import type { Terminal } from './terminal.js';

export type MapValue = string | number | readonly MapValue[] | { readonly [field: string]: MapValue };

export interface MapEntryAnswer {
  readonly key: MapValue;
  readonly value: MapValue;
}

export interface MapAnswer {
  readonly name: string;
  readonly entries: readonly MapEntryAnswer[];
}

export interface MapSummaryAnswer {
  readonly name: string;
  readonly type: string;
  readonly key: string | null;
  readonly value: string | null;
  readonly max_entries: number;
}

export interface MapsAnswer {
  readonly maps: readonly MapSummaryAnswer[];
}

type Flat = readonly (readonly [name: string, text: string])[];

function isRecord(value: MapValue): value is { readonly [field: string]: MapValue } {
  return typeof value === 'object' && !Array.isArray(value);
}

/** A policer's rate says more in bits a second than in fractions of nanoseconds. */
function rateText(value: { readonly [field: string]: MapValue }): string | null {
  const { bits_per_second: rate, burst_ns: burst } = value;
  if (typeof rate !== 'number' || typeof burst !== 'string') return null;
  return rate === 0 ? 'unlimited' : `${formatRate(rate)}/${Math.round(Number(burst) / 1e6)}ms`;
}

/** A decoded value as names and texts; the name is empty for a value that is no struct. */
export function flatten(value: MapValue, name = ''): Flat {
  if (Array.isArray(value)) {
    return [[name, value.length === 0 ? '-' : value.map((part: MapValue) => textOf(part)).join(',')]];
  }
  if (!isRecord(value)) return [[name, textOf(value)]];
  const rate = rateText(value);
  if (rate !== null) return [[name, rate]];
  return Object.entries(value).flatMap(([field, part]) =>
    flatten(part, name === '' ? field : `${name}.${field}`),
  );
}

function textOf(value: MapValue): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

interface FlatEntry {
  readonly key: ReadonlyMap<string, string>;
  readonly value: ReadonlyMap<string, string>;
}

/** One column a field, those of the key first. */
export function mapView(terminal: Terminal, { entries }: MapAnswer): string[] {
  if (entries.length === 0) return ['no entries'];
  const flat = entries.map(
    (entry): FlatEntry => ({
      key: new Map(flatten(entry.key)),
      value: new Map(flatten(entry.value)),
    }),
  );
  const columnsOf = (part: keyof FlatEntry): Column<FlatEntry>[] =>
    [...new Set(flat.flatMap((entry) => [...entry[part].keys()]))].map((name) => ({
      title: (name === '' ? part : name).toUpperCase(),
      text: (entry) => entry[part].get(name) ?? '-',
      right: flat.every((entry) => /^[0-9]+$/.test(entry[part].get(name) ?? '0')),
    }));
  const lines = table(terminal, [...columnsOf('key'), ...columnsOf('value')], flat);
  return [...lines, `${entries.length} ${entries.length === 1 ? 'entry' : 'entries'}`];
}

export function mapsView(terminal: Terminal, { maps }: MapsAnswer): string[] {
  return table(
    terminal,
    [
      { title: 'MAP', text: (map: MapSummaryAnswer) => map.name },
      { title: 'TYPE', text: (map) => map.type },
      { title: 'KEY', text: (map) => map.key ?? '-' },
      { title: 'VALUE', text: (map) => map.value ?? '-' },
      { title: 'ROOM', text: (map) => String(map.max_entries), right: true },
    ],
    maps,
  );
}
