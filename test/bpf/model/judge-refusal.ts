/** The reset that a walled subscriber gets for a SYN which the garden drops (RFC 9293 §3.10.7.1). */
import { BngDropReason } from '../../../src/dataplane/abi.js';
import { dropped, type Outcome, refused } from './outcome.js';
import { type Ipv4, Protocol, sourceMac } from './parse.js';
import type { World } from './world.js';

const SYN_FIN_RST_ACK = 0x17;
const SYN = 0x02;

/** The drop, answered where it is the first SYN of a connection in a plain whole packet. */
export function judgeRefusal(world: World, packet: Ipv4, drop: number): Outcome {
  const { ethernet, headerLength, length } = packet;
  const answered = drop === BngDropReason.garden || drop === BngDropReason.localService;
  if (!answered || packet.protocol !== Protocol.tcp || packet.isFragment || headerLength !== 20)
    return dropped(drop);
  const segment = packet.bytes.subarray(20, length);
  if (segment.length < 20 || (segment[13]! & SYN_FIN_RST_ACK) !== SYN) return dropped(drop);
  const dataOffset = (segment[12]! >>> 4) * 4;
  if (dataOffset < 20 || dataOffset > segment.length) return dropped(drop);

  const ip = Buffer.alloc(20);
  ip.set([packet.bytes[0]!, 0, 0, 40, 0, 0, 0x40, 0, 64, Protocol.tcp]);
  ip.writeUInt32BE(packet.destination, 12);
  ip.writeUInt32BE(packet.source, 16);
  ip.writeUInt16BE(checksum(ip), 10);
  const tcp = Buffer.alloc(20);
  segment.copy(tcp, 0, 2, 4);
  segment.copy(tcp, 2, 0, 2);
  tcp.writeUInt32BE((segment.readUInt32BE(4) + 1 + segment.length - dataOffset) >>> 0, 8);
  tcp.set([0x50, 0x14], 12);
  tcp.writeUInt16BE(
    checksum(Buffer.concat([ip.subarray(12), Buffer.from([0, Protocol.tcp, 0, 20]), tcp])),
    16,
  );

  const out = Buffer.from(ethernet.frame);
  sourceMac(ethernet).copy(out, 0);
  world.portMac(ethernet.ifindex).copy(out, 6);
  Buffer.concat([ip, tcp]).copy(out, ethernet.l3Offset);
  return refused(drop, out);
}

/** RFC 1071, of an even number of bytes. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
