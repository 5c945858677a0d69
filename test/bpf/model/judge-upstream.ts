/** What bng_access must do with a frame: the specification of the access side, rule after rule. */
import { BngDropReason, BngVerdict } from '../../../src/dataplane/abi.js';
import { conformsDown, conformsUp, judgePunt } from './buckets.js';
import { judgeAnswer } from './judge-answer.js';
import { judgeArp } from './judge-arp.js';
import { isHttp, isService, judgeGarden } from './judge-parts.js';
import { judgeRefusal } from './judge-refusal.js';
import { dropped, type Outcome, punted, sent } from './outcome.js';
import type { Ipv4 } from './parse.js';
import { EtherType, isGroupFrame, parseEthernet, parseIpv4, portsOf, Protocol, sourceMac } from './parse.js';
import { oneHopOn, reframed } from './rewrite.js';
import { type Neighbour, stationKey, type Subscriber, type World } from './world.js';

const DHCP_SERVER = 67;
const DHCP_CLIENT = 68;
const BROADCAST = 0xffffffff;
const FIRST_GROUP = 0xe0000000;

/** Where a packet that may pass goes; a number is the reason why it may not. */
type Way =
  | { readonly to: 'stack' }
  | { readonly to: 'core'; readonly ifindex: number; readonly via: Neighbour }
  | { readonly to: 'line'; readonly subscriber: Subscriber; readonly whole: boolean };

const STACK: Way = { to: 'stack' };

export function judgeAccess(world: World, frame: Buffer, ifindex: number): Outcome {
  const ethernet = parseEthernet(frame, ifindex);
  if (ethernet === 'cut-short') return dropped(BngDropReason.malformed);
  if (ethernet === 'too-many-tags') return dropped(BngDropReason.tooManyTags);
  if (ethernet.protocol === EtherType.arp) return judgeArp(world, ethernet);
  if (ethernet.protocol !== EtherType.ipv4) return dropped(BngDropReason.ethertype);
  const packet = parseIpv4(ethernet);
  if (packet === null) return dropped(BngDropReason.malformed);
  return judgeDhcp(world, packet) ?? judgePacket(world, packet);
}

/** Null for what is no DHCP of ours. */
function judgeDhcp(world: World, packet: Ipv4): Outcome | null {
  if (packet.protocol !== Protocol.udp || packet.isFragment) return null;
  const ports = portsOf(packet);
  if (ports === null) return dropped(BngDropReason.malformed);
  if (ports.source === DHCP_SERVER && ports.destination === DHCP_CLIENT) {
    return dropped(BngDropReason.dhcpServer);
  }
  const forUs = packet.destination === BROADCAST || world.options.local.has(packet.destination);
  if (ports.destination !== DHCP_SERVER || !forUs) return null;
  const answer = judgeAnswer(world, packet);
  if (answer !== null) return answer;
  const refused = judgePunt(world, packet);
  return refused === null ? punted(packet.ethernet) : dropped(refused);
}

function judgePacket(world: World, packet: Ipv4): Outcome {
  const from = guard(world, packet);
  if (typeof from === 'number') return dropped(from);
  if (isGroupFrame(packet.ethernet) || packet.destination >= FIRST_GROUP) {
    return dropped(BngDropReason.multicast);
  }
  const network = packet.destination >>> 24;
  if (network === 0 || network === 127) return dropped(BngDropReason.noRoute);
  const garden = from.walled ? walledWay(world, packet) : null;
  if (typeof garden === 'number') return judgeRefusal(world, from, packet, garden);
  const way = garden ?? openWay(world, packet, from.walled);
  if (typeof way === 'number') return dropped(way);
  if (!conformsUp(world, from, packet)) return dropped(BngDropReason.policedUp);
  return send(world, packet, from, way);
}

/** Source guard: the subscriber whose address, line and MAC all are the frame's, or the reason's name. */
function guard(world: World, packet: Ipv4): Subscriber | number {
  const { ifindex, vlans } = packet.ethernet;
  const mac = sourceMac(packet.ethernet);
  const claimed = world.subscribers.get(packet.source);
  const sameLine =
    claimed !== undefined &&
    claimed.ifindex === ifindex &&
    claimed.tags.length === vlans.length &&
    claimed.tags.every((tag, index) => tag.vlan === vlans[index]);
  if (claimed !== undefined && sameLine && claimed.mac.equals(mac)) return claimed;
  const known = world.stations.has(stationKey(ifindex, vlans, mac.toString('hex')));
  if (known) return BngDropReason.spoofedAddress;
  return sameLine ? BngDropReason.spoofedMac : BngDropReason.unknownLine;
}

/** A walled subscriber's: null when the garden lets it go on to wherever the routes say. */
function walledWay(world: World, packet: Ipv4): Way | number | null {
  if (world.options.local.has(packet.destination)) {
    return isService(world, packet, true) ? STACK : BngDropReason.localService;
  }
  const refused = judgeGarden(world, packet, true);
  if (refused === BngDropReason.garden && isHttp(packet)) return STACK;
  return refused;
}

function openWay(world: World, packet: Ipv4, walled: boolean): Way | number {
  const { routes, local } = world.options;
  const { accessPorts, subscriberMtu } = world.settings;
  const answer = routes.lookup(packet.destination);
  if (answer.kind === 'refused') return BngDropReason.noRoute;
  if (answer.kind === 'not-forwarded') {
    const open = local.has(packet.destination) && isService(world, packet, walled);
    return open ? STACK : BngDropReason.localService;
  }
  if (packet.length > answer.mtu) {
    // The stack has to fragment it; until then only the destination itself says whether it is a subscriber's.
    return world.subscribers.has(packet.destination) ? lineWay(world, packet, false) : STACK;
  }
  if (accessPorts.has(answer.ifindex)) return lineWay(world, packet, packet.length <= subscriberMtu);
  const via = routes.neighbour(answer.ifindex, answer.nextHop || packet.destination);
  return via === null ? STACK : { to: 'core', ifindex: answer.ifindex, via };
}

/** To another subscriber: both ends' policy applies. */
function lineWay(world: World, packet: Ipv4, whole: boolean): Way | number {
  if (!world.settings.localForwarding) return BngDropReason.localForbidden;
  const subscriber = world.subscribers.get(packet.destination);
  if (subscriber === undefined) return BngDropReason.noRoute;
  const refused = subscriber.walled ? judgeGarden(world, packet, false) : null;
  return refused ?? { to: 'line', subscriber, whole };
}

function send(world: World, packet: Ipv4, from: Subscriber, way: Way): Outcome {
  const { settings, options } = world;
  const up = { slot: from.slot, upstream: true, bytes: packet.length };
  const finishable = packet.ttl > 1 && packet.headerLength === 20 && !settings.forwardInStack;
  if (finishable && way.to === 'core' && options.ports.has(way.ifindex)) {
    const ends = { destination: way.via.destinationMac, source: way.via.sourceMac };
    return sent(BngVerdict.forwardUp, reframed(oneHopOn(packet), ends), [up]);
  }
  if (finishable && way.to === 'line' && way.whole && options.ports.has(way.subscriber.ifindex)) {
    const { subscriber } = way;
    if (!conformsDown(world, subscriber, packet)) return dropped(BngDropReason.policedDown);
    const { mac, ifindex, tags } = subscriber;
    const { priority } = packet.ethernet;
    const ends = { destination: mac, source: world.portMac(ifindex), tags, priority };
    const down = { slot: subscriber.slot, upstream: false, bytes: packet.length };
    return sent(BngVerdict.forwardLocal, reframed(oneHopOn(packet), ends), [up, down]);
  }
  const ends = { destination: world.portMac(packet.ethernet.ifindex), source: from.mac };
  return sent(BngVerdict.stackUp, reframed(packet.bytes, ends), [up]);
}
