/**
 * The maps of a BPF object as values: what their keys and values are made of. Extracted from the object's `.maps` section
 * and written into the generated table, so that a reader without the object decodes them. Knows no particular map.
 */
import { BngError } from '../model/bng-error.js';
import type { AbiEnum, AbiType } from './abi-layout.js';
import { resolveType } from './abi-layout.js';
import type { BtfTable, BtfType } from './btf.js';

export interface AbiMap {
  readonly name: string;
  /** Null for maps without keys and values (ring buffers). */
  readonly key: AbiType | null;
  readonly value: AbiType | null;
  /** The enum that the indices of an array stand for. */
  readonly indices: string | null;
}

type Struct = BtfType & { readonly kind: 'struct' | 'union' };

/**
 * The maps that the object declares, in the order of their names. An array that has as many entries as an enum of `enums`
 * counts in its `…_COUNT` is indexed by it. Throws `BNG_ERR_WIRE_UNSUPPORTED` for keys or values that no ABI holds.
 */
export function extractMaps(table: BtfTable, enums: readonly AbiEnum[]): readonly AbiMap[] {
  const section = table.find((type) => type.kind === 'section' && type.name === '.maps');
  if (section?.kind !== 'section') {
    throw new BngError('BNG_ERR_WIRE_UNSUPPORTED', 'expected a section .maps', { found: 'none' });
  }
  const maps = section.variableIds.map((id): AbiMap => {
    const variable = table[id];
    const definition = variable?.kind === 'variable' ? table[variable.typeId] : undefined;
    if (variable?.kind !== 'variable' || definition?.kind !== 'struct') {
      throw new BngError('BNG_ERR_WIRE_UNSUPPORTED', 'expected a map declared by its types', { id });
    }
    const { name } = variable;
    const key = pointedAt(table, definition, { member: 'key', name });
    const value = pointedAt(table, definition, { member: 'value', name });
    return { name, key, value, indices: key?.kind === 'u32' ? indicesOf(table, definition, enums) : null };
  });
  return maps.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** `__type(key, T)` declares a member `T *key`. */
function pointedAt(
  table: BtfTable,
  definition: Struct,
  { member, name }: { readonly member: string; readonly name: string },
): AbiType | null {
  const found = definition.members.find((candidate) => candidate.name === member);
  if (found === undefined) return null;
  const pointer = table[found.typeId];
  if (pointer?.kind !== 'pointer') {
    throw new BngError('BNG_ERR_WIRE_UNSUPPORTED', 'expected __type()', { map: name, member });
  }
  return resolveType(table, pointer.typeId, `${name}.${member}`);
}

/** `__uint(max_entries, N)` declares a member `int (*max_entries)[N]`. */
function indicesOf(table: BtfTable, definition: Struct, enums: readonly AbiEnum[]): string | null {
  const member = definition.members.find(({ name }) => name === 'max_entries');
  const pointer = member === undefined ? undefined : table[member.typeId];
  const array = pointer?.kind === 'pointer' ? table[pointer.typeId] : undefined;
  if (array?.kind !== 'array') return null;
  const counted = enums.filter(({ members }) =>
    Object.entries(members).some(([name, value]) => name.endsWith('_COUNT') && value === array.count),
  );
  return counted.length === 1 ? (counted[0]?.name ?? null) : null;
}
