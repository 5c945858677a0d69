/** Rules that both directions share: the garden, and what subscribers may ask of our own addresses. */
import { BngDropReason } from '../../../src/dataplane/abi.js';
import { type Ipv4, portsOf, Protocol } from './parse.js';
import type { World } from './world.js';

const HTTP = 80;
const DNS = 53;
const ECHO_REQUEST = 8;
const ICMP_HEADER = 8;

/** Whether a walled subscriber and the outside address may exchange this; null for yes, else the drop reason. */
export function judgeGarden(world: World, packet: Ipv4, upstream: boolean): number | null {
  const prefix = world.gardenAt(upstream ? packet.destination : packet.source);
  if (prefix === null) return BngDropReason.garden;
  if (prefix.any) return null;
  if (!isTcpOrUdp(packet)) return BngDropReason.garden;
  if (packet.isFragment) return BngDropReason.gardenFragment;
  const ports = portsOf(packet);
  if (ports === null) return BngDropReason.malformed;
  return prefix.ports.includes(upstream ? ports.destination : ports.source) ? null : BngDropReason.garden;
}

function isTcpOrUdp({ protocol }: Ipv4): boolean {
  return protocol === Protocol.tcp || protocol === Protocol.udp;
}

function tcpPort(packet: Ipv4): number | null {
  if (packet.protocol !== Protocol.tcp || packet.isFragment) return null;
  return portsOf(packet)?.destination ?? null;
}

/** What the portal's redirect is for. */
export function isHttp(packet: Ipv4): boolean {
  return tcpPort(packet) === HTTP;
}

/** A ping, the portal, and port 80 and the DNS of a walled subscriber; everything else of ours is closed. */
export function isService(world: World, packet: Ipv4, walled: boolean): boolean {
  if (packet.isFragment) return false;
  if (packet.protocol === Protocol.icmp) {
    const whole = packet.headerLength + ICMP_HEADER <= packet.length;
    return whole && packet.bytes[packet.headerLength] === ECHO_REQUEST;
  }
  const { portalAddress, portalPort, gardenDns } = world.settings;
  const asksDns = gardenDns && walled && packet.destination === portalAddress;
  if (asksDns && isTcpOrUdp(packet) && portsOf(packet)?.destination === DNS) return true;
  const port = tcpPort(packet);
  if (port === null) return false;
  return (packet.destination === portalAddress && port === portalPort) || (walled && port === HTTP);
}
