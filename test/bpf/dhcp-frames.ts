/** Frames of DHCP clients, byte by byte as a test wants them: option order, padding, what is left out and what is wrong. */
import { address, mac, packet } from '../support/packet.js';
import type { TwinLine } from './dhcp-twin.js';
import { tagged } from './table.js';

export type RawOption = readonly [code: number, value: Uint8Array];

export interface RawMessage {
  readonly op?: number;
  readonly hardware?: readonly [type: number, length: number];
  readonly hops?: number;
  readonly secs?: number;
  readonly flags?: number;
  readonly ciaddr?: number;
  readonly giaddr?: number;
  readonly chaddr?: Uint8Array;
  /** The 10 bytes behind the MAC. */
  readonly chaddrTail?: Uint8Array;
  readonly sname?: Uint8Array;
  readonly file?: Uint8Array;
  readonly cookie?: number;
  /** In this order; a pad is `[0, …]`. */
  readonly options: readonly RawOption[];
  /** Default true. */
  readonly end?: boolean;
  /** Zeros up to this length; default 300. */
  readonly length?: number;
}

export interface RawFrame {
  readonly source?: string;
  readonly destination?: string;
  readonly destinationMac?: string;
  readonly sourceMac?: string;
  readonly sourcePort?: number;
  readonly priority?: number;
  readonly ipOptions?: Uint8Array;
  /** Bytes behind the IPv4 packet. */
  readonly trailer?: number;
}

export const u8 = (value: number): Uint8Array => Uint8Array.of(value);

export function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

export function text(value: string): Uint8Array {
  return Buffer.from(value);
}

export function message(line: TwinLine, raw: RawMessage): Buffer {
  const head = Buffer.alloc(240);
  const [hardware, hardwareLength] = raw.hardware ?? [1, 6];
  head.set([raw.op ?? 1, hardware, hardwareLength, raw.hops ?? 0, 0x3d, 0x1e, 0x77, 0xf0]);
  head.writeUInt16BE(raw.secs ?? 0, 8);
  head.writeUInt16BE(raw.flags ?? 0, 10);
  head.writeUInt32BE((raw.ciaddr ?? 0) >>> 0, 12);
  head.writeUInt32BE((raw.giaddr ?? 0) >>> 0, 24);
  head.set(raw.chaddr ?? mac(line.mac), 28);
  head.set(raw.chaddrTail ?? [], 34);
  head.set(raw.sname ?? [], 44);
  head.set(raw.file ?? [], 108);
  head.writeUInt32BE(raw.cookie ?? 0x63825363, 236);
  const options = raw.options.map(([code, value]) =>
    code === 0 ? Buffer.from(value) : Buffer.concat([Buffer.of(code, value.length), value]),
  );
  const all = Buffer.concat([head, ...options, raw.end === false ? Buffer.alloc(0) : Buffer.of(255)]);
  return Buffer.concat([all, Buffer.alloc(Math.max(0, (raw.length ?? 300) - all.length))]);
}

/** The frame around a payload of UDP. */
export function frame(line: TwinLine, payload: Uint8Array, raw: RawFrame = {}): Buffer {
  const ethernet = packet().ethernet(raw.destinationMac ?? 'ff:ff:ff:ff:ff:ff', raw.sourceMac ?? line.mac);
  const priority = raw.priority ?? 0;
  const tags = line.tags.reduce((outer, [tpid, vlan]) => outer.tag(tpid, vlan, priority), ethernet);
  const bytes = (priority === 0 ? tagged(ethernet, line.tags) : tags)
    .ipv4({
      source: raw.source ?? '0.0.0.0',
      destination: raw.destination ?? '255.255.255.255',
      ...(raw.ipOptions === undefined ? {} : { options: raw.ipOptions }),
    })
    .udp({ source: raw.sourcePort ?? 68, destination: 67 })
    .payload(payload)
    .bytes();
  return Buffer.concat([bytes, Buffer.alloc(raw.trailer ?? 0, 0xa5)]);
}

/** Where the UDP header begins in a frame of `frame()` without IPv4 options. */
export function udpOffset(line: TwinLine): number {
  return 14 + 4 * line.tags.length + 20;
}

/** Option 82 as the line's access node writes it; none where there is none. */
export function option82(line: TwinLine): readonly RawOption[] {
  const sub = (code: number, value: string | undefined): Buffer =>
    value === undefined
      ? Buffer.alloc(0)
      : Buffer.concat([Buffer.of(code, value.length), Buffer.from(value)]);
  const value = Buffer.concat([sub(1, line.circuitId), sub(2, line.remoteId)]);
  return value.length === 0 ? [] : [[82, value]];
}

/** A captured frame (no tags) as the line's own client would have sent it: MAC, client id and addresses put in. */
export function replayed(
  hex: string,
  line: TwinLine,
  put: { address: number; serverId: string },
): RawMessage {
  const payload = Buffer.from(hex, 'hex').subarray(14 + 28);
  const captured = payload.subarray(28, 34);
  const options: RawOption[] = [];
  for (let at = 240; payload[at] !== 255; ) {
    const code = payload[at]!;
    if (code === 0) {
      options.push([0, u8(0)]);
      at += 1;
      continue;
    }
    const value = Buffer.from(payload.subarray(at + 2, at + 2 + payload[at + 1]!));
    const own = value.indexOf(captured);
    if (own >= 0) value.set(mac(line.mac), own);
    if (code === 50) value.set(u32(put.address));
    if (code === 54) value.set(u32(address(put.serverId)));
    options.push([code, value]);
    at += 2 + value.length;
  }
  return {
    hops: payload[3]!,
    secs: payload.readUInt16BE(8),
    flags: payload.readUInt16BE(10),
    options,
    length: payload.length,
  };
}
