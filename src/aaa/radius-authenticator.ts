/**
 * Authentication by RADIUS: one Access-Request for each question, its outcome as the port's values. What an operator
 * assigned holds over the server's answer. Knows no socket.
 */
import { isWireError } from '../model/bng-error.js';
import type { ServiceProfile } from '../model/service-profile.js';
import { isWalledInPlace } from '../model/service-profile.js';
import type { SessionTerms } from '../model/session-terms.js';
import { plainTerms } from '../model/session-terms.js';
import type { RadiusAttributes } from '../wire/radius-attributes.js';
import { MAX_VALUE, MAX_VENDOR_VALUE, RadiusAttributesBuilder } from '../wire/radius-attributes-builder.js';
import { Attribute } from '../wire/radius-dictionary.js';
import { RadiusCode } from '../wire/radius-packet.js';
import { ServiceType } from '../wire/radius-values.js';
import type { AuthenticationRequest, AuthenticationResult, Authenticator } from './port.js';
import type { RadiusExchangeResult } from './radius-exchange.js';
import { answerOf, type RadiusJournal } from './radius-journal.js';
import type { RadiusGrant } from './radius-grant.js';
import { readRadiusGrant } from './radius-grant.js';
import type { RadiusNas } from './radius-nas-attributes.js';
import { addLine, addNas, addUnseenLine } from './radius-nas-attributes.js';
import type { RadiusRequest } from './radius-request.js';
import type { UserNameFormat } from './radius-user-name.js';

/** `garden` accepts into the walled garden, `silence` leaves the client without an answer, `refuse` says no. */
export type RadiusPolicy = 'garden' | 'silence' | 'refuse';

/** What Filter-Id can name. A rate of 0 is unlimited; a pool of null leaves it to Framed-Pool or the default. */
export interface NamedProfile {
  readonly serviceId: string;
  readonly poolName: string | null;
  readonly downloadBitsPerSecond: number;
  readonly uploadBitsPerSecond: number;
}

export interface RadiusAuthenticatorOptions {
  readonly client: { exchange(request: RadiusRequest): Promise<RadiusExchangeResult> };
  readonly nas: RadiusNas;
  /** Told what was asked and answered. */
  readonly journal?: RadiusJournal;
  readonly userName: UserNameFormat;
  /** The pool of whoever is accepted without a word about it. */
  readonly defaultPool: string;
  readonly garden: ServiceProfile;
  readonly profiles: ReadonlyMap<string, NamedProfile>;
  /** Access-Reject, and what is to be taken for one: a challenge, an answer that cannot be read, no User-Name to send. */
  readonly onReject: RadiusPolicy;
  /** No answer to believe in time, or no room to ask. */
  readonly onTimeout: RadiusPolicy;
}

/** What may be another while requests are under way. */
export type RadiusPolicies = Pick<
  RadiusAuthenticatorOptions,
  'defaultPool' | 'profiles' | 'onReject' | 'onTimeout'
>;

export interface RadiusAuthenticatorStatistics {
  readonly accepted: number;
  readonly rejected: number;
  readonly timeouts: number;
  /** Verified answers with an attribute that does not fit its kind. */
  readonly malformed: number;
  /** Accepted by the server, but with what is not supported here: a route, an unknown Filter-Id or Service-Type. */
  readonly unsupported: number;
  readonly unknownAttributes: number;
  /** Acct-Interim-Interval below 60 s, taken as 60 s (RFC 2869 §5.16). */
  readonly raisedInterims: number;
}

interface Assignment {
  readonly profile: ServiceProfile;
  readonly resumeTo: ServiceProfile | null;
}

/** What the server said, before policy and assignments. */
type Answer =
  | { readonly kind: 'granted'; readonly profile: ServiceProfile; readonly terms: SessionTerms }
  | { readonly kind: 'unsupported' | 'rejected' | 'timeout' | 'closed'; readonly reason: string };

const NO_PASSWORD = new Uint8Array();

export class RadiusAuthenticator implements Authenticator {
  #options: RadiusAuthenticatorOptions;
  /**
   * What operators assigned, in memory only: it bridges the time until the ISP's database knows, and is dropped when the
   * server's own answer grants the same pool and rates. It wins over the server's pool and rates, and over a reject or
   * silence too; timers and Class stay the server's.
   */
  readonly #assigned = new Map<string, Assignment>();
  readonly #counts = {
    accepted: 0,
    rejected: 0,
    timeouts: 0,
    malformed: 0,
    unsupported: 0,
    unknownAttributes: 0,
    raisedInterims: 0,
  };

  constructor(options: RadiusAuthenticatorOptions) {
    this.#options = options;
  }

  /** Answers that arrive from now on are read by these; what operators assigned stays. */
  reconfigure(changes: RadiusPolicies): void {
    this.#options = { ...this.#options, ...changes };
  }

  async authenticate(request: AuthenticationRequest): Promise<AuthenticationResult> {
    const userName = this.#options.userName(request);
    const answer: Answer =
      userName === null || Buffer.byteLength(userName) > MAX_VALUE
        ? { kind: 'rejected', reason: 'no User-Name of at most 253 bytes can be made of what is known' }
        : await this.#ask(request, userName);
    const name = userName ?? request.subscriberId;
    const assigned = this.#assigned.get(request.subscriberId);
    if (assigned !== undefined) return this.#assignedResult(request.subscriberId, name, { assigned, answer });
    // Not a reject, whose policy may be for good: the first frame makes the session ask again, with the whole line.
    if (userName === null && request.line === null) {
      return {
        kind: 'unreachable',
        reason: 'the User-Name is made of what the first frame of the line tells',
      };
    }
    switch (answer.kind) {
      case 'granted':
        return { kind: 'accepted', profile: answer.profile, resumeTo: null, terms: answer.terms };
      case 'unsupported':
        return { kind: 'rejected', reason: answer.reason };
      case 'closed':
        return { kind: 'unreachable', reason: answer.reason };
      case 'rejected':
        return this.#byPolicy(this.#options.onReject, name, answer.reason);
      case 'timeout':
        return this.#byPolicy(this.#options.onTimeout, name, answer.reason);
    }
  }

  assign(subscriberId: string, profile: ServiceProfile, resumeTo: ServiceProfile | null): void {
    this.#assigned.set(subscriberId, { profile, resumeTo });
  }

  forget(subscriberId: string): void {
    this.#assigned.delete(subscriberId);
  }

  statistics(): RadiusAuthenticatorStatistics {
    return { ...this.#counts };
  }

  /** The attributes of an Access-Request; User-Password and Message-Authenticator are the codec's. */
  #attributes({ line, announced, subscriberId }: AuthenticationRequest, userName: string): RadiusAttributes {
    const { nas } = this.#options;
    const builder = new RadiusAttributesBuilder().add(Attribute.UserName, userName);
    addNas(builder, nas).add(Attribute.ServiceType, ServiceType.Framed);
    if (line === null) addUnseenLine(builder, nas, announced ?? null);
    else addLine(builder, nas, line);
    // Cut short it would be somebody else's.
    const fits = Buffer.byteLength(subscriberId) <= MAX_VENDOR_VALUE;
    return builder.addIf(Attribute.BngSubscriberId, fits ? subscriberId : null).build();
  }

  async #ask(request: AuthenticationRequest, userName: string): Promise<Answer> {
    const { client, journal } = this.#options;
    const attributes = this.#attributes(request, userName);
    const beganMs = journal?.nowMs() ?? 0;
    const result = await client.exchange({ kind: 'access', attributes, password: NO_PASSWORD });
    journal?.note('authentication', request.subscriberId, {
      beganMs,
      ...answerOf(result),
      request: { code: RadiusCode['Access-Request'], attributes },
    });
    switch (result.kind) {
      case 'response':
        return this.#read(result, userName);
      case 'timeout':
      case 'overloaded':
        this.#counts.timeouts += 1;
        return {
          kind: 'timeout',
          reason: result.kind === 'timeout' ? 'no RADIUS server answered' : 'too many RADIUS requests wait',
        };
      case 'unsendable':
        return { kind: 'rejected', reason: result.reason };
      case 'closed':
        return { kind: 'closed', reason: 'the RADIUS client is closed' };
    }
  }

  #read(
    { packet, outcome, server }: Extract<RadiusExchangeResult, { kind: 'response' }>,
    userName: string,
  ): Answer {
    try {
      if (outcome === 'access-accept') return this.#grant(readRadiusGrant(packet.attributes), userName);
      this.#counts.rejected += 1;
      // Who cannot take part in a challenge treats it as a reject (RFC 2865 §4.4).
      if (outcome !== 'access-reject') return { kind: 'rejected', reason: `${server} asked for a challenge` };
      const message = packet.attributes
        .all(Attribute.ReplyMessage)
        .join('')
        .replace(/\p{Cc}/gu, ' ');
      return { kind: 'rejected', reason: message === '' ? `rejected by ${server}` : `${server}: ${message}` };
    } catch (error) {
      if (!isWireError(error)) throw error;
      // An attribute of invalid length makes a reject of an accept (RFC 2865 §5).
      this.#counts.malformed += 1;
      return {
        kind: 'rejected',
        reason: `${server} sent an attribute that cannot be read: ${error.message}`,
      };
    }
  }

  #grant(grant: RadiusGrant, userName: string): Answer {
    this.#counts.unknownAttributes += grant.unknownAttributes;
    const { filterId, serviceType, routes } = grant;
    const named = filterId === null ? undefined : this.#options.profiles.get(filterId);
    const unsupported =
      serviceType !== null && serviceType !== ServiceType.Framed
        ? `Service-Type ${serviceType} is not supported, only Framed`
        : routes.length > 0
          ? `Framed-Route is not supported: ${routes.join('; ')}`
          : filterId !== null && named === undefined
            ? `Filter-Id names no profile of this configuration: ${filterId}`
            : null;
    if (unsupported !== null) {
      this.#counts.unsupported += 1;
      return { kind: 'unsupported', reason: unsupported.replace(/\p{Cc}/gu, ' ') };
    }
    this.#counts.accepted += 1;
    if (grant.isInterimRaised) this.#counts.raisedInterims += 1;
    const poolName = grant.poolName ?? named?.poolName ?? this.#options.defaultPool;
    return {
      kind: 'granted',
      profile: {
        serviceId: named?.serviceId ?? poolName,
        poolName,
        walled: poolName === this.#options.garden.poolName,
        // Our own attribute, then WISPr's (both in the grant), then the named profile; unlimited without any.
        downloadBitsPerSecond: grant.downloadBitsPerSecond ?? named?.downloadBitsPerSecond ?? 0,
        uploadBitsPerSecond: grant.uploadBitsPerSecond ?? named?.uploadBitsPerSecond ?? 0,
      },
      terms: {
        userName: grant.userName ?? userName,
        fixedAddress: grant.fixedAddress,
        sessionTimeoutSeconds: grant.sessionTimeoutSeconds,
        idleTimeoutSeconds: grant.idleTimeoutSeconds,
        interimIntervalSeconds: grant.interimIntervalSeconds,
        classes: grant.classes,
      },
    };
  }

  #assignedResult(
    subscriberId: string,
    userName: string,
    { assigned, answer }: { readonly assigned: Assignment; readonly answer: Answer },
  ): AuthenticationResult {
    if (answer.kind !== 'granted') return { kind: 'accepted', ...assigned, terms: plainTerms(userName) };
    const { profile, resumeTo } = assigned;
    const isSamePool = profile.poolName === answer.profile.poolName;
    // A suspended subscriber's way back is known here only.
    if (resumeTo === null && isSamePool && hasSameRates(profile, answer.profile)) this.forget(subscriberId);
    // A fixed address belongs to the pool that the server meant, or to that in which a static one was walled in place.
    const isKept = isSamePool || isWalledInPlace(profile, this.#options.garden.poolName);
    const fixedAddress = isKept ? answer.terms.fixedAddress : null;
    return { kind: 'accepted', profile, resumeTo, terms: { ...answer.terms, fixedAddress } };
  }

  #byPolicy(policy: RadiusPolicy, userName: string, reason: string): AuthenticationResult {
    switch (policy) {
      case 'garden':
        return {
          kind: 'accepted',
          profile: this.#options.garden,
          resumeTo: null,
          terms: plainTerms(userName),
        };
      case 'silence':
        return { kind: 'unreachable', reason };
      case 'refuse':
        return { kind: 'rejected', reason };
    }
  }
}

function hasSameRates(a: ServiceProfile, b: ServiceProfile): boolean {
  return (
    a.downloadBitsPerSecond === b.downloadBitsPerSecond && a.uploadBitsPerSecond === b.uploadBitsPerSecond
  );
}
