/** Ethernet MAC addresses as 48-bit numbers (exact in a double). Text only at the edges. */
import { BngError } from './bng-error.js';

/** A MAC address as an unsigned 48-bit number, first octet most significant. */
export type Mac = number & { readonly __brand: 'Mac' };

export const MAC_BROADCAST = 0xffffffffffff as Mac;

/** Each octet as text: sessions are written with every change, and a regular expression took longer than all the rest. */
const OCTETS = Array.from({ length: 256 }, (_, value) => value.toString(16).padStart(2, '0'));

/** Parses `02:00:00:aa:bb:cc`; anything else is `BNG_ERR_VALUE`. */
export function parseMac(text: string): Mac {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) {
    throw new BngError('BNG_ERR_VALUE', 'expected a MAC address such as 02:00:00:aa:bb:cc', { found: text });
  }
  return Number.parseInt(text.replaceAll(':', ''), 16) as Mac;
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

/** Writes six bytes, first octet first. */
export function macToBytes(mac: Mac): Uint8Array {
  const bytes = new Uint8Array(6);
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
