/** The model's own reading of frames: bytes by offset, straight from the standards. Decides nothing. */

export const EtherType = { ipv4: 0x0800, arp: 0x0806, vlan: 0x8100, serviceVlan: 0x88a8 } as const;
export const Protocol = { icmp: 1, tcp: 6, udp: 17 } as const;

const ETHERNET_HEADER = 14;
const MAX_TAGS = 2;

export interface Ethernet {
  readonly frame: Buffer;
  /** The interface that it came in at, or leaves by. */
  readonly ifindex: number;
  /** VLAN ids and their TPIDs, outer first, priority tags (id 0) left out. */
  readonly vlans: readonly number[];
  readonly tpids: readonly number[];
  /** Priority code point of the outermost tag, whatever its id; 0 without tags. */
  readonly priority: number;
  readonly protocol: number;
  readonly l3Offset: number;
}

export interface Ipv4 {
  readonly ethernet: Ethernet;
  /** From the header to the end of the frame, padding included. */
  readonly bytes: Buffer;
  readonly headerLength: number;
  readonly length: number;
  readonly source: number;
  readonly destination: number;
  readonly protocol: number;
  readonly ttl: number;
  readonly isFragment: boolean;
}

export interface Ports {
  readonly source: number;
  readonly destination: number;
}

function isTag(protocol: number): boolean {
  return protocol === EtherType.vlan || protocol === EtherType.serviceVlan;
}

/** The frame's tags and what they carry; else what is wrong with it. */
export function parseEthernet(frame: Buffer, ifindex: number): Ethernet | 'cut-short' | 'too-many-tags' {
  if (frame.length < ETHERNET_HEADER) return 'cut-short';
  const vlans: number[] = [];
  const tpids: number[] = [];
  let at = ETHERNET_HEADER - 2;
  let priority = 0;
  for (let tags = 0; isTag(frame.readUInt16BE(at)); tags++) {
    if (tags === MAX_TAGS) return 'too-many-tags';
    if (at + 6 > frame.length) return 'cut-short';
    const vlan = frame.readUInt16BE(at + 2) & 0x0fff;
    if (tags === 0) priority = frame[at + 2]! >>> 5;
    if (vlan !== 0) {
      vlans.push(vlan);
      tpids.push(frame.readUInt16BE(at));
    }
    at += 4;
  }
  return { frame, ifindex, vlans, tpids, priority, protocol: frame.readUInt16BE(at), l3Offset: at + 2 };
}

/** Null for what is no whole IPv4 packet (RFC 791 §3.1): version, header length, total length against the frame. */
export function parseIpv4(ethernet: Ethernet): Ipv4 | null {
  const bytes = ethernet.frame.subarray(ethernet.l3Offset);
  if (bytes.length < 20) return null;
  const headerLength = (bytes[0]! & 0x0f) * 4;
  const length = bytes.readUInt16BE(2);
  if (bytes[0]! >>> 4 !== 4 || headerLength < 20 || length < headerLength || length > bytes.length)
    return null;
  return {
    ethernet,
    bytes,
    headerLength,
    length,
    source: bytes.readUInt32BE(12),
    destination: bytes.readUInt32BE(16),
    protocol: bytes[9]!,
    ttl: bytes[8]!,
    isFragment: (bytes.readUInt16BE(6) & 0x3fff) !== 0,
  };
}

/** Ports of an unfragmented TCP (20 octets of header) or UDP packet (8); null when its header is cut short. */
export function portsOf(packet: Ipv4): Ports | null {
  const header = packet.protocol === Protocol.tcp ? 20 : 8;
  if (packet.headerLength + header > packet.length) return null;
  const { bytes, headerLength } = packet;
  return { source: bytes.readUInt16BE(headerLength), destination: bytes.readUInt16BE(headerLength + 2) };
}

export function isGroupFrame({ frame }: Ethernet): boolean {
  return (frame[0]! & 1) !== 0;
}

export function sourceMac({ frame }: Ethernet): Buffer {
  return frame.subarray(6, 12);
}
