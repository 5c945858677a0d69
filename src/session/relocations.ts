/**
 * Who leaves a pool that is drained, and when: who holds nothing of it at once, who holds an address when its client asks for
 * it again, if the pool is drained so. Decides nothing of where to.
 */
import type { AddressPools } from '../pool/port.js';
import { isServed, poolNameOf } from './machine/build.js';
import type { SessionRecord } from './record.js';

export class Relocations {
  readonly #pools: Pick<AddressPools, 'isDraining' | 'drainOf'>;

  constructor(pools: Pick<AddressPools, 'isDraining' | 'drainOf'>) {
    this.#pools = pools;
  }

  /** `asks`: the client wants its address, or one; otherwise nobody has asked. */
  isDue({ session: { state } }: SessionRecord, asks: boolean): boolean {
    if (!this.#pools.isDraining || !isServed(state)) return false;
    const { grant, lease } = state;
    const drain = this.#pools.drainOf(poolNameOf(grant));
    // A fixed address is the AAA server's word: it stays until that names another.
    if (drain === 'none' || grant.terms.fixedAddress === grant.address) return false;
    return lease.phase !== 'bound' || (asks && drain === 'move');
  }
}
