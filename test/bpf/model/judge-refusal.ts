/** What a walled subscriber gets for what the garden drops: a reset for a SYN (RFC 9293 §3.10.7.1), an ICMP error for QUIC (RFC 1812 §5.2.7.1). */
import { BngDropReason } from '../../../src/dataplane/abi.js';
import { dropped, type Outcome, refused } from './outcome.js';
import { conformsUp } from './buckets.js';
import { type Ipv4, Protocol, sourceMac } from './parse.js';
import type { Subscriber, World } from './world.js';

const SYN_FIN_RST_ACK = 0x17;
const SYN = 0x02;
const QUIC = 443;
/** IPv4 header and the first eight bytes behind it, which an ICMP error quotes. */
const QUOTED = 28;

/** The drop, answered where it is the first SYN of a connection in a plain whole packet. */
export function judgeRefusal(world: World, from: Subscriber, packet: Ipv4, drop: number): Outcome {
  const { headerLength, length } = packet;
  const answered = drop === BngDropReason.garden || drop === BngDropReason.localService;
  if (!answered || packet.isFragment || headerLength !== 20) return dropped(drop);
  if (packet.protocol === Protocol.udp) return judgeQuic(world, from, packet, drop);
  if (packet.protocol !== Protocol.tcp) return dropped(drop);
  const segment = packet.bytes.subarray(20, length);
  if (segment.length < 20 || (segment[13]! & SYN_FIN_RST_ACK) !== SYN) return dropped(drop);
  const dataOffset = (segment[12]! >>> 4) * 4;
  if (dataOffset < 20 || dataOffset > segment.length) return dropped(drop);

  const ip = answerHeader(packet, { length: 40, protocol: Protocol.tcp, source: packet.destination });
  const tcp = Buffer.alloc(20);
  segment.copy(tcp, 0, 2, 4);
  segment.copy(tcp, 2, 0, 2);
  tcp.writeUInt32BE((segment.readUInt32BE(4) + 1 + segment.length - dataOffset) >>> 0, 8);
  tcp.set([0x50, 0x14], 12);
  tcp.writeUInt16BE(
    checksum(Buffer.concat([ip.subarray(12), Buffer.from([0, Protocol.tcp, 0, 20]), tcp])),
    16,
  );

  const out = turnedRound(world, packet);
  Buffer.concat([ip, tcp]).copy(out, packet.ethernet.l3Offset);
  return refused(drop, out);
}

/** A datagram to port 443 that is no shorter than the error about it, as far as the line's rate allows. */
function judgeQuic(world: World, from: Subscriber, packet: Ipv4, drop: number): Outcome {
  const length = 20 + 8 + QUOTED;
  if (packet.length < length || packet.bytes.readUInt16BE(22) !== QUIC) return dropped(drop);
  if (!conformsUp(world, from, packet)) return dropped(drop);
  const ip = answerHeader(packet, { length, protocol: Protocol.icmp, source: world.settings.portalAddress });
  const icmp = Buffer.concat([Buffer.from([3, 13, 0, 0, 0, 0, 0, 0]), packet.bytes.subarray(0, QUOTED)]);
  icmp.writeUInt16BE(checksum(icmp), 2);
  const head = turnedRound(world, packet).subarray(0, packet.ethernet.l3Offset);
  return refused(drop, Buffer.concat([head, ip, icmp]));
}

function answerHeader(
  packet: Ipv4,
  {
    length,
    protocol,
    source,
  }: { readonly length: number; readonly protocol: number; readonly source: number },
): Buffer {
  const ip = Buffer.alloc(20);
  ip.set([packet.bytes[0]!, 0, 0, length, 0, 0, 0x40, 0, 64, protocol]);
  ip.writeUInt32BE(source, 12);
  ip.writeUInt32BE(packet.source, 16);
  ip.writeUInt16BE(checksum(ip), 10);
  return ip;
}

/** The frame as it came, to the station that sent it. */
function turnedRound(world: World, { ethernet }: Ipv4): Buffer {
  const out = Buffer.from(ethernet.frame);
  sourceMac(ethernet).copy(out, 0);
  world.portMac(ethernet.ifindex).copy(out, 6);
  return out;
}

/** RFC 1071, of an even number of bytes. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
