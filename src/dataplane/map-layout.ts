/**
 * What keys and values of a map are made of, and moving a value from one layout to another, field by field by name. Knows no
 * particular map; both layouts come from BTF.
 */
import { type AbiField, type AbiStruct, visitNested } from './abi-layout.js';
import type { BtfTable } from './btf.js';

/** A struct, or one bare word. */
export type Layout =
  | { readonly kind: 'struct'; readonly struct: AbiStruct; readonly nested: ReadonlyMap<string, AbiStruct> }
  | { readonly kind: 'word'; readonly size: number };

/** The layout of a type; null when it has none that could be told from its size (type id 0, a pointer). */
export function layoutOf(table: BtfTable, typeId: number): Layout | null {
  // A chain longer than the table has a cycle.
  for (let step = 0, id = typeId; step <= table.length; step++) {
    const type = table[id];
    if (type === undefined) return null;
    if (type.kind === 'int') return { kind: 'word', size: type.size };
    if (type.kind === 'struct') return layoutOfStruct(table, type.name);
    if (type.kind !== 'typedef' && type.kind !== 'qualifier') return null;
    id = type.typeId;
  }
  return null;
}

/** The layout of the struct of this name; null when there is none. Throws `BNG_ERR_WIRE_UNSUPPORTED`. */
export function layoutOfStruct(table: BtfTable, name: string): Layout | null {
  const structs = new Map<string, AbiStruct>();
  visitNested(table, name, structs);
  const struct = structs.get(name);
  if (struct === undefined) return null;
  structs.delete(name);
  return { kind: 'struct', struct, nested: structs };
}

/** Whether bytes of the one mean the same in the other. */
export function isSameLayout(a: Layout | null, b: Layout | null): boolean {
  return describe(a) === describe(b);
}

function describe(layout: Layout | null): string {
  if (layout === null || layout.kind === 'word') return JSON.stringify(layout);
  return JSON.stringify([layout.struct, [...layout.nested].sort(([a], [b]) => (a < b ? -1 : 1))]);
}

/** One run of bytes that goes from one place to another. */
interface Move {
  readonly from: number;
  readonly to: number;
  readonly size: number;
}

/**
 * Makes a mover of values of `from` into zeroed values of `to`: what both have under one name goes over, cut to the shorter; the rest
 * stays zero. Words are little-endian, those in network order keep their size or are refused (null).
 */
export function mover(
  from: Layout,
  to: Layout,
): ((source: Uint8Array, at: number, target: Uint8Array, to: number) => void) | null {
  const moves = movesOf(from, to);
  if (moves === null) return null;
  return (source, at, target, place) => {
    for (const move of moves) {
      target.set(source.subarray(at + move.from, at + move.from + move.size), place + move.to);
    }
  };
}

function movesOf(from: Layout, to: Layout): readonly Move[] | null {
  if (from.kind === 'word' && to.kind === 'word') {
    return [{ from: 0, to: 0, size: Math.min(from.size, to.size) }];
  }
  if (from.kind !== 'struct' || to.kind !== 'struct') return null;
  return structMoves(from, to, { from: from.struct, to: to.struct, fromBase: 0, toBase: 0 });
}

interface Pair {
  readonly from: AbiStruct;
  readonly to: AbiStruct;
  readonly fromBase: number;
  readonly toBase: number;
}

type StructLayout = Layout & { readonly kind: 'struct' };

function structMoves(from: StructLayout, to: StructLayout, pair: Pair): readonly Move[] | null {
  const moves: Move[] = [];
  for (const target of pair.to.fields) {
    const source = pair.from.fields.find((field) => field.name === target.name);
    if (source === undefined) continue;
    const at = { fromBase: pair.fromBase + source.offset, toBase: pair.toBase + target.offset };
    const inner = innerOf(from, source);
    const outer = innerOf(to, target);
    if (inner !== null && outer !== null) {
      const found = structMoves(from, to, { from: inner, to: outer, ...at });
      if (found === null) return null;
      moves.push(...found);
    } else {
      if (!isMovable(source, target)) return null;
      moves.push({ from: at.fromBase, to: at.toBase, size: Math.min(source.size, target.size) });
    }
  }
  return moves;
}

function innerOf(layout: StructLayout, field: AbiField): AbiStruct | null {
  return field.kind === 'struct' && field.element !== undefined
    ? (layout.nested.get(field.element) ?? null)
    : null;
}

const HOST_WORDS: ReadonlySet<string> = new Set(['u8', 'u16', 'u32', 'u64']);

/** Host words may grow and shrink (little-endian); all else has to be of one kind. */
function isMovable(source: AbiField, target: AbiField): boolean {
  if (HOST_WORDS.has(source.kind) && HOST_WORDS.has(target.kind)) return true;
  return source.kind === target.kind && source.element === target.element;
}
