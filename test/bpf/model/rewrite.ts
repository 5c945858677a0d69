/** Frames as they leave: new MACs and tags in front of the same packet, one hop less. */
import { EtherType, type Ipv4 } from './parse.js';
import type { Tag } from './world.js';

export interface Ends {
  readonly destination: Buffer;
  readonly source: Buffer;
  readonly tags?: readonly Tag[];
  /** Priority code point of every tag. */
  readonly priority?: number;
}

function ethernet({ destination, source, tags = [], priority = 0 }: Ends): Buffer {
  const header = Buffer.alloc(14 + tags.length * 4);
  destination.copy(header, 0);
  source.copy(header, 6);
  let at = 12;
  for (const { tpid, vlan } of tags) {
    header.writeUInt16BE(tpid, at);
    header.writeUInt16BE(vlan + priority * 0x2000, at + 2);
    at += 4;
  }
  header.writeUInt16BE(EtherType.ipv4, at);
  return header;
}

/** The packet, padding and all, behind another Ethernet header. */
export function reframed(packet: Buffer, ends: Ends): Buffer {
  return Buffer.concat([ethernet(ends), packet]);
}

/** A copy with a TTL one less and the checksum brought along as RFC 1624 §3, equation 3, says: right stays right. */
export function oneHopOn({ bytes }: Ipv4): Buffer {
  const packet = Buffer.from(bytes);
  const before = packet.readUInt16BE(8);
  const after = before - 0x0100;
  let sum = (~packet.readUInt16BE(10) & 0xffff) + (~before & 0xffff) + after;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  packet.writeUInt16BE(after, 8);
  packet.writeUInt16BE(~sum & 0xffff, 10);
  return packet;
}
