/**
 * From a decoded frame to what the session layer can be asked: which line, which kind of message (RFC 2131 §4.3). All
 * the doubts about a client's message are settled here; no decision about leases.
 */
import type { PuntedFrame } from '../dataplane/port.js';
import type { AccessLine } from '../model/access-line.js';
import { accessLine } from '../model/access-line.js';
import type { Ipv4 } from '../model/ipv4.js';
import { IPV4_ANY, IPV4_BROADCAST } from '../model/ipv4.js';
import { isGroupMac } from '../model/mac.js';
import type { DhcpRequestKind } from '../session/inlet.js';
import { attachmentOf } from './line-tags.js';
import type { DhcpFrame } from '../wire/dhcpv4-frame.js';
import type { DhcpMessage } from '../wire/dhcpv4-message.js';
import { DhcpOption } from '../wire/dhcpv4-option-codes.js';

/** Why a well-formed message is not handled; counted by this name. */
export type IgnoreReason =
  | 'not-a-request'
  | 'bootp'
  | 'server-message'
  | 'other-server'
  | 'untrusted-option82'
  | 'untrusted-relay'
  | 'wrong-link'
  | 'spoofed-chaddr'
  | 'inconsistent'
  | 'no-address';

/** What a client wants, and where it is. */
export type ClientMessage = { readonly line: AccessLine; readonly way: Way } & (
  | { readonly type: 'discover' }
  | { readonly type: 'request'; readonly kind: DhcpRequestKind; readonly address: Ipv4 }
  | { readonly type: 'inform' | 'release' | 'decline'; readonly address: Ipv4 }
);

export type ClassifiedMessage =
  | ClientMessage
  /** Of an access node that wants to know who holds an address (RFC 4388). */
  | { readonly type: 'leasequery' }
  | { readonly type: 'ignore'; readonly reason: IgnoreReason };

/** How a message came, as far as its answer depends on it. */
export interface Way {
  readonly giaddr: Ipv4;
  /** An address of the client's link: link selection (RFC 3527), else giaddr; null where nobody says. */
  readonly link: Ipv4 | null;
  /** What the client is to take for its server (RFC 5107). */
  readonly serverId: Ipv4 | null;
  /** The message bears option 82, and it was believed. */
  readonly hasOption82: boolean;
}

/** A relay agent that is heard; `pools` are those whose addresses are good on its link, empty for that of the link's address. */
export interface Relay {
  readonly pools: readonly string[];
  readonly leasequery: boolean;
}

export interface DhcpRules {
  readonly trustOption82: boolean;
  /** What becomes of option 82 that is not trusted (RFC 3046 §2.1). */
  readonly untrustedOption82: 'refuse' | 'replace';
  /** By giaddr; null where each that is trusted is heard. */
  readonly relays: ReadonlyMap<Ipv4, Relay> | null;
  /** Offers nonces and sends FORCERENEW (RFC 6704). */
  readonly forceRenew: boolean;
}

export type ClassifyRules = Pick<DhcpRules, 'trustOption82' | 'untrustedOption82' | 'relays'> & {
  readonly isServerId: (address: Ipv4) => boolean;
};

/** RFC 5010 §4: the client's message was sent to one address. */
const RELAY_FLAG_UNICAST = 0x80;

function ignore(reason: IgnoreReason): ClassifiedMessage {
  return { type: 'ignore', reason };
}

/** Sorts one message. Throws `BNG_ERR_WIRE_*` when an option that matters is malformed. */
export function classify(frame: DhcpFrame, punted: PuntedFrame, rules: ClassifyRules): ClassifiedMessage {
  const { message } = frame;
  if (message.op !== 'BOOTREQUEST') return ignore('not-a-request');
  const messageType = message.options.messageType;
  if (messageType === undefined) return ignore('bootp');
  if (messageType === 'DHCPLEASEQUERY') return classifyQuery(message, rules);
  const placed = placeOf(frame, punted, rules);
  if (typeof placed === 'string') return ignore(placed);
  const { line, way } = placed;
  // The reply will need it: an answer that cannot be built must not have changed a session first.
  void message.options.maxMessageSize;
  const { serverIdentifier, requestedAddress } = message.options;
  const isOurs = (id: Ipv4): boolean => rules.isServerId(id) || id === way.serverId;
  const elsewhere = serverIdentifier !== undefined && !isOurs(serverIdentifier);
  switch (messageType) {
    case 'DHCPDISCOVER':
      return { type: 'discover', line, way };
    case 'DHCPREQUEST':
      return elsewhere ? ignore('other-server') : classifyRequest(frame, placed);
    case 'DHCPINFORM':
      if (message.ciaddr === IPV4_ANY) return ignore('no-address');
      return { type: 'inform', line, way, address: message.ciaddr };
    case 'DHCPRELEASE':
      if (elsewhere) return ignore('other-server');
      if (message.ciaddr === IPV4_ANY) return ignore('no-address');
      return { type: 'release', line, way, address: message.ciaddr };
    case 'DHCPDECLINE':
      if (elsewhere) return ignore('other-server');
      if (requestedAddress === undefined) return ignore('no-address');
      return { type: 'decline', line, way, address: requestedAddress };
    default:
      return ignore('server-message');
  }
}

/** Which of the four kinds, by the fields that RFC 2131 §4.3.2 and table 4 say are set. */
function classifyRequest(frame: DhcpFrame, placed: Placed): ClassifiedMessage {
  const { ciaddr, options } = frame.message;
  const { serverIdentifier, requestedAddress } = options;
  if (ciaddr !== IPV4_ANY) {
    const kind = isBroadcast(frame) ? 'rebinding' : 'renewing';
    return { type: 'request', kind, ...placed, address: ciaddr };
  }
  if (requestedAddress === undefined) return ignore('inconsistent');
  const kind = serverIdentifier === undefined ? 'init-reboot' : 'selecting';
  return { type: 'request', kind, ...placed, address: requestedAddress };
}

/** Whether the client sent to everybody: behind a relay that is its word (RFC 5010), for it sends to one address itself. */
function isBroadcast({ message, destinationIp }: DhcpFrame): boolean {
  if (message.giaddr === IPV4_ANY) return destinationIp === IPV4_BROADCAST;
  const flags = message.options.relayAgentInformation?.relayAgentFlags?.[0];
  return flags !== undefined && (flags & RELAY_FLAG_UNICAST) === 0;
}

/** RFC 4388 §6.3, §6.4: through a relay that may ask, or not at all. */
function classifyQuery(
  { giaddr, options }: DhcpMessage,
  { trustOption82, relays }: ClassifyRules,
): ClassifiedMessage {
  // The answer will need it.
  void options.parameterRequestList;
  const mayAsk = trustOption82 && giaddr !== IPV4_ANY && relays?.get(giaddr)?.leasequery === true;
  return mayAsk ? { type: 'leasequery' } : ignore('untrusted-relay');
}

interface Placed {
  readonly line: AccessLine;
  readonly way: Way;
}

function placeOf(frame: DhcpFrame, punted: PuntedFrame, rules: ClassifyRules): Placed | IgnoreReason {
  const { message, ethernet } = frame;
  const { giaddr } = message;
  const direct = giaddr === IPV4_ANY;
  // Behind a relay the source guard cannot vouch for chaddr; only an access node that is trusted may.
  if (!direct && !(rules.trustOption82 && (rules.relays?.has(giaddr) ?? true))) return 'untrusted-relay';
  if (isGroupMac(message.chaddr)) return 'spoofed-chaddr';
  // The dataplane's source guard goes by the frame's MAC: an address for another MAC would serve nobody but a thief.
  if (direct && message.chaddr !== ethernet.source) return 'spoofed-chaddr';
  const line = {
    ...attachmentOf(punted, message.chaddr),
    clientId: message.options.get(DhcpOption.ClientIdentifier),
  };
  const link = direct ? null : giaddr;
  // RFC 3046 §2.1: option 82 with a giaddr of 0 comes from a trusted access node, or counts for nothing.
  const hasOption82 = message.options.has(DhcpOption.RelayAgentInformation);
  if (hasOption82 && !rules.trustOption82 && rules.untrustedOption82 !== 'replace')
    return 'untrusted-option82';
  if (!hasOption82 || !rules.trustOption82) {
    return { line: accessLine(line), way: { giaddr, link, serverId: null, hasOption82: false } };
  }
  const told = message.options.relayAgentInformation;
  const option82 = message.options.get(DhcpOption.RelayAgentInformation);
  const selected = told?.linkSelectionAddress;
  const serverId = told?.serverIdOverrideAddress;
  return {
    line: accessLine(line, {
      option82,
      circuitId: told?.circuitId,
      remoteId: told?.remoteId,
      isSteered: selected === undefined && serverId === undefined ? undefined : true,
    }),
    way: { giaddr, link: selected ?? link, serverId: serverId ?? null, hasOption82: true },
  };
}
