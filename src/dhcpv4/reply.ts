/** From a verdict to the frame that carries it (RFC 2131 §4.1, §4.3 and table 3). Pure; no decision about leases. */
import type { Ipv4 } from '../model/ipv4.js';
import { IPV4_ANY, IPV4_BROADCAST, prefixMask } from '../model/ipv4.js';
import { leaseTimes } from '../model/lease.js';
import type { Mac } from '../model/mac.js';
import type { DhcpVerdict } from '../session/inlet.js';
import type { DhcpFrame } from '../wire/dhcpv4-frame.js';
import { DHCP_CLIENT_PORT, DHCP_SERVER_PORT, encodeDhcpFrame } from '../wire/dhcpv4-frame.js';
import { leaseOptionBytes } from './lease-options.js';
import { DHCP_FLAG_BROADCAST, encodeDhcpMessage, wantsBroadcast } from '../wire/dhcpv4-message.js';
import type { DhcpMessage } from '../wire/dhcpv4-message.js';
import { OPTIONS_OFFSET } from '../wire/dhcpv4-option-area.js';
import { DhcpOption } from '../wire/dhcpv4-option-codes.js';
import { optionsLength } from '../wire/dhcpv4-option-layout.js';
import { DhcpOptionsBuilder } from '../wire/dhcpv4-options-builder.js';
import type { DhcpOptions } from '../wire/dhcpv4-options.js';

export type SpokenVerdict = Exclude<DhcpVerdict, { kind: 'silence' }>;
type TermsVerdict = Extract<SpokenVerdict, { terms: unknown }>;

/** Who answers, and what an answer says to this client alone. */
export interface Answering {
  /** Source MAC of the frame. */
  readonly accessMac: Mac;
  /** What the client is to take for its server, where a relay says so (RFC 5107). */
  readonly serverId?: Ipv4 | undefined;
  /** RFC 6704: algorithms offered (option 145), or the nonce of an acknowledgement (option 90). */
  readonly forceRenew?: readonly [code: number, value: Uint8Array] | undefined;
  /** Gives option 82 back (RFC 3046 §2.2). Not to a client whose own was not believed. */
  readonly echoesOption82?: boolean;
}

/** The access interface carries IP packets of at most this size, whatever a client says it can take. */
const MTU = 1500;
/** Option 53 comes first: code, length, value. */
const MESSAGE_TYPE_AT = OPTIONS_OFFSET + 2;

/** Builds the whole frame of the answer, tagged like the request. */
export function replyFrame(request: DhcpFrame, verdict: SpokenVerdict, from: Answering): Uint8Array {
  const { message, ethernet } = request;
  const relayed = message.giaddr !== IPV4_ANY;
  const payload = encodeDhcpMessage(
    {
      op: 'BOOTREPLY',
      xid: message.xid,
      // RFC 2131 §4.3.2: a relayed NAK must be broadcast to a client that may be on the wrong subnet.
      flags: verdict.kind === 'nak' && relayed ? message.flags | DHCP_FLAG_BROADCAST : message.flags,
      ciaddr: verdict.kind === 'ack' || verdict.kind === 'inform' ? message.ciaddr : IPV4_ANY,
      yiaddr: verdict.kind === 'offer' || verdict.kind === 'ack' ? verdict.terms.address : IPV4_ANY,
      giaddr: message.giaddr,
      chaddr: message.chaddr,
      chaddrBytes: message.chaddrBytes,
      options: replyOptions(message, verdict, from),
    },
    { maxMessageSize: Math.min(message.options.maxMessageSize ?? 0, MTU) },
  );
  return encodeDhcpFrame({
    // Always to the one station that asked, also where the IP destination is broadcast: no line hears another's answers.
    destinationMac: relayed ? ethernet.source : message.chaddr,
    sourceMac: from.accessMac,
    tags: ethernet.tags,
    sourceIp: verdict.serverId,
    destinationIp: destinationOf(message, verdict),
    sourcePort: DHCP_SERVER_PORT,
    destinationPort: relayed ? DHCP_SERVER_PORT : DHCP_CLIENT_PORT,
    payload,
  });
}

/** RFC 2131 §4.1: giaddr, then ciaddr, then the broadcast flag, then yiaddr; a NAK goes to everybody unless relayed. */
function destinationOf(message: DhcpMessage, verdict: SpokenVerdict): Ipv4 {
  if (message.giaddr !== IPV4_ANY) return message.giaddr;
  if (verdict.kind === 'nak') return IPV4_BROADCAST;
  if (message.ciaddr !== IPV4_ANY) return message.ciaddr;
  return wantsBroadcast(message) ? IPV4_BROADCAST : verdict.terms.address;
}

function replyOptions(message: DhcpMessage, verdict: SpokenVerdict, from: Answering): DhcpOptions {
  const options = ownOptions(verdict);
  const { serverId, forceRenew, echoesOption82 = true } = from;
  if (serverId !== undefined) options.serverIdentifier(serverId);
  if (forceRenew !== undefined) options.raw(...forceRenew);
  echo(options, message, DhcpOption.ClientIdentifier); // RFC 6842 §3
  if (echoesOption82) echo(options, message, DhcpOption.RelayAgentInformation); // RFC 3046 §2.2
  return options.build();
}

/** What an answer says whoever asked. */
function ownOptions(verdict: SpokenVerdict): DhcpOptionsBuilder {
  const options = new DhcpOptionsBuilder();
  switch (verdict.kind) {
    case 'nak':
      options.messageType('DHCPNAK').serverIdentifier(verdict.serverId).message(verdict.reason);
      break;
    case 'offer':
    case 'ack':
      options
        .messageType(verdict.kind === 'offer' ? 'DHCPOFFER' : 'DHCPACK')
        .serverIdentifier(verdict.serverId);
      addLeaseTimes(options, verdict.terms);
      addParameters(options, verdict);
      break;
    case 'inform':
      // RFC 2131 §4.3.5: no lease time for an address that we did not give.
      options.messageType('DHCPACK').serverIdentifier(verdict.serverId);
      addParameters(options, verdict);
      break;
  }
  return options;
}

/**
 * The message of every OFFER and ACK of a pool, up to where the client's own options are echoed: without END and
 * padding, and zero wherever the client, its address or the kind of answer decide. For who answers in our place.
 */
export function replyTemplate(verdict: Omit<TermsVerdict, 'kind'>): Uint8Array {
  const options = ownOptions({ ...verdict, kind: 'offer' }).build();
  const end = OPTIONS_OFFSET + optionsLength(options);
  const message = encodeDhcpMessage(
    { op: 'BOOTREPLY', xid: 0, chaddr: 0 as Mac, options },
    { maxMessageSize: MTU },
  ).slice(0, end);
  message[MESSAGE_TYPE_AT] = 0;
  return message;
}

function addLeaseTimes(options: DhcpOptionsBuilder, terms: TermsVerdict['terms']): void {
  const { renewSeconds, rebindSeconds } = leaseTimes(terms);
  options.leaseSeconds(terms.leaseSeconds).renewalSeconds(renewSeconds).rebindingSeconds(rebindSeconds);
}

/** Sent whether asked for or not: there are clients that ask for no router and start over when none comes. */
function addParameters(options: DhcpOptionsBuilder, verdict: TermsVerdict): void {
  const { network, gateway, dns, captivePortal, options: more = [] } = verdict.terms;
  options.subnetMask(prefixMask(network.length)).routers([gateway]);
  if (dns.length > 0) options.dnsServers(dns);
  if (captivePortal !== undefined) options.captivePortal(captivePortal);
  for (const option of more) options.raw(option.code, leaseOptionBytes(option));
}

function echo(options: DhcpOptionsBuilder, message: DhcpMessage, code: number): void {
  const value = message.options.get(code);
  if (value !== undefined) options.raw(code, value);
}
