/**
 * Orders that subscribers gave on the portal, until the session shows them or refuses them. The session layer decides
 * about each; what is remembered here only tells the page what to say meanwhile.
 */
import type { Clock, TimerHandle } from '../model/clock.js';
import type { OperatorInlet, OperatorResult } from '../session/inlet.js';
import type { Offer } from './offer.js';

export type OrderState = 'ordered' | 'failed';

export interface PortalOrdersOptions {
  readonly operator: Pick<OperatorInlet, 'activate'>;
  readonly clock: Clock;
  readonly onResult: (ontSerial: string, offer: Offer, result: OperatorResult) => void;
  readonly onBug: (error: unknown) => void;
}

/** The answer to the order must reach the browser before the line is interrupted. */
export const HEAD_START_MS = 500;
/** How long a page remembers that an order did not succeed. */
const REMEMBERED_MS = 120_000;

interface Placed {
  state: OrderState;
  timer: TimerHandle;
}

export class PortalOrders {
  readonly #o: PortalOrdersOptions;
  readonly #placed = new Map<string, Placed>();

  constructor(options: PortalOrdersOptions) {
    this.#o = options;
  }

  /** What the session's subscriber ordered here and does not see in the session yet. */
  of(sessionId: string): OrderState | null {
    return this.#placed.get(sessionId)?.state ?? null;
  }

  /** Orders soon; false when an order of this session is under way. */
  place(sessionId: string, ontSerial: string, offer: Offer): boolean {
    const former = this.#placed.get(sessionId);
    if (former?.state === 'ordered') return false;
    former?.timer.cancel();
    const timer = this.#o.clock.after(HEAD_START_MS, () => {
      this.#order(sessionId, ontSerial, offer).catch(this.#o.onBug);
    });
    this.#placed.set(sessionId, { state: 'ordered', timer });
    return true;
  }

  /** Orders that were not given yet are not given any more. */
  close(): void {
    for (const { timer } of this.#placed.values()) timer.cancel();
    this.#placed.clear();
  }

  async #order(sessionId: string, ontSerial: string, offer: Offer): Promise<void> {
    const { serviceId, poolName, downloadBitsPerSecond, uploadBitsPerSecond } = offer;
    const order = { ontSerial, serviceId, poolName, downloadBitsPerSecond, uploadBitsPerSecond };
    const result = await this.#o.operator.activate(order);
    this.#o.onResult(ontSerial, offer, result);
    const placed = this.#placed.get(sessionId);
    if (placed === undefined) return;
    // A conflict is told by the state itself, which is no longer the one that the order was given in.
    if (result.ok || result.kind === 'conflict') {
      this.#placed.delete(sessionId);
      return;
    }
    placed.state = 'failed';
    placed.timer = this.#o.clock.after(REMEMBERED_MS, () => this.#placed.delete(sessionId));
  }
}
