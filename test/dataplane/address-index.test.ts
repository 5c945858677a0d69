/** The table of who is where, against a map that is looked at after every single write, as a program may. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BNG_ADDRESS_BUCKET_SIZE, BNG_ADDRESS_SIZE, BngLimit } from '../../src/dataplane/abi.js';
import { AddressIndex, addressBuckets, slotInMap } from '../../src/dataplane/address-index.js';
import type { NativeMap } from '../../src/dataplane/native-binding.js';
import { type Ipv4, ipv4FromNumber } from '../../src/model/ipv4.js';

type Looker = Pick<NativeMap, 'maxEntries' | 'lookup'>;

/** The kernel's array, with a look at it as it was before the last write. */
class Table {
  readonly maxEntries: number;
  readonly bytes: Uint8Array;
  readonly before: Uint8Array;
  onWrite: () => void = () => undefined;

  constructor(slots: number) {
    this.maxEntries = addressBuckets(slots);
    this.bytes = new Uint8Array(this.maxEntries * BNG_ADDRESS_BUCKET_SIZE);
    this.before = new Uint8Array(this.bytes.length);
  }

  readAll(): { readonly values: Uint8Array } {
    return { values: this.bytes };
  }

  store(entry: number, first: number, words: Uint8Array): void {
    assert.equal(words.length, BNG_ADDRESS_SIZE);
    this.before.set(this.bytes);
    this.bytes.set(words, entry * BNG_ADDRESS_BUCKET_SIZE + first * 8);
    this.onWrite();
  }

  get map(): NativeMap {
    return this as unknown as NativeMap;
  }

  /** A program that reads each bucket once, the second one a write later than the first. */
  looking(): Looker {
    let looks = 0;
    return {
      maxEntries: this.maxEntries,
      lookup: (key) => {
        const bytes = looks++ === 0 ? this.before : this.bytes;
        const at = new DataView(key.buffer).getUint32(0, true) * BNG_ADDRESS_BUCKET_SIZE;
        return bytes.slice(at, at + BNG_ADDRESS_BUCKET_SIZE);
      },
    };
  }

  /** As such a program finds it while the last write is made. */
  slotMeanwhile(address: Ipv4): number | null {
    return slotInMap(this.looking() as NativeMap, address);
  }

  slotOf(address: Ipv4): number | null {
    this.before.set(this.bytes);
    return this.slotMeanwhile(address);
  }
}

/** The same numbers each time. */
function drawer(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

test('an address that is there is found at any moment, whatever is moved to make room', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const slots = 64;
    const table = new Table(slots);
    const index = new AddressIndex(table.map);
    const draw = drawer(seed);
    const there = new Map<Ipv4, number>();
    let writes = 0;
    table.onWrite = () => {
      writes++;
      for (const [address, slot] of there) assert.equal(table.slotMeanwhile(address), slot);
    };
    // More than the slots need, so that buckets overflow.
    for (let slot = 0; slot < 2 * slots - 16; slot++) {
      const address = ipv4FromNumber(1 + draw(2 ** 32 - 1));
      index.add(address, slot);
      there.set(address, slot);
    }
    assert.ok(writes > 2 * slots - 16, `seed ${seed}: nothing was ever moved`);
    for (const [address, slot] of there) assert.equal(index.find(address), slot);
    assert.deepEqual(new Map(Array.from(index.entries(), (one) => [one.address, one.slot])), there);
  }
});

test('as many addresses as there are slots have room: neighbours, sparse ones and any', () => {
  const slots = BngLimit.maxSubscribers;
  const draw = drawer(7);
  for (const addressOf of [
    (n: number) => 0x0a00_0000 + n,
    (n: number) => 0x0a00_0000 + 256 * n,
    (n: number) => 0x4000_0000 + 4096 * n,
    () => 1 + draw(2 ** 32 - 1),
  ]) {
    const table = new Table(slots);
    table.store = (entry, first, words) =>
      table.bytes.set(words, entry * BNG_ADDRESS_BUCKET_SIZE + first * 8);
    const index = new AddressIndex(table.map);
    for (let slot = 0; slot < slots; slot++) {
      const address = ipv4FromNumber(addressOf(slot));
      if (index.find(address) === null) index.add(address, slot);
    }
  }
});

test('an address is there once, moves to another slot at once, and goes', () => {
  const table = new Table(16);
  const index = new AddressIndex(table.map);
  const address = ipv4FromNumber(0x0a000001);
  index.add(address, 3);
  assert.throws(() => index.add(address, 4), { code: 'EEXIST' });
  index.move(address, 5);
  assert.equal(table.slotOf(address), 5);
  assert.equal(index.delete(address), 5);
  assert.equal(index.delete(address), null);
  assert.equal(index.find(address), null);
  assert.throws(() => index.move(address, 1), { code: 'ENOENT' });
  assert.ok(table.bytes.every((byte) => byte === 0));
});

test('no room is a refusal, and costs nobody theirs', () => {
  const table = new Table(0);
  const index = new AddressIndex(table.map);
  for (let slot = 0; slot < 4; slot++) index.add(ipv4FromNumber(slot + 1), slot);
  assert.throws(() => index.add(ipv4FromNumber(9), 9), { code: 'ENOSPC', operation: 'addresses', errno: 28 });
  for (let slot = 0; slot < 4; slot++) assert.equal(index.find(ipv4FromNumber(slot + 1)), slot);
});

test('what a crash left twice, or where nobody looks, is taken away by the next start', () => {
  const table = new Table(64);
  const index = new AddressIndex(table.map);
  const draw = drawer(3);
  const there = Array.from({ length: 100 }, () => ipv4FromNumber(1 + draw(2 ** 32 - 1)));
  let copy: Uint8Array | undefined;
  for (const [slot, address] of there.entries()) {
    let writes = 0;
    // Of three writes and more, the first has copied an address that the second takes away.
    table.onWrite = () => {
      if (++writes === 1) copy = table.bytes.slice();
    };
    index.add(address, slot);
    if (writes >= 3) break;
    copy = undefined;
  }
  assert.ok(copy !== undefined, 'nothing was ever moved');
  table.onWrite = () => undefined;
  table.bytes.set(copy);
  const again = new AddressIndex(table.map);
  const held = Array.from(again.entries(), ({ address }) => address);
  assert.equal(new Set(held).size, held.length);
  for (const address of held) assert.equal(table.slotOf(address), again.find(address));
});
