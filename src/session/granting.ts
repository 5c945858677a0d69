/**
 * Which address a session gets, and what is known of addresses: whether anybody uses one is asked before it is offered for
 * the first time. Knows no state of a session but its grant.
 */
import type { Ipv4, Ipv4Prefix } from '../model/ipv4.js';
import type { ServiceProfile } from '../model/service-profile.js';
import type { SessionTerms } from '../model/session-terms.js';
import { plainTerms } from '../model/session-terms.js';
import type { AddressPools } from '../pool/port.js';
import type { AddressProber } from './address-prober.js';
import type { GrantAnswer } from './grants.js';
import { makeGrant } from './grants.js';
import { boundedLine } from './identity.js';
import { isServed, poolNameOf } from './machine/build.js';
import type { Ask, Grant } from './machine/types.js';
import { ProvenAddresses } from './proven-addresses.js';
import type { Quarantines } from './quarantines.js';
import type { SessionRecord } from './record.js';

export interface GrantingOptions {
  readonly pools: AddressPools;
  readonly quarantines: Quarantines;
  /** Null where no address is asked for before it is offered. */
  readonly prober: AddressProber | null;
  readonly gardenPool: string;
  /** Addresses here are used without DHCP. */
  readonly statics: readonly Ipv4Prefix[];
}

export class Granting {
  readonly #o: GrantingOptions;
  readonly #proven = new ProvenAddresses();

  constructor(options: GrantingOptions) {
    this.#o = options;
  }

  /** Takes an address of the profile's pool for the session. */
  grant(record: SessionRecord, profile: ServiceProfile, terms: SessionTerms): GrantAnswer {
    const holder = record.identity.subscriberId;
    const made = makeGrant(this.#o.pools, { ...this.#o, holder, profile, terms });
    const isKnown =
      made.type !== 'allocated' || this.#o.prober?.asks !== true || this.#proven.has(made.grant.address);
    return isKnown ? made : { ...made, grant: { ...made.grant, isUnproven: true } };
  }

  /** Asks on the subscriber's own line. */
  async isInUse({ address, attachment }: Extract<Ask, { ask: 'probe' }>): Promise<boolean> {
    const isInUse = (await this.#o.prober?.isInUse(address, attachment)) ?? false;
    if (!isInUse) this.#proven.prove(address);
    return isInUse;
  }

  /** Takes the address out of use. False for a line that has taken as much as it may: it keeps its address, and is not asked about it again. */
  quarantine({ identity, line }: SessionRecord, grant: Grant): boolean {
    const { address } = grant;
    const begun = this.#o.quarantines.begin(poolNameOf(grant), address, boundedLine(identity, line));
    if (begun) this.#proven.doubt(address);
    else this.#proven.prove(address);
    return begun;
  }

  /** The address is used by whom it was granted to. */
  prove(address: Ipv4): void {
    this.#proven.prove(address);
  }
}

/** What AAA said of the session, its fixed address apart: that was for the pool the subscriber is moving out of. */
export function termsOf(record: SessionRecord, changed: SessionTerms | null): SessionTerms {
  const { state } = record.session;
  const own = isServed(state) ? state.grant.terms : plainTerms(record.identity.subscriberId);
  const terms = changed ?? own;
  return { ...terms, fixedAddress: null };
}
