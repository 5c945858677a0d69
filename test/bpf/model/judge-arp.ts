/** What bng_access must do with ARP: answer for the gateway to whom it may, keep silent otherwise. */
import { BngDropReason, BngVerdict } from '../../../src/dataplane/abi.js';
import { judgePunt } from './buckets.js';
import { dropped, type Outcome, punted, sent } from './outcome.js';
import { EtherType, type Ethernet, sourceMac } from './parse.js';
import { stationKey, type World } from './world.js';

/** RFC 826 for Ethernet and IPv4. */
const ARP_LENGTH = 28;
const REQUEST = 1;
const REPLY = 2;

function isSound(arp: Buffer): boolean {
  return (
    arp.length >= ARP_LENGTH &&
    arp.readUInt16BE(0) === 1 &&
    arp.readUInt16BE(2) === EtherType.ipv4 &&
    arp[4] === 6 &&
    arp[5] === 4
  );
}

/** A question that comes from no address (RFC 5227 §2.1.1). */
export function isArpProbe({ frame, l3Offset }: Ethernet): boolean {
  const arp = frame.subarray(l3Offset);
  return isSound(arp) && arp.readUInt16BE(6) === REQUEST && arp.readUInt32BE(14) === 0;
}

export function judgeArp(world: World, ethernet: Ethernet): Outcome {
  const arp = ethernet.frame.subarray(ethernet.l3Offset);
  if (!isSound(arp)) return dropped(BngDropReason.malformed);
  const mac = sourceMac(ethernet);
  // The answer to a probe: the control plane's.
  if (arp.readUInt16BE(6) === REPLY && arp.readUInt32BE(24) === 0) {
    const refused = judgePunt(world, ethernet);
    return refused === null ? punted(ethernet) : dropped(refused);
  }
  const leased = world.stations.get(stationKey(ethernet.ifindex, ethernet.vlans, mac.toString('hex')));
  if (leased === undefined) return dropped(BngDropReason.unknownLine);
  if (!arp.subarray(8, 14).equals(mac)) return dropped(BngDropReason.spoofedMac);
  const sender = arp.readUInt32BE(14);
  if (sender !== 0 && sender !== leased) return dropped(BngDropReason.spoofedAddress);
  const target = arp.readUInt32BE(24);
  const silent = arp.readUInt16BE(6) !== REQUEST || target === leased || !answersFor(world, target);
  if (silent) return dropped(BngDropReason.arpUnanswered);
  return sent(BngVerdict.arpReply, reply(world, ethernet));
}

function answersFor(world: World, target: number): boolean {
  const gateway = world.options.local.get(target);
  if (gateway !== undefined) return gateway;
  return world.settings.localForwarding && world.subscribers.has(target);
}

/** The request turned round behind the same tags: the target's address is now ours to have said. */
function reply(world: World, { frame, ifindex, l3Offset }: Ethernet): Buffer {
  const own = world.portMac(ifindex);
  const out = Buffer.from(frame);
  const arp = out.subarray(l3Offset);
  const asked = frame.subarray(l3Offset);
  frame.copy(out, 0, 6, 12);
  own.copy(out, 6);
  arp.writeUInt16BE(REPLY, 6);
  own.copy(arp, 8);
  asked.copy(arp, 14, 24, 28);
  asked.copy(arp, 18, 8, 14);
  asked.copy(arp, 24, 14, 18);
  return out;
}
