/** Ethernet MAC addresses as 48-bit numbers (exact in a double). Text only at the edges. */
import { BngError } from './bng-error.js';

/** A MAC address as an unsigned 48-bit number, first octet most significant. */
export type Mac = number & { readonly __brand: 'Mac' };

export const MAC_BROADCAST = 0xffffffffffff as Mac;

/** Each octet as text: sessions are written with every change, and a regular expression took longer than all the rest. */
const OCTETS = Array.from({ length: 256 }, (_, value) => value.toString(16).padStart(2, '0'));

/** Parses `02:00:00:aa:bb:cc`; anything else is `BNG_ERR_VALUE`. By the letter: a start reads very many. */
export function parseMac(text: string): Mac {
  let value = text.length === 17 ? 0 : Number.NaN;
  for (let at = 0; at < 17; at += 3) {
    const isApart = at === 15 || text.charCodeAt(at + 2) === COLON;
    value = isApart ? value * 256 + hexDigit(text, at) * 16 + hexDigit(text, at + 1) : Number.NaN;
  }
  if (!Number.isNaN(value)) return value as Mac;
  throw new BngError('BNG_ERR_VALUE', 'expected a MAC address such as 02:00:00:aa:bb:cc', { found: text });
}

const COLON = 0x3a;

/** NaN for what is none. */
function hexDigit(text: string, at: number): number {
  const code = text.charCodeAt(at);
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : Number.NaN;
}

export function formatMac(mac: Mac): string {
  const high = Math.floor(mac / 2 ** 24);
  const low = mac % 2 ** 24;
  return `${octets(high)}:${octets(low)}`;
}

function octets(value: number): string {
  return `${octet(value >>> 16)}:${octet((value >>> 8) & 0xff)}:${octet(value & 0xff)}`;
}

function octet(value: number): string {
  return OCTETS[value] ?? '';
}

/** Reads six bytes, first octet first. */
export function macFromBytes(bytes: Uint8Array, offset = 0): Mac {
  if (bytes.length < offset + 6) {
    throw new BngError('BNG_ERR_WIRE_TRUNCATED', 'expected 6 bytes of a MAC address', { offset });
  }
  let value = 0;
  for (let i = 0; i < 6; i++) value = value * 256 + (bytes[offset + i] ?? 0);
  return value as Mac;
}

/** Writes six bytes, first octet first, into new ones or those given. */
export function macToBytes(mac: Mac, bytes = new Uint8Array(6)): Uint8Array {
  let rest: number = mac;
  for (let i = 5; i >= 0; i--) {
    bytes[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return bytes;
}

/** True when the group bit is set: such an address never names one station. */
export function isGroupMac(mac: Mac): boolean {
  return (Math.floor(mac / 2 ** 40) & 1) === 1;
}
