/** What an Access-Accept says, read attribute by attribute. Applies nothing: which of them wins is decided elsewhere. */
import type { Ipv4 } from '../model/ipv4.js';
import type { RadiusAttributes } from '../wire/radius-attributes.js';
import { Attribute, countUnknownAttributes } from '../wire/radius-dictionary.js';

export interface RadiusGrant {
  /** As the server wants it in accounting (RFC 2865 §5.1). */
  readonly userName: string | null;
  readonly serviceType: number | null;
  readonly poolName: string | null;
  readonly fixedAddress: Ipv4 | null;
  readonly filterId: string | null;
  readonly downloadBitsPerSecond: number | null;
  readonly uploadBitsPerSecond: number | null;
  readonly sessionTimeoutSeconds: number | null;
  readonly idleTimeoutSeconds: number | null;
  readonly interimIntervalSeconds: number | null;
  /** The server asked for interim records more often than RFC 2869 §5.16 lets it. */
  readonly isInterimRaised: boolean;
  readonly classes: readonly Uint8Array[];
  readonly routes: readonly string[];
  readonly unknownAttributes: number;
}

/** RFC 2869 §5.16. */
const MIN_INTERIM_SECONDS = 60;
// "The user selects" and "the NAS selects" (RFC 2865 §5.8): no address is given.
const NO_ADDRESS: readonly number[] = [0xffffffff, 0xfffffffe];
const BITS_PER_KILOBIT = 1000;

/** 0 is how servers write "without end". */
function positive(seconds: number | undefined): number | null {
  return seconds === undefined || seconds === 0 ? null : seconds;
}

/** Bits per second; our own attribute, in kbit/s, before that of WISPr. */
function rate(kilobits: number | undefined, bits: number | undefined): number | null {
  return kilobits === undefined ? (bits ?? null) : kilobits * BITS_PER_KILOBIT;
}

/** An attribute that does not fit its kind is `BNG_ERR_WIRE_MALFORMED`. Nothing in the result is a view of the packet. */
export function readRadiusGrant(attributes: RadiusAttributes): RadiusGrant {
  const address = attributes.first(Attribute.FramedIpAddress);
  const interim = positive(attributes.first(Attribute.AcctInterimInterval));
  return {
    userName: attributes.first(Attribute.UserName) ?? null,
    serviceType: attributes.first(Attribute.ServiceType) ?? null,
    poolName: attributes.first(Attribute.FramedPool) ?? null,
    fixedAddress: address === undefined || NO_ADDRESS.includes(address) ? null : address,
    filterId: attributes.first(Attribute.FilterId) ?? null,
    downloadBitsPerSecond: rate(
      attributes.first(Attribute.BngDownloadRate),
      attributes.first(Attribute.WisprBandwidthMaxDown),
    ),
    uploadBitsPerSecond: rate(
      attributes.first(Attribute.BngUploadRate),
      attributes.first(Attribute.WisprBandwidthMaxUp),
    ),
    sessionTimeoutSeconds: positive(attributes.first(Attribute.SessionTimeout)),
    idleTimeoutSeconds: positive(attributes.first(Attribute.IdleTimeout)),
    interimIntervalSeconds: interim === null ? null : Math.max(interim, MIN_INTERIM_SECONDS),
    isInterimRaised: interim !== null && interim < MIN_INTERIM_SECONDS,
    classes: attributes.all(Attribute.Class).map((value) => Uint8Array.from(value)),
    routes: attributes.all(Attribute.FramedRoute),
    unknownAttributes: countUnknownAttributes(attributes),
  };
}
