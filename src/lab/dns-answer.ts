/** Just enough DNS (RFC 1035) for the lab: every A question gets the same address. Bytes to bytes. */

const HEADER_LENGTH = 12;
const TYPE_A = 1;
const TYPE_ANY = 255;
const CLASS_IN = 1;
const TTL_SECONDS = 60;
const NOT_IMPLEMENTED = 4;

/**
 * The response to one query message: an A record with `address` (four bytes) for questions of type A, no record for
 * others, "not implemented" for other opcodes. Null for what is not a query with exactly one whole question.
 */
export function answerDnsQuery(query: Uint8Array, address: Uint8Array): Uint8Array | null {
  if (query.length < HEADER_LENGTH) return null;
  const view = new DataView(query.buffer, query.byteOffset, query.byteLength);
  const flags = view.getUint16(2);
  if ((flags & 0x8000) !== 0 || view.getUint16(4) !== 1) return null;
  let end = HEADER_LENGTH;
  for (;;) {
    const length = query[end];
    if (length === undefined || length > 63) return null;
    end += 1 + length;
    if (length === 0) break;
  }
  if (end + 4 > query.length) return null;
  const type = view.getUint16(end);
  const opcode = (flags >>> 11) & 15;
  const answers =
    opcode === 0 && (type === TYPE_A || type === TYPE_ANY) && view.getUint16(end + 2) === CLASS_IN;
  const question = query.subarray(HEADER_LENGTH, end + 4);
  const response = new Uint8Array(HEADER_LENGTH + question.length + (answers ? 12 + address.length : 0));
  const out = new DataView(response.buffer);
  out.setUint16(0, view.getUint16(0));
  // QR, AA, RA; opcode and RD as asked.
  out.setUint16(2, 0x8480 | (flags & 0x7900) | (opcode === 0 ? 0 : NOT_IMPLEMENTED));
  out.setUint16(4, 1);
  out.setUint16(6, answers ? 1 : 0);
  response.set(question, HEADER_LENGTH);
  if (answers) {
    const at = HEADER_LENGTH + question.length;
    out.setUint16(at, 0xc000 | HEADER_LENGTH);
    out.setUint16(at + 2, TYPE_A);
    out.setUint16(at + 4, CLASS_IN);
    out.setUint32(at + 6, TTL_SECONDS);
    out.setUint16(at + 10, address.length);
    response.set(address, at + 12);
  }
  return response;
}
