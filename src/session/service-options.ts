/** Which DHCP options a service adds to the answers of its pool. Configuration, kept; nothing is decided. */
import type { LeaseOption } from '../model/lease.js';

export type OptionsByService = Readonly<Record<string, readonly LeaseOption[]>>;

const NONE: readonly LeaseOption[] = [];

export class ServiceOptions {
  #byService: ReadonlyMap<string, readonly LeaseOption[]>;

  constructor(byService: OptionsByService = {}) {
    this.#byService = new Map(Object.entries(byService));
  }

  /** From now on. */
  use(byService: OptionsByService): void {
    this.#byService = new Map(Object.entries(byService));
  }

  of(serviceId: string): readonly LeaseOption[] {
    return this.#byService.get(serviceId) ?? NONE;
  }

  hasOptions(serviceId: string): boolean {
    return this.of(serviceId).length > 0;
  }
}
