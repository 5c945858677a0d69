/** ARP for IPv4 over Ethernet (RFC 826). Holds no neighbour state. */
import { BngError } from '../model/bng-error.js';
import type { Ipv4 } from '../model/ipv4.js';
import type { Mac } from '../model/mac.js';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import { ETHERTYPE_IPV4 } from './ethernet.js';

export interface ArpPacket {
  readonly operation: 'request' | 'reply';
  readonly senderMac: Mac;
  readonly senderIp: Ipv4;
  readonly targetMac: Mac;
  readonly targetIp: Ipv4;
}

const ARP_LENGTH = 28;
const HTYPE_ETHERNET = 1;
const OPERATION_REQUEST = 1;
const OPERATION_REPLY = 2;

/**
 * Reads the packet at `offset`, padding behind it ignored. Throws `BNG_ERR_WIRE_TRUNCATED`, or
 * `BNG_ERR_WIRE_UNSUPPORTED` for other address families and operations.
 */
export function decodeArp(bytes: Uint8Array, offset = 0): ArpPacket {
  const reader = new ByteReader(bytes, offset);
  const hardwareType = reader.u16();
  const protocolType = reader.u16();
  const lengths = reader.u16();
  if (hardwareType !== HTYPE_ETHERNET || protocolType !== ETHERTYPE_IPV4 || lengths !== 0x0604) {
    throw new BngError('BNG_ERR_WIRE_UNSUPPORTED', 'expected ARP for IPv4 over Ethernet', {
      offset,
      hardwareType,
      protocolType,
      lengths,
    });
  }
  const operation = reader.u16();
  if (operation !== OPERATION_REQUEST && operation !== OPERATION_REPLY) {
    throw new BngError('BNG_ERR_WIRE_UNSUPPORTED', 'expected an ARP request or reply', {
      offset: reader.offset - 2,
      found: operation,
    });
  }
  return {
    operation: operation === OPERATION_REQUEST ? 'request' : 'reply',
    senderMac: reader.mac(),
    senderIp: reader.ipv4(),
    targetMac: reader.mac(),
    targetIp: reader.ipv4(),
  };
}

/** The 28 bytes behind the Ethernet header. */
export function encodeArp(packet: ArpPacket): Uint8Array {
  const bytes = new Uint8Array(ARP_LENGTH);
  const writer = new ByteWriter(bytes);
  writer.u16(HTYPE_ETHERNET);
  writer.u16(ETHERTYPE_IPV4);
  writer.u16(0x0604);
  writer.u16(packet.operation === 'request' ? OPERATION_REQUEST : OPERATION_REPLY);
  writer.mac(packet.senderMac);
  writer.ipv4(packet.senderIp);
  writer.mac(packet.targetMac);
  writer.ipv4(packet.targetIp);
  return bytes;
}
