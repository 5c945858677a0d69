/** Frames that the lab tests of the dataplane send and recognise: written here by hand, not by the code under test. */

export interface FrameSpec {
  readonly destinationMac: number;
  readonly sourceMac: number;
  readonly tags?: readonly { readonly tpid: number; readonly vlan: number }[];
  readonly source: number;
  readonly destination: number;
  readonly protocol: 'tcp' | 'udp' | 'icmp' | 'gre';
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  /** ICMP type; 8 is an echo request. */
  readonly icmpType?: number;
  readonly id: number;
  readonly ttl?: number;
  readonly payloadBytes?: number;
}

const PROTOCOLS = { tcp: 6, udp: 17, icmp: 1, gre: 47 } as const;

export function buildFrame(spec: FrameSpec): Uint8Array {
  const tags = spec.tags ?? [];
  const l4 = l4Of(spec);
  const frame = Buffer.alloc(14 + 4 * tags.length + 20 + l4.length);
  frame.writeUIntBE(spec.destinationMac, 0, 6);
  frame.writeUIntBE(spec.sourceMac, 6, 6);
  let at = 12;
  for (const { tpid, vlan } of tags) {
    frame.writeUInt16BE(tpid, at);
    frame.writeUInt16BE(vlan, at + 2);
    at += 4;
  }
  frame.writeUInt16BE(0x0800, at);
  const ip = frame.subarray(at + 2);
  ip[0] = 0x45;
  ip.writeUInt16BE(20 + l4.length, 2);
  ip.writeUInt16BE(spec.id, 4);
  ip[8] = spec.ttl ?? 64;
  ip[9] = PROTOCOLS[spec.protocol];
  ip.writeUInt32BE(spec.source, 12);
  ip.writeUInt32BE(spec.destination, 16);
  ip.writeUInt16BE(checksum(ip.subarray(0, 20)), 10);
  l4.copy(ip, 20);
  if (spec.protocol === 'tcp' || spec.protocol === 'udp') {
    const pseudo = Buffer.concat([
      ip.subarray(12, 20),
      Buffer.from([0, PROTOCOLS[spec.protocol], 0, l4.length]),
      l4,
    ]);
    ip.writeUInt16BE(checksum(pseudo) || 0xffff, spec.protocol === 'tcp' ? 36 : 26);
  }
  return frame;
}

function l4Of(spec: FrameSpec): Buffer {
  const payload = Buffer.alloc(spec.payloadBytes ?? 8, 0x5a);
  if (spec.protocol === 'icmp') {
    const icmp = Buffer.concat([Buffer.from([spec.icmpType ?? 8, 0, 0, 0, 0, 1]), Buffer.alloc(2), payload]);
    icmp.writeUInt16BE(spec.id, 6);
    icmp.writeUInt16BE(checksum(icmp), 2);
    return icmp;
  }
  if (spec.protocol === 'gre') return Buffer.concat([Buffer.from([0, 0, 0x08, 0]), payload]);
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(spec.sourcePort ?? 0, 0);
  ports.writeUInt16BE(spec.destinationPort ?? 0, 2);
  if (spec.protocol === 'tcp') {
    // A SYN with a window and nothing else.
    return Buffer.concat([ports, Buffer.from([0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 0xff, 0xff, 0, 0, 0, 0])]);
  }
  const udp = Buffer.concat([ports, Buffer.alloc(4), payload]);
  udp.writeUInt16BE(udp.length, 4);
  return udp;
}

export interface SeenPacket {
  readonly source: number;
  readonly destination: number;
  readonly protocol: number;
  readonly id: number;
  readonly ttl: number;
  /** Ports of TCP and UDP; for ICMP type and sequence number. */
  readonly first: number;
  readonly second: number;
  readonly vlans: readonly number[];
  readonly destinationMac: number;
  readonly ipBytes: number;
}

/** Null for what is not IPv4. */
export function readFrame(bytes: Uint8Array): SeenPacket | null {
  const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const vlans: number[] = [];
  let at = 12;
  while (frame.readUInt16BE(at) === 0x88a8 || frame.readUInt16BE(at) === 0x8100) {
    vlans.push(frame.readUInt16BE(at + 2) & 0xfff);
    at += 4;
  }
  if (frame.readUInt16BE(at) !== 0x0800) return null;
  const ip = frame.subarray(at + 2);
  const l4 = ip.subarray(((ip[0] ?? 0) & 15) * 4);
  const icmp = ip[9] === 1;
  return {
    source: ip.readUInt32BE(12),
    destination: ip.readUInt32BE(16),
    protocol: ip[9] ?? 0,
    id: ip.readUInt16BE(4),
    ttl: ip[8] ?? 0,
    first: icmp ? (l4[0] ?? 0) : l4.readUInt16BE(0),
    second: icmp ? l4.readUInt16BE(6) : l4.readUInt16BE(2),
    vlans,
    destinationMac: frame.readUIntBE(0, 6),
    ipBytes: ip.readUInt16BE(2),
  };
}

function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
