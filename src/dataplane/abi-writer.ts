/** Writes the text of `src/dataplane/abi.ts` from an extracted ABI. Pure; knows no particular struct. */
import { type Abi, type AbiEnum, type AbiField, type AbiScalar, type AbiStruct } from './abi-layout.js';
import type { AbiMap } from './abi-maps.js';

const HEAD = `/**
 * Generated from bpf/bng_abi.h by scripts/generate-abi; do not edit. Structs as the dataplane lays them out, with
 * readers and writers, its enums and limits. Addresses and ports in network order appear as plain numbers.
 */
import { BngError } from '../model/bng-error.js';
import type { AbiEnum, AbiStruct } from './abi-layout.js';
import type { AbiMap } from './abi-maps.js';

function putBytes(view: DataView, at: number, size: number, bytes: Uint8Array): void {
  if (bytes.length !== size) {
    throw new BngError('BNG_ERR_VALUE', 'as many bytes as the field holds', { expected: size, found: bytes.length });
  }
  new Uint8Array(view.buffer, view.byteOffset + at, size).set(bytes);
}

function getBytes(view: DataView, at: number, size: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + at, size).slice();
}

/** Elements not given are written as zero. */
function elements<T>(count: number, values: readonly T[], zero: T): T[] {
  if (values.length > count) {
    throw new BngError('BNG_ERR_VALUE', 'no more elements than the array holds', { count, found: values.length });
  }
  return Array.from({ length: count }, (_, index) => values[index] ?? zero);
}
`;

interface Access {
  readonly type: string;
  readonly get: (at: string) => string;
  readonly set: (at: string, value: string) => string;
  /** What stands for an element not given; default 0. */
  readonly zero?: string;
}

function word(method: string, order: string, type = 'number'): Access {
  return {
    type,
    get: (at) => `view.get${method}(${at}${order})`,
    set: (at, value) => `view.set${method}(${at}, ${value}${order})`,
  };
}

const SCALAR_ACCESS: Readonly<Record<AbiScalar, Access>> = {
  u8: word('Uint8', ''),
  u16: word('Uint16', ', true'),
  u32: word('Uint32', ', true'),
  u64: word('BigUint64', ', true', 'bigint'),
  be16: word('Uint16', ', false'),
  be32: word('Uint32', ', false'),
};

function camel(snake: string): string {
  return snake.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function pascal(snake: string): string {
  return camel(`_${snake}`);
}

function structAccess(name: string): Access {
  const type = pascal(name);
  return {
    type,
    zero: `read${type}(new DataView(new ArrayBuffer(${name.toUpperCase()}_SIZE)), 0)`,
    get: (at) => `read${type}(view, ${at})`,
    set: (at, value) => `write${type}(view, ${at}, ${value})`,
  };
}

function isScalarName(name: string): name is AbiScalar {
  return Object.hasOwn(SCALAR_ACCESS, name);
}

function elementAccess(name: string): Access {
  return isScalarName(name) ? SCALAR_ACCESS[name] : structAccess(name);
}

function arrayAccess(field: AbiField): Access {
  const count = field.count ?? 1;
  const step = field.size / count;
  const element = elementAccess(field.element ?? '');
  const zero = element.zero ?? (element.type === 'bigint' ? '0n' : '0');
  return {
    type: `readonly ${element.type}[]`,
    get: (at) => `Array.from({ length: ${count} }, (_, index) => ${element.get(`${at} + ${step} * index`)})`,
    set: (at, value) =>
      `elements(${count}, ${value}, ${zero}).forEach((element, index) => ` +
      `${element.set(`${at} + ${step} * index`, 'element')})`,
  };
}

function access(field: AbiField): Access {
  switch (field.kind) {
    case 'bytes':
      return {
        type: 'Uint8Array',
        get: (at) => `getBytes(view, ${at}, ${field.size})`,
        set: (at, value) => `putBytes(view, ${at}, ${field.size}, ${value})`,
      };
    case 'array':
      return arrayAccess(field);
    case 'struct':
      return structAccess(field.element ?? '');
    default:
      return SCALAR_ACCESS[field.kind];
  }
}

/** Fields of this name are written as zero and are no part of the value. */
function isReserved(field: AbiField): boolean {
  return field.name === 'reserved';
}

function structText(struct: AbiStruct): string {
  const type = pascal(struct.name);
  const visible = struct.fields.filter((field) => !isReserved(field));
  const place = (field: AbiField): string => (field.offset === 0 ? 'offset' : `offset + ${field.offset}`);
  const value = (field: AbiField): string => {
    if (!isReserved(field)) return `value.${camel(field.name)}`;
    return field.kind === 'bytes' ? `new Uint8Array(${field.size})` : field.kind === 'u64' ? '0n' : '0';
  };
  return [
    `export const ${struct.name.toUpperCase()}_SIZE = ${struct.size};`,
    '',
    `export interface ${type} {`,
    ...visible.map((field) => `  readonly ${camel(field.name)}: ${access(field).type};`),
    '}',
    '',
    `export function write${type}(view: DataView, offset: number, value: ${type}): void {`,
    ...struct.fields.map((field) => `  ${access(field).set(place(field), value(field))};`),
    '}',
    '',
    `export function read${type}(view: DataView, offset: number): ${type} {`,
    '  return {',
    ...visible.map((field) => `    ${camel(field.name)}: ${access(field).get(place(field))},`),
    '  };',
    '}',
    '',
  ].join('\n');
}

/** The most words of the enum's own name that all its members begin with: `bng_drop_reason` → `BNG_DROP_`. */
function memberPrefix(declared: AbiEnum): string {
  const words = declared.name.toUpperCase().split('_');
  for (let count = words.length; count > 0; count--) {
    const prefix = `${words.slice(0, count).join('_')}_`;
    if (Object.keys(declared.members).every((name) => name.startsWith(prefix))) return prefix;
  }
  return '';
}

function enumText(declared: AbiEnum): string {
  const type = pascal(declared.name);
  const prefix = memberPrefix(declared);
  const members = Object.entries(declared.members).map(([name, value]) => ({
    label: name.slice(prefix.length).toLowerCase(),
    value,
  }));
  return [
    `export const ${type} = {`,
    ...members.map(({ label, value }) => `  ${camel(label)}: ${value},`),
    '} as const;',
    '',
    `export const ${type}Labels: ReadonlyMap<number, string> = new Map([`,
    ...members
      .filter(({ label }) => label !== 'count')
      .map(({ label, value }) => `  [${value}, '${label}'],`),
    ']);',
    '',
  ].join('\n');
}

function fieldLiteral(field: AbiField): string {
  const count = field.count === undefined ? '' : `, count: ${field.count}`;
  const element = field.element === undefined ? '' : `${count}, element: '${field.element}'`;
  return `{ name: '${field.name}', offset: ${field.offset}, size: ${field.size}, kind: '${field.kind}'${element} }`;
}

function layoutText(abi: Abi): string {
  return [
    '/** Every struct and enum above, for comparison with a loaded object. */',
    'export const AbiLayout: { readonly structs: readonly AbiStruct[]; readonly enums: readonly AbiEnum[] } = {',
    '  structs: [',
    ...abi.structs.flatMap((struct) => [
      `    { name: '${struct.name}', size: ${struct.size}, fields: [`,
      ...struct.fields.map((field) => `      ${fieldLiteral(field)},`),
      '    ] },',
    ]),
    '  ],',
    '  enums: [',
    ...abi.enums.flatMap((declared) => [
      `    { name: '${declared.name}', members: {`,
      ...Object.entries(declared.members).map(([name, value]) => `      ${name}: ${value},`),
      '    } },',
    ]),
    '  ],',
    '};',
    '',
  ].join('\n');
}

function typeLiteral(type: AbiMap['key']): string {
  if (type === null) return 'null';
  const element = type.element === undefined ? '' : `, element: '${type.element}'`;
  const count = type.count === undefined ? '' : `, count: ${type.count}`;
  return `{ size: ${type.size}, kind: '${type.kind}'${count}${element} }`;
}

function mapsText(maps: readonly AbiMap[]): string {
  const indices = (map: AbiMap): string => (map.indices === null ? 'null' : `'${map.indices}'`);
  return [
    '/** Every map of the dataplane, for whoever reads them back. */',
    'export const AbiMaps: readonly AbiMap[] = [',
    ...maps.map(
      (map) =>
        `  { name: '${map.name}', key: ${typeLiteral(map.key)}, value: ${typeLiteral(map.value)}, indices: ${indices(map)} },`,
    ),
    '];',
    '',
  ].join('\n');
}

/** The whole generated file. Byte for byte the same for the same ABI. */
export function writeAbiModule(abi: Abi, maps: readonly AbiMap[]): string {
  return [
    HEAD,
    ...abi.enums.map(enumText),
    ...abi.structs.map(structText),
    layoutText(abi),
    mapsText(maps),
  ].join('\n');
}
