/**
 * Looks from time to time whether the routes and addresses of our pools are there still: nobody tells when somebody else takes
 * one away while the link stays up. Reads two small lists; what sets them again is not here.
 */
import { errorText } from '../model/bng-error.js';
import type { Clock, TimerHandle } from '../model/clock.js';

export interface RouteWatchOptions {
  readonly clock: Clock;
  /** Whether all are there. Rejects when nobody can say. */
  readonly areSet: () => Promise<boolean>;
  /** Sets what is missing; gives the commands that did, or what keeps it from being done. */
  readonly restore: () => Promise<
    | { readonly ok: true; readonly changes: readonly string[] }
    | { readonly ok: false; readonly reason: string }
  >;
  readonly onWarning: (warning: string) => void;
}

const EVERY_MS = 10_000;

export class RouteWatch {
  readonly #o: RouteWatchOptions;
  #timer: TimerHandle | null = null;
  #looking: Promise<void> = Promise.resolve();
  /** Said already, so that what stays amiss is said once. */
  #told: string | null = null;
  #closed = false;

  constructor(options: RouteWatchOptions) {
    this.#o = options;
    this.#later();
  }

  /** Done when a look that is under way is. */
  close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    return this.#looking;
  }

  #later(): void {
    if (this.#closed) return;
    this.#timer = this.#o.clock.after(EVERY_MS, () => {
      this.#looking = this.#look().then(() => this.#later());
    });
  }

  async #look(): Promise<void> {
    const trouble = await this.#trouble();
    if (trouble !== null && trouble !== this.#told) this.#o.onWarning(trouble);
    this.#told = trouble;
  }

  async #trouble(): Promise<string | null> {
    try {
      if (await this.#o.areSet()) return null;
    } catch (error) {
      return `routes of the pools cannot be read: ${errorText(error)}`;
    }
    const restored = await this.#o.restore();
    if (!restored.ok) return `routes of the pools are not as they should be: ${restored.reason}`;
    for (const change of restored.changes)
      this.#o.onWarning(`somebody took away what is set again: ${change}`);
    return null;
  }
}
