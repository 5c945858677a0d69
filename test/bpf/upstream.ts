/** Packets from subscribers, and the rows for those that get through bng_access. */
import type { PacketBuilder } from '../support/packet.js';
import type { Station } from './rig.js';
import { type Row, from, towardsCore, towardsStack } from './table.js';

export const INTERNET = '198.51.100.7';

export function udp(
  source: Station,
  destination: string,
  more: { readonly ttl?: number; readonly options?: Uint8Array } = {},
) {
  return (ethernet: PacketBuilder, ttl = more.ttl ?? 64): PacketBuilder =>
    ethernet
      .ipv4({ source: source.address, destination, ...more, ttl })
      .udp({ source: 1024, destination: 4000 })
      .payload('up');
}

export function tcp(source: Station, destination: string, port: number) {
  return (ethernet: PacketBuilder, ttl = 64): PacketBuilder =>
    ethernet.ipv4({ source: source.address, destination, ttl }).tcp({ source: 1024, destination: port });
}

export const UDP_BYTES = 20 + 8 + 2;
export const TCP_BYTES = 40;

export const ROUTER_ALERT = Buffer.from([148, 4, 0, 0]);

export function ping(source: Station, destination: string): Make {
  return (ethernet, ttl = 64) => ethernet.ipv4({ source: source.address, destination, ttl }).icmp(8);
}

export function dns(source: Station, destination: string): Make {
  return (ethernet, ttl = 64) =>
    ethernet.ipv4({ source: source.address, destination, ttl }).udp({ source: 1024, destination: 53 });
}

export type Make = (ethernet: PacketBuilder, ttl?: number) => PacketBuilder;

export function forwarded(name: string, station: Station, make: Make, bytes: number): Row {
  return {
    name,
    frame: make(from(station)).bytes(),
    verdict: 'forward_up',
    out: make(towardsCore, 63).bytes(),
    traffic: { [station.slot]: { upstream: [1, bytes] } },
  };
}

export function handedUp(name: string, station: Station, make: Make, bytes: number): Row {
  return {
    name,
    frame: make(from(station)).bytes(),
    verdict: 'stack_up',
    out: make(towardsStack(station)).bytes(),
    traffic: { [station.slot]: { upstream: [1, bytes] } },
  };
}
