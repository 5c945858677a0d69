/** Subscribers in the kernel's maps: written word by word, found again after crashes, and moved out of an earlier build's hash. */
import assert from 'node:assert/strict';
import { after, beforeEach, describe, test } from 'node:test';
import { BNG_SUBSCRIBER_SIZE } from '../../src/dataplane/abi.js';
import { indexSubscribers, moveKeyedSubscribers } from '../../src/dataplane/adopt-subscribers.js';
import { addressBuckets, slotInMap } from '../../src/dataplane/address-index.js';
import { readBtf } from '../../src/dataplane/btf.js';
import type { NativeObject } from '../../src/dataplane/native-binding.js';
import type { SubscriberEntry } from '../../src/dataplane/port.js';
import { slotKey, SubscriberMaps, walledAddresses } from '../../src/dataplane/subscriber-maps.js';
import { parseIpv4 } from '../../src/model/ipv4.js';
import { parseMac } from '../../src/model/mac.js';
import { failure, fixture, loadFixture, native, skip } from './support.js';

const SLOTS = 64;
const TATS = Uint8Array.from({ length: 16 }, (_, index) => index + 1);
const TAT_WORD = BNG_SUBSCRIBER_SIZE / 8 - 2;

function entry(address: string, change: Partial<SubscriberEntry> = {}): SubscriberEntry {
  return {
    address: parseIpv4(address),
    attachment: { ifindex: 7, sVlan: 100, cVlan: 5, mac: parseMac('02:00:00:00:00:09') },
    walled: false,
    downloadBitsPerSecond: 20_000_000,
    uploadBitsPerSecond: 5_000_000,
    ...change,
  };
}

describe('subscribers in the maps', { skip }, () => {
  let object: NativeObject;
  let maps: SubscriberMaps;
  const opened = (): SubscriberMaps =>
    new SubscriberMaps({ object, sTpid: 0x88a8, cTpid: 0x8100, burstMs: 100 });
  const value = (slot: number): Uint8Array =>
    object.map('bng_subscribers').lookup(slotKey(slot)) ?? new Uint8Array(0);
  const isAsWanted = (reader: SubscriberMaps, wanted: SubscriberEntry): boolean => {
    const compared = reader.readToCompare();
    const found = compared.entries.find(({ address }) => address === wanted.address);
    return found !== undefined && compared.isAsWanted(found, wanted);
  };
  const indexed = (address: string): number | null =>
    slotInMap(object.map('bng_addresses'), parseIpv4(address));

  beforeEach(() => {
    object?.close();
    object = native.openObject('build/bpf/bng.bpf.o');
    for (const name of ['bng_subscribers', 'bng_lines', 'bng_removed']) object.setMaxEntries(name, SLOTS);
    object.setMaxEntries('bng_addresses', addressBuckets(SLOTS));
    object.load();
    maps = opened();
  });
  after(() => object.close());

  test('what is written is read back, rates to the bit, by this process and by the next', () => {
    maps.create(entry('10.0.0.9'), 5);
    maps.create(entry('10.0.0.10', { walled: true, uploadBitsPerSecond: 0 }), 0);
    for (const reader of [maps, opened()]) {
      const found = new Map(reader.readAll().map((one) => [one.address, one]));
      assert.equal(found.size, 2);
      assert.deepEqual(found.get(parseIpv4('10.0.0.9')), { ...entry('10.0.0.9'), slot: 5 });
      assert.ok(isAsWanted(reader, entry('10.0.0.9')));
      assert.ok(!isAsWanted(reader, entry('10.0.0.9', { walled: true })));
    }
    assert.deepEqual(walledAddresses(object), [parseIpv4('10.0.0.10')]);
    assert.throws(() => maps.create(entry('10.0.0.9'), 6), { code: 'EEXIST' });
  });

  test('a change leaves the buckets as they are; a new one begins with full ones', () => {
    maps.create(entry('10.0.0.9'), 5);
    object.map('bng_subscribers').store(5, TAT_WORD, TATS);
    maps.replace(entry('10.0.0.9', { uploadBitsPerSecond: 1_000_000 }), 5);
    maps.putAll([{ entry: entry('10.0.0.9', { walled: true }), slot: 5 }]);
    assert.deepEqual(value(5).subarray(8 * TAT_WORD), TATS);
    assert.equal(maps.readAll()[0]?.walled, true);
    maps.putAll([{ entry: entry('10.0.0.9'), slot: 6 }]);
    assert.equal(indexed('10.0.0.9'), 6);
    assert.ok(
      value(6)
        .subarray(8 * TAT_WORD)
        .every((byte) => byte === 0),
    );
    assert.ok(value(5).every((byte) => byte === 0));
    assert.throws(() => maps.replace(entry('10.0.0.9'), 5), { code: 'ENOENT' });
  });

  test('who is deleted is in neither map', () => {
    maps.create(entry('10.0.0.9'), 5);
    assert.equal(maps.delete(parseIpv4('10.0.0.9')), true);
    assert.equal(maps.delete(parseIpv4('10.0.0.9')), false);
    assert.equal(indexed('10.0.0.9'), null);
    assert.deepEqual(maps.readAll(), []);
    assert.ok(value(5).every((byte) => byte === 0));
  });

  test('what a crash, or a lost map, left on one side only is nobody after the next start', () => {
    maps.create(entry('10.0.0.9'), 5);
    maps.create(entry('10.0.0.10'), 6);
    maps.create(entry('10.0.0.11'), 7);
    // In a slot without an entry of the index, and in the index without its slot.
    object.map('bng_subscribers').store(9, 0, value(5));
    object.map('bng_subscribers').store(6, 0, new Uint8Array(8));
    const next = opened();
    assert.deepEqual(new Set(next.readAll().map(({ slot }) => slot)), new Set([5, 7]));
    assert.equal(indexed('10.0.0.10'), null);
    assert.ok(
      value(9)
        .subarray(0, 8)
        .every((byte) => byte === 0),
    );
    next.create(entry('10.0.0.10'), 6);
  });

  test("an earlier build's hash by address moves into the slots that it names", () => {
    const old = native.openObject(fixture('keyed'));
    old.load();
    try {
      const bytes = Buffer.alloc(72);
      bytes.set([2, 0, 0, 0, 0, 9, 1]);
      bytes.writeUInt32LE(7, 8);
      bytes.writeUInt32LE(5, 12);
      bytes.writeUInt16LE(100, 16);
      bytes.writeUInt16LE(5, 18);
      bytes.writeUInt16BE(0x88a8, 20);
      bytes.writeUInt16BE(0x8100, 22);
      bytes.writeBigUInt64LE(1600n << 20n, 24);
      bytes.writeBigUInt64LE(100_000_000n, 32);
      bytes.writeBigUInt64LE(400n << 20n, 40);
      bytes.writeBigUInt64LE(100_000_000n, 48);
      bytes.set(TATS, 56);
      const from = old.map('bng_subscribers');
      from.update(Uint8Array.of(10, 0, 0, 9), bytes);
      bytes.writeUInt32LE(SLOTS, 12);
      from.update(Uint8Array.of(10, 0, 0, 10), bytes);
      const types = readBtf(old.btf());
      assert.ok(moveKeyedSubscribers({ map: from, types }, object.map('bng_subscribers')));
      assert.ok(!moveKeyedSubscribers({ map: from, types: null }, object.map('bng_subscribers')));
      indexSubscribers(object);
      const [only, ...others] = opened().readAll();
      assert.deepEqual(others, []);
      assert.ok(only !== undefined);
      assert.ok(isAsWanted(opened(), entry('10.0.0.9', { walled: true })));
      assert.equal(only.slot, 5);
      assert.deepEqual(value(5).subarray(8 * TAT_WORD), TATS);
    } finally {
      old.close();
    }
  });

  test('store refuses what is not whole words within an entry, and maps that cannot be mapped', () => {
    const map = object.map('bng_subscribers');
    const words = BNG_SUBSCRIBER_SIZE / 8;
    map.store(1, words - 1, TATS.subarray(0, 8));
    assert.deepEqual(value(1).subarray(-8), TATS.subarray(0, 8));
    map.store(1, 0, new Uint8Array(0));
    for (const [at, first, bytes] of [
      [SLOTS, 0, 8],
      [0, words, 8],
      [0, words - 1, 16],
      [0, 0, 7],
      [-1, 0, 8],
    ] as const)
      assert.throws(() => map.store(at, first, new Uint8Array(bytes)), failure('map.store', 'EINVAL'));
    assert.throws(() => object.map('bng_lines').store(0, 0, TATS), failure('map.store', 'EINVAL'));
    const other = loadFixture();
    assert.throws(() => other.map('array').store(0, 0, TATS), failure('map.store', 'EINVAL'));
    other.close();
    assert.throws(() => other.map('array').store(0, 0, TATS));
  });
});
