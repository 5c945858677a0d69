/**
 * How many stations have asked on each line lately, where that is limited: a MAC counts while it has a lease on the line, and
 * for some minutes after it was heard. Knows no session.
 */
import type { Attachment } from '../model/access-line.js';
import { attachmentKey } from '../model/access-line.js';
import type { Clock } from '../model/clock.js';
import type { Mac } from '../model/mac.js';

/** How long a MAC without a lease counts after it was heard last: as long as bridges remember one (IEEE 802.1Q §8.8.3). */
export const MAC_AGE_MS = 300_000;

export interface LineMacsOptions {
  readonly limit: number;
  readonly clock: Clock;
  /** Whether somebody has a lease at the attachment with this key. */
  readonly hasLease: (key: string) => boolean;
}

interface Seen {
  readonly atMs: number;
  readonly key: string;
}

export class LineMacs {
  readonly limit: number;
  readonly #o: LineMacsOptions;
  readonly #byLine = new Map<string, Map<Mac, Seen>>();
  #sweptMs: number;

  constructor(options: LineMacsOptions) {
    this.#o = options;
    this.limit = options.limit;
    this.#sweptMs = options.clock.monotonicMs();
  }

  /** Counts the station at its line; false, and nothing counted, where there are as many others as there may be. */
  admit(line: string, station: Attachment): boolean {
    const atMs = this.#o.clock.monotonicMs();
    this.#sweep(atMs);
    const seen = this.#byLine.get(line) ?? new Map<Mac, Seen>();
    if (!seen.has(station.mac) && seen.size >= this.limit) {
      this.#forgetOld(seen, atMs);
      if (seen.size >= this.limit) return false;
    }
    seen.set(station.mac, { atMs, key: attachmentKey(station) });
    this.#byLine.set(line, seen);
    return true;
  }

  /** Another has taken its place. */
  forget(line: string, mac: Mac): void {
    this.#byLine.get(line)?.delete(mac);
  }

  #forgetOld(seen: Map<Mac, Seen>, nowMs: number): void {
    for (const [mac, { atMs, key }] of seen) {
      if (nowMs - atMs >= MAC_AGE_MS && !this.#o.hasLease(key)) seen.delete(mac);
    }
  }

  /** Once in that time the lines that nobody is on any more, so that lines that come and go leave nothing. */
  #sweep(nowMs: number): void {
    if (nowMs - this.#sweptMs < MAC_AGE_MS) return;
    this.#sweptMs = nowMs;
    for (const [line, seen] of this.#byLine) {
      this.#forgetOld(seen, nowMs);
      if (seen.size === 0) this.#byLine.delete(line);
    }
  }
}
