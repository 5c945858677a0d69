/**
 * Runs of code-length-value triples as they stand in the options, file and sname fields (RFC 2132 §2). Knows where
 * options are, not what they mean.
 */
import { BngError } from '../model/bng-error.js';
import { DhcpOption } from './dhcpv4-option-codes.js';

/** Where the options field begins: behind the fixed fields and the magic cookie. */
export const OPTIONS_OFFSET = 240;
export const MAGIC_COOKIE_OFFSET = 236;
export const MAGIC_COOKIE = 0x63825363;
export const SNAME_OFFSET = 44;
export const SNAME_LENGTH = 64;
export const FILE_OFFSET = 108;
export const FILE_LENGTH = 128;

/** Part of a message that holds options: `[start, end)` from the start of the message. */
export interface OptionArea {
  readonly start: number;
  readonly end: number;
}

/** Called with an option's code, where its value begins, and the value's length. */
export type OptionVisitor = (code: number, valueOffset: number, length: number) => void;

/**
 * Visits each option of an area up to END. An area that stops without END is taken as it is, as every server does:
 * clients in the field leave it out, and nothing is lost by reading on to the end of the bytes. Returns where END
 * stands, or else where an option could be added: behind the last option. Throws `BNG_ERR_WIRE_TRUNCATED` when an
 * option runs over the end.
 */
export function visitOptions(bytes: Uint8Array, area: OptionArea, visit: OptionVisitor): number {
  let offset = area.start;
  let afterLast = area.start;
  while (offset < area.end) {
    const code = bytes[offset];
    if (code === undefined || code === DhcpOption.End) return offset;
    if (code === DhcpOption.Pad) {
      offset += 1;
      continue;
    }
    const length = bytes[offset + 1] ?? 0;
    const next = offset + 2 + length;
    if (offset + 2 > area.end || next > area.end) {
      throw new BngError('BNG_ERR_WIRE_TRUNCATED', 'expected the whole of a DHCP option', {
        offset,
        option: code,
        expected: 2 + length,
        found: area.end - offset,
      });
    }
    visit(code, offset + 2, length);
    offset = next;
    afterLast = next;
  }
  return afterLast;
}

/**
 * The areas that an overload option's value (RFC 2132 §9.3) adds to the options field, in the order in which they are
 * read: file, then sname (RFC 3396 §5). Throws `BNG_ERR_WIRE_MALFORMED` for a value other than 1, 2 and 3.
 */
export function overloadedAreas(value: Uint8Array): readonly OptionArea[] {
  const which = value[0] ?? 0;
  if (value.length !== 1 || which < 1 || which > 3) {
    throw new BngError('BNG_ERR_WIRE_MALFORMED', 'expected 1, 2 or 3 as the one byte of option overload', {
      option: DhcpOption.Overload,
      length: value.length,
      found: which,
    });
  }
  const areas: OptionArea[] = [];
  if (which & 1) areas.push({ start: FILE_OFFSET, end: FILE_OFFSET + FILE_LENGTH });
  if (which & 2) areas.push({ start: SNAME_OFFSET, end: SNAME_OFFSET + SNAME_LENGTH });
  return areas;
}
