/**
 * What the ABI is made of, as values: structs with the place, width and byte order of each field, and enums. Extracted
 * from BTF, written into the generated table, and compared with it. Knows no particular struct.
 */
import { BngError } from '../model/bng-error.js';
import type { BtfTable, BtfType } from './btf.js';

/** Unsigned words in host order, or in network order (`be`). */
export type AbiScalar = 'u8' | 'u16' | 'u32' | 'u64' | 'be16' | 'be32';

/** `bytes` is an array of u8; `array` one of `element`; `struct` a nested `element`. */
export type AbiKind = AbiScalar | 'bytes' | 'array' | 'struct';

export interface AbiField {
  /** As in C. */
  readonly name: string;
  readonly offset: number;
  /** Bytes, of the whole array where it is one. */
  readonly size: number;
  readonly kind: AbiKind;
  /** Element of an array, be it a word or a struct; name of a nested struct. */
  readonly element?: string;
  /** How many elements an `array` has. */
  readonly count?: number;
}

export interface AbiStruct {
  readonly name: string;
  readonly size: number;
  readonly fields: readonly AbiField[];
}

export interface AbiEnum {
  readonly name: string;
  readonly members: Readonly<Record<string, number>>;
}

export interface Abi {
  readonly structs: readonly AbiStruct[];
  readonly enums: readonly AbiEnum[];
}

/** What a key or a value is made of. */
export type AbiType = Pick<AbiField, 'size' | 'kind' | 'count' | 'element'>;

const SCALARS: Readonly<Record<number, AbiScalar>> = { 1: 'u8', 2: 'u16', 4: 'u32', 8: 'u64' };

function isScalar(kind: AbiKind): kind is AbiScalar {
  return kind !== 'bytes' && kind !== 'array' && kind !== 'struct';
}

function unsupported(where: string, found: string): BngError {
  return new BngError(
    'BNG_ERR_WIRE_UNSUPPORTED',
    'unsigned words, structs and arrays of either make an ABI',
    {
      where,
      found,
    },
  );
}

function typeAt(table: BtfTable, id: number, where: string): BtfType {
  const type = table[id];
  if (type === undefined) throw unsupported(where, `type id ${id}`);
  return type;
}

/** Follows typedefs and qualifiers, and throws `BNG_ERR_WIRE_UNSUPPORTED` for what an ABI cannot hold; the kernel's `__be16` and `__be32` give the byte order that the int below lacks. */
export function resolveType(table: BtfTable, id: number, where: string, element = false): AbiType {
  // A chain longer than the table has a cycle.
  for (let step = 0, next = id; step <= table.length; step++) {
    const type = typeAt(table, next, where);
    if (type.kind === 'typedef' && type.name === '__be16') return { kind: 'be16', size: 2 };
    if (type.kind === 'typedef' && type.name === '__be32') return { kind: 'be32', size: 4 };
    // Also an array that is its own element.
    if (type.kind === 'array' && element) throw unsupported(where, 'array of arrays');
    if (type.kind !== 'typedef' && type.kind !== 'qualifier') return resolveData(table, type, where);
    next = type.typeId;
  }
  throw unsupported(where, 'endless chain of typedefs');
}

function resolveData(table: BtfTable, type: BtfType, where: string): AbiType {
  if (type.kind === 'int') {
    const kind = SCALARS[type.size];
    if (kind === undefined) throw unsupported(where, `integer of ${type.size} bytes`);
    return { kind, size: type.size };
  }
  if (type.kind === 'struct') return { kind: 'struct', size: type.size, element: type.name };
  if (type.kind !== 'array') throw unsupported(where, type.kind);
  const element = resolveType(table, type.elementId, where, true);
  const size = element.size * type.count;
  if (element.kind === 'u8') return { kind: 'bytes', size };
  const { count } = type;
  if (element.kind === 'struct' && element.element !== undefined)
    return { kind: 'array', size, count, element: element.element };
  if (!isScalar(element.kind)) throw unsupported(where, `array of ${element.kind}`);
  return { kind: 'array', size, count, element: element.kind };
}

function extractStruct(table: BtfTable, type: BtfType & { readonly kind: 'struct' | 'union' }): AbiStruct {
  const fields = type.members.map((member) => ({
    name: member.name,
    offset: member.offset,
    ...resolveType(table, member.typeId, `${type.name}.${member.name}`),
  }));
  return { name: type.name, size: type.size, fields };
}

/** The struct of this name, or null when the BTF has none. Throws `BNG_ERR_WIRE_UNSUPPORTED`. */
export function findStruct(table: BtfTable, name: string): AbiStruct | null {
  for (const type of table) {
    if (type.kind === 'struct' && type.name === name) return extractStruct(table, type);
  }
  return null;
}

/**
 * Puts the struct of this name behind all that are nested in it, unless it is among `found` already. Throws
 * `BNG_ERR_WIRE_UNSUPPORTED`, also for a struct that holds itself, which no compiler writes.
 */
export function visitNested(table: BtfTable, name: string, found: Map<string, AbiStruct>): void {
  const open = new Set<string>();
  const add = (of: string): void => {
    const struct = found.has(of) ? null : findStruct(table, of);
    if (struct === null) return;
    if (open.has(of)) throw unsupported(of, 'struct that holds itself');
    open.add(of);
    for (const field of struct.fields) if (field.element !== undefined) add(field.element);
    found.set(of, struct);
  };
  add(name);
}

/** The enum of this name, or null when the BTF has none. */
export function findEnum(table: BtfTable, name: string): AbiEnum | null {
  for (const type of table) {
    if (type.kind !== 'enum' || type.name !== name) continue;
    return { name, members: Object.fromEntries(type.members.map((member) => [member.name, member.value])) };
  }
  return null;
}

/**
 * Everything that the union `unionName` lists, and the structs nested in it, which come first. Throws
 * `BNG_ERR_WIRE_UNSUPPORTED` when the union is missing or lists something that an ABI cannot hold.
 */
export function extractAbi(table: BtfTable, unionName: string): Abi {
  const union = table.find((type) => type.kind === 'union' && type.name === unionName);
  if (union?.kind !== 'union') throw unsupported(unionName, 'no such union');
  const structs = new Map<string, AbiStruct>();
  const enums: AbiEnum[] = [];
  const add = (name: string): void => visitNested(table, name, structs);
  for (const member of union.members) {
    const type = typeAt(table, member.typeId, `${unionName}.${member.name}`);
    const found = type.kind === 'enum' ? findEnum(table, type.name) : null;
    if (type.kind === 'struct') add(type.name);
    else if (found !== null) enums.push(found);
    else throw unsupported(`${unionName}.${member.name}`, type.kind);
  }
  return { structs: [...structs.values()], enums };
}
