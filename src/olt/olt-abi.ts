/**
 * The layout of bpf/olt_abi.h: what the simulated access node's programs share with user space. Bytes and names only;
 * the BNG's own contract is elsewhere. Numbers are in host byte order.
 */
import { endianness } from 'node:os';
import type { Mac } from '../model/mac.js';
import { macFromBytes } from '../model/mac.js';

/** Tags as they stand on the trunk; 0 is "no such tag". */
export interface OltLine {
  readonly sVlan: number;
  readonly cVlan: number;
}

export interface OltPunt {
  readonly ifindex: number;
  readonly line: OltLine;
  /** The frame without tags, a view into the record. */
  readonly frame: Uint8Array;
}

/** `enum olt_count`, in its order. */
export const OLT_COUNT_NAMES = [
  'forwardUp',
  'forwardDown',
  'punt',
  'dropNotProvisioned',
  'dropCustomerTag',
  'dropMalformed',
  'dropStationMoved',
  'dropTagging',
  'dropTpid',
  'dropUnknownLine',
  'dropNotFlooded',
  'dropUnknownStation',
  'dropDhcpLength',
  'dropRingFull',
] as const;

/** Bytes of key and value of each map, as the loaded object must have them. */
export const OLT_MAP_SIZES = {
  olt_ports: { key: 4, value: 8 },
  olt_lines: { key: 4, value: 4 },
  olt_stations: { key: 12, value: 4 },
  olt_counts: { key: 4, value: 8 },
} as const;

/** The value of a line in `olt_lines` that several ports have. */
export const OLT_SHARED_LINE = 0;
export const OLT_SETTINGS_SIZE = 8;

const PUNT_HEADER = 16;
const LITTLE = endianness() === 'LE';

function bytes(length: number, write: (view: DataView) => void): Uint8Array {
  const result = new Uint8Array(length);
  write(new DataView(result.buffer));
  return result;
}

export function encodeSettings(trunkIfindex: number, sTagTpid: number): Uint8Array {
  return bytes(OLT_SETTINGS_SIZE, (view) => {
    view.setUint32(0, trunkIfindex, LITTLE);
    view.setUint16(4, sTagTpid, LITTLE);
  });
}

/** An ifindex, as key or as value. */
export function encodeIfindex(ifindex: number): Uint8Array {
  return bytes(4, (view) => view.setUint32(0, ifindex, LITTLE));
}

export function encodeLine(line: OltLine): Uint8Array {
  return bytes(4, (view) => {
    view.setUint16(0, line.sVlan, LITTLE);
    view.setUint16(2, line.cVlan, LITTLE);
  });
}

export function encodePort(line: OltLine, outerTpid: number): Uint8Array {
  return bytes(8, (view) => {
    view.setUint16(0, line.sVlan, LITTLE);
    view.setUint16(2, line.cVlan, LITTLE);
    view.setUint16(4, outerTpid, LITTLE);
  });
}

/** Reads `struct olt_punt` from a ring buffer record. */
export function decodePunt(record: Uint8Array): OltPunt {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  const length = view.getUint32(8, LITTLE);
  return {
    ifindex: view.getUint32(0, LITTLE),
    line: { sVlan: view.getUint16(4, LITTLE), cVlan: view.getUint16(6, LITTLE) },
    frame: record.subarray(PUNT_HEADER, PUNT_HEADER + length),
  };
}

/** One learned station: its key as stored, its MAC address and the port behind which it was seen. */
export interface OltStation {
  readonly key: Uint8Array;
  readonly mac: Mac;
  readonly ifindex: number;
}

/** Splits what `readAll` gives of `olt_stations`. */
export function decodeStations(all: { keys: Uint8Array; values: Uint8Array; count: number }): OltStation[] {
  const { key: keySize, value: valueSize } = OLT_MAP_SIZES.olt_stations;
  const values = new DataView(all.values.buffer, all.values.byteOffset, all.values.byteLength);
  return Array.from({ length: all.count }, (_, i) => {
    const key = all.keys.subarray(i * keySize, (i + 1) * keySize);
    return { key, mac: macFromBytes(key, 4), ifindex: values.getUint32(i * valueSize, LITTLE) };
  });
}

/** Calls `visit` with each record of a ring buffer batch: u32 length, u32 zero, the bytes, padded to 8. */
export function visitRecords(slab: Uint8Array, used: number, visit: (record: Uint8Array) => void): void {
  const view = new DataView(slab.buffer, slab.byteOffset, slab.byteLength);
  let offset = 0;
  while (offset + 8 <= used) {
    const length = view.getUint32(offset, LITTLE);
    visit(slab.subarray(offset + 8, offset + 8 + length));
    offset += 8 + Math.ceil(length / 8) * 8;
  }
}
