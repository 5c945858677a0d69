/**
 * The DHCPv4 message (RFC 2131 §2) between bytes and values. Holds no rule of what a client or a server does, and
 * nothing of the datagram around it.
 */
import { BngError } from '../model/bng-error.js';
import type { Ipv4 } from '../model/ipv4.js';
import { IPV4_ANY } from '../model/ipv4.js';
import type { Mac } from '../model/mac.js';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import {
  FILE_LENGTH,
  FILE_OFFSET,
  MAGIC_COOKIE,
  MAGIC_COOKIE_OFFSET,
  OPTIONS_OFFSET,
  SNAME_LENGTH,
  SNAME_OFFSET,
  overloadedAreas,
  visitOptions,
} from './dhcpv4-option-area.js';
import { DHCP_MESSAGE_TYPES, DhcpOption } from './dhcpv4-option-codes.js';
import { optionsLength, writeOptions, writeOverloadedOptions } from './dhcpv4-option-layout.js';
import { DhcpOptions } from './dhcpv4-options.js';
import { IPV4_UDP_HEADER_LENGTH } from './ipv4-udp.js';

export interface DhcpMessage {
  readonly op: 'BOOTREQUEST' | 'BOOTREPLY';
  /** Always 1 (Ethernet) and 6 when decoded, but 0 and 0 where leasequery has no hardware address. */
  readonly htype: number;
  readonly hlen: number;
  readonly hops: number;
  readonly xid: number;
  readonly secs: number;
  /** All 16 bits; see {@link DHCP_FLAG_BROADCAST}. */
  readonly flags: number;
  readonly ciaddr: Ipv4;
  readonly yiaddr: Ipv4;
  readonly siaddr: Ipv4;
  readonly giaddr: Ipv4;
  readonly chaddr: Mac;
  /** The whole field of 16 bytes; the 10 behind the address ought to be 0 but are the client's. */
  readonly chaddrBytes: Uint8Array;
  /** The whole field of 64 bytes; empty when it held options. */
  readonly sname: Uint8Array;
  /** The whole field of 128 bytes; empty when it held options. */
  readonly file: Uint8Array;
  /** Without option 52, which says how the bytes are laid out and is gone once they are read. */
  readonly options: DhcpOptions;
}

/** What must be said to send a message; the rest is 0, Ethernet and empty when left out. */
export type DhcpMessageDraft = Pick<DhcpMessage, 'op' | 'xid' | 'chaddr' | 'options'> & Partial<DhcpMessage>;

export interface EncodeDhcpOptions {
  /**
   * The longest IP datagram that the receiver takes, headers included, as in option 57. Less than 576 is taken as
   * 576, which every host must accept (RFC 2131 §2). Default 576.
   */
  readonly maxMessageSize?: number;
}

/** The flag of a client that cannot take unicast before it has its address (RFC 2131 §4.1). */
export const DHCP_FLAG_BROADCAST = 0x8000;

const OP_BOOTREQUEST = 1;
const OP_BOOTREPLY = 2;
const HTYPE_ETHERNET = 1;
const HLEN_ETHERNET = 6;
const CHADDR_OFFSET = 28;
const CHADDR_LENGTH = 16;
const MIN_MESSAGE_SIZE = 576;
/** A BOOTP message has 64 bytes of vendor area (RFC 951, RFC 1542 §2.1); relays and clients drop shorter ones. */
const MIN_LENGTH = 300;
const NO_BYTES = new Uint8Array(0);

export function wantsBroadcast(message: DhcpMessage): boolean {
  return (message.flags & DHCP_FLAG_BROADCAST) !== 0;
}

function decodeOp(op: number): DhcpMessage['op'] {
  if (op === OP_BOOTREQUEST) return 'BOOTREQUEST';
  if (op === OP_BOOTREPLY) return 'BOOTREPLY';
  throw new BngError('BNG_ERR_WIRE_MALFORMED', 'expected BOOTREQUEST (1) or BOOTREPLY (2)', {
    offset: 0,
    found: op,
  });
}

/** Joins what comes in pieces (RFC 3396 §7): a value longer than 255 bytes, or one code given twice. */
function collectOptions(bytes: Uint8Array): { values: Map<number, Uint8Array>; overload: number } {
  const values = new Map<number, Uint8Array>();
  const add = (code: number, at: number, length: number): void => {
    const value = bytes.subarray(at, at + length);
    const before = values.get(code);
    if (before === undefined) {
      values.set(code, value);
      return;
    }
    const joined = new Uint8Array(before.length + length);
    joined.set(before);
    joined.set(value, before.length);
    values.set(code, joined);
  };
  visitOptions(bytes, { start: OPTIONS_OFFSET, end: bytes.length }, add);
  const overload = values.get(DhcpOption.Overload);
  if (overload === undefined) return { values, overload: 0 };
  for (const area of overloadedAreas(overload)) visitOptions(bytes, area, add);
  // An overload option inside an overloaded field says nothing.
  values.delete(DhcpOption.Overload);
  return { values, overload: overload[0] ?? 0 };
}

/** RFC 4388 §6.3, §6.4: a query by another key than the MAC has no hardware address, nor has the answer to it. */
function isOfLeasequery(values: ReadonlyMap<number, Uint8Array>): boolean {
  const type = values.get(DhcpOption.MessageType)?.[0] ?? 0;
  return type > DHCP_MESSAGE_TYPES.indexOf('DHCPLEASEQUERY') && type <= DHCP_MESSAGE_TYPES.length;
}

function checkHardware(htype: number, hlen: number): void {
  if (htype !== HTYPE_ETHERNET) {
    throw new BngError('BNG_ERR_WIRE_UNSUPPORTED', 'expected Ethernet hardware', { offset: 1, found: htype });
  }
  if (hlen !== HLEN_ETHERNET) {
    throw new BngError('BNG_ERR_WIRE_MALFORMED', 'expected hardware addresses of 6 bytes', {
      offset: 2,
      found: hlen,
    });
  }
}

/**
 * Reads a UDP payload. The message is made from one copy of it: it stays right when the caller's buffer is used again.
 * Throws `BNG_ERR_WIRE_TRUNCATED`, `BNG_ERR_WIRE_MALFORMED` (op, hlen, magic cookie, overload) and
 * `BNG_ERR_WIRE_UNSUPPORTED` (hardware other than Ethernet). What an option holds is checked by its accessor.
 */
export function decodeDhcpMessage(payload: Uint8Array): DhcpMessage {
  const bytes = new Uint8Array(payload);
  const reader = new ByteReader(bytes);
  const op = decodeOp(reader.u8());
  const htype = reader.u8();
  const hlen = reader.u8();
  const hops = reader.u8();
  const xid = reader.u32();
  const secs = reader.u16();
  const flags = reader.u16();
  const ciaddr = reader.ipv4();
  const yiaddr = reader.ipv4();
  const siaddr = reader.ipv4();
  const giaddr = reader.ipv4();
  const chaddr = reader.mac();
  reader.skip(MAGIC_COOKIE_OFFSET - reader.offset);
  const cookie = reader.u32();
  if (cookie !== MAGIC_COOKIE) {
    throw new BngError('BNG_ERR_WIRE_MALFORMED', 'expected the DHCP magic cookie', {
      offset: MAGIC_COOKIE_OFFSET,
      found: cookie,
    });
  }
  const { values, overload } = collectOptions(bytes);
  if (htype !== 0 || hlen !== 0 || !isOfLeasequery(values)) checkHardware(htype, hlen);
  return {
    op,
    htype,
    hlen,
    hops,
    xid,
    secs,
    flags,
    ciaddr,
    yiaddr,
    siaddr,
    giaddr,
    chaddr,
    chaddrBytes: bytes.subarray(CHADDR_OFFSET, CHADDR_OFFSET + CHADDR_LENGTH),
    sname: overload & 2 ? NO_BYTES : bytes.subarray(SNAME_OFFSET, SNAME_OFFSET + SNAME_LENGTH),
    file: overload & 1 ? NO_BYTES : bytes.subarray(FILE_OFFSET, FILE_OFFSET + FILE_LENGTH),
    options: new DhcpOptions(values),
  };
}

function writeField(bytes: Uint8Array, offset: number, field: { value?: Uint8Array; length: number }): void {
  if (field.value === undefined) return;
  if (field.value.length > field.length) {
    throw new BngError('BNG_ERR_VALUE', 'expected a value that fits its BOOTP field', {
      expected: field.length,
      found: field.value.length,
    });
  }
  bytes.set(field.value, offset);
}

function writeFixedFields(bytes: Uint8Array, draft: DhcpMessageDraft): void {
  const writer = new ByteWriter(bytes);
  writer.u8(draft.op === 'BOOTREQUEST' ? OP_BOOTREQUEST : OP_BOOTREPLY);
  writer.u8(draft.htype ?? HTYPE_ETHERNET);
  writer.u8(draft.hlen ?? HLEN_ETHERNET);
  writer.u8(draft.hops ?? 0);
  writer.u32(draft.xid);
  writer.u16(draft.secs ?? 0);
  writer.u16(draft.flags ?? 0);
  writer.ipv4(draft.ciaddr ?? IPV4_ANY);
  writer.ipv4(draft.yiaddr ?? IPV4_ANY);
  writer.ipv4(draft.siaddr ?? IPV4_ANY);
  writer.ipv4(draft.giaddr ?? IPV4_ANY);
  writeField(bytes, CHADDR_OFFSET, { value: draft.chaddrBytes ?? NO_BYTES, length: CHADDR_LENGTH });
  writer.mac(draft.chaddr);
  writeField(bytes, SNAME_OFFSET, { value: draft.sname ?? NO_BYTES, length: SNAME_LENGTH });
  writeField(bytes, FILE_OFFSET, { value: draft.file ?? NO_BYTES, length: FILE_LENGTH });
  new ByteWriter(bytes, MAGIC_COOKIE_OFFSET).u32(MAGIC_COOKIE);
}

function isBlank(field: Uint8Array | undefined): boolean {
  return field === undefined || field.every((byte) => byte === 0);
}

/**
 * A UDP payload: option 53 first, 82 last before END (RFC 3046 §2.1), the others in their order; zeros behind END up to
 * 300 bytes. Options that do not fit the receiver's size go to unused file and sname fields (RFC 2132 §9.3); when they
 * do not fit there either, `BNG_ERR_VALUE`: an answer that silently lacks an option is a wrong answer.
 */
export function encodeDhcpMessage(
  draft: DhcpMessageDraft,
  encodeOptions: EncodeDhcpOptions = {},
): Uint8Array {
  const capacity =
    Math.max(encodeOptions.maxMessageSize ?? MIN_MESSAGE_SIZE, MIN_MESSAGE_SIZE) - IPV4_UDP_HEADER_LENGTH;
  const length = OPTIONS_OFFSET + optionsLength(draft.options) + 1;
  const bytes = new Uint8Array(Math.max(MIN_LENGTH, Math.min(length, capacity)));
  writeFixedFields(bytes, draft);
  if (length <= capacity) {
    writeOptions(bytes, OPTIONS_OFFSET, draft.options);
    return bytes;
  }
  const end = writeOverloadedOptions(bytes, draft.options, {
    file: isBlank(draft.file),
    sname: isBlank(draft.sname),
  });
  return bytes.subarray(0, Math.max(MIN_LENGTH, end));
}
