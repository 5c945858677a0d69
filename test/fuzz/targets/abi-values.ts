/** Keys and values of maps as an operator sees them: any bytes of the right length have a reading that JSON can hold. */
import assert from 'node:assert/strict';
import { AbiLayout } from '../../../src/dataplane/abi.js';
import { decodeAbi } from '../../../src/dataplane/abi-decode.js';
import type { FuzzTarget } from '../fuzz-target.js';

const LARGEST = Math.max(...AbiLayout.structs.map(({ size }) => size));

/** A subscriber's rates are packed, each in two fields, and are shown as one value. */
function shownAs(struct: string, field: string): string {
  return struct === 'bng_subscriber' ? field.replace(/_(ns_per_byte|burst)$/, '') : field;
}

export const target: FuzzTarget = {
  seeds: () => AbiLayout.structs.map((_, index) => new Uint8Array(1 + LARGEST).fill(index, 0, 1)),
  maxBytes: 1 + LARGEST,
  boundedRuns: 8_000,
  run: (input) => {
    const struct = AbiLayout.structs[(input[0] ?? 0) % AbiLayout.structs.length];
    assert.ok(struct !== undefined);
    const bytes = new Uint8Array(struct.size);
    bytes.set(input.subarray(1, 1 + struct.size));
    const value = decodeAbi({ kind: 'struct', size: struct.size, element: struct.name }, bytes);
    const fields = struct.fields.filter(({ name }) => name !== 'reserved').map(({ name }) => name);
    const found = JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
    for (const field of fields.map((name) => shownAs(struct.name, name)))
      assert.ok(field in found, `${struct.name} without ${field}`);
  },
};
