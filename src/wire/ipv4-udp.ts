/** UDP in IPv4 (RFC 768, RFC 791), whole datagrams only: nothing is reassembled. Holds no port numbers of protocols. */
import { BngError } from '../model/bng-error.js';
import type { Ipv4 } from '../model/ipv4.js';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import { addWords, foldChecksum, internetChecksum } from './checksum.js';

export interface UdpDatagram {
  readonly sourceIp: Ipv4;
  readonly destinationIp: Ipv4;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** When decoded, a view into the frame. */
  readonly payload: Uint8Array;
}

export const IPV4_UDP_HEADER_LENGTH = 28;

const IPV4_HEADER_LENGTH = 20;
const UDP_HEADER_LENGTH = 8;
const PROTOCOL_UDP = 17;
const DEFAULT_TTL = 64;
const MAX_DATAGRAM = 0xffff;

function addAddress(sum: number, address: Ipv4): number {
  return sum + (address >>> 16) + (address & 0xffff);
}

/** The sum over pseudo header, UDP header and data in `bytes[udpStart, udpEnd)` (RFC 768), folded. */
function udpChecksum(
  bytes: Uint8Array,
  udpStart: number,
  udpEnd: number,
  addresses: { readonly sourceIp: Ipv4; readonly destinationIp: Ipv4 },
): number {
  const pseudo = addAddress(addAddress(PROTOCOL_UDP, addresses.sourceIp), addresses.destinationIp);
  return foldChecksum(addWords(bytes, udpStart, udpEnd, pseudo + (udpEnd - udpStart)));
}

/** Where the IPv4 packet at `offset` says that it comes from; only its first 20 bytes are looked at. */
export function decodeIpv4Source(bytes: Uint8Array, offset: number): Ipv4 {
  const reader = new ByteReader(bytes, offset);
  const version = reader.u8() >>> 4;
  if (version !== 4) {
    throw new BngError('BNG_ERR_WIRE_MALFORMED', 'expected IPv4', { offset, found: version });
  }
  reader.skip(11);
  const source = reader.ipv4();
  reader.skip(4);
  return source;
}

/** Checks the IPv4 header that begins at `offset` and gives what UDP needs of it. */
function decodeIpv4Header(
  bytes: Uint8Array,
  offset: number,
): {
  readonly sourceIp: Ipv4;
  readonly destinationIp: Ipv4;
  readonly udpStart: number;
  readonly end: number;
} {
  const reader = new ByteReader(bytes, offset);
  const versionAndLength = reader.u8();
  const headerLength = (versionAndLength & 0x0f) * 4;
  if (versionAndLength >>> 4 !== 4 || headerLength < IPV4_HEADER_LENGTH) {
    throw new BngError('BNG_ERR_WIRE_MALFORMED', 'expected IPv4 with a header of at least 20 bytes', {
      offset,
      found: versionAndLength,
    });
  }
  reader.skip(1);
  const totalLength = reader.u16();
  if (totalLength < headerLength) {
    throw new BngError('BNG_ERR_WIRE_MALFORMED', 'expected an IPv4 total length beyond the header', {
      offset: offset + 2,
      found: totalLength,
    });
  }
  if (totalLength > bytes.length - offset) {
    throw new BngError('BNG_ERR_WIRE_TRUNCATED', 'expected as many bytes as the IPv4 total length says', {
      offset: bytes.length,
      expected: totalLength,
      found: bytes.length - offset,
    });
  }
  if (internetChecksum(bytes, offset, offset + headerLength) !== 0) {
    throw new BngError('BNG_ERR_WIRE_CHECKSUM', 'expected a right IPv4 header checksum', {
      offset: offset + 10,
    });
  }
  reader.skip(2);
  // Any of "more fragments" and the fragment offset; "don't fragment" is of no matter here.
  if ((reader.u16() & 0x3fff) !== 0) {
    throw new BngError('BNG_ERR_WIRE_UNSUPPORTED', 'expected a datagram that is not a fragment', {
      offset: offset + 6,
    });
  }
  reader.skip(1);
  const protocol = reader.u8();
  if (protocol !== PROTOCOL_UDP) {
    throw new BngError('BNG_ERR_WIRE_UNSUPPORTED', 'expected UDP', { offset: offset + 9, found: protocol });
  }
  reader.skip(2);
  return {
    sourceIp: reader.ipv4(),
    destinationIp: reader.ipv4(),
    udpStart: offset + headerLength,
    end: offset + totalLength,
  };
}

/**
 * Reads the IPv4 packet at `offset` and the UDP datagram in it. IP options are skipped and bytes behind the total
 * length (Ethernet padding) ignored. Throws `BNG_ERR_WIRE_TRUNCATED`, `_MALFORMED`, `_CHECKSUM` (IP header always; UDP
 * unless its field is 0, RFC 768), and `_UNSUPPORTED` for fragments and other protocols.
 */
export function decodeIpv4Udp(bytes: Uint8Array, offset = 0): UdpDatagram {
  const ip = decodeIpv4Header(bytes, offset);
  const reader = new ByteReader(bytes, ip.udpStart, ip.end);
  const sourcePort = reader.u16();
  const destinationPort = reader.u16();
  const udpLength = reader.u16();
  const checksum = reader.u16();
  // A datagram shorter than its packet is legal (RFC 768 has its own length); Linux trims it likewise.
  if (udpLength < UDP_HEADER_LENGTH || udpLength > ip.end - ip.udpStart) {
    throw new BngError('BNG_ERR_WIRE_MALFORMED', 'expected a UDP length that fits the IPv4 packet', {
      offset: ip.udpStart + 4,
      found: udpLength,
    });
  }
  const udpEnd = ip.udpStart + udpLength;
  if (checksum !== 0 && udpChecksum(bytes, ip.udpStart, udpEnd, ip) !== 0) {
    throw new BngError('BNG_ERR_WIRE_CHECKSUM', 'expected a right UDP checksum', { offset: ip.udpStart + 6 });
  }
  return {
    sourceIp: ip.sourceIp,
    destinationIp: ip.destinationIp,
    sourcePort,
    destinationPort,
    payload: bytes.subarray(reader.offset, udpEnd),
  };
}

/**
 * Writes the packet at `offset` of zeroed `bytes`, with both checksums and identification 0 (RFC 6864 §4.1 lets it be
 * anything for what is never fragmented again; "don't fragment" stays clear, so that routers may). Throws
 * `BNG_ERR_VALUE` when it does not fit `bytes` or 65,535 bytes.
 */
export function writeIpv4Udp(
  bytes: Uint8Array,
  offset: number,
  datagram: UdpDatagram,
  ttl = DEFAULT_TTL,
): void {
  const totalLength = IPV4_UDP_HEADER_LENGTH + datagram.payload.length;
  if (totalLength > MAX_DATAGRAM) {
    throw new BngError('BNG_ERR_VALUE', 'expected a payload that fits one datagram', { found: totalLength });
  }
  const udpStart = offset + IPV4_HEADER_LENGTH;
  const writer = new ByteWriter(bytes, offset);
  writer.u16(0x4500);
  writer.u16(totalLength);
  writer.u32(0);
  writer.u8(ttl);
  writer.u8(PROTOCOL_UDP);
  writer.u16(0);
  writer.ipv4(datagram.sourceIp);
  writer.ipv4(datagram.destinationIp);
  writer.u16(datagram.sourcePort);
  writer.u16(datagram.destinationPort);
  writer.u16(totalLength - IPV4_HEADER_LENGTH);
  writer.u16(0);
  writer.bytes(datagram.payload);
  new ByteWriter(bytes, offset + 10).u16(internetChecksum(bytes, offset, udpStart));
  // A computed 0 is sent as all ones: 0 in the field means "none computed" (RFC 768).
  const checksum = udpChecksum(bytes, udpStart, offset + totalLength, datagram) || 0xffff;
  new ByteWriter(bytes, udpStart + 6).u16(checksum);
}

/** The IPv4 packet alone; see {@link writeIpv4Udp}. */
export function encodeIpv4Udp(datagram: UdpDatagram, ttl = DEFAULT_TTL): Uint8Array {
  const bytes = new Uint8Array(IPV4_UDP_HEADER_LENGTH + datagram.payload.length);
  writeIpv4Udp(bytes, 0, datagram, ttl);
  return bytes;
}
