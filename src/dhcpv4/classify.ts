/**
 * From a decoded frame to what the session layer can be asked: which line, which kind of message (RFC 2131 §4.3). All
 * the doubts about a client's message are settled here; no decision about leases.
 */
import type { PuntedFrame } from '../dataplane/port.js';
import type { AccessLine } from '../model/access-line.js';
import type { Ipv4 } from '../model/ipv4.js';
import { IPV4_ANY, IPV4_BROADCAST } from '../model/ipv4.js';
import { isGroupMac } from '../model/mac.js';
import type { DhcpRequestKind } from '../session/inlet.js';
import type { DhcpFrame } from '../wire/dhcpv4-frame.js';
import { DhcpOption } from '../wire/dhcpv4-option-codes.js';

/** Why a well-formed message is not handled; counted by this name. */
export type IgnoreReason =
  | 'not-a-request'
  | 'bootp'
  | 'server-message'
  | 'other-server'
  | 'untrusted-option82'
  | 'untrusted-relay'
  | 'spoofed-chaddr'
  | 'inconsistent'
  | 'no-address';

export type ClassifiedMessage =
  | { readonly type: 'discover'; readonly line: AccessLine }
  | {
      readonly type: 'request';
      readonly kind: DhcpRequestKind;
      readonly line: AccessLine;
      readonly address: Ipv4;
    }
  | { readonly type: 'inform' | 'release' | 'decline'; readonly line: AccessLine; readonly address: Ipv4 }
  | { readonly type: 'ignore'; readonly reason: IgnoreReason };

export interface ClassifyRules {
  readonly trustOption82: boolean;
  readonly isServerId: (address: Ipv4) => boolean;
}

function ignore(reason: IgnoreReason): ClassifiedMessage {
  return { type: 'ignore', reason };
}

/** Sorts one message. Throws `BNG_ERR_WIRE_*` when an option that matters is malformed. */
export function classify(frame: DhcpFrame, punted: PuntedFrame, rules: ClassifyRules): ClassifiedMessage {
  const { message } = frame;
  if (message.op !== 'BOOTREQUEST') return ignore('not-a-request');
  const messageType = message.options.messageType;
  if (messageType === undefined) return ignore('bootp');
  const line = lineOf(frame, punted, rules);
  if (typeof line === 'string') return ignore(line);
  // The reply will need it: an answer that cannot be built must not have changed a session first.
  void message.options.maxMessageSize;
  const { serverIdentifier, requestedAddress } = message.options;
  const elsewhere = serverIdentifier !== undefined && !rules.isServerId(serverIdentifier);
  switch (messageType) {
    case 'DHCPDISCOVER':
      return { type: 'discover', line };
    case 'DHCPREQUEST':
      return elsewhere ? ignore('other-server') : classifyRequest(frame, line);
    case 'DHCPINFORM':
      if (message.ciaddr === IPV4_ANY) return ignore('no-address');
      return { type: 'inform', line, address: message.ciaddr };
    case 'DHCPRELEASE':
      if (elsewhere) return ignore('other-server');
      if (message.ciaddr === IPV4_ANY) return ignore('no-address');
      return { type: 'release', line, address: message.ciaddr };
    case 'DHCPDECLINE':
      if (elsewhere) return ignore('other-server');
      if (requestedAddress === undefined) return ignore('no-address');
      return { type: 'decline', line, address: requestedAddress };
    default:
      return ignore('server-message');
  }
}

/** Which of the four kinds, by the fields that RFC 2131 §4.3.2 and table 4 say are set. */
function classifyRequest(frame: DhcpFrame, line: AccessLine): ClassifiedMessage {
  const { ciaddr, options } = frame.message;
  const { serverIdentifier, requestedAddress } = options;
  if (ciaddr !== IPV4_ANY) {
    const kind = frame.destinationIp === IPV4_BROADCAST ? 'rebinding' : 'renewing';
    return { type: 'request', kind, line, address: ciaddr };
  }
  if (requestedAddress === undefined) return ignore('inconsistent');
  const kind = serverIdentifier === undefined ? 'init-reboot' : 'selecting';
  return { type: 'request', kind, line, address: requestedAddress };
}

function lineOf(frame: DhcpFrame, punted: PuntedFrame, rules: ClassifyRules): AccessLine | IgnoreReason {
  const { message, ethernet } = frame;
  const direct = message.giaddr === IPV4_ANY;
  // Behind a relay the source guard cannot vouch for chaddr; only an access node that is trusted may.
  if (!direct && !rules.trustOption82) return 'untrusted-relay';
  if (isGroupMac(message.chaddr)) return 'spoofed-chaddr';
  // The dataplane's source guard goes by the frame's MAC: an address for another MAC would serve nobody but a thief.
  if (direct && message.chaddr !== ethernet.source) return 'spoofed-chaddr';
  const { ifindex, sVlan, cVlan, sTpid, cTpid } = punted;
  const attachment = {
    ...{ ifindex, sVlan, cVlan, mac: message.chaddr },
    ...(sTpid === 0 ? {} : { sTpid }),
    ...(cTpid === 0 ? {} : { cTpid }),
  };
  if (!message.options.has(DhcpOption.RelayAgentInformation)) return attachment;
  // RFC 3046 §2.1: option 82 with a giaddr of 0 comes from a trusted access node or is dropped.
  if (!rules.trustOption82) return 'untrusted-option82';
  const told = message.options.relayAgentInformation;
  const option82 = message.options.get(DhcpOption.RelayAgentInformation);
  return {
    ...attachment,
    ...(option82 === undefined ? {} : { option82 }),
    ...(told?.circuitId === undefined ? {} : { circuitId: told.circuitId }),
    ...(told?.remoteId === undefined ? {} : { remoteId: told.remoteId }),
  };
}
