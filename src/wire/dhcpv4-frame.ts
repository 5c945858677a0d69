/** A DHCPv4 message with everything around it, down to the Ethernet frame and its tags. Holds no decision where to send. */
import { BngError } from '../model/bng-error.js';
import type { Ipv4 } from '../model/ipv4.js';
import type { Mac } from '../model/mac.js';
import type { DhcpMessage } from './dhcpv4-message.js';
import { decodeDhcpMessage } from './dhcpv4-message.js';
import type { DecodedEthernet, VlanTag } from './ethernet.js';
import { ETHERTYPE_IPV4, decodeEthernet, ethernetHeaderLength, writeEthernetHeader } from './ethernet.js';
import { IPV4_UDP_HEADER_LENGTH, decodeIpv4Udp, writeIpv4Udp } from './ipv4-udp.js';

export const DHCP_SERVER_PORT = 67;
export const DHCP_CLIENT_PORT = 68;

export interface DhcpFrame {
  readonly ethernet: DecodedEthernet;
  readonly sourceIp: Ipv4;
  readonly destinationIp: Ipv4;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly message: DhcpMessage;
}

export interface DhcpFrameDraft {
  readonly destinationMac: Mac;
  readonly sourceMac: Mac;
  readonly tags: readonly VlanTag[];
  readonly sourceIp: Ipv4;
  readonly destinationIp: Ipv4;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** The encoded message. */
  readonly payload: Uint8Array;
}

/**
 * Reads a whole frame; ports are given, not judged. Throws `BNG_ERR_WIRE_*`, of other EtherTypes
 * `BNG_ERR_WIRE_UNSUPPORTED`; offsets inside the message count from the start of the message.
 */
export function decodeDhcpFrame(frame: Uint8Array): DhcpFrame {
  const ethernet = decodeEthernet(frame);
  if (ethernet.etherType !== ETHERTYPE_IPV4) {
    throw new BngError('BNG_ERR_WIRE_UNSUPPORTED', 'expected IPv4', {
      offset: ethernet.payloadOffset - 2,
      found: ethernet.etherType,
    });
  }
  const udp = decodeIpv4Udp(frame, ethernet.payloadOffset);
  return {
    ethernet,
    sourceIp: udp.sourceIp,
    destinationIp: udp.destinationIp,
    sourcePort: udp.sourcePort,
    destinationPort: udp.destinationPort,
    message: decodeDhcpMessage(udp.payload),
  };
}

/** A whole frame, without padding and FCS. Throws `BNG_ERR_VALUE` for a payload that is too long for a datagram. */
export function encodeDhcpFrame(draft: DhcpFrameDraft): Uint8Array {
  const header = {
    destination: draft.destinationMac,
    source: draft.sourceMac,
    tags: draft.tags,
    etherType: ETHERTYPE_IPV4,
  };
  const length = ethernetHeaderLength(header) + IPV4_UDP_HEADER_LENGTH + draft.payload.length;
  const frame = new Uint8Array(length);
  writeIpv4Udp(frame, writeEthernetHeader(frame, header), draft);
  return frame;
}
