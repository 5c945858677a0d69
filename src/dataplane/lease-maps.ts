/**
 * What XDP may answer by itself, as entries of the kernel's maps: what the answers of each pool have in common, and the
 * leases. Decides nothing; throws what the addon throws.
 */
import { randomBytes } from 'node:crypto';
import type { Attachment } from '../model/access-line.js';
import type { Clock } from '../model/clock.js';
import type { Ipv4 } from '../model/ipv4.js';
import { ipv4FromNumber } from '../model/ipv4.js';
import { macFromBytes, macToBytes } from '../model/mac.js';
import {
  BNG_DHCP_REPLY_SIZE,
  BNG_LEASE_SIZE,
  BNG_LINE_KEY_SIZE,
  BngLimit,
  type BngSettings,
  BngSettingsFlag,
  readBngLease,
  readBngLineKey,
  writeBngDhcpReply,
  writeBngLease,
} from './abi.js';
import type { NativeMap, NativeObject } from './native-binding.js';
import type { LeasePromise, StandingPromise } from './port.js';
import { encodeLine, slotKey } from './subscriber-maps.js';

/** What the answers to the clients of one pool have in common. */
export interface PoolReply {
  readonly poolName: string;
  readonly serverId: Ipv4;
  readonly leaseSeconds: number;
  /** The message up to where options are echoed; zero wherever the client decides. */
  readonly message: Uint8Array;
}

export interface FastDhcp {
  readonly trustOption82: boolean;
  readonly replies: readonly PoolReply[];
}

/** What `bng_hash_option` is keyed with. */
export type Option82Key = Pick<BngSettings, 'option82Seed' | 'option82Factor'>;

const OPTION_82 = 82;
const WORD_BYTES = 8;
const NS_PER_MS = 1e6;

/** A new one for every load: nobody who has seen the one before can use it. */
export function newOption82Key(): Option82Key {
  const bytes = randomBytes(2 * WORD_BYTES);
  return { option82Seed: bytes.readBigUInt64LE(0), option82Factor: bytes.readBigUInt64LE(WORD_BYTES) | 1n };
}

/** The flags of `bng_settings` that switch it on. */
export function fastDhcpFlags(fastDhcp: FastDhcp | null): number {
  if (fastDhcp === null) return 0;
  return BngSettingsFlag.fastDhcp | (fastDhcp.trustOption82 ? BngSettingsFlag.trustOption82 : 0);
}

/** As `bng_hash_option` in bpf/lib/dhcp.h hashes it; 0 for no option. */
export function hashOption82(value: Uint8Array, key: Option82Key): bigint {
  if (value.length === 0) return 0n;
  const padded = Buffer.alloc(Math.ceil((value.length + 2) / WORD_BYTES) * WORD_BYTES);
  padded.set([OPTION_82, value.length]);
  padded.set(value, 2);
  let hash = key.option82Seed;
  for (let at = 0; at < padded.length; at += WORD_BYTES) {
    hash = BigInt.asUintN(64, (hash ^ padded.readBigUInt64LE(at)) * key.option82Factor);
    hash ^= hash >> 32n;
  }
  return hash === 0n ? 1n : hash;
}

/** The first `count` that are free, or as many as there are. */
function freeIndexes(used: ReadonlySet<number>, count: number): readonly number[] {
  const free: number[] = [];
  for (let index = 0; index < BngLimit.maxDhcpReplies && free.length < count; index += 1) {
    if (!used.has(index)) free.push(index);
  }
  return free;
}

/** The sum of 16-bit words as they stand in memory, folded. */
function sumOf(message: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < message.length; at += 2) sum += (message[at] ?? 0) + 256 * (message[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

export class LeaseMaps {
  readonly #leases: NativeMap;
  readonly #key: Option82Key;
  readonly #clock: Clock;
  readonly #replies = new Map<string, { readonly index: number; readonly leaseSeconds: number }>();

  constructor(object: NativeObject, options: { readonly key: Option82Key; readonly clock: Clock }) {
    this.#leases = object.map('bng_leases');
    this.#key = options.key;
    this.#clock = options.clock;
  }

  /** Everything promised, with the ends to which XDP has moved it. */
  standing(): readonly StandingPromise[] {
    const { keys, values, count } = this.#leases.readAll();
    const lines = new DataView(keys.buffer, keys.byteOffset, keys.byteLength);
    const leases = new DataView(values.buffer, values.byteOffset, values.byteLength);
    return Array.from({ length: count }, (_, i) => {
      const { ifindex, sVlan, cVlan, mac } = readBngLineKey(lines, i * BNG_LINE_KEY_SIZE);
      const { address, expiresNs } = readBngLease(leases, i * BNG_LEASE_SIZE);
      const attachment = { ifindex, sVlan, cVlan, mac: macFromBytes(mac) };
      return { address: ipv4FromNumber(address), attachment, expiresAtMs: this.clockMs(expiresNs) };
    });
  }

  /** Until when the lease promised at the attachment lasts; null when there is none. */
  untilMs(attachment: Attachment): number | null {
    const value = this.#leases.lookup(encodeLine(attachment));
    if (value === null) return null;
    const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
    return this.clockMs(readBngLease(view, 0).expiresNs);
  }

  /**
   * Takes back what an earlier process promised: its replies and its key are not ours, and each session promises anew. A lease
   * that its client may have given up stays so: who says that waits to be read.
   */
  clear(): void {
    const { keys, values, count } = this.#leases.readAll();
    const leases = new DataView(values.buffer, values.byteOffset, values.byteLength);
    for (let at = 0; at < count; at += 1) {
      if (readBngLease(leases, at * BNG_LEASE_SIZE).reply === BngLimit.noDhcpReply) continue;
      this.#leases.delete(keys.subarray(at * this.#leases.keySize, (at + 1) * this.#leases.keySize));
    }
  }

  /**
   * Writes what the answers of these pools have in common: before it nothing is promised. Those written before stay; the place of
   * a pool that is gone, of which nothing is promised then, is another's. A pool beyond what fits is answered by the control
   * plane alone.
   */
  useReplies(object: NativeObject, replies: readonly PoolReply[]): void {
    const map = object.map('bng_dhcp_replies');
    const names = new Set(replies.map(({ poolName }) => poolName));
    for (const name of [...this.#replies.keys()]) if (!names.has(name)) this.#replies.delete(name);
    const used = new Set([...this.#replies.values()].map(({ index }) => index));
    const short = replies.filter(
      ({ poolName, message }) => message.length < BngLimit.dhcpReplyBytes && !this.#replies.has(poolName),
    );
    for (const [index, reply] of freeIndexes(used, short.length).map((at, n) => [at, short[n]] as const)) {
      if (reply === undefined) continue;
      const value = new Uint8Array(BNG_DHCP_REPLY_SIZE);
      const message = new Uint8Array(BngLimit.dhcpReplyRoom);
      message.set(reply.message);
      writeBngDhcpReply(new DataView(value.buffer), 0, {
        ...reply,
        message,
        optionsEnd: reply.message.length,
        sum: sumOf(message),
      });
      map.update(slotKey(index), value);
      this.#replies.set(reply.poolName, { index, leaseSeconds: reply.leaseSeconds });
    }
  }

  /** False when XDP could not answer this one as the control plane would. */
  promise(lease: LeasePromise): boolean {
    const reply = this.#replies.get(lease.poolName);
    if (reply?.leaseSeconds !== lease.leaseSeconds || lease.option82.length > 255) return false;
    const key = encodeLine(lease.attachment);
    const before = this.#leases.lookup(key);
    if (before !== null && this.#isGivenUp(before)) return false;
    const endsNs = lease.endsAtMs === null ? 0n : this.#kernelTime(lease.endsAtMs);
    const expiresNs = this.#kernelTime(Math.min(lease.expiresAtMs, lease.endsAtMs ?? Infinity));
    const value = new Uint8Array(BNG_LEASE_SIZE);
    writeBngLease(new DataView(value.buffer), 0, {
      expiresNs,
      endsNs,
      answerTat: 0n,
      option82: hashOption82(lease.option82, this.#key),
      address: lease.address,
      reply: reply.index,
      mac: macToBytes(lease.attachment.mac),
    });
    this.#leases.update(key, value);
    return true;
  }

  withdraw(attachment: Attachment): void {
    this.#leases.delete(encodeLine(attachment));
  }

  /** On our monotonic clock; the kernel stamps its answers with CLOCK_MONOTONIC, which Node.js calls hrtime. */
  clockMs(kernelNs: bigint): number {
    return this.#clock.monotonicMs() - Number(process.hrtime.bigint() - kernelNs) / NS_PER_MS;
  }

  #isGivenUp(value: Uint8Array): boolean {
    const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
    return readBngLease(view, 0).reply === BngLimit.noDhcpReply;
  }

  #kernelTime(atMs: number): bigint {
    const fromNowNs = Math.round((atMs - this.#clock.monotonicMs()) * NS_PER_MS);
    const atNs = process.hrtime.bigint() + BigInt(fromNowNs);
    return atNs > 0n ? atNs : 1n;
  }
}
