/**
 * Remembers the answers to authentic requests for as long as the same bytes can come again: retransmissions get the same
 * answer, and nothing is executed twice (RFC 5176 §2.3, §6.3). Bounded; knows no packet and no clock.
 */

export interface RememberedRequest {
  /** Of the socket that asked; a retransmission comes from the same. */
  readonly port: number;
  readonly untilMs: number;
  /** Null while the request is being worked on. */
  answer: Uint8Array | null;
}

export class CoaAnswers {
  readonly #limit: number;
  readonly #requests = new Map<string, RememberedRequest>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#requests.size;
  }

  find(key: string, nowMs: number): RememberedRequest | null {
    const found = this.#requests.get(key);
    if (found === undefined) return null;
    // What is being worked on is never forgotten: that would do it twice.
    if (found.answer === null || found.untilMs > nowMs) return found;
    this.#requests.delete(key);
    return null;
  }

  /** Remembers a new request; when there is no room the oldest answer goes. Null when all are being worked on. */
  open(
    key: string,
    entry: { readonly port: number; readonly untilMs: number },
    nowMs: number,
  ): RememberedRequest | null {
    this.#forgetOld(nowMs);
    if (this.#requests.size >= this.#limit) return null;
    const request: RememberedRequest = { ...entry, answer: null };
    this.#requests.set(key, request);
    return request;
  }

  /** Goes through in order of arrival as far as what is old, and beyond it only as far as room is needed. */
  #forgetOld(nowMs: number): void {
    for (const [key, { answer, untilMs }] of this.#requests) {
      if (answer === null) continue;
      if (untilMs > nowMs && this.#requests.size < this.#limit) break;
      this.#requests.delete(key);
    }
  }
}
