/**
 * The kernel's table of who is where in bng_subscribers: a cuckoo hash that programs read while it is written here, entry by
 * entry (bpf/lib/find.h). A copy of it is kept, so that nothing has to be read back. Knows nothing of what a slot holds.
 */
import type { Ipv4 } from '../model/ipv4.js';
import { BNG_ADDRESS_BUCKET_SIZE, BNG_ADDRESS_SIZE, BngLimit } from './abi.js';
import type { NativeFailure, NativeMap } from './native-binding.js';

const BUCKET = BngLimit.bucketAddresses;
/** Addresses that may have to make room for another, one after the other: half full, two are as good as never needed. */
const MOVES = 4;

/** How many buckets the programs look in, for so many slots: at most half of all entries are ever used. */
export function addressBuckets(slots: number): number {
  return Math.floor(slots / 2) + 1;
}

/** What `attempt` takes for a refusal, as of the kernel. */
export function refusal(code: 'EEXIST' | 'ENOENT' | 'ENOSPC', message: string): Error & NativeFailure {
  const errno = { EEXIST: 17, ENOENT: 2, ENOSPC: 28 }[code];
  return Object.assign(new Error(message), { operation: 'addresses', code, errno });
}

/** The word that the machine reads of an address in network order: every machine with these programs is little-endian. */
function wordOf(address: Ipv4): number {
  return ((address << 24) | ((address & 0xff00) << 8) | ((address >>> 8) & 0xff00) | (address >>> 24)) >>> 0;
}

function bucketOf(word: number, factor: number, buckets: number): number {
  return Math.floor(((Math.imul(word, factor) >>> 0) * buckets) / 2 ** 32);
}

function firstOf(word: number, buckets: number): number {
  return bucketOf(word, BngLimit.addressFactor, buckets);
}

function secondOf(word: number, buckets: number): number {
  return bucketOf(word, BngLimit.addressFactorTwo, buckets);
}

/** The slot of an address by two look-ups in the map itself; null when it is not there. For who keeps no copy. */
export function slotInMap(map: NativeMap, address: Ipv4): number | null {
  const word = wordOf(address);
  const key = new Uint8Array(4);
  for (const bucket of [firstOf(word, map.maxEntries), secondOf(word, map.maxEntries)]) {
    new DataView(key.buffer).setUint32(0, bucket, true);
    const value = map.lookup(key);
    if (value === null) continue;
    const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
    for (let at = 0; at < BNG_ADDRESS_BUCKET_SIZE; at += BNG_ADDRESS_SIZE) {
      const place = view.getUint32(at + 4, true);
      if (place !== 0 && view.getUint32(at, true) === word) return place - 1;
    }
  }
  return null;
}

export class AddressIndex {
  readonly #map: NativeMap;
  readonly #buckets: number;
  /** Two words an entry: address as the machine reads it, and place; place 0 for a free one. */
  readonly #words: Uint32Array;
  readonly #entry = new Uint8Array(BNG_ADDRESS_SIZE);

  /** Goes on with what the map holds; what a crash left there twice, or where nobody looks, is taken away. */
  constructor(map: NativeMap) {
    this.#map = map;
    this.#buckets = map.maxEntries;
    const { values } = map.readAll();
    this.#words = new Uint32Array(values.slice().buffer);
    for (let at = 0; at < this.#buckets * BUCKET; at++) {
      const word = this.#word(at);
      const first = firstOf(word, this.#buckets);
      const bucket = Math.floor(at / BUCKET);
      if (this.#place(at) === 0 || bucket === first) continue;
      if (bucket !== secondOf(word, this.#buckets) || this.#inBucket(first, word) !== null)
        this.#write(at, 0, 0);
    }
  }

  /** Null when the address is not there. */
  find(address: Ipv4): number | null {
    const at = this.#at(wordOf(address));
    return at === null ? null : this.#place(at) - 1;
  }

  /** Throws a refusal: EEXIST when the address is there already, ENOSPC when no room can be made. */
  add(address: Ipv4, slot: number): void {
    const word = wordOf(address);
    if (this.#at(word) !== null) throw refusal('EEXIST', 'expected an address that is in no slot');
    const first = firstOf(word, this.#buckets);
    const second = secondOf(word, this.#buckets);
    const at = this.#free(first) ?? this.#free(second) ?? this.#makeRoom([first]) ?? this.#makeRoom([second]);
    if (at === null) throw refusal('ENOSPC', 'expected room for an address in bng_addresses');
    this.#write(at, word, slot + 1);
  }

  /** Gives an address that is there another slot, at once. */
  move(address: Ipv4, slot: number): void {
    const word = wordOf(address);
    const at = this.#at(word);
    if (at === null) throw refusal('ENOENT', 'expected an address that is in a slot');
    this.#write(at, word, slot + 1);
  }

  /** The slot that it was in; null when it was not there. */
  delete(address: Ipv4): number | null {
    const at = this.#at(wordOf(address));
    if (at === null) return null;
    const slot = this.#place(at) - 1;
    this.#write(at, 0, 0);
    return slot;
  }

  *entries(): Iterable<{ readonly address: Ipv4; readonly slot: number }> {
    for (let at = 0; at < this.#buckets * BUCKET; at++) {
      const place = this.#place(at);
      if (place !== 0) yield { address: wordOf(this.#word(at) as Ipv4) as Ipv4, slot: place - 1 };
    }
  }

  #word(at: number): number {
    return this.#words[2 * at] ?? 0;
  }

  #place(at: number): number {
    return this.#words[2 * at + 1] ?? 0;
  }

  #at(word: number): number | null {
    return (
      this.#inBucket(firstOf(word, this.#buckets), word) ??
      this.#inBucket(secondOf(word, this.#buckets), word)
    );
  }

  #inBucket(bucket: number, word: number): number | null {
    for (let at = bucket * BUCKET; at < (bucket + 1) * BUCKET; at++)
      if (this.#word(at) === word && this.#place(at) !== 0) return at;
    return null;
  }

  #free(bucket: number): number | null {
    for (let at = bucket * BUCKET; at < (bucket + 1) * BUCKET; at++) if (this.#place(at) === 0) return at;
    return null;
  }

  /**
   * Moves one address of the last bucket to its second one, which may have to make room in turn: not by those on the way
   * there. Never back to its first: who looks there before and here after would miss it.
   */
  #makeRoom(way: readonly number[]): number | null {
    const bucket = way.at(-1);
    if (bucket === undefined || way.length > MOVES) return null;
    for (let at = bucket * BUCKET; at < (bucket + 1) * BUCKET; at++) {
      const word = this.#word(at);
      const second = secondOf(word, this.#buckets);
      if (firstOf(word, this.#buckets) !== bucket || way.includes(second)) continue;
      const to = this.#free(second) ?? this.#makeRoom([...way, second]);
      if (to === null) continue;
      this.#write(to, word, this.#place(at));
      this.#write(at, 0, 0);
      return at;
    }
    return null;
  }

  #write(at: number, word: number, place: number): void {
    const view = new DataView(this.#entry.buffer);
    view.setUint32(0, word, true);
    view.setUint32(4, place, true);
    this.#map.store(Math.floor(at / BUCKET), at % BUCKET, this.#entry);
    this.#words[2 * at] = word;
    this.#words[2 * at + 1] = place;
  }
}
