/**
 * Where the options of a message go: their order, long values in pieces (RFC 3396), and the spill into the file and
 * sname fields. Knows no option's meaning but that of 52, 53 and 82.
 */
import { BngError } from '../model/bng-error.js';
import {
  FILE_LENGTH,
  FILE_OFFSET,
  OPTIONS_OFFSET,
  SNAME_LENGTH,
  SNAME_OFFSET,
} from './dhcpv4-option-area.js';
import { DhcpOption } from './dhcpv4-option-codes.js';
import type { DhcpOptions } from './dhcpv4-options.js';

const MAX_PIECE = 255;
const OVERLOAD_LENGTH = 3;
const OVERLOAD_FILE = 1;
const OVERLOAD_SNAME = 2;

/** Bytes that a value takes with the code and length of each of its pieces. */
function encodedLength(valueLength: number): number {
  return valueLength + 2 * Math.max(1, Math.ceil(valueLength / MAX_PIECE));
}

/** Bytes that the options take in one area, without END. */
export function optionsLength(options: DhcpOptions): number {
  let length = 0;
  for (const [, value] of options.entries()) length += encodedLength(value.length);
  return length;
}

/** Writes a whole value at `offset`, in pieces of at most 255 bytes, and returns the offset behind it. */
function writeOption(bytes: Uint8Array, offset: number, option: readonly [number, Uint8Array]): number {
  const [code, value] = option;
  let at = offset;
  let done = 0;
  do {
    const piece = Math.min(MAX_PIECE, value.length - done);
    bytes[at] = code;
    bytes[at + 1] = piece;
    bytes.set(piece === value.length ? value : value.subarray(done, done + piece), at + 2);
    at += 2 + piece;
    done += piece;
  } while (done < value.length);
  return at;
}

/** 53 first, as RFC 2131 examples and every client have it; 82 last (RFC 3046 §2.1). */
function isPlacedApart(code: number): boolean {
  return code === DhcpOption.MessageType || code === DhcpOption.RelayAgentInformation;
}

/** Writes all options and END into an area with room for them. */
export function writeOptions(bytes: Uint8Array, offset: number, options: DhcpOptions): void {
  let at = offset;
  const type = options.get(DhcpOption.MessageType);
  if (type !== undefined) at = writeOption(bytes, at, [DhcpOption.MessageType, type]);
  for (const option of options.entries()) {
    if (!isPlacedApart(option[0])) at = writeOption(bytes, at, option);
  }
  const relay = options.get(DhcpOption.RelayAgentInformation);
  if (relay !== undefined) at = writeOption(bytes, at, [DhcpOption.RelayAgentInformation, relay]);
  bytes[at] = DhcpOption.End;
}

interface Area {
  readonly overloadBit: number;
  readonly start: number;
  /** The last byte kept free, for END or for what comes last. */
  readonly end: number;
  at: number;
}

/** Cuts a value over the areas in their reading order, so that the pieces join in theirs. */
function writeAcross(bytes: Uint8Array, areas: readonly Area[], option: readonly [number, Uint8Array]): void {
  const [code, value] = option;
  let done = 0;
  for (const area of areas) {
    while (done < value.length && area.end - area.at > 2) {
      const piece = Math.min(MAX_PIECE, value.length - done, area.end - area.at - 2);
      area.at = writeOption(bytes, area.at, [code, value.subarray(done, done + piece)]);
      done += piece;
    }
  }
  // A value without bytes has nothing to cut and comes here only when there is no room for its two.
  if (done < value.length || value.length === 0) {
    throw new BngError('BNG_ERR_VALUE', 'expected options that fit the largest message of the receiver', {
      option: code,
      found: bytes.length,
    });
  }
}

/**
 * Writes options that do not fit the options field of `bytes` with the help of the fields said to be free, and says so
 * in option 52. Option 82 stays last in the options field. Returns the offset behind END of the options field. Throws
 * `BNG_ERR_VALUE` when there is not room enough.
 */
export function writeOverloadedOptions(
  bytes: Uint8Array,
  options: DhcpOptions,
  free: { readonly file: boolean; readonly sname: boolean },
): number {
  const relay = options.get(DhcpOption.RelayAgentInformation);
  const relayLength = relay === undefined ? 0 : encodedLength(relay.length);
  const field: Area = {
    overloadBit: 0,
    start: OPTIONS_OFFSET,
    end: bytes.length - 1 - OVERLOAD_LENGTH - relayLength,
    at: OPTIONS_OFFSET,
  };
  const areas = [field];
  if (free.file) {
    const end = FILE_OFFSET + FILE_LENGTH - 1;
    areas.push({ overloadBit: OVERLOAD_FILE, start: FILE_OFFSET, end, at: FILE_OFFSET });
  }
  if (free.sname) {
    const end = SNAME_OFFSET + SNAME_LENGTH - 1;
    areas.push({ overloadBit: OVERLOAD_SNAME, start: SNAME_OFFSET, end, at: SNAME_OFFSET });
  }
  if (field.end < field.start) {
    throw new BngError('BNG_ERR_VALUE', 'expected an option 82 that fits the largest message', {
      option: DhcpOption.RelayAgentInformation,
      found: bytes.length,
    });
  }
  const type = options.get(DhcpOption.MessageType);
  if (type !== undefined) writeAcross(bytes, areas, [DhcpOption.MessageType, type]);
  for (const option of options.entries()) {
    if (isPlacedApart(option[0])) continue;
    const whole = areas.find((area) => area.end - area.at >= encodedLength(option[1].length));
    if (whole === undefined) writeAcross(bytes, areas, option);
    else whole.at = writeOption(bytes, whole.at, option);
  }
  let overload = 0;
  for (const area of areas) {
    if (area.overloadBit === 0 || area.at === area.start) continue;
    overload |= area.overloadBit;
    bytes[area.at] = DhcpOption.End;
  }
  let at = writeOption(bytes, field.at, [DhcpOption.Overload, Uint8Array.of(overload)]);
  if (relay !== undefined) at = writeOption(bytes, at, [DhcpOption.RelayAgentInformation, relay]);
  bytes[at] = DhcpOption.End;
  return at + 1;
}
