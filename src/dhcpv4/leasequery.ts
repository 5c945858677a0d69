/** Answers to access nodes that ask who holds an address (RFC 4388 §6.4). Pure; whoever may ask is settled before. */
import type { Ipv4 } from '../model/ipv4.js';
import { IPV4_ANY } from '../model/ipv4.js';
import type { Mac } from '../model/mac.js';
import type { LeaseInspection, LeaseQuery, LeaseSighting } from '../session/inlet.js';
import type { DhcpFrame } from '../wire/dhcpv4-frame.js';
import { DHCP_SERVER_PORT, encodeDhcpFrame } from '../wire/dhcpv4-frame.js';
import type { DhcpMessage } from '../wire/dhcpv4-message.js';
import { encodeDhcpMessage } from '../wire/dhcpv4-message.js';
import { DhcpOption } from '../wire/dhcpv4-option-codes.js';
import { DhcpOptionsBuilder } from '../wire/dhcpv4-options-builder.js';
import { leaseTimes } from '../model/lease.js';

const NO_MAC = 0 as Mac;

/** The whole frame, to the relay that asked; null for a query that names nothing, or two things. */
export function leasequeryReply(
  asked: DhcpFrame,
  leases: LeaseInspection,
  accessMac: Mac,
): Uint8Array | null {
  const query = queryOf(asked.message);
  if (query === null) return null;
  const lease = leases.lease(query);
  const place = query.by === 'address' ? leases.poolAt(query.address) : null;
  const options = new DhcpOptionsBuilder();
  const serverId = lease?.serverId ?? place?.gateway ?? asked.destinationIp;
  const type =
    lease !== null ? 'DHCPLEASEACTIVE' : place !== null ? 'DHCPLEASEUNASSIGNED' : 'DHCPLEASEUNKNOWN';
  options.messageType(type).serverIdentifier(serverId);
  if (lease !== null) describe(lease, { options, asked: asked.message, isByAddress: query.by === 'address' });
  return frameOf(asked, { accessMac, serverId, options, query, lease });
}

/** RFC 4388 §6.3: by address with ciaddr alone, by MAC with chaddr alone, by client identifier with option 61 alone. */
function queryOf({ ciaddr, chaddr, options }: DhcpMessage): LeaseQuery | null {
  const clientId = options.get(DhcpOption.ClientIdentifier);
  const named = [ciaddr !== IPV4_ANY, chaddr !== NO_MAC, clientId !== undefined].filter(Boolean);
  if (named.length !== 1) return null;
  if (ciaddr !== IPV4_ANY) return { by: 'address', address: ciaddr };
  return clientId === undefined ? { by: 'mac', mac: chaddr } : { by: 'client-id', clientId };
}

/** RFC 4388 §6.4.2: what the parameter request list names; without one everything that we know. */
function describe(
  lease: LeaseSighting,
  { options, asked, isByAddress }: { options: DhcpOptionsBuilder; asked: DhcpMessage; isByAddress: boolean },
): void {
  const list = asked.options.parameterRequestList;
  const wants = (code: number): boolean => list?.includes(code) ?? true;
  const { terms, remainingMs, clientId, option82 } = lease;
  const remaining = Math.floor(remainingMs / 1000);
  const sinceLast = Math.max(0, terms.leaseSeconds - remaining);
  const { renewSeconds, rebindSeconds } = leaseTimes(terms);
  if (wants(DhcpOption.LeaseTime)) options.leaseSeconds(remaining);
  // T1 and T2 from now, where they have not passed.
  if (wants(DhcpOption.RenewalTime) && renewSeconds > sinceLast)
    options.renewalSeconds(renewSeconds - sinceLast);
  if (wants(DhcpOption.RebindingTime) && rebindSeconds > sinceLast) {
    options.rebindingSeconds(rebindSeconds - sinceLast);
  }
  if (wants(DhcpOption.LastTransactionTime)) options.lastTransactionSeconds(sinceLast);
  if (wants(DhcpOption.ClientIdentifier) && clientId !== null)
    options.raw(DhcpOption.ClientIdentifier, clientId);
  if (!isByAddress && lease.addresses.length > 1) options.associatedAddresses(lease.addresses);
  if (wants(DhcpOption.RelayAgentInformation) && option82 !== null) {
    options.raw(DhcpOption.RelayAgentInformation, option82);
  }
}

function frameOf(
  asked: DhcpFrame,
  answer: {
    readonly accessMac: Mac;
    readonly serverId: Ipv4;
    readonly options: DhcpOptionsBuilder;
    readonly query: LeaseQuery;
    readonly lease: LeaseSighting | null;
  },
): Uint8Array {
  const { message, ethernet } = asked;
  const { accessMac, serverId, options, query, lease } = answer;
  const payload = encodeDhcpMessage({
    op: 'BOOTREPLY',
    xid: message.xid,
    flags: message.flags,
    ciaddr: lease?.terms.address ?? (query.by === 'address' ? query.address : IPV4_ANY),
    giaddr: message.giaddr,
    chaddr: lease?.mac ?? (query.by === 'mac' ? query.mac : NO_MAC),
    ...(lease === null && query.by !== 'mac' ? { htype: 0, hlen: 0 } : {}),
    options: options.build(),
  });
  return encodeDhcpFrame({
    destinationMac: ethernet.source,
    sourceMac: accessMac,
    tags: ethernet.tags,
    sourceIp: serverId,
    destinationIp: message.giaddr,
    sourcePort: DHCP_SERVER_PORT,
    destinationPort: DHCP_SERVER_PORT,
    payload,
  });
}
