/**
 * Who is behind an access line. Identity comes from the access node where it is trusted (remote-id carries the ONT
 * serial, else circuit-id), otherwise from where the frames arrive; never from the MAC alone.
 */
import type { AccessLine } from '../model/access-line.js';
import { attachmentKey } from '../model/access-line.js';

export interface Identity {
  /** Stable and unique: `ont:…`, `circuit:…` or `line:…`. Also what the address pools place on their ring. */
  readonly subscriberId: string;
  readonly ontSerial: string | null;
}

const LINE_PREFIX = 'line:';

/** Printable ASCII stays text; anything else becomes hexadecimal. The bytes are compared, never interpreted. */
export function serialText(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return bytes.every((byte) => byte > 0x20 && byte < 0x7f)
    ? buffer.toString('latin1')
    : `0x${buffer.toString('hex')}`;
}

export function ontIdentity(ontSerial: string): Identity {
  return { subscriberId: `ont:${ontSerial}`, ontSerial };
}

/** Identity by what the access node said, or null when it said nothing of use. */
export function accessNodeIdentity(line: AccessLine): Identity | null {
  if (line.remoteId !== undefined && line.remoteId.length > 0) return ontIdentity(serialText(line.remoteId));
  if (line.circuitId === undefined || line.circuitId.length === 0) return null;
  return { subscriberId: `circuit:${Buffer.from(line.circuitId).toString('hex')}`, ontSerial: null };
}

/** What is bounded for a line: the access node's name for it, else where its frames arrive; any MAC would be one more line. */
export function boundedLine({ subscriberId }: Identity, line: AccessLine | null): string {
  if (line === null || !subscriberId.startsWith(LINE_PREFIX)) return subscriberId;
  return `${LINE_PREFIX}${line.ifindex}/${line.sVlan}/${line.cVlan}`;
}

/** By the access node's word where that is believed, else by where the frames arrive. */
export function identityOf(line: AccessLine, trustOption82: boolean): Identity {
  return (trustOption82 ? accessNodeIdentity(line) : null) ?? lineIdentity(line);
}

export function lineIdentity(line: AccessLine): Identity {
  return { subscriberId: `${LINE_PREFIX}${attachmentKey(line)}`, ontSerial: null };
}
