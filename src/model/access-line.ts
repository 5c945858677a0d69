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

/** What the access node tells of a line before any frame of it came. What it does not tell is not there. */
export interface AnnouncedLine {
  readonly circuitId: Uint8Array;
  readonly remoteId?: Uint8Array;
  /** As its frames will bear them. */
  readonly tags?: VlanTags;
  /** Of the customer's equipment: few access nodes know it before the first frame. */
  readonly mac?: Mac;
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
