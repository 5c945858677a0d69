/**
 * Ethernet II headers with up to two VLAN tags (IEEE 802.1Q, 802.1ad). Holds nothing of what a frame carries.
 */
import { BngError } from '../model/bng-error.js';
import type { Mac } from '../model/mac.js';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';

export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;
/** Customer tag, IEEE 802.1Q. */
export const TPID_CTAG = 0x8100;
/** Service tag, IEEE 802.1ad. */
export const TPID_STAG = 0x88a8;

/** One tag as it stands in the frame, outermost first. */
export interface VlanTag {
  readonly tpid: number;
  /** 0 to 4095; 0 is a priority tag. */
  readonly vlanId: number;
  /** Priority code point, 0 to 7. */
  readonly priority: number;
  readonly dropEligible: boolean;
}

export interface EthernetHeader {
  readonly destination: Mac;
  readonly source: Mac;
  readonly tags: readonly VlanTag[];
  /** The type behind the tags. */
  readonly etherType: number;
}

export interface DecodedEthernet extends EthernetHeader {
  /** Where the payload begins in the frame; where it ends, only the payload knows, since short frames are padded. */
  readonly payloadOffset: number;
}

const MAC_BYTES = 6;
const TAG_BYTES = 4;
const MAX_TAGS = 2;
const SMALLEST_ETHERTYPE = 0x0600;
const NO_TAGS: readonly VlanTag[] = [];

/** A tag with priority 0. */
export function vlanTag(tpid: number, vlanId: number): VlanTag {
  return { tpid, vlanId, priority: 0, dropEligible: false };
}

function isTpid(etherType: number): boolean {
  return etherType === TPID_CTAG || etherType === TPID_STAG;
}

/** The 16 bits at `at`; what lies beyond the frame's end is 0. */
export function typeAt(frame: Uint8Array, at: number): number {
  return ((frame[at] ?? 0) << 8) + (frame[at + 1] ?? 0);
}

/** Where the type behind all tags stands, priority tags too, without decoding any of them. Total. */
export function typeOffset(frame: Uint8Array): number {
  let at = 2 * MAC_BYTES;
  while (isTpid(typeAt(frame, at))) at += TAG_BYTES;
  return at;
}

/**
 * Reads the header of a frame. Throws `BNG_ERR_WIRE_TRUNCATED`, or `BNG_ERR_WIRE_UNSUPPORTED` for a third tag and for
 * an IEEE 802.3 length in place of a type.
 */
export function decodeEthernet(frame: Uint8Array): DecodedEthernet {
  const reader = new ByteReader(frame);
  const destination = reader.mac();
  const source = reader.mac();
  let etherType = reader.u16();
  let tags = NO_TAGS;
  if (isTpid(etherType)) {
    const found: VlanTag[] = [];
    while (isTpid(etherType)) {
      if (found.length === MAX_TAGS) {
        throw new BngError('BNG_ERR_WIRE_UNSUPPORTED', 'expected at most two VLAN tags', {
          offset: reader.offset - 2,
        });
      }
      const tci = reader.u16();
      found.push({
        tpid: etherType,
        vlanId: tci & 0x0fff,
        priority: tci >>> 13,
        dropEligible: (tci & 0x1000) !== 0,
      });
      etherType = reader.u16();
    }
    tags = found;
  }
  if (etherType < SMALLEST_ETHERTYPE) {
    throw new BngError('BNG_ERR_WIRE_UNSUPPORTED', 'expected an Ethernet II type, not an 802.3 length', {
      offset: reader.offset - 2,
      found: etherType,
    });
  }
  return { destination, source, tags, etherType, payloadOffset: reader.offset };
}

/** Bytes that the header takes with its tags. */
export function ethernetHeaderLength(header: EthernetHeader): number {
  return 14 + 4 * header.tags.length;
}

/** Writes the header at the start of `frame` and returns where the payload goes. Throws `BNG_ERR_VALUE` without room. */
export function writeEthernetHeader(frame: Uint8Array, header: EthernetHeader): number {
  const writer = new ByteWriter(frame);
  writer.mac(header.destination);
  writer.mac(header.source);
  for (const tag of header.tags) {
    writer.u16(tag.tpid);
    writer.u16((tag.priority << 13) | (tag.dropEligible ? 0x1000 : 0) | (tag.vlanId & 0x0fff));
  }
  writer.u16(header.etherType);
  return writer.offset;
}

/** A whole frame, without the padding to 60 bytes and the FCS that the sending interface adds. */
export function encodeEthernet(header: EthernetHeader, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(ethernetHeaderLength(header) + payload.length);
  frame.set(payload, writeEthernetHeader(frame, header));
  return frame;
}
