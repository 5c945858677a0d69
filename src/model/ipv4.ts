/**
 * IPv4 addresses and prefixes as plain numbers in host byte order. Text only at the edges.
 */
import { isIPv4 } from 'node:net';
import { BngError } from './bng-error.js';

/** An IPv4 address as an unsigned 32-bit number in host byte order. */
export type Ipv4 = number & { readonly __brand: 'Ipv4' };

/** An IPv4 network; `network` has no host bits set, `length` is 0 to 32. */
export interface Ipv4Prefix {
  readonly network: Ipv4;
  readonly length: number;
}

export const IPV4_ANY = 0 as Ipv4;
export const IPV4_BROADCAST = 0xffffffff as Ipv4;

/** Takes any integer modulo 2^32 as an address. */
export function ipv4FromNumber(value: number): Ipv4 {
  return (value >>> 0) as Ipv4;
}

/**
 * Parses dotted-quad text; refuses short, octal and padded forms with `BNG_ERR_VALUE`. By the letter: a start reads very
 * many.
 */
export function parseIpv4(text: string): Ipv4 {
  let value = 0;
  let octet = Number.NaN;
  let dots = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === DOT) {
      value = value * 256 + octet;
      octet = Number.NaN;
      dots += 1;
    } else {
      const digit = code >= 0x30 && code <= 0x39 ? code - 0x30 : Number.NaN;
      // Nothing follows a zero at the beginning.
      octet =
        Number.isNaN(octet) && isFirst(text, at) ? digit : octet === 0 ? Number.NaN : octet * 10 + digit;
      if (octet > 255) octet = Number.NaN;
    }
  }
  value = value * 256 + octet;
  if (dots === 3 && !Number.isNaN(value)) return ipv4FromNumber(value);
  throw new BngError('BNG_ERR_VALUE', 'expected an IPv4 address such as 192.0.2.1', { found: text });
}

const DOT = 0x2e;

function isFirst(text: string, at: number): boolean {
  return at === 0 || text.charCodeAt(at - 1) === DOT;
}

export function formatIpv4(address: Ipv4): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

/** The network mask of a prefix length as an address: 24 gives 255.255.255.0. */
export function prefixMask(length: number): Ipv4 {
  return ipv4FromNumber(length === 0 ? 0 : -1 << (32 - length));
}

/** Parses `192.0.2.0/24`; refuses host bits beyond the length with `BNG_ERR_VALUE`. */
export function parsePrefix(text: string): Ipv4Prefix {
  const match = /^([0-9.]+)\/([0-9]{1,2})$/.exec(text);
  const length = Number(match?.[2]);
  if (match?.[1] === undefined || !isIPv4(match[1]) || length > 32) {
    throw new BngError('BNG_ERR_VALUE', 'expected an IPv4 prefix such as 192.0.2.0/24', { found: text });
  }
  const network = parseIpv4(match[1]);
  if ((network & prefixMask(length)) >>> 0 !== network) {
    throw new BngError('BNG_ERR_VALUE', 'expected a prefix without host bits', { found: text });
  }
  return { network, length };
}

export function formatPrefix(prefix: Ipv4Prefix): string {
  return `${formatIpv4(prefix.network)}/${prefix.length}`;
}

export function prefixContains(prefix: Ipv4Prefix, address: Ipv4): boolean {
  return (address & prefixMask(prefix.length)) >>> 0 === prefix.network;
}

/** The highest address of the prefix; for lengths up to 30 this is the directed broadcast address. */
export function prefixLast(prefix: Ipv4Prefix): Ipv4 {
  return ipv4FromNumber(prefix.network + 2 ** (32 - prefix.length) - 1);
}

export function prefixesOverlap(a: Ipv4Prefix, b: Ipv4Prefix): boolean {
  return a.length <= b.length ? prefixContains(a, b.network) : prefixContains(b, a.network);
}

/** Reads four bytes in network order. */
export function ipv4FromBytes(bytes: Uint8Array, offset = 0): Ipv4 {
  const [a, b, c, d] = bytes.subarray(offset, offset + 4);
  if (a === undefined || b === undefined || c === undefined || d === undefined) {
    throw new BngError('BNG_ERR_WIRE_TRUNCATED', 'expected 4 bytes of an IPv4 address', { offset });
  }
  return ipv4FromNumber(((a << 24) | (b << 16) | (c << 8) | d) >>> 0);
}

/** Writes four bytes in network order. */
export function ipv4ToBytes(address: Ipv4): Uint8Array {
  return Uint8Array.of(address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255);
}
