/**
 * Proof that a form was ours and for just this line: a keyed hash over what the form must not be moved between. Holds
 * no state but its key, so that a thousand open pages cost nothing.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../model/clock.js';

export interface FormSubject {
  /** As the socket names the peer. */
  readonly address: string;
  readonly sessionId: string;
}

/** A form is good for one to two of these. */
const WINDOW_MS = 30 * 60_000;

export class FormTokens {
  readonly #clock: Clock;
  readonly #key = randomBytes(32);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A token in URL-safe letters. */
  issue(subject: FormSubject): string {
    return this.#token(subject, this.#window()).toString('base64url');
  }

  holds(token: string, subject: FormSubject): boolean {
    const given = Buffer.from(token, 'base64url');
    return [this.#window(), this.#window() - 1].some((window) => {
      const expected = this.#token(subject, window);
      return given.length === expected.length && timingSafeEqual(given, expected);
    });
  }

  #window(): number {
    return Math.floor(this.#clock.monotonicMs() / WINDOW_MS);
  }

  #token({ address, sessionId }: FormSubject, window: number): Buffer {
    return createHmac('sha256', this.#key).update(`${window} ${address} ${sessionId}`).digest();
  }
}
