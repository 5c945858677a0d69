/** What bng_core and bng_egress must do with a frame: the way to subscribers, from the network and from our own stack. */
import { BngDropReason, BngVerdict } from '../../../src/dataplane/abi.js';
import { conformsDown, conformsEgress } from './buckets.js';
import { judgeGarden } from './judge-parts.js';
import { isArpProbe } from './judge-arp.js';
import { dropped, type Outcome, passed, sent, SENT_ELSEWHERE } from './outcome.js';
import { EtherType, type Ipv4, isGroupFrame, parseEthernet, parseIpv4, portsOf, Protocol } from './parse.js';
import { oneHopOn, reframed } from './rewrite.js';
import type { World } from './world.js';

const DHCP_SERVER = 67;
const DHCP_CLIENT = 68;
const UNTAGGED = 14;

export function judgeCore(world: World, frame: Buffer, ifindex: number): Outcome {
  const ethernet = parseEthernet(frame, ifindex);
  if (
    typeof ethernet === 'string' ||
    ethernet.protocol !== EtherType.ipv4 ||
    ethernet.l3Offset !== UNTAGGED
  ) {
    return passed(BngVerdict.foreign);
  }
  if (frame.length < UNTAGGED + 20) return passed(BngVerdict.foreign);
  const to = world.subscribers.get(frame.readUInt32BE(UNTAGGED + 16));
  if (to === undefined) return passed(BngVerdict.foreign);
  const packet = parseIpv4(ethernet);
  if (packet === null) return dropped(BngDropReason.malformed);
  if (isGroupFrame(ethernet)) return dropped(BngDropReason.multicast);
  const refused = to.walled ? judgeGarden(world, packet, false) : null;
  if (refused !== null) return dropped(refused);
  const { settings, options } = world;
  const whole = packet.length <= settings.subscriberMtu;
  const finishable = whole && packet.ttl > 1 && packet.headerLength === 20 && !settings.forwardInStack;
  if (!finishable || !options.ports.has(to.ifindex)) return passed(BngVerdict.stackDown);
  if (!conformsDown(world, to, packet)) return dropped(BngDropReason.policedDown);
  const ends = { destination: to.mac, source: world.portMac(to.ifindex), tags: to.tags };
  const traffic = { slot: to.slot, upstream: false, bytes: packet.length };
  return sent(BngVerdict.forwardDown, reframed(oneHopOn(packet), ends), [traffic]);
}

/** The outer tag travels beside an skb, so that a test run shows the inner one only. */
export function judgeEgress(world: World, frame: Buffer, ifindex: number): Outcome {
  const ethernet = parseEthernet(frame, ifindex);
  if (ethernet === 'too-many-tags') return passed(null);
  if (ethernet === 'cut-short') return dropped(BngDropReason.malformed);
  if (ethernet.l3Offset !== UNTAGGED) return passed(null);
  if (ethernet.protocol === EtherType.arp && isArpProbe(ethernet)) return passed(null);
  if (ethernet.protocol !== EtherType.ipv4) return dropped(BngDropReason.egressEthertype);
  const packet = parseIpv4(ethernet);
  if (packet === null) return dropped(BngDropReason.malformed);
  if (isDhcpReply(world, packet)) return passed(null);
  const to = world.subscribers.get(packet.destination);
  if (to === undefined || !world.settings.accessPorts.has(to.ifindex)) {
    return dropped(BngDropReason.egressNoSubscriber);
  }
  if (to.ifindex !== ifindex) return SENT_ELSEWHERE;
  if (!conformsEgress(world, to, packet)) return dropped(BngDropReason.policedDown);
  const ends = { destination: to.mac, source: world.portMac(ifindex), tags: to.tags.slice(1) };
  const traffic = { slot: to.slot, upstream: false, bytes: packet.length };
  return sent(BngVerdict.egress, reframed(packet.bytes, ends), [traffic]);
}

/** Built by the control plane on its own socket. */
function isDhcpReply(world: World, packet: Ipv4): boolean {
  if (packet.protocol !== Protocol.udp || packet.isFragment || !world.options.local.has(packet.source)) {
    return false;
  }
  const ports = portsOf(packet);
  return (
    ports !== null &&
    ports.source === DHCP_SERVER &&
    (ports.destination === DHCP_CLIENT || ports.destination === DHCP_SERVER)
  );
}
