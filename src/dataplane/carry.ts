/**
 * Moves counters of another build's maps into this one's, while frames are counted there. Nothing is lost and nothing doubled: the
 * old maps are written by nobody any more, the program bng_carry adds their sums, and what was added is zeroed at once, so
 * that a crash in between leaves what is still to be moved.
 */
import { BngError } from '../model/bng-error.js';
import { BNG_CARRY_SIZE, BngCarryCounters, writeBngCarry } from './abi.js';
import { type AbiStruct, findEnum, findStruct } from './abi-layout.js';
import { type BtfTable, readBtf } from './btf.js';
import type { NativeMap, NativeObject } from './native-binding.js';

interface CounterMap {
  readonly counters: number;
  /** Struct of u64 words that an entry is; a bare word otherwise. */
  readonly struct?: string;
  /** Enum whose members the entries are of; otherwise an entry keeps its index. */
  readonly labels?: string;
}

/** The maps that only ever count. */
export const COUNTER_MAPS: ReadonlyMap<string, CounterMap> = new Map([
  ['bng_traffic', { counters: BngCarryCounters.traffic, struct: 'bng_traffic' }],
  ['bng_verdicts', { counters: BngCarryCounters.verdicts, labels: 'bng_verdict' }],
  ['bng_drops', { counters: BngCarryCounters.drops, labels: 'bng_drop_reason' }],
]);

const XDP_PASS = 2;

export interface CarryOptions {
  /** Loaded; its programs are attached. */
  readonly object: NativeObject;
  readonly name: string;
  readonly old: NativeMap;
  /** What the old map was made with. */
  readonly types: BtfTable;
}

/** Moves one map's counters. Throws `BNG_ERR_NATIVE` when the new map has no place for one that counted. */
export function carryCounters({ object, name, old, types: theirs }: CarryOptions): void {
  const rule = COUNTER_MAPS.get(name);
  if (rule === undefined) return;
  const ours = readBtf(object.btf());
  const indexOf = entryIndex(rule, theirs, ours);
  const wordOf = wordOrder(rule, theirs, ours);
  const wordsOfOld = old.valueSize / 8;
  const sums = old.readSums(0, old.summedEntries);
  const program = object.program('bng_carry');
  for (let entry = 0; entry < old.summedEntries; entry++) {
    const counted = sums.subarray(entry * wordsOfOld, (entry + 1) * wordsOfOld);
    if (counted.every((word) => word === 0n)) continue;
    const index = indexOf(entry);
    if (index !== null) {
      const order = new Uint8Array(BNG_CARRY_SIZE);
      writeBngCarry(new DataView(order.buffer), 0, {
        counters: rule.counters,
        index,
        words: wordOf.map((at) => (at === null ? 0n : (counted[at] ?? 0n))),
      });
      const { returnValue } = program.testRun({ data: order });
      if (returnValue !== XDP_PASS) {
        throw new BngError('BNG_ERR_NATIVE', 'expected a place for counters of the earlier build', {
          map: name,
          index,
        });
      }
    }
    old.clearSums(entry);
  }
}

/** Where an old entry is now; null for one whose meaning is gone. */
function entryIndex(rule: CounterMap, theirs: BtfTable, ours: BtfTable): (entry: number) => number | null {
  const { labels } = rule;
  if (labels === undefined) return (entry) => entry;
  const before = findEnum(theirs, labels)?.members ?? {};
  const now = findEnum(ours, labels)?.members ?? {};
  const labelOf = new Map(Object.entries(before).map(([label, index]) => [index, label]));
  return (entry) => now[labelOf.get(entry) ?? ''] ?? null;
}

/** For each word of an entry now, which word of the old entry it was; null for one that is new. */
function wordOrder(rule: CounterMap, theirs: BtfTable, ours: BtfTable): readonly (number | null)[] {
  if (rule.struct === undefined) return [0];
  const before = findStruct(theirs, rule.struct);
  const now = findStruct(ours, rule.struct);
  return fieldsOf(now).map(({ name }) => {
    const at = fieldsOf(before).find((field) => field.name === name)?.offset;
    return at === undefined ? null : at / 8;
  });
}

function fieldsOf(struct: AbiStruct | null): AbiStruct['fields'] {
  return struct?.fields ?? [];
}
