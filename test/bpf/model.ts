/**
 * What must never leave, said a second time and independently of the C: reads bytes by offset, knows the stations and
 * the garden, and judges a frame. It says nothing about how a frame is dropped or changed.
 */
import { type Station, Stations } from './rig.js';
import { address } from '../support/packet.js';

interface Seen {
  readonly source: number;
  readonly destination: number;
  readonly protocol: number;
  readonly fragment: boolean;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

interface Located {
  readonly vlans: readonly number[];
  readonly mac: string;
  readonly ip: Buffer;
}

const GATEWAYS = ['10.0.0.1', '10.255.0.1', '10.255.0.2'].map(address);

const byAddress = new Map<number, Station>(
  Object.values(Stations).map((station: Station) => [address(station.address), station]),
);

/** Null for what is no IPv4 behind two tags at most. */
function locate(frame: Buffer): Located | null {
  const vlans: number[] = [];
  let at = 12;
  for (; at + 4 <= frame.length; at += 4) {
    const type = frame.readUInt16BE(at);
    if (type !== 0x8100 && type !== 0x88a8) break;
    vlans.push(frame.readUInt16BE(at + 2) & 0xfff);
  }
  if (vlans.length > 2 || at + 2 + 20 > frame.length || frame.readUInt16BE(at) !== 0x0800) return null;
  return {
    vlans: vlans.filter((vlan) => vlan !== 0),
    mac: frame.toString('hex', 6, 12),
    ip: frame.subarray(at + 2),
  };
}

function dissect(ip: Buffer): Seen | null {
  const header = (ip[0]! & 15) * 4;
  const total = ip.readUInt16BE(2);
  if (ip[0]! >> 4 !== 4 || header < 20 || total < header || total > ip.length) return null;
  const portsAt = header + 4 <= total ? header : -1;
  return {
    source: ip.readUInt32BE(12),
    destination: ip.readUInt32BE(16),
    protocol: ip[9]!,
    fragment: (ip.readUInt16BE(6) & 0x3fff) !== 0,
    sourcePort: portsAt < 0 ? -1 : ip.readUInt16BE(portsAt),
    destinationPort: portsAt < 0 ? -1 : ip.readUInt16BE(portsAt + 2),
  };
}

function gardenAllows(seen: Seen, outside: number, port: number): boolean {
  if (outside === address('203.0.113.10')) return true;
  const ported = !seen.fragment && (seen.protocol === 6 || seen.protocol === 17);
  if (outside === address('8.8.8.8')) return ported && port === 53;
  return outside >>> 8 === address('203.0.113.0') >>> 8 && ported && (port === 443 || port === 8443);
}

/** Where a frame from the access port may go at most. DHCP and ARP aside. */
export function upstreamLimit(frame: Buffer): 'nowhere' | 'stack' | 'core' {
  const located = locate(frame);
  const seen = located && dissect(located.ip);
  if (!located || !seen) return 'nowhere';
  const station = byAddress.get(seen.source);
  if (station === undefined || station.port === 'other0') return 'nowhere';
  const lineMatches =
    located.mac === station.mac.replaceAll(':', '') &&
    located.vlans.length === station.tags.length &&
    station.tags.every(([, vlan], index) => vlan === located.vlans[index]);
  if (!lineMatches) return 'nowhere';
  if (seen.destination >>> 28 >= 14) return 'nowhere';
  const redirected = station.walled && seen.protocol === 6 && !seen.fragment && seen.destinationPort === 80;
  if (byAddress.has(seen.destination)) return redirected ? 'stack' : 'nowhere';
  if (GATEWAYS.includes(seen.destination)) return seen.fragment || seen.protocol === 17 ? 'nowhere' : 'stack';
  if (!station.walled || gardenAllows(seen, seen.destination, seen.destinationPort)) return 'core';
  return redirected ? 'stack' : 'nowhere';
}

/** Whether a frame from the core port may reach the subscriber it is for, by any way; true where it is for none. */
export function downstreamAllowed(frame: Buffer): boolean {
  const located = locate(frame);
  if (!located || located.vlans.length > 0) return true;
  const station = byAddress.get(located.ip.readUInt32BE(16));
  if (station === undefined) return true;
  const seen = dissect(located.ip);
  return seen !== null && (!station.walled || gardenAllows(seen, seen.source, seen.sourcePort));
}
