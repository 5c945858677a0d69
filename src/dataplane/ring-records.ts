/** Cuts a batch of a ring buffer into its records. Knows no record. */

const RECORD_HEAD = 8;

/** The bytes of each record of a slab (u32 length, u32 zero, bytes, padded to 8), as views into it. */
export function ringRecords(slab: Uint8Array, used: number): Uint8Array[] {
  const view = new DataView(slab.buffer, slab.byteOffset, used);
  const found: Uint8Array[] = [];
  for (let at = 0; at + RECORD_HEAD <= used; ) {
    const length = view.getUint32(at, true);
    found.push(slab.subarray(at + RECORD_HEAD, at + RECORD_HEAD + length));
    at += RECORD_HEAD + Math.ceil(length / 8) * 8;
  }
  return found;
}

/** A batch of this record alone. */
export function ringBatch(record: Uint8Array): Uint8Array {
  const batch = new Uint8Array(RECORD_HEAD + Math.ceil(record.length / 8) * 8);
  new DataView(batch.buffer).setUint32(0, record.length, true);
  batch.set(record, RECORD_HEAD);
  return batch;
}
