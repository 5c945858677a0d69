/** What the session layer asks of the access node (OLT). The access node's own events come in through the inlet. */
import type { ServiceProfile } from '../model/service-profile.js';

export type ReconfigureOutcome = { readonly ok: true } | { readonly ok: false; readonly reason: string };

export interface ReconfigureOptions {
  /** Bounce the UNI link even when nothing changes: the customer's equipment has a lease that is no longer good. */
  readonly bounce: boolean;
}

export interface AccessNode {
  /**
   * Puts the ONT's line on the VLAN and rates of a profile, and bounces its UNI link when anything changed so that the
   * customer's equipment asks for an address again. Resolves when the access node has confirmed or refused.
   */
  reconfigure(
    ontSerial: string,
    profile: ServiceProfile,
    options: ReconfigureOptions,
  ): Promise<ReconfigureOutcome>;
}
