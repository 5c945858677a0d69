/** A BNG of few words at the end of the trunk: answers DHCP, ARP and ping for 10.0.0.1, and remembers what it heard. */
import { ipv4FromNumber, parseIpv4 } from '../../src/model/ipv4.js';
import type { Mac } from '../../src/model/mac.js';
import { MAC_BROADCAST, parseMac } from '../../src/model/mac.js';
import { decodeArp, encodeArp } from '../../src/wire/arp.js';
import type { DhcpFrame } from '../../src/wire/dhcpv4-frame.js';
import { decodeDhcpFrame, encodeDhcpFrame } from '../../src/wire/dhcpv4-frame.js';
import { encodeDhcpMessage } from '../../src/wire/dhcpv4-message.js';
import type { DhcpMessageType } from '../../src/wire/dhcpv4-option-codes.js';
import { DhcpOptionsBuilder } from '../../src/wire/dhcpv4-options-builder.js';
import { decodeEthernet, encodeEthernet, ETHERTYPE_ARP, ETHERTYPE_IPV4 } from '../../src/wire/ethernet.js';
import type { WireTap } from './lab-wire-tap.js';

export const GATEWAY = parseIpv4('10.0.0.1');
export const GATEWAY_MAC = parseMac('02:00:00:00:ff:01');
const FIRST_ADDRESS = parseIpv4('10.0.0.10');
const MASK = parseIpv4('255.255.255.0');
const LEASE_SECONDS = 3600;
const RELAY_AGENT_INFORMATION = 82;

export function asDhcp(frame: Uint8Array): DhcpFrame | null {
  try {
    return decodeDhcpFrame(frame);
  } catch {
    return null;
  }
}

/** Picks DHCP messages of a type, and of one ONT when its serial is given. */
export function dhcpOf(type: DhcpMessageType, ontSerial?: string): (frame: Uint8Array) => DhcpFrame | null {
  return (frame) => {
    const found = asDhcp(frame);
    if (found === null || found.message.options.messageType !== type) return null;
    const remoteId = found.message.options.relayAgentInformation?.remoteId;
    return ontSerial === undefined || Buffer.from(remoteId ?? []).toString() === ontSerial ? found : null;
  };
}

export class FakeGateway {
  readonly #tap: WireTap;
  readonly #addresses = new Map<string, number>();
  /** ONT serials whose requests are refused. */
  readonly refused = new Set<string>();

  constructor(tap: WireTap) {
    this.#tap = tap;
    tap.onFrame((frame) => this.#hear(frame));
  }

  #hear(frame: Buffer): void {
    const ethernet = decodeEthernet(frame);
    if (ethernet.etherType === ETHERTYPE_ARP) {
      const arp = decodeArp(frame, ethernet.payloadOffset);
      if (arp.operation !== 'request' || arp.targetIp !== GATEWAY) return;
      const reply = encodeArp({
        operation: 'reply',
        senderMac: GATEWAY_MAC,
        senderIp: GATEWAY,
        targetMac: arp.senderMac,
        targetIp: arp.senderIp,
      });
      this.#tap.send(encodeEthernet({ ...ethernet, destination: arp.senderMac, source: GATEWAY_MAC }, reply));
    } else if (ethernet.etherType === ETHERTYPE_IPV4) {
      const dhcp = asDhcp(frame);
      if (dhcp !== null) this.#answerDhcp(dhcp);
      else this.#answerPing(frame, ethernet.payloadOffset);
    }
  }

  #answerPing(frame: Buffer, ip: number): void {
    const icmp = ip + 20;
    if (frame[ip + 9] !== 1 || frame[icmp] !== 8 || frame.readUInt32BE(ip + 16) !== GATEWAY) return;
    const reply = Buffer.from(frame);
    frame.copy(reply, 0, 6, 12);
    Buffer.from([2, 0, 0, 0, 0xff, 1]).copy(reply, 6);
    frame.copy(reply, ip + 12, ip + 16, ip + 20);
    frame.copy(reply, ip + 16, ip + 12, ip + 16);
    reply[icmp] = 0;
    const checksum = frame.readUInt16BE(icmp + 2) + 0x0800;
    reply.writeUInt16BE((checksum & 0xffff) + (checksum >>> 16), icmp + 2);
    this.#tap.send(reply);
  }

  #answerDhcp({ ethernet, message }: DhcpFrame): void {
    const remoteId = Buffer.from(message.options.relayAgentInformation?.remoteId ?? []).toString();
    if (message.options.messageType === 'DHCPDISCOVER') this.reply(ethernet, message, 'DHCPOFFER', remoteId);
    if (message.options.messageType === 'DHCPREQUEST') {
      const type = this.refused.delete(remoteId) ? 'DHCPNAK' : 'DHCPACK';
      this.reply(ethernet, message, type, remoteId);
    }
  }

  /** Sends a reply with the tags and the option 82 of what it answers. */
  reply(
    ethernet: DhcpFrame['ethernet'],
    message: DhcpFrame['message'],
    type: DhcpMessageType,
    remoteId: string,
  ): void {
    const index = this.#addresses.get(remoteId) ?? this.#addresses.size;
    this.#addresses.set(remoteId, index);
    const options = new DhcpOptionsBuilder().messageType(type).serverIdentifier(GATEWAY);
    if (type !== 'DHCPNAK') {
      options.leaseSeconds(LEASE_SECONDS).subnetMask(MASK).routers([GATEWAY]).dnsServers([GATEWAY]);
    }
    const relay = message.options.get(RELAY_AGENT_INFORMATION);
    if (relay !== undefined) options.raw(RELAY_AGENT_INFORMATION, relay);
    const yiaddr = ipv4FromNumber(type === 'DHCPNAK' ? 0 : FIRST_ADDRESS + index);
    const broadcast = type === 'DHCPNAK' || (message.flags & 0x8000) !== 0;
    const to: Mac = broadcast ? MAC_BROADCAST : message.chaddr;
    this.#tap.send(
      encodeDhcpFrame({
        destinationMac: to,
        sourceMac: GATEWAY_MAC,
        tags: ethernet.tags,
        sourceIp: GATEWAY,
        destinationIp: broadcast ? ipv4FromNumber(0xffffffff) : yiaddr,
        sourcePort: 67,
        destinationPort: 68,
        payload: encodeDhcpMessage({
          op: 'BOOTREPLY',
          xid: message.xid,
          flags: message.flags,
          chaddr: message.chaddr,
          yiaddr,
          options: options.build(),
        }),
      }),
    );
  }
}
