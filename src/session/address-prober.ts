/** Finds out whether somebody uses an address. What it asks with is not known here. */
import type { Attachment } from '../model/access-line.js';
import type { Ipv4 } from '../model/ipv4.js';

export interface AddressProber {
  /** False while it would ask nobody before an address is offered. */
  readonly asks: boolean;
  /** Whether anybody but the station itself answers for the address at its line. Always resolves, and soon. */
  isInUse(address: Ipv4, station: Attachment): Promise<boolean>;
  /**
   * Whether the station answers for its address within `waitMs`. True where it could not be asked: nobody is silent who has not
   * been asked.
   */
  isThere(address: Ipv4, station: Attachment, waitMs: number): Promise<boolean>;
  /** Asks a whole line for the station that has the address. Who answers is sighted, like any who speaks unasked. */
  lookFor(address: Ipv4, line: Omit<Attachment, 'mac'>): void;
}

/** How often a station is asked before it counts as gone, and how long each time. */
export interface ProbeEffort {
  readonly tries: number;
  readonly waitMs: number;
}

/** Whether the station answers at last. */
export async function answers(
  prober: AddressProber,
  { address, attachment }: { readonly address: Ipv4; readonly attachment: Attachment },
  { tries, waitMs }: ProbeEffort,
): Promise<boolean> {
  for (let asked = 0; asked < tries; asked += 1) {
    if (await prober.isThere(address, attachment, waitMs)) return true;
  }
  return false;
}
