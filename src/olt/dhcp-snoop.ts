/**
 * What an access node does to DHCP frames that pass through it (TR-101 R-112 ff.): option 82 and tags in on the way up,
 * option 82 out on the way down. Bytes to bytes; knows no ONT but the one it is told of.
 */
import { BngError } from '../model/bng-error.js';
import type { EthernetHeader, VlanTag } from '../wire/ethernet.js';
import { decodeEthernet, ethernetHeaderLength, writeEthernetHeader } from '../wire/ethernet.js';
import type { UdpDatagram } from '../wire/ipv4-udp.js';
import { decodeIpv4Udp, IPV4_UDP_HEADER_LENGTH, writeIpv4Udp } from '../wire/ipv4-udp.js';
import { decodeDhcpMessage } from '../wire/dhcpv4-message.js';
import { insertRelayAgentInformation, removeRelayAgentInformation } from '../wire/option82.js';

const TTL_OFFSET = 8;
const UDP_CHECKSUM_OFFSET = 6;

export interface LineInformation {
  readonly circuitId: Uint8Array;
  readonly remoteId: Uint8Array;
  /** Tags to push, outermost first. */
  readonly tags: readonly VlanTag[];
}

export interface ReplyFromServer {
  /** As the server echoed them; undefined when it did not. */
  readonly circuitId: Uint8Array | undefined;
  readonly remoteId: Uint8Array | undefined;
  /** The frame for the customer, without option 82. */
  readonly frame: Uint8Array;
}

/** A copy of an IPv4/UDP frame with other tags and payload; lengths and checksums are made anew, the TTL is kept. */
function rebuild(header: EthernetHeader, datagram: UdpDatagram, ttl: number | undefined): Uint8Array {
  const offset = ethernetHeaderLength(header);
  const frame = new Uint8Array(offset + IPV4_UDP_HEADER_LENGTH + datagram.payload.length);
  writeEthernetHeader(frame, header);
  writeIpv4Udp(frame, offset, datagram, ttl);
  return frame;
}

/**
 * The customer's frame as it goes out on the trunk. Throws `BNG_ERR_WIRE_*` for what is no DHCP message;
 * `BNG_ERR_WIRE_UNSUPPORTED` is also a customer who brings an option 82 (RFC 3046 §2.1.1).
 */
export function frameForTrunk(customerFrame: Uint8Array, line: LineInformation): Uint8Array {
  const frame = new Uint8Array(customerFrame);
  const ethernet = decodeEthernet(frame);
  // A veth leaves the checksum of what its own stack sent to hardware that is not there: it is only half computed.
  // The optical line has its own check, so 0 ("none", RFC 768) is taken here and the right one is written below.
  const udpStart = ethernet.payloadOffset + ((frame[ethernet.payloadOffset] ?? 0) & 0x0f) * 4;
  frame.fill(0, udpStart + UDP_CHECKSUM_OFFSET, udpStart + UDP_CHECKSUM_OFFSET + 2);
  const datagram = decodeIpv4Udp(frame, ethernet.payloadOffset);
  const payload = insertRelayAgentInformation(datagram.payload, {
    circuitId: line.circuitId,
    remoteId: line.remoteId,
  });
  const ttl = frame[ethernet.payloadOffset + TTL_OFFSET];
  return rebuild({ ...ethernet, tags: line.tags }, { ...datagram, payload }, ttl);
}

/** A server's frame, its tags already taken off, as it goes to the customer. Throws `BNG_ERR_WIRE_*` on bad bytes. */
export function frameForCustomer(trunkFrame: Uint8Array): ReplyFromServer {
  const ethernet = decodeEthernet(trunkFrame);
  const datagram = decodeIpv4Udp(trunkFrame, ethernet.payloadOffset);
  const message = decodeDhcpMessage(datagram.payload);
  if (message.op !== 'BOOTREPLY') {
    throw new BngError('BNG_ERR_WIRE_UNSUPPORTED', 'expected a BOOTREPLY from the trunk', {
      found: message.op,
    });
  }
  const information = message.options.relayAgentInformation;
  const payload = removeRelayAgentInformation(datagram.payload);
  const ttl = trunkFrame[ethernet.payloadOffset + TTL_OFFSET];
  return {
    circuitId: information?.circuitId,
    remoteId: information?.remoteId,
    frame: rebuild({ ...ethernet, tags: [] }, { ...datagram, payload }, ttl),
  };
}
