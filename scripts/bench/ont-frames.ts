/**
 * The DHCP frames of many ONTs as they arrive behind an access node: two tags, option 82, a line and a MAC for each
 * number. Made with the production codecs; replies are read at fixed places, for speed. Pure.
 */
import { ipv4FromBytes, IPV4_ANY, IPV4_BROADCAST, type Ipv4 } from '../../src/model/ipv4.js';
import { MAC_BROADCAST, type Mac } from '../../src/model/mac.js';
import { encodeDhcpFrame } from '../../src/wire/dhcpv4-frame.js';
import { encodeDhcpMessage } from '../../src/wire/dhcpv4-message.js';
import { DhcpOptionsBuilder } from '../../src/wire/dhcpv4-options-builder.js';

export interface Offer {
  readonly address: Ipv4;
  readonly serverId: Ipv4;
}

export interface Reply {
  /** The number of the ONT: its transaction id. */
  readonly ont: number;
  readonly type: 'offer' | 'ack' | 'nak' | 'other';
  readonly offer: Offer;
}

const FIRST_MAC = 0x02_10_00_00_00_00;
const FIRST_S_VLAN = 100;
const LINES_OF_S_VLAN = 4000;

/** Ethernet with two tags, IPv4 without options, UDP. */
const MESSAGE_OFFSET = 14 + 8 + 20 + 8;
const XID_OFFSET = MESSAGE_OFFSET + 4;
const YIADDR_OFFSET = MESSAGE_OFFSET + 16;
const OPTIONS_OFFSET = MESSAGE_OFFSET + 240;
const SERVER_PORT_OFFSET = MESSAGE_OFFSET - 8;

/** By the value of option 53 (RFC 2132 §9.6). */
const REPLY_TYPES: Readonly<Record<number, Reply['type']>> = { 2: 'offer', 5: 'ack', 6: 'nak' };

export function tagsOf(ont: number): { readonly sVlan: number; readonly cVlan: number } {
  return { sVlan: FIRST_S_VLAN + Math.floor(ont / LINES_OF_S_VLAN), cVlan: 1 + (ont % LINES_OF_S_VLAN) };
}

/** As its access node names it. */
export function serialOf(ont: number): string {
  return `BNCH${ont.toString(16).toUpperCase().padStart(8, '0')}`;
}

/** A DISCOVER, or the REQUEST that selects `offer`. */
export function ontFrame(ont: number, offer: Offer | null): Uint8Array {
  const chaddr = (FIRST_MAC + ont) as Mac;
  const options = new DhcpOptionsBuilder().messageType(offer === null ? 'DHCPDISCOVER' : 'DHCPREQUEST');
  if (offer !== null) options.requestedAddress(offer.address).serverIdentifier(offer.serverId);
  options
    .maxMessageSize(576)
    .parameterRequestList(Uint8Array.of(1, 3, 6, 12, 15, 28, 42, 51))
    .vendorClass('udhcp 1.35.0')
    .relayAgentInformation({
      circuitId: Buffer.from(`bench eth 1/1/${ont}`),
      remoteId: Buffer.from(serialOf(ont)),
    });
  const { sVlan, cVlan } = tagsOf(ont);
  return encodeDhcpFrame({
    destinationMac: MAC_BROADCAST,
    sourceMac: chaddr,
    tags: [
      { tpid: 0x88a8, vlanId: sVlan, priority: 0, dropEligible: false },
      { tpid: 0x8100, vlanId: cVlan, priority: 0, dropEligible: false },
    ],
    sourceIp: IPV4_ANY,
    destinationIp: IPV4_BROADCAST,
    sourcePort: 68,
    destinationPort: 67,
    payload: encodeDhcpMessage({ op: 'BOOTREQUEST', xid: ont, chaddr, options: options.build() }),
  });
}

/** What a server said to one of the ONTs; null for any other frame. */
export function readReply(frame: Uint8Array): Reply | null {
  if (frame.length < OPTIONS_OFFSET || frame[20] !== 0x08 || frame[21] !== 0 || frame[22] !== 0x45)
    return null;
  if (frame[SERVER_PORT_OFFSET] !== 0 || frame[SERVER_PORT_OFFSET + 1] !== 67) return null;
  let type = 0;
  let serverId = IPV4_ANY;
  for (let at = OPTIONS_OFFSET; at + 2 < frame.length && frame[at] !== 255; ) {
    const code = frame[at] ?? 0;
    if (code === 0) {
      at += 1;
      continue;
    }
    if (code === 53) type = frame[at + 2] ?? 0;
    if (code === 54 && at + 6 <= frame.length) serverId = ipv4FromBytes(frame, at + 2);
    at += 2 + (frame[at + 1] ?? 0);
  }
  const xid = ipv4FromBytes(frame, XID_OFFSET);
  return {
    ont: xid,
    type: REPLY_TYPES[type] ?? 'other',
    offer: { address: ipv4FromBytes(frame, YIADDR_OFFSET), serverId },
  };
}
