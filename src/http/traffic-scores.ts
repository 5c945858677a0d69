/**
 * Who moves most at the moment: bytes by address, where what was moved a minute ago weighs half. Values in, values out: no
 * Prometheus, no session.
 *
 * Instead of letting every score decay, newer bytes weigh more; only the order matters, and that is the same.
 */
import type { Ipv4 } from '../model/ipv4.js';

const HALF_LIFE_MS = 60_000;
/** Weights are powers of two of at most this, so that the scores of an hour's silence still fit a number. */
const LARGEST_EXPONENT = 100;

export class TrafficScores {
  readonly #scores = new Map<Ipv4, number>();
  #epochMs = 0;

  /** Takes in what an address moved since it was last told. */
  moved(address: Ipv4, bytes: bigint, nowMs: number): void {
    const weight = 2 ** this.#exponentAt(nowMs);
    this.#scores.set(address, (this.#scores.get(address) ?? 0) + Number(bytes) * weight);
  }

  /** The address is somebody else's from now on. */
  forget(address: Ipv4): void {
    this.#scores.delete(address);
  }

  /** At most `count` addresses, the busiest first. One pass over all of them. */
  top(count: number): readonly Ipv4[] {
    const best: { readonly address: Ipv4; readonly score: number }[] = [];
    for (const [address, score] of this.#scores) {
      if (best.length >= count && score <= (best.at(-1)?.score ?? 0)) continue;
      const place = best.findIndex((other) => other.score < score);
      best.splice(place === -1 ? best.length : place, 0, { address, score });
      if (best.length > count) best.pop();
    }
    return best.map(({ address }) => address);
  }

  #exponentAt(nowMs: number): number {
    const exponent = (nowMs - this.#epochMs) / HALF_LIFE_MS;
    if (exponent <= LARGEST_EXPONENT) return exponent;
    for (const [address, score] of this.#scores) this.#scores.set(address, score * 2 ** -exponent);
    this.#epochMs = nowMs;
    return 0;
  }
}
