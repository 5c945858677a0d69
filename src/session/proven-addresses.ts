/** Which addresses have been used or asked for without anybody else having them; forgotten with the process. */
import type { Ipv4 } from '../model/ipv4.js';

export class ProvenAddresses {
  readonly #proven = new Set<Ipv4>();

  has(address: Ipv4): boolean {
    return this.#proven.has(address);
  }

  prove(address: Ipv4): void {
    this.#proven.add(address);
  }

  doubt(address: Ipv4): void {
    this.#proven.delete(address);
  }
}
