/**
 * An option of DHCP in one line of the file, `42 addresses 192.0.2.1 192.0.2.2`: code, type, value. What the options
 * mean is their RFCs' affair; what the BNG says by itself cannot be said here.
 */
import { formatIpv4, formatPrefix, parseIpv4, parsePrefix } from '../model/ipv4.js';
import type { ClasslessRoute, LeaseOption } from '../model/lease.js';

/** Mask, gateway, resolvers, times, who and what an answer is: the BNG's own, or the protocol's. */
const OWN_CODES: ReadonlySet<number> = new Set([
  ...[1, 3, 6, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 61, 82, 90, 91, 92, 114, 118, 145],
]);
const HIGHEST_CODE = 254;
/** Longer values go in pieces (RFC 3396), but an answer has to fit 576 bytes. */
const LONGEST_VALUE = 255;

export const LEASE_OPTION =
  'an option in one line: its code, text, addresses, u8, u16, u32, hex or routes, and the value, such as 42 addresses 192.0.2.1';

/** For the published schema: code, type, something. */
export const LEASE_OPTION_PATTERN =
  /^([1-9][0-9]{0,2}) (text|addresses|u8|u16|u32|hex|routes) ([\x20-\x7e]+)$/;

const HIGHEST = { u8: 0xff, u16: 0xffff, u32: 0xffffffff } as const;

/** Null for anything else. Throws `BNG_ERR_VALUE` for an address or prefix that is none. */
export function readLeaseOption(line: string): LeaseOption | null {
  const [, codeText = '', type = '', rest = ''] = LEASE_OPTION_PATTERN.exec(line) ?? [];
  const code = Number(codeText);
  if (code < 1 || code > HIGHEST_CODE || OWN_CODES.has(code)) return null;
  const text = rest.trim();
  switch (type) {
    case 'text':
      return text.length > 0 && text.length <= LONGEST_VALUE ? { code, type, value: text } : null;
    case 'addresses': {
      const value = text.split(/[ ,]+/).map(parseIpv4);
      return value.length * 4 <= LONGEST_VALUE ? { code, type, value } : null;
    }
    case 'u8':
    case 'u16':
    case 'u32': {
      const value = /^(0|[1-9][0-9]{0,9})$/.test(text) ? Number(text) : Infinity;
      return value <= HIGHEST[type] ? { code, type, value } : null;
    }
    case 'hex':
      return /^([0-9a-fA-F]{2})+$/.test(text) && text.length <= 2 * LONGEST_VALUE
        ? { code, type, value: text.toLowerCase() }
        : null;
    case 'routes': {
      const value = text.split(/ *, */).map(readRoute);
      const routes = value.filter((route) => route !== null);
      return routes.length === value.length ? { code, type, value: routes } : null;
    }
    default:
      return null;
  }
}

function readRoute(text: string): ClasslessRoute | null {
  const [, to, via] = /^([0-9./]+) via ([0-9.]+)$/.exec(text) ?? [];
  return to === undefined || via === undefined ? null : { to: parsePrefix(to), via: parseIpv4(via) };
}

/** The line that `readLeaseOption` makes the option of. */
export function formatLeaseOption(option: LeaseOption): string {
  return `${option.code} ${option.type} ${valueText(option)}`;
}

function valueText(option: LeaseOption): string {
  switch (option.type) {
    case 'addresses':
      return option.value.map(formatIpv4).join(' ');
    case 'routes':
      return option.value.map(({ to, via }) => `${formatPrefix(to)} via ${formatIpv4(via)}`).join(', ');
    default:
      return String(option.value);
  }
}
