/** Authentication from configured records and what was assigned since; all in memory. Knows no file and no protocol. */
import type { Ipv4 } from '../model/ipv4.js';
import type { Mac } from '../model/mac.js';
import { plainTerms, type SessionTerms } from '../model/session-terms.js';
import type { ServiceProfile } from '../model/service-profile.js';
import { isWalledInPlace } from '../model/service-profile.js';
import type { AuthenticationRequest, AuthenticationResult, Authenticator } from './port.js';

/** What configuration grants one ONT. A rate of 0 means unlimited. */
export interface LocalRecord {
  readonly ontSerial: string;
  /** The one address it has, and the one station that may use it without DHCP. */
  readonly address?: Ipv4;
  readonly mac?: Mac;
  readonly poolName: string;
  readonly serviceId: string;
  readonly downloadBitsPerSecond: number;
  readonly uploadBitsPerSecond: number;
}

export interface LocalAuthenticatorOptions {
  readonly records: readonly LocalRecord[];
  /** The pool of whoever has no record. */
  readonly defaultPool: string;
  /** Whoever is granted this pool is walled. */
  readonly gardenPool: string;
}

interface RecordedGrant {
  readonly profile: ServiceProfile;
  readonly fixed: Partial<Pick<SessionTerms, 'fixedAddress' | 'fixedMac'>>;
}

interface Assignment {
  readonly profile: ServiceProfile;
  readonly resumeTo: ServiceProfile | null;
}

/** Accepts everyone: with what was assigned, else with the ONT's record, else with the default pool. */
export class LocalAuthenticator implements Authenticator {
  readonly #gardenPool: string;
  #defaultProfile: ServiceProfile;
  #recordOf: ReadonlyMap<string, RecordedGrant>;
  readonly #assigned = new Map<string, Assignment>();

  constructor({ records, defaultPool, gardenPool }: LocalAuthenticatorOptions) {
    this.#gardenPool = gardenPool;
    this.#defaultProfile = this.#defaultOf(defaultPool);
    this.#recordOf = this.#grantsOf(records);
  }

  /** Later authentications grant what this says. What was assigned stays. */
  reconfigure({ records, defaultPool }: Pick<LocalAuthenticatorOptions, 'records' | 'defaultPool'>): void {
    this.#defaultProfile = this.#defaultOf(defaultPool);
    this.#recordOf = this.#grantsOf(records);
  }

  async authenticate(request: AuthenticationRequest): Promise<AuthenticationResult> {
    const { subscriberId, ontSerial } = request;
    const assigned = this.#assigned.get(subscriberId);
    const plain = plainTerms(ontSerial ?? subscriberId);
    const record = ontSerial === null ? undefined : this.#recordOf.get(ontSerial);
    const terms = { ...plain, ...record?.fixed };
    if (assigned === undefined) {
      return { kind: 'accepted', profile: record?.profile ?? this.#defaultProfile, resumeTo: null, terms };
    }
    // A fixed address belongs to the pool of its record.
    // So is one that was walled in place.
    const keeps =
      isWalledInPlace(assigned.profile, this.#gardenPool) ||
      assigned.profile.poolName === record?.profile.poolName;
    return { kind: 'accepted', ...assigned, terms: keeps ? terms : plain };
  }

  assign(subscriberId: string, profile: ServiceProfile, resumeTo: ServiceProfile | null): void {
    this.#assigned.set(subscriberId, { profile, resumeTo });
  }

  /** Later authentications grant again what configuration says: the ONT's record, else the default pool. */
  forget(subscriberId: string): void {
    this.#assigned.delete(subscriberId);
  }

  #defaultOf(poolName: string): ServiceProfile {
    return this.#profile({
      poolName,
      serviceId: poolName,
      downloadBitsPerSecond: 0,
      uploadBitsPerSecond: 0,
    });
  }

  #grantsOf(records: readonly LocalRecord[]): ReadonlyMap<string, RecordedGrant> {
    return new Map(
      records.map((record) => {
        const { ontSerial, address, mac } = record;
        const fixed = {
          ...(address === undefined ? {} : { fixedAddress: address }),
          ...(mac === undefined ? {} : { fixedMac: mac }),
        };
        return [ontSerial, { profile: this.#profile(record), fixed }];
      }),
    );
  }

  #profile(grant: Omit<LocalRecord, 'ontSerial'>): ServiceProfile {
    return {
      serviceId: grant.serviceId,
      poolName: grant.poolName,
      walled: grant.poolName === this.#gardenPool,
      downloadBitsPerSecond: grant.downloadBitsPerSecond,
      uploadBitsPerSecond: grant.uploadBitsPerSecond,
    };
  }
}
