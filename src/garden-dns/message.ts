/** DNS queries read and answers written (RFC 1035), by a library's codec. Decides nothing; no sockets. */
import { decode, encode } from 'dns-packet';
import type { Answer, Packet } from 'dns-packet';
import type { Ipv4 } from '../model/ipv4.js';
import { formatIpv4 } from '../model/ipv4.js';

export interface Query {
  /** As it was asked, upper case kept: a client may compare it. */
  readonly question: NonNullable<Packet['questions']>[number];
  readonly packet: Packet;
}

export type ResponseCode = 'noError' | 'formatError' | 'serverFailure' | 'notImplemented' | 'refused';

export type Read =
  | { readonly kind: 'query'; readonly query: Query }
  /** Understood well enough for an answer that says no. */
  | { readonly kind: 'refused'; readonly code: ResponseCode; readonly packet: Packet }
  /** Never answered: an answer could be sent to somebody who has not asked. */
  | { readonly kind: 'dropped' };

export interface AddressAnswer {
  readonly addresses: readonly Ipv4[];
  readonly ttlSeconds: number;
}

const HEADER_BYTES = 12;
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

/** Bytes of one message as a subscriber sent them: anything. */
export function readQuery(bytes: Buffer): Read {
  if (bytes.length < HEADER_BYTES) return { kind: 'dropped' };
  const flags = bytes.readUInt16BE(2);
  if ((flags & RESPONSE_FLAG) !== 0) return { kind: 'dropped' };
  const id = bytes.readUInt16BE(0);
  if ((flags & OPCODE_MASK) !== 0) return { kind: 'refused', code: 'notImplemented', packet: { id } };
  const packet = decoded(bytes);
  const [question, ...more] = packet?.questions ?? [];
  if (packet === null || question === undefined || more.length > 0) {
    return { kind: 'refused', code: 'formatError', packet: { id } };
  }
  if (question.class !== undefined && question.class !== 'IN') {
    return { kind: 'refused', code: 'refused', packet };
  }
  return { kind: 'query', query: { question, packet } };
}

/** The answer to a query: addresses for its name, or none. */
export function writeAnswer({ packet, question }: Query, code: ResponseCode, found?: AddressAnswer): Buffer {
  const answers = (found?.addresses ?? []).map(
    (address): Answer => ({
      type: 'A',
      class: 'IN',
      name: question.name,
      ttl: found?.ttlSeconds ?? 0,
      data: formatIpv4(address),
    }),
  );
  return written(packet, code, answers);
}

export function writeRefusal(packet: Packet, code: ResponseCode): Buffer {
  return written(packet, code, []);
}

function written(packet: Packet, code: ResponseCode, answers: Answer[]): Buffer {
  const extended = packet.additionals?.some(({ type }) => type === 'OPT') ?? false;
  return encode({
    type: 'response',
    id: packet.id ?? 0,
    flags: RECURSION | CODES[code],
    questions: packet.questions ?? [],
    answers,
    additionals: extended
      ? [
          {
            type: 'OPT',
            name: '.',
            udpPayloadSize: UDP_PAYLOAD_BYTES,
            extendedRcode: 0,
            ednsVersion: 0,
            flags: 0,
            flag_do: false,
            options: [],
          },
        ]
      : [],
  });
}

/** Null for what the codec does not read: it throws whatever it meets. */
function decoded(bytes: Buffer): Packet | null {
  try {
    return decode(bytes);
  } catch {
    return null;
  }
}
