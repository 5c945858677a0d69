/**
 * Reads out a punt ring whose records another build laid out, and lays them out as ours. For once, at a start after a change of
 * the ABI; what it gives is read like a batch of the ring (punt-reader.ts).
 */
import type { Clock } from '../model/clock.js';
import { BNG_PUNT_SIZE, readBngPunt } from './abi.js';
import type { BtfTable } from './btf.js';
import { type Layout, layoutOfStruct, mover } from './map-layout.js';
import type { NativeBinding, NativeMap } from './native-binding.js';
import { ringBatch, ringRecords } from './ring-records.js';

export interface OldRingOptions {
  readonly binding: NativeBinding;
  readonly clock: Clock;
  readonly ring: NativeMap;
  /** Types of the programs that wrote it, and of ours. */
  readonly theirs: BtfTable;
  readonly ours: BtfTable;
}

const SLAB_BYTES = 1 << 18;
/** Nothing writes to the ring any more: once it is silent, it is empty. */
const SILENCE_MS = 10;

/** The head of every record, and a record that is more than head and frame. */
const HEAD = 'bng_punt';
const WITHOUT_FRAME = 'bng_lease_answered';

/** Batches of records as ours; empty when the layouts have nothing in common. */
export async function readOldRing(options: OldRingOptions): Promise<readonly Uint8Array[]> {
  const head = moverOf(options, HEAD);
  if (head === null) return [];
  const whole = moverOf(options, WITHOUT_FRAME);
  const found: Uint8Array[] = [];
  let batches = 0;
  const reader = options.binding.openRingBuffer(options.ring, {
    slabBytes: SLAB_BYTES,
    onBatch: (slab, used) => {
      batches++;
      found.push(...ringRecords(slab, used).flatMap((record) => translate(record, head, whole)));
    },
  });
  for (let seen = -1; seen !== batches; ) {
    seen = batches;
    await new Promise<void>((resolve) => options.clock.after(SILENCE_MS, resolve));
  }
  reader.close();
  return found;
}

interface Mover {
  readonly from: number;
  readonly to: number;
  readonly move: NonNullable<ReturnType<typeof mover>>;
}

function moverOf({ theirs, ours }: OldRingOptions, name: string): Mover | null {
  const from = layoutOfStruct(theirs, name);
  const to = layoutOfStruct(ours, name);
  const move = from === null || to === null ? null : mover(from, to);
  return move === null ? null : { from: sizeOf(from), to: sizeOf(to), move };
}

function sizeOf(layout: Layout | null): number {
  if (layout === null) return 0;
  return layout.kind === 'word' ? layout.size : layout.struct.size;
}

function translate(record: Uint8Array, head: Mover, whole: Mover | null): Uint8Array[] {
  if (record.length < head.from) return [];
  const ours = new Uint8Array(head.to);
  head.move(record, 0, ours, 0);
  const { frameLength } = readBngPunt(new DataView(ours.buffer), 0);
  if (frameLength === 0 && whole !== null) {
    if (record.length < whole.from) return [];
    const answered = new Uint8Array(whole.to);
    whole.move(record, 0, answered, 0);
    return [ringBatch(answered)];
  }
  const frame = record.subarray(head.from, head.from + frameLength);
  const both = new Uint8Array(BNG_PUNT_SIZE + frame.length);
  both.set(ours);
  both.set(frame, BNG_PUNT_SIZE);
  return [ringBatch(both)];
}
