/**
 * Reader of raw BTF (the `.BTF` section of a BPF object): bytes in, a table of types out. Pure; knows no struct of
 * ours. Kinds that describe no data (functions, tags) are kept as `other` so that type ids stay indices.
 */
import { BngError } from '../model/bng-error.js';

export interface BtfMember {
  readonly name: string;
  readonly typeId: number;
  /** Bytes from the start of the struct. */
  readonly offset: number;
}

export interface BtfEnumerator {
  readonly name: string;
  readonly value: number;
}

export type BtfType =
  | { readonly kind: 'int'; readonly name: string; readonly size: number }
  | { readonly kind: 'pointer'; readonly typeId: number }
  | { readonly kind: 'array'; readonly elementId: number; readonly count: number }
  | {
      readonly kind: 'struct' | 'union';
      readonly name: string;
      readonly size: number;
      readonly members: readonly BtfMember[];
    }
  | {
      readonly kind: 'enum';
      readonly name: string;
      readonly size: number;
      readonly members: readonly BtfEnumerator[];
    }
  | { readonly kind: 'typedef'; readonly name: string; readonly typeId: number }
  | { readonly kind: 'qualifier'; readonly typeId: number }
  | { readonly kind: 'variable'; readonly name: string; readonly typeId: number }
  /** The variables of one section of the object, by type id. */
  | { readonly kind: 'section'; readonly name: string; readonly variableIds: readonly number[] }
  | { readonly kind: 'other' };

/** Types by id; id 0 is `void`. */
export type BtfTable = readonly BtfType[];

/** Numbers of the kernel's include/uapi/linux/btf.h. */
const Kind = {
  int: 1,
  pointer: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  forward: 7,
  typedef: 8,
  volatile: 9,
  const: 10,
  restrict: 11,
  function: 12,
  prototype: 13,
  variable: 14,
  section: 15,
  float: 16,
  declarationTag: 17,
  typeTag: 18,
  enum64: 19,
} as const;

const MAGIC = 0xeb9f;
const HEADER_BYTES = 24;
const TYPE_BYTES = 12;

/** Bytes that follow the common 12 of a type, by kind and number of members. */
function trailerBytes(kind: number, count: number): number {
  switch (kind) {
    case Kind.int:
    case Kind.variable:
    case Kind.declarationTag:
      return 4;
    case Kind.array:
      return 12;
    case Kind.struct:
    case Kind.union:
    case Kind.section:
    case Kind.enum64:
      return 12 * count;
    case Kind.enum:
    case Kind.prototype:
      return 8 * count;
    case Kind.pointer:
    case Kind.forward:
    case Kind.typedef:
    case Kind.volatile:
    case Kind.const:
    case Kind.restrict:
    case Kind.function:
    case Kind.float:
    case Kind.typeTag:
      return 0;
    default:
      throw new BngError('BNG_ERR_WIRE_UNSUPPORTED', 'BTF type of a kind known here', { kind });
  }
}

/** What one type is read from. */
interface RawType {
  readonly view: DataView;
  readonly offset: number;
  readonly name: string;
  readonly kind: number;
  readonly count: number;
  /** Bit 31 of `info`: bit-field encoding of members, signedness of enumerators. */
  readonly flag: boolean;
  readonly sizeOrType: number;
  readonly string: (offset: number) => string;
}

function readMembers(raw: RawType): BtfMember[] {
  return Array.from({ length: raw.count }, (_, index) => {
    const at = raw.offset + TYPE_BYTES + index * 12;
    const name = raw.string(raw.view.getUint32(at, true));
    const word = raw.view.getUint32(at + 8, true);
    const bits = raw.flag ? word & 0xffffff : word;
    if ((raw.flag && word >>> 24 !== 0) || bits % 8 !== 0) {
      throw new BngError('BNG_ERR_WIRE_UNSUPPORTED', 'bit-fields have no byte offset', {
        struct: raw.name,
        field: name,
        offset: at,
      });
    }
    return { name, typeId: raw.view.getUint32(at + 4, true), offset: bits / 8 };
  });
}

function readEnumerators(raw: RawType): BtfEnumerator[] {
  return Array.from({ length: raw.count }, (_, index) => {
    const at = raw.offset + TYPE_BYTES + index * 8;
    const value = raw.flag ? raw.view.getInt32(at + 4, true) : raw.view.getUint32(at + 4, true);
    return { name: raw.string(raw.view.getUint32(at, true)), value };
  });
}

function readType(raw: RawType): BtfType {
  const { name, sizeOrType } = raw;
  const trailer = raw.offset + TYPE_BYTES;
  switch (raw.kind) {
    case Kind.int:
      return { kind: 'int', name, size: sizeOrType };
    case Kind.pointer:
      return { kind: 'pointer', typeId: sizeOrType };
    case Kind.variable:
      return { kind: 'variable', name, typeId: sizeOrType };
    case Kind.section:
      return {
        kind: 'section',
        name,
        variableIds: Array.from({ length: raw.count }, (_, index) =>
          raw.view.getUint32(trailer + index * 12, true),
        ),
      };
    case Kind.array:
      return {
        kind: 'array',
        elementId: raw.view.getUint32(trailer, true),
        count: raw.view.getUint32(trailer + 8, true),
      };
    case Kind.struct:
      return { kind: 'struct', name, size: sizeOrType, members: readMembers(raw) };
    case Kind.union:
      return { kind: 'union', name, size: sizeOrType, members: readMembers(raw) };
    case Kind.enum:
      return { kind: 'enum', name, size: sizeOrType, members: readEnumerators(raw) };
    case Kind.typedef:
      return { kind: 'typedef', name, typeId: sizeOrType };
    case Kind.volatile:
    case Kind.const:
    case Kind.restrict:
    case Kind.typeTag:
      return { kind: 'qualifier', typeId: sizeOrType };
    default:
      return { kind: 'other' };
  }
}

function truncated(offset: number, need: number, have: number): BngError {
  return new BngError('BNG_ERR_WIRE_TRUNCATED', 'BTF goes on past its end', { offset, need, have });
}

/** Strings of BTF are ASCII, NUL-terminated, and found by their offset in the string section. */
function stringReader(strings: Uint8Array): (offset: number) => string {
  return (offset) => {
    const end = strings.indexOf(0, offset);
    if (offset >= strings.length || end < 0) throw truncated(offset, 1, 0);
    return Buffer.from(strings.buffer, strings.byteOffset + offset, end - offset).toString('latin1');
  };
}

/**
 * Reads a `.BTF` section of a little-endian object. Throws `BNG_ERR_WIRE_TRUNCATED`, `BNG_ERR_WIRE_MALFORMED` (not
 * BTF, or big-endian) or `BNG_ERR_WIRE_UNSUPPORTED` (a kind or a bit-field this reader does not know).
 */
export function readBtf(bytes: Uint8Array): BtfTable {
  if (bytes.length < HEADER_BYTES) throw truncated(0, HEADER_BYTES, bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getUint16(0, true);
  if (magic !== MAGIC) {
    throw new BngError('BNG_ERR_WIRE_MALFORMED', 'BTF magic expected', { offset: 0, expected: MAGIC, magic });
  }
  const headerBytes = view.getUint32(4, true);
  const typesStart = headerBytes + view.getUint32(8, true);
  const typesEnd = typesStart + view.getUint32(12, true);
  const stringsStart = headerBytes + view.getUint32(16, true);
  const stringsEnd = stringsStart + view.getUint32(20, true);
  const need = Math.max(typesEnd, stringsEnd);
  if (need > bytes.length) throw truncated(bytes.length, need, bytes.length);

  const string = stringReader(bytes.subarray(stringsStart, stringsEnd));
  const table: BtfType[] = [{ kind: 'other' }];
  for (let offset = typesStart; offset < typesEnd; ) {
    if (offset + TYPE_BYTES > typesEnd) throw truncated(offset, TYPE_BYTES, typesEnd - offset);
    const info = view.getUint32(offset + 4, true);
    const kind = (info >>> 24) & 0x1f;
    const count = info & 0xffff;
    const length = TYPE_BYTES + trailerBytes(kind, count);
    if (offset + length > typesEnd) throw truncated(offset, length, typesEnd - offset);
    const name = string(view.getUint32(offset, true));
    const sizeOrType = view.getUint32(offset + 8, true);
    table.push(readType({ view, offset, name, kind, count, flag: info >>> 31 === 1, sizeOrType, string }));
    offset += length;
  }
  return table;
}
