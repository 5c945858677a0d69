/** Finds out whether somebody uses an address. What it asks with, and whom, is not known here. */
import type { Attachment } from '../model/access-line.js';
import type { Ipv4 } from '../model/ipv4.js';

export interface AddressProber {
  /** False while it would ask nobody. */
  readonly asks: boolean;
  /** Whether anybody but the station itself answers for the address at its line. Always resolves, and soon. */
  isInUse(address: Ipv4, station: Attachment): Promise<boolean>;
}
