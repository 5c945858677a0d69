/**
 * Why subscribers are suspended: outlives the session as the suspension itself does (`Authenticator.assign`), and like that
 * is kept by the journal. Decides nothing.
 */
import type { SessionStateName } from './view.js';

export interface StateChange {
  readonly from: SessionStateName;
  readonly to: SessionStateName;
  /** What the order gave as its reason; null when it was no suspension by an operator. */
  readonly said: string | null;
}

export class SuspensionReasons {
  /** Of those who are suspended and of whom a reason is known, whether or not they have a session. */
  readonly #bySubscriber = new Map<string, string>();

  /** Takes a change of state in; gives the reason that holds after it. */
  reasonAfter(subscriberId: string, { from, to, said }: StateChange): string | null {
    // The end of the session is not the end of the suspension; the next session begins with `discovered`.
    if (to === 'terminated') return this.#bySubscriber.get(subscriberId) ?? null;
    if (to !== 'suspended' || from !== 'discovered') {
      this.#bySubscriber.delete(subscriberId);
      if (to === 'suspended' && said !== null) this.#bySubscriber.set(subscriberId, said);
    }
    return to === 'suspended' ? (this.#bySubscriber.get(subscriberId) ?? null) : null;
  }

  reasonOf(subscriberId: string): string | null {
    return this.#bySubscriber.get(subscriberId) ?? null;
  }

  /** What an earlier run was told. */
  restore(subscriberId: string, reason: string): void {
    this.#bySubscriber.set(subscriberId, reason);
  }

  forget(subscriberId: string): void {
    this.#bySubscriber.delete(subscriberId);
  }
}
