/**
 * DNS queries read, by a library's codec, and answers written (RFC 1035) with the question's own bytes: what a codec makes of a name
 * that is no text is another name. Decides nothing; no sockets.
 */
import { decode } from 'dns-packet';
import type { Packet } from 'dns-packet';
import type { Ipv4 } from '../model/ipv4.js';

/** What of a query stands in its answer. */
interface Echo {
  readonly id: number;
  /** As it was asked, upper case kept: a client may compare it. Null where it could not be read. */
  readonly questionBytes: Uint8Array | null;
  /** The client knows OPT (RFC 6891). */
  readonly isExtended: boolean;
}

export interface Query extends Echo {
  readonly question: NonNullable<Packet['questions']>[number];
}

export type ResponseCode = 'noError' | 'formatError' | 'serverFailure' | 'notImplemented' | 'refused';

export type Read =
  | { readonly kind: 'query'; readonly query: Query }
  /** Understood well enough for an answer that says no. */
  | { readonly kind: 'refused'; readonly code: ResponseCode; readonly echo: Echo }
  /** Never answered: an answer could be sent to somebody who has not asked. */
  | { readonly kind: 'dropped' };

export interface AddressAnswer {
  readonly addresses: readonly Ipv4[];
  readonly ttlSeconds: number;
}

const HEADER_BYTES = 12;
const QUESTIONS_OFFSET = 4;
const ANSWERS_OFFSET = 6;
const AUTHORITIES_OFFSET = 8;
const ADDITIONALS_OFFSET = 10;
/** OPT (RFC 6891) and a signature (RFC 2931, RFC 8945). */
const MOST_ADDITIONALS = 2;
const RESPONSE_FLAG = 0x8000;
const OPCODE_MASK = 0x7800;
const CODES: Readonly<Record<ResponseCode, number>> = {
  noError: 0,
  formatError: 1,
  serverFailure: 2,
  notImplemented: 4,
  refused: 5,
};
const RECURSION = 0x0180; // desired and available
/** What passes any path in one datagram (RFC 6891 §6.2.5 leaves it to us). */
const UDP_PAYLOAD_BYTES = 1232;
const LONGEST_LABEL = 63;
const LONGEST_NAME = 255;
const TYPE_AND_CLASS_BYTES = 4;
const TYPE_A = 1;
const TYPE_OPT = 41;
const CLASS_IN = 1;
/** The upper bits of a name that stands elsewhere (RFC 1035 §4.1.4). */
const POINTER = 0xc000;
const ADDRESS_RECORD_BYTES = 16;
const OPT_RECORD_BYTES = 11;

/** Bytes of one message as a subscriber sent them: anything. */
export function readQuery(bytes: Buffer): Read {
  if (bytes.length < HEADER_BYTES) return { kind: 'dropped' };
  const flags = bytes.readUInt16BE(2);
  if ((flags & RESPONSE_FLAG) !== 0) return { kind: 'dropped' };
  const echo: Echo = { id: bytes.readUInt16BE(0), questionBytes: null, isExtended: false };
  if ((flags & OPCODE_MASK) !== 0) return { kind: 'refused', code: 'notImplemented', echo };
  const end = isPlainQuery(bytes) ? endOfQuestion(bytes) : null;
  const packet = end === null ? null : decoded(bytes);
  const question = packet?.questions?.[0];
  if (end === null || packet === null || question === undefined) {
    return { kind: 'refused', code: 'formatError', echo };
  }
  const whole: Echo = {
    id: echo.id,
    questionBytes: Uint8Array.from(bytes.subarray(HEADER_BYTES, end)),
    isExtended: packet.additionals?.some(({ type }) => type === 'OPT') ?? false,
  };
  if (question.class !== undefined && question.class !== 'IN') {
    return { kind: 'refused', code: 'refused', echo: whole };
  }
  return { kind: 'query', query: { question, ...whole } };
}

/**
 * One question, and as few records beside it as a client has reason to send. The codec believes the header: it would spend
 * milliseconds on records that 33 bytes merely claim to hold.
 */
function isPlainQuery(bytes: Buffer): boolean {
  return (
    bytes.length <= UDP_PAYLOAD_BYTES &&
    bytes.readUInt16BE(QUESTIONS_OFFSET) === 1 &&
    bytes.readUInt16BE(ANSWERS_OFFSET) === 0 &&
    bytes.readUInt16BE(AUTHORITIES_OFFSET) === 0 &&
    bytes.readUInt16BE(ADDITIONALS_OFFSET) <= MOST_ADDITIONALS
  );
}

/** Behind the only question; null when it is not whole, or its name is a pointer, for there is nothing to point to. */
function endOfQuestion(bytes: Buffer): number | null {
  let at = HEADER_BYTES;
  for (let length = bytes[at]; length !== 0; length = bytes[at]) {
    if (length === undefined || length > LONGEST_LABEL || at - HEADER_BYTES > LONGEST_NAME) return null;
    at += 1 + length;
  }
  const end = at + 1 + TYPE_AND_CLASS_BYTES;
  return end <= bytes.length ? end : null;
}

/** The answer to a query: addresses for its name, or none. */
export function writeAnswer(query: Query, code: ResponseCode, found?: AddressAnswer): Buffer {
  return written(query, code, found ?? { addresses: [], ttlSeconds: 0 });
}

export function writeRefusal(echo: Echo, code: ResponseCode): Buffer {
  return written(echo, code, { addresses: [], ttlSeconds: 0 });
}

function written(echo: Echo, code: ResponseCode, { addresses, ttlSeconds }: AddressAnswer): Buffer {
  const { id, questionBytes, isExtended } = echo;
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(RESPONSE_FLAG | RECURSION | CODES[code], 2);
  header.writeUInt16BE(questionBytes === null ? 0 : 1, QUESTIONS_OFFSET);
  header.writeUInt16BE(addresses.length, ANSWERS_OFFSET);
  header.writeUInt16BE(isExtended ? 1 : 0, ADDITIONALS_OFFSET);
  return Buffer.concat([
    header,
    ...(questionBytes === null ? [] : [questionBytes]),
    ...addresses.map((address) => addressRecord(address, ttlSeconds)),
    ...(isExtended ? [optRecord()] : []),
  ]);
}

/** RFC 1035 §3.2.1, its name a pointer to the question's. */
function addressRecord(address: Ipv4, ttlSeconds: number): Buffer {
  const record = Buffer.alloc(ADDRESS_RECORD_BYTES);
  record.writeUInt16BE(POINTER | HEADER_BYTES, 0);
  record.writeUInt16BE(TYPE_A, 2);
  record.writeUInt16BE(CLASS_IN, 4);
  record.writeUInt32BE(ttlSeconds, 6);
  record.writeUInt16BE(4, 10);
  record.writeUInt32BE(address, 12);
  return record;
}

/** RFC 6891 §6.1.2: the root's name, no extended code, version 0, no flags, no options. */
function optRecord(): Buffer {
  const record = Buffer.alloc(OPT_RECORD_BYTES);
  record.writeUInt16BE(TYPE_OPT, 1);
  record.writeUInt16BE(UDP_PAYLOAD_BYTES, 3);
  return record;
}

/** Null for what the codec does not read: it throws whatever it meets. */
function decoded(bytes: Buffer): Packet | null {
  try {
    return decode(bytes);
  } catch {
    return null;
  }
}
