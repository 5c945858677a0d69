/**
 * What a frame seems to be, looked up at a fraction of the price of decoding it: for sorting what waits. Total; whoever acts on a
 * message decodes it.
 */
import type { DhcpMessageType } from './dhcpv4-option-codes.js';
import { DHCP_MESSAGE_TYPES } from './dhcpv4-option-codes.js';
import { ETHERTYPE_IPV4, typeAt, typeOffset } from './ethernet.js';

export interface DhcpPeek {
  /** The source MAC as a number. */
  readonly sourceMac: number;
  /** Option 53; null where it is not among the first options. */
  readonly messageType: DhcpMessageType | null;
}

const MAC_BYTES = 6;
const UDP_BYTES = 8;
/** The fixed part of a message and the magic cookie (RFC 2131 §2). */
const OPTIONS_OFFSET = 240;
const MESSAGE_TYPE = 53;
const END = 255;
/** Clients put it first, or nearly so. */
const MOST_OPTIONS = 8;

/** Null for what is no IPv4 frame at all. */
export function peekDhcp(frame: Uint8Array): DhcpPeek | null {
  const at = typeOffset(frame);
  if (typeAt(frame, at) !== ETHERTYPE_IPV4) return null;
  const headerBytes = 4 * ((frame[at + 2] ?? 0) & 0xf);
  const options = at + 2 + headerBytes + UDP_BYTES + OPTIONS_OFFSET;
  return { sourceMac: macAt(frame, MAC_BYTES), messageType: messageTypeAt(frame, options) };
}

function messageTypeAt(frame: Uint8Array, first: number): DhcpMessageType | null {
  let at = first;
  for (let count = 0; count < MOST_OPTIONS && at + 2 < frame.length; count += 1) {
    const code = frame[at] ?? END;
    if (code === END) return null;
    if (code === MESSAGE_TYPE) return DHCP_MESSAGE_TYPES[(frame[at + 2] ?? 0) - 1] ?? null;
    at += code === 0 ? 1 : 2 + (frame[at + 1] ?? 0);
  }
  return null;
}

function macAt(frame: Uint8Array, at: number): number {
  let mac = 0;
  for (let n = 0; n < MAC_BYTES; n += 1) mac = mac * 256 + (frame[at + n] ?? 0);
  return mac;
}
