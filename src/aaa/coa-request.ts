/**
 * What a CoA- or Disconnect-Request asks for, from its attributes (RFC 5176 §3), or why it cannot be done. All attributes
 * are mandatory (§2.3): whatever is not understood refuses the whole request, so that nothing is half applied.
 * Sees no bytes of the packet and no session.
 */
import { isWireError } from '../model/bng-error.js';
import type { Ipv4 } from '../model/ipv4.js';
import type { RadiusAttributes } from '../wire/radius-attributes.js';
import { VENDOR_SPECIFIC, vendorIdOf } from '../wire/radius-attributes.js';
import {
  ADSL_FORUM_VENDOR,
  Attribute,
  BNG_VENDOR,
  countUnknownAttributes,
  WISPR_VENDOR,
} from '../wire/radius-dictionary.js';
import type { RadiusAttribute } from '../wire/radius-kinds.js';
import type { ErrorCause } from '../wire/radius-values.js';
import { macOfStationId } from './coa-station-id.js';
import type { AuthorizationChange, SessionSelector } from './port.js';

export type CoaKind = 'CoA' | 'Disconnect';
export type ErrorCauseName = keyof typeof ErrorCause;

/** What a Filter-Id stands for. A rate of 0 is unlimited; a pool of null stays what it is. */
export interface FilterProfile {
  readonly poolName: string | null;
  readonly serviceId: string;
  readonly downloadBitsPerSecond: number;
  readonly uploadBitsPerSecond: number;
}

export interface NasIdentity {
  readonly nasIdentifier: string;
  /** Null when the NAS has none of its own: then a NAS-IP-Address names another. */
  readonly nasIpAddress: Ipv4 | null;
}

export interface CoaRules extends NasIdentity {
  readonly filters: ReadonlyMap<string, FilterProfile>;
}

export interface CoaRefusal {
  readonly cause: ErrorCauseName;
  /** For the operator's log; the client gets the Error-Cause alone. */
  readonly reason: string;
}

export type CoaOrder =
  | { readonly kind: 'CoA'; readonly selector: SessionSelector; readonly change: AuthorizationChange }
  | { readonly kind: 'Disconnect'; readonly selector: SessionSelector };

/** RFC 2869 §5.16. */
const SHORTEST_INTERIM_SECONDS = 60;
/** The bound of configuration: 1 Tbit/s. */
const HIGHEST_RATE = 1e12;

const A = Attribute;
/** In requests of both kinds: who is meant, and what protects or accompanies the packet. */
const COMMON: readonly RadiusAttribute<unknown>[] = [
  A.NasIdentifier,
  A.NasIpAddress,
  A.EventTimestamp,
  A.MessageAuthenticator,
  A.AcctSessionId,
  A.UserName,
  A.FramedIpAddress,
  A.CallingStationId,
  A.AdslAgentCircuitId,
];
const CHANGES: readonly RadiusAttribute<unknown>[] = [
  A.ServiceType,
  A.FilterId,
  A.FramedPool,
  A.SessionTimeout,
  A.IdleTimeout,
  A.AcctInterimInterval,
  A.WisprBandwidthMaxDown,
  A.WisprBandwidthMaxUp,
  A.BngDownloadRate,
  A.BngUploadRate,
];
/** Allowed more than once, and echoed (RFC 5176 §3.1, §3.3). */
export const ECHOED: readonly RadiusAttribute<Uint8Array>[] = [A.State, A.ProxyState];

/** Collects what is wrong; the first is what the client is told. */
class Refusals {
  first: CoaRefusal | null = null;

  add(cause: ErrorCauseName, reason: string): void {
    this.first ??= { cause, reason };
  }
}

/** The order that the attributes of an authentic request give, or the refusal it is answered with. */
export function readCoaRequest(
  kind: CoaKind,
  attributes: RadiusAttributes,
  rules: CoaRules,
): CoaOrder | CoaRefusal {
  const refusals = new Refusals();
  try {
    return readOrder(kind, { attributes, rules, refusals });
  } catch (error) {
    // An attribute that is not formatted properly (RFC 5176 §3.5, value 404).
    if (isWireError(error)) return refusals.first ?? { cause: 'InvalidRequest', reason: error.message };
    throw error;
  }
}

interface Reading {
  readonly attributes: RadiusAttributes;
  readonly rules: CoaRules;
  readonly refusals: Refusals;
}

function readOrder(kind: CoaKind, reading: Reading): CoaOrder | CoaRefusal {
  const { refusals } = reading;
  refuseOtherNas(reading);
  refuseUnsupported(reading, kind);
  const selector = readSelector(reading);
  if (Object.keys(selector).length === 0) refusals.add('MissingAttribute', 'nothing names a session');
  if (kind === 'Disconnect') return refusals.first ?? { kind, selector };
  const change = readChange(reading);
  if (Object.keys(change).length === 0) refusals.add('MissingAttribute', 'nothing is to be changed');
  return refusals.first ?? { kind, selector, change };
}

export function isRefusal(result: CoaOrder | CoaRefusal): result is CoaRefusal {
  return 'cause' in result;
}

function refuseOtherNas({ attributes, rules, refusals }: Reading): void {
  const { nasIdentifier, nasIpAddress } = rules;
  const name = attributes.first(A.NasIdentifier);
  const address = attributes.first(A.NasIpAddress);
  if ((name !== undefined && name !== nasIdentifier) || (address !== undefined && address !== nasIpAddress)) {
    refusals.add('NasIdentificationMismatch', 'another NAS is meant');
  }
}

function refuseUnsupported({ attributes, refusals }: Reading, kind: CoaKind): void {
  const known = new Set([...COMMON, ...ECHOED, ...(kind === 'CoA' ? CHANGES : [])].map(keyOf));
  const repeatable = new Set(ECHOED.map(keyOf));
  const seen = new Set<string>();
  // What is in no dictionary, or in a vendor's attribute too short to name its vendor.
  if (countUnknownAttributes(attributes) > 0) refusals.add('UnsupportedAttribute', 'an attribute is unknown');
  for (const key of keysOf(attributes, refusals)) {
    if (!known.has(key))
      refusals.add('UnsupportedAttribute', `attribute ${key} has no place in a ${kind}-Request`);
    if (seen.has(key) && !repeatable.has(key))
      refusals.add('InvalidRequest', `attribute ${key} is there twice`);
    seen.add(key);
  }
}

function keyOf({ vendorId, type }: RadiusAttribute<unknown>): string {
  return `${vendorId}/${type}`;
}

function keysOf(attributes: RadiusAttributes, refusals: Refusals): readonly string[] {
  const keys: string[] = [];
  for (const raw of attributes.entries()) if (raw.type !== VENDOR_SPECIFIC) keys.push(`0/${raw.type}`);
  for (const vendorId of [ADSL_FORUM_VENDOR, WISPR_VENDOR, BNG_VENDOR]) {
    const inside = attributes.vendorEntries(vendorId);
    keys.push(...inside.map(({ type }) => `${vendorId}/${type}`));
    const there = attributes
      .entries()
      .some((raw) => raw.type === VENDOR_SPECIFIC && vendorIdOf(raw) === vendorId);
    if (there && inside.length === 0) refusals.add('InvalidRequest', 'a Vendor-Specific attribute is empty');
  }
  return keys;
}

function readSelector({ attributes, refusals }: Reading): SessionSelector {
  const accountingId = attributes.first(A.AcctSessionId);
  const userName = attributes.first(A.UserName);
  const framedAddress = attributes.first(A.FramedIpAddress);
  const station = attributes.first(A.CallingStationId);
  const circuitId = attributes.first(A.AdslAgentCircuitId);
  const mac = station === undefined ? undefined : macOfStationId(station);
  if (mac === null) refusals.add('InvalidAttributeValue', 'Calling-Station-Id is no MAC address');
  return {
    ...(accountingId === undefined ? {} : { accountingId }),
    ...(userName === undefined ? {} : { userName }),
    ...(framedAddress === undefined ? {} : { framedAddress }),
    ...(mac === undefined || mac === null ? {} : { mac }),
    ...(circuitId === undefined ? {} : { circuitId }),
  };
}

/** What is named by itself goes before what the Filter-Id says. */
function readChange(reading: Reading): AuthorizationChange {
  const { attributes, rules, refusals } = reading;
  // Authorize Only would need an Access-Request of ours (RFC 5176 §3.2); no other service can be changed to.
  if (attributes.has(A.ServiceType)) refusals.add('UnsupportedService', 'Service-Type cannot be changed');
  const filterId = attributes.first(A.FilterId);
  const filter = filterId === undefined ? undefined : rules.filters.get(filterId);
  if (filterId !== undefined && filter === undefined) {
    refusals.add('InvalidAttributeValue', 'Filter-Id names no filter of the configuration');
  }
  const poolName = attributes.first(A.FramedPool) ?? filter?.poolName ?? undefined;
  const download = readRate(reading, A.WisprBandwidthMaxDown, A.BngDownloadRate);
  const upload = readRate(reading, A.WisprBandwidthMaxUp, A.BngUploadRate);
  const session = readSeconds(reading, A.SessionTimeout, 1);
  const idle = readSeconds(reading, A.IdleTimeout, 1);
  const interim = readSeconds(reading, A.AcctInterimInterval, SHORTEST_INTERIM_SECONDS);
  return {
    ...(filter === undefined ? {} : ratesOf(filter)),
    ...(poolName === undefined ? {} : { poolName }),
    ...(download === undefined ? {} : { downloadBitsPerSecond: download }),
    ...(upload === undefined ? {} : { uploadBitsPerSecond: upload }),
    ...(session === undefined ? {} : { sessionTimeoutSeconds: session }),
    ...(idle === undefined ? {} : { idleTimeoutSeconds: idle }),
    ...(interim === undefined ? {} : { interimIntervalSeconds: interim }),
  };
}

function ratesOf({
  serviceId,
  downloadBitsPerSecond,
  uploadBitsPerSecond,
}: FilterProfile): AuthorizationChange {
  return { serviceId, downloadBitsPerSecond, uploadBitsPerSecond };
}

/** In bits per second; 0 is unlimited. Named in both units, it must be the same rate. */
function readRate(
  { attributes, refusals }: Reading,
  inBits: RadiusAttribute<number>,
  inKilobits: RadiusAttribute<number>,
): number | undefined {
  const bits = attributes.first(inBits);
  const kilobits = attributes.first(inKilobits);
  const rate = kilobits === undefined ? bits : kilobits * 1000;
  if (bits !== undefined && rate !== bits) {
    refusals.add('InvalidAttributeValue', `${inBits.name} and ${inKilobits.name} disagree`);
  }
  if (rate !== undefined && rate > HIGHEST_RATE) {
    refusals.add('InvalidAttributeValue', `${inKilobits.name} is over 1 Tbit/s`);
  }
  return rate;
}

/** Null for 0: no limit, as in an Access-Accept. */
function readSeconds(
  { attributes, refusals }: Reading,
  attribute: RadiusAttribute<number>,
  least: number,
): number | null | undefined {
  const seconds = attributes.first(attribute);
  if (seconds === 0) return null;
  if (seconds !== undefined && seconds < least) {
    refusals.add('InvalidAttributeValue', `${attribute.name} is less than ${least} s`);
  }
  return seconds;
}
