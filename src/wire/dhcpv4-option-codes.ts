/** The numbers of DHCPv4: option codes, sub-option codes, message types. Names only, no decoding. */

/** Option codes that this project speaks of (RFC 2132 where not said otherwise). */
export const DhcpOption = {
  Pad: 0,
  SubnetMask: 1,
  Routers: 3,
  DnsServers: 6,
  HostName: 12,
  RequestedAddress: 50,
  LeaseTime: 51,
  Overload: 52,
  MessageType: 53,
  ServerIdentifier: 54,
  ParameterRequestList: 55,
  Message: 56,
  MaxMessageSize: 57,
  RenewalTime: 58,
  RebindingTime: 59,
  VendorClass: 60,
  ClientIdentifier: 61,
  /** RFC 3046. */
  RelayAgentInformation: 82,
  /** RFC 3118. */
  Authentication: 90,
  /** RFC 4388. */
  LastTransactionTime: 91,
  /** RFC 4388. */
  AssociatedAddresses: 92,
  /** RFC 8910. */
  CaptivePortal: 114,
  /** RFC 3442. */
  ClasslessRoutes: 121,
  /** RFC 6704. */
  ForceRenewNonceCapable: 145,
  End: 255,
} as const;

/** Sub-options of option 82. */
export const RelayAgentSubOption = {
  /** RFC 3046 §3.1. */
  CircuitId: 1,
  /** RFC 3046 §3.2. */
  RemoteId: 2,
  /** RFC 3527. */
  LinkSelection: 5,
  /** RFC 5010. */
  RelayAgentFlags: 10,
  /** RFC 5107. */
  ServerIdOverride: 11,
} as const;

/** Values of option 53, in the order of their numbers from 1 (RFC 2132 §9.6, RFC 3203 §4, RFC 4388 §6.1). */
export const DHCP_MESSAGE_TYPES = [
  'DHCPDISCOVER',
  'DHCPOFFER',
  'DHCPREQUEST',
  'DHCPDECLINE',
  'DHCPACK',
  'DHCPNAK',
  'DHCPRELEASE',
  'DHCPINFORM',
  'DHCPFORCERENEW',
  'DHCPLEASEQUERY',
  'DHCPLEASEUNASSIGNED',
  'DHCPLEASEUNKNOWN',
  'DHCPLEASEACTIVE',
] as const;

export type DhcpMessageType = (typeof DHCP_MESSAGE_TYPES)[number];
