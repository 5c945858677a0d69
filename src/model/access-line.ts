/** Where a subscriber is attached, as the BNG sees it. circuit-id and remote-id are opaque bytes (TR-101). */
import type { Mac } from './mac.js';
import { formatMac } from './mac.js';

/** The tags of a line. 0 means "no such tag"; a single-tagged line has an S-VLAN only. */
export interface VlanTags {
  readonly sVlan: number;
  readonly cVlan: number;
}

/** Where frames of one station arrive: what the dataplane can tell by itself. `ifindex` is the access interface. */
export interface Attachment extends VlanTags {
  readonly ifindex: number;
  readonly mac: Mac;
  /**
   * TPIDs that the line's own frames bear (0x8100, 0x88a8): frames towards it bear the same. No part of its identity;
   * where they are not known, the configured ones are used.
   */
  readonly sTpid?: number;
  readonly cTpid?: number;
}

/** The attachment and what the access node says of it in option 82 (RFC 3046). */
export interface AccessLine extends Attachment {
  readonly circuitId?: Uint8Array;
  readonly remoteId?: Uint8Array;
  /** The whole value of option 82, as it came. */
  readonly option82?: Uint8Array;
  /** Option 82 says what the answers to this line must be (RFC 3527, RFC 5107): only who reads it may answer. */
  readonly isSteered?: boolean;
  /** Option 61 of the client's last message, opaque. */
  readonly clientId?: Uint8Array;
}

type Station = Pick<AccessLine, 'ifindex' | 'sVlan' | 'cVlan' | 'mac'>;
type Told = { readonly [K in Exclude<keyof AccessLine, keyof Station>]?: AccessLine[K] | undefined };
type Writable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * The line of a station, and what is `told` of it beside what the station says itself; what is undefined is not there. Lines are
 * made here and not by spreading: V8 gives each copy of an object that holds a double (a MAC is one) a hidden class of its own,
 * of some 400 bytes, and every collection looks at all of them.
 */
export function accessLine(station: Station & Told, told: Told = {}): AccessLine {
  const { ifindex, sVlan, cVlan, mac } = station;
  const line: Writable<AccessLine> = { ifindex, sVlan, cVlan, mac };
  const sTpid = station.sTpid ?? told.sTpid;
  const cTpid = station.cTpid ?? told.cTpid;
  const clientId = station.clientId ?? told.clientId;
  const option82 = station.option82 ?? told.option82;
  const circuitId = station.circuitId ?? told.circuitId;
  const remoteId = station.remoteId ?? told.remoteId;
  const isSteered = station.isSteered ?? told.isSteered;
  if (sTpid !== undefined) line.sTpid = sTpid;
  if (cTpid !== undefined) line.cTpid = cTpid;
  if (clientId !== undefined) line.clientId = clientId;
  if (option82 !== undefined) line.option82 = option82;
  if (circuitId !== undefined) line.circuitId = circuitId;
  if (remoteId !== undefined) line.remoteId = remoteId;
  if (isSteered !== undefined) line.isSteered = isSteered;
  return line;
}

/** Whether the same is said of both, bytes compared. */
export function isSameLine(a: AccessLine, b: AccessLine): boolean {
  return (
    a.ifindex === b.ifindex &&
    a.sVlan === b.sVlan &&
    a.cVlan === b.cVlan &&
    a.mac === b.mac &&
    a.sTpid === b.sTpid &&
    a.cTpid === b.cTpid &&
    a.isSteered === b.isSteered &&
    isSameBytes(a.clientId, b.clientId) &&
    isSameBytes(a.option82, b.option82) &&
    isSameBytes(a.circuitId, b.circuitId) &&
    isSameBytes(a.remoteId, b.remoteId)
  );
}

function isSameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && Buffer.compare(a, b) === 0);
}

/** What the access node tells of a line before any frame of it came. What it does not tell is not there. */
export interface AnnouncedLine {
  readonly circuitId: Uint8Array;
  readonly remoteId?: Uint8Array;
  /** As its frames will bear them. */
  readonly tags?: VlanTags;
  /** Of the customer's equipment: few access nodes know it before the first frame. */
  readonly mac?: Mac;
}

/** Whether frames of both arrive at the same place, from the same station: TPIDs are no part of it. */
export function isSameAttachment(a: Attachment, b: Attachment): boolean {
  return a.ifindex === b.ifindex && a.sVlan === b.sVlan && a.cVlan === b.cVlan && a.mac === b.mac;
}

/** A map key for an attachment; two attachments are the same exactly when their keys are. */
export function attachmentKey(a: Attachment): string {
  return `${a.ifindex}/${a.sVlan}/${a.cVlan}/${a.mac.toString(16)}`;
}

/** Text for logs and operators: `100.7 02:00:00:00:00:01`, `untagged 02:…`. */
export function formatAttachment(a: Attachment): string {
  const tags = a.sVlan === 0 ? 'untagged' : a.cVlan === 0 ? String(a.sVlan) : `${a.sVlan}.${a.cVlan}`;
  return `${tags} ${formatMac(a.mac)}`;
}
