/** Compares the BTF of a loaded object with the generated ABI table, so that no build talks to another's dataplane. */
import { BngError, type BngErrorContext } from '../model/bng-error.js';
import { type Abi, type AbiEnum, type AbiField, type AbiStruct, findEnum, findStruct } from './abi-layout.js';
import { readBtf } from './btf.js';

function mismatch(what: string, context: BngErrorContext): BngError {
  return new BngError('BNG_ERR_ABI_MISMATCH', `${what} as this build expects it`, context);
}

function describe(field: AbiField | undefined): string {
  if (field === undefined) return 'absent';
  const element = field.element === undefined ? '' : ` of ${field.element}`;
  return `${field.kind}${element}, ${field.size} bytes at ${field.offset}`;
}

function checkStruct(expected: AbiStruct, found: AbiStruct | null): void {
  if (found === null) throw mismatch('struct', { struct: expected.name, found: 'absent' });
  const names = new Set([...expected.fields, ...found.fields].map((field) => field.name));
  for (const name of names) {
    const want = describe(expected.fields.find((field) => field.name === name));
    const have = describe(found.fields.find((field) => field.name === name));
    if (want !== have)
      throw mismatch('field', { struct: expected.name, field: name, expected: want, found: have });
  }
  if (expected.size !== found.size) {
    throw mismatch('struct', { struct: expected.name, expected: expected.size, found: found.size });
  }
}

function checkEnum(expected: AbiEnum, found: AbiEnum | null): void {
  if (found === null) throw mismatch('enum', { enum: expected.name, found: 'absent' });
  for (const name of new Set([...Object.keys(expected.members), ...Object.keys(found.members)])) {
    const want = expected.members[name] ?? null;
    const have = found.members[name] ?? null;
    if (want !== have)
      throw mismatch('enum', { enum: expected.name, member: name, expected: want, found: have });
  }
}

/**
 * Throws `BNG_ERR_ABI_MISMATCH` naming struct and field (or enum and member) unless `rawBtf`, the `.BTF` section of a
 * dataplane object, holds everything of `expected` exactly so; `BNG_ERR_WIRE_*` when the bytes are no BTF.
 */
export function checkAbi(rawBtf: Uint8Array, expected: Abi): void {
  const table = readBtf(rawBtf);
  for (const declared of expected.enums) checkEnum(declared, findEnum(table, declared.name));
  for (const struct of expected.structs) checkStruct(struct, findStruct(table, struct.name));
}
