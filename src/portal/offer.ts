/** What a subscriber may choose on the portal, as configuration has it. */
import type { Localized } from './texts.js';

export interface Offer {
  readonly serviceId: string;
  readonly poolName: string;
  /** 0 means unlimited, here and below. */
  readonly downloadBitsPerSecond: number;
  readonly uploadBitsPerSecond: number;
  readonly name: Localized;
  readonly description: Localized | null;
}
