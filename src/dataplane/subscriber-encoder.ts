/** What a subscriber is written as in bng_subscribers, with full buckets. Touches no map. */
import { macToBytes } from '../model/mac.js';
import { BNG_SUBSCRIBER_SIZE, BngLimit, BngSubscriberFlag, writeBngSubscriber } from './abi.js';
import { policerRate } from './policer-rate.js';
import type { SubscriberEntry } from './port.js';
import { type PackedRate, packRate } from './subscriber-value.js';

export interface EncoderOptions {
  /** TPIDs of the tags given to frames towards subscribers whose own are not known. */
  readonly sTpid: number;
  readonly cTpid: number;
  readonly burstMs: number;
}

const MOST_RATES = 1_000;

export class SubscriberEncoder {
  readonly #sTpid: number;
  readonly #cTpid: number;
  #burstMs: number;
  readonly #value = new Uint8Array(BNG_SUBSCRIBER_SIZE);
  readonly #view = new DataView(this.#value.buffer);
  readonly #mac = new Uint8Array(6);
  /** By bits a second: few differ. */
  readonly #rates = new Map<number, PackedRate>();

  constructor({ sTpid, cTpid, burstMs }: EncoderOptions) {
    this.#sTpid = sTpid;
    this.#cTpid = cTpid;
    this.#burstMs = burstMs;
  }

  useBurst(burstMs: number): void {
    this.#burstMs = burstMs;
    this.#rates.clear();
  }

  /** Good until the next call, which writes over it. */
  encode(entry: SubscriberEntry): Uint8Array {
    const { attachment } = entry;
    const upstream = this.#rate(entry.uploadBitsPerSecond);
    const downstream = this.#rate(entry.downloadBitsPerSecond);
    writeBngSubscriber(this.#view, 0, {
      address: entry.address,
      ifindex: attachment.ifindex,
      sVlan: attachment.sVlan,
      cVlan: attachment.cVlan,
      sTpid: attachment.sVlan === 0 ? 0 : (attachment.sTpid ?? this.#sTpid),
      cTpid: attachment.cVlan === 0 ? 0 : (attachment.cTpid ?? this.#cTpid),
      mac: macToBytes(attachment.mac, this.#mac),
      flags: entry.walled ? BngSubscriberFlag.walled : 0,
      upstreamNsPerByte: upstream.nsPerByte,
      downstreamNsPerByte: downstream.nsPerByte,
      upstreamBurst: upstream.burst,
      downstreamBurst: downstream.burst,
      upstreamTat: 0n,
      downstreamTat: 0n,
    });
    return this.#value;
  }

  #rate(bitsPerSecond: number): PackedRate {
    const known = this.#rates.get(bitsPerSecond);
    if (known !== undefined) return known;
    const fractionBits = BngLimit.rateFractionBits;
    const rate = packRate(policerRate({ bitsPerSecond, burstMs: this.#burstMs, fractionBits }));
    if (this.#rates.size >= MOST_RATES) this.#rates.clear();
    this.#rates.set(bitsPerSecond, rate);
    return rate;
  }
}
