/**
 * The attributes we send or read, by name, number and kind. What is not here is unknown: ignored, and counted.
 * Holds no rule about when an attribute is sent.
 */
import type { RadiusAttributes } from './radius-attributes.js';
import { VENDOR_SPECIFIC, vendorIdOf } from './radius-attributes.js';
import type { RadiusAttribute } from './radius-kinds.js';
import { ADDRESS, DATE, INTEGER, OCTETS, TEXT } from './radius-kinds.js';

/** RFC 4679 §3. */
export const ADSL_FORUM_VENDOR = 3561;
/** Wi-Fi Alliance, "Best Current Practices for WISP Roaming" appendix C. */
export const WISPR_VENDOR = 14122;
/**
 * Our own attributes. 32473 is the enterprise number kept for documentation (RFC 5612): the project has none of its own,
 * and any other number would be somebody's.
 */
export const BNG_VENDOR = 32473;

const standard = { vendorId: 0 } as const;
const adsl = { vendorId: ADSL_FORUM_VENDOR } as const;
const wispr = { vendorId: WISPR_VENDOR } as const;
const bng = { vendorId: BNG_VENDOR } as const;

export const Attribute = {
  // RFC 2865 §5
  UserName: { ...standard, name: 'User-Name', type: 1, kind: TEXT },
  UserPassword: { ...standard, name: 'User-Password', type: 2, kind: OCTETS },
  NasIpAddress: { ...standard, name: 'NAS-IP-Address', type: 4, kind: ADDRESS },
  NasPort: { ...standard, name: 'NAS-Port', type: 5, kind: INTEGER },
  ServiceType: { ...standard, name: 'Service-Type', type: 6, kind: INTEGER },
  FramedProtocol: { ...standard, name: 'Framed-Protocol', type: 7, kind: INTEGER },
  FramedIpAddress: { ...standard, name: 'Framed-IP-Address', type: 8, kind: ADDRESS },
  FramedIpNetmask: { ...standard, name: 'Framed-IP-Netmask', type: 9, kind: ADDRESS },
  FilterId: { ...standard, name: 'Filter-Id', type: 11, kind: TEXT },
  ReplyMessage: { ...standard, name: 'Reply-Message', type: 18, kind: TEXT },
  FramedRoute: { ...standard, name: 'Framed-Route', type: 22, kind: TEXT },
  State: { ...standard, name: 'State', type: 24, kind: OCTETS },
  Class: { ...standard, name: 'Class', type: 25, kind: OCTETS },
  SessionTimeout: { ...standard, name: 'Session-Timeout', type: 27, kind: INTEGER },
  IdleTimeout: { ...standard, name: 'Idle-Timeout', type: 28, kind: INTEGER },
  TerminationAction: { ...standard, name: 'Termination-Action', type: 29, kind: INTEGER },
  CalledStationId: { ...standard, name: 'Called-Station-Id', type: 30, kind: TEXT },
  CallingStationId: { ...standard, name: 'Calling-Station-Id', type: 31, kind: TEXT },
  NasIdentifier: { ...standard, name: 'NAS-Identifier', type: 32, kind: TEXT },
  ProxyState: { ...standard, name: 'Proxy-State', type: 33, kind: OCTETS },
  NasPortType: { ...standard, name: 'NAS-Port-Type', type: 61, kind: INTEGER },
  // RFC 2866 §5
  AcctStatusType: { ...standard, name: 'Acct-Status-Type', type: 40, kind: INTEGER },
  AcctDelayTime: { ...standard, name: 'Acct-Delay-Time', type: 41, kind: INTEGER },
  AcctInputOctets: { ...standard, name: 'Acct-Input-Octets', type: 42, kind: INTEGER },
  AcctOutputOctets: { ...standard, name: 'Acct-Output-Octets', type: 43, kind: INTEGER },
  AcctSessionId: { ...standard, name: 'Acct-Session-Id', type: 44, kind: TEXT },
  AcctAuthentic: { ...standard, name: 'Acct-Authentic', type: 45, kind: INTEGER },
  AcctSessionTime: { ...standard, name: 'Acct-Session-Time', type: 46, kind: INTEGER },
  AcctInputPackets: { ...standard, name: 'Acct-Input-Packets', type: 47, kind: INTEGER },
  AcctOutputPackets: { ...standard, name: 'Acct-Output-Packets', type: 48, kind: INTEGER },
  AcctTerminateCause: { ...standard, name: 'Acct-Terminate-Cause', type: 49, kind: INTEGER },
  AcctMultiSessionId: { ...standard, name: 'Acct-Multi-Session-Id', type: 50, kind: TEXT },
  // RFC 2869 §5
  AcctInputGigawords: { ...standard, name: 'Acct-Input-Gigawords', type: 52, kind: INTEGER },
  AcctOutputGigawords: { ...standard, name: 'Acct-Output-Gigawords', type: 53, kind: INTEGER },
  EventTimestamp: { ...standard, name: 'Event-Timestamp', type: 55, kind: DATE },
  MessageAuthenticator: { ...standard, name: 'Message-Authenticator', type: 80, kind: OCTETS },
  AcctInterimInterval: { ...standard, name: 'Acct-Interim-Interval', type: 85, kind: INTEGER },
  NasPortId: { ...standard, name: 'NAS-Port-Id', type: 87, kind: TEXT },
  FramedPool: { ...standard, name: 'Framed-Pool', type: 88, kind: TEXT },
  // RFC 5176 §3
  ErrorCause: { ...standard, name: 'Error-Cause', type: 101, kind: INTEGER },
  // RFC 4679 §3.3
  AdslAgentCircuitId: { ...adsl, name: 'ADSL-Agent-Circuit-Id', type: 1, kind: OCTETS },
  AdslAgentRemoteId: { ...adsl, name: 'ADSL-Agent-Remote-Id', type: 2, kind: OCTETS },
  // Bits per second
  WisprBandwidthMaxUp: { ...wispr, name: 'WISPr-Bandwidth-Max-Up', type: 7, kind: INTEGER },
  WisprBandwidthMaxDown: { ...wispr, name: 'WISPr-Bandwidth-Max-Down', type: 8, kind: INTEGER },
  BngSubscriberId: { ...bng, name: 'Bng-Subscriber-Id', type: 1, kind: TEXT },
  // Kilobits (1000 bits) per second: 32 bits of bits per second end at 4.29 Gbit/s
  BngDownloadRate: { ...bng, name: 'Bng-Download-Rate', type: 2, kind: INTEGER },
  BngUploadRate: { ...bng, name: 'Bng-Upload-Rate', type: 3, kind: INTEGER },
} as const satisfies Readonly<Record<string, RadiusAttribute<unknown>>>;

const KNOWN: ReadonlySet<string> = new Set(
  Object.values(Attribute).map(({ vendorId, type }) => `${vendorId}/${type}`),
);
const KNOWN_VENDORS: ReadonlySet<number> = new Set([ADSL_FORUM_VENDOR, WISPR_VENDOR, BNG_VENDOR]);

/** Whether the dictionary has attributes of this vendor, and so knows how they are packed. */
export function knowsVendor(vendorId: number): boolean {
  return KNOWN_VENDORS.has(vendorId);
}

/**
 * How many attributes are not in the dictionary. Whatever an unknown vendor packs into one attribute counts once: only
 * that vendor knows its layout. Bad framing of a vendor in the dictionary is `BNG_ERR_WIRE_MALFORMED`.
 */
export function countUnknownAttributes(attributes: RadiusAttributes): number {
  let unknown = 0;
  const vendors = new Set<number>();
  for (const raw of attributes.entries()) {
    const vendorId = raw.type === VENDOR_SPECIFIC ? vendorIdOf(raw) : 0;
    if (vendorId === 0) unknown += KNOWN.has(`0/${raw.type}`) ? 0 : 1;
    else if (vendorId === undefined || !knowsVendor(vendorId)) unknown += 1;
    else vendors.add(vendorId);
  }
  for (const vendorId of vendors) {
    for (const { type } of attributes.vendorEntries(vendorId)) {
      unknown += KNOWN.has(`${vendorId}/${type}`) ? 0 : 1;
    }
  }
  return unknown;
}
