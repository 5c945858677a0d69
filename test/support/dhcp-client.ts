/**
 * A DHCPv4 client, and the access node in front of it, that speak frames: what it sends is punted, what it gets is what
 * was transmitted to its MAC address. It has no memory of leases; tests say what is asked.
 */
import assert from 'node:assert/strict';
import type { MemoryDataplane } from '../../src/dataplane/memory-dataplane.js';
import type { Ipv4 } from '../../src/model/ipv4.js';
import { IPV4_ANY, IPV4_BROADCAST, parseIpv4 } from '../../src/model/ipv4.js';
import type { Mac } from '../../src/model/mac.js';
import { MAC_BROADCAST, parseMac } from '../../src/model/mac.js';
import type { DhcpFrame } from '../../src/wire/dhcpv4-frame.js';
import {
  DHCP_CLIENT_PORT,
  DHCP_SERVER_PORT,
  decodeDhcpFrame,
  encodeDhcpFrame,
} from '../../src/wire/dhcpv4-frame.js';
import type { DhcpMessageDraft } from '../../src/wire/dhcpv4-message.js';
import { DHCP_FLAG_BROADCAST, encodeDhcpMessage } from '../../src/wire/dhcpv4-message.js';
import type { DhcpMessageType } from '../../src/wire/dhcpv4-option-codes.js';
import { DhcpOption } from '../../src/wire/dhcpv4-option-codes.js';
import { DhcpOptionsBuilder } from '../../src/wire/dhcpv4-options-builder.js';
import type { VlanTag } from '../../src/wire/ethernet.js';
import { decodeEthernet, ETHERTYPE_IPV4 } from '../../src/wire/ethernet.js';
import { settled } from './fake-clock.js';

export interface DhcpClientOptions {
  readonly dataplane: MemoryDataplane;
  readonly mac?: Mac;
  readonly ifindex?: number;
  /** Outermost first. */
  readonly tags?: readonly VlanTag[];
  /** What the access node puts into option 82; without either there is no option 82. */
  readonly circuitId?: string;
  readonly remoteId?: string;
  readonly clientId?: Uint8Array;
  readonly broadcast?: boolean;
  readonly giaddr?: Ipv4;
  /** Lets an answer come that waits for more than its turn. */
  readonly settle?: () => Promise<void>;
}

/** One message; fields left out are as an ordinary client sends them. */
export interface Said {
  readonly requestedAddress?: Ipv4;
  readonly serverId?: Ipv4;
  readonly ciaddr?: Ipv4;
  /** Unicast to the server, as in RENEWING. */
  readonly destinationIp?: Ipv4;
  readonly chaddr?: Mac;
  readonly sourceMac?: Mac;
  readonly op?: DhcpMessageDraft['op'];
  readonly options?: readonly (readonly [code: number, value: Uint8Array])[];
  readonly sname?: Uint8Array;
}

export interface Heard extends DhcpFrame {
  readonly ifindex: number;
  readonly bytes: Uint8Array;
}

let nextXid = 0x1000;

export class DhcpClient {
  readonly mac: Mac;
  readonly #o: DhcpClientOptions;
  #heard = 0;

  constructor(options: DhcpClientOptions) {
    this.#o = options;
    this.mac = options.mac ?? parseMac('02:00:00:00:00:01');
    this.#heard = options.dataplane.transmitted.length;
  }

  /** The whole frame as it reaches the access interface. */
  frame(type: DhcpMessageType | null, said: Said = {}): Uint8Array {
    const { circuitId, remoteId, clientId, broadcast = false, giaddr = IPV4_ANY, tags = [] } = this.#o;
    const options = new DhcpOptionsBuilder();
    if (type !== null) options.messageType(type);
    if (clientId !== undefined) options.clientIdentifier(clientId);
    if (said.requestedAddress !== undefined) options.requestedAddress(said.requestedAddress);
    if (said.serverId !== undefined) options.serverIdentifier(said.serverId);
    for (const [code, value] of said.options ?? []) options.raw(code, value);
    const isSaid = said.options?.some(([code]) => code === DhcpOption.RelayAgentInformation) === true;
    if (!isSaid && (circuitId !== undefined || remoteId !== undefined)) {
      options.relayAgentInformation({
        circuitId: circuitId === undefined ? undefined : Buffer.from(circuitId),
        remoteId: remoteId === undefined ? undefined : Buffer.from(remoteId),
      });
    }
    const payload = encodeDhcpMessage(
      {
        op: said.op ?? 'BOOTREQUEST',
        xid: nextXid++,
        flags: broadcast ? DHCP_FLAG_BROADCAST : 0,
        ciaddr: said.ciaddr ?? IPV4_ANY,
        giaddr,
        chaddr: said.chaddr ?? this.mac,
        options: options.build(),
        ...(said.sname === undefined ? {} : { sname: said.sname }),
      },
      { maxMessageSize: 1500 },
    );
    return encodeDhcpFrame({
      destinationMac: MAC_BROADCAST,
      sourceMac: said.sourceMac ?? this.mac,
      tags,
      sourceIp: said.ciaddr ?? IPV4_ANY,
      destinationIp: said.destinationIp ?? IPV4_BROADCAST,
      sourcePort: giaddr === IPV4_ANY ? DHCP_CLIENT_PORT : DHCP_SERVER_PORT,
      destinationPort: DHCP_SERVER_PORT,
      payload,
    });
  }

  /** Hands a frame to the BNG without waiting. The buffer is overwritten at once, as the punt path does. */
  punt(frame: Uint8Array): void {
    const { dataplane, ifindex = 3, tags = [] } = this.#o;
    const [outer, inner] = tags;
    const slab = Uint8Array.from(frame);
    dataplane.punt({
      frame: slab,
      ifindex,
      sVlan: outer?.vlanId ?? 0,
      cVlan: inner?.vlanId ?? 0,
      sTpid: outer?.tpid ?? 0,
      cTpid: inner?.tpid ?? 0,
    });
    slab.fill(0xee);
  }

  /** What came for this station since the last look. */
  heard(): readonly Heard[] {
    const { transmitted } = this.#o.dataplane;
    const fresh = transmitted.slice(this.#heard);
    this.#heard = transmitted.length;
    return fresh
      .filter(({ frame }) => decodeEthernet(frame).etherType === ETHERTYPE_IPV4)
      .map(({ ifindex, frame }) => ({ ...decodeDhcpFrame(frame), ifindex, bytes: frame }))
      .filter((heard) => heard.ethernet.destination === this.mac);
  }

  /** Says one message and gives the answer, null for silence. More than one answer is a failure. */
  async say(type: DhcpMessageType | null, said: Said = {}): Promise<Heard | null> {
    this.heard();
    this.punt(this.frame(type, said));
    await (this.#o.settle ?? settled)();
    const answers = this.heard();
    assert.ok(answers.length <= 1, `one message, ${answers.length} answers`);
    return answers[0] ?? null;
  }

  discover(): Promise<Heard | null> {
    return this.say('DHCPDISCOVER');
  }

  /** SELECTING (RFC 2131 §4.3.2). */
  select(address: Ipv4, serverId: Ipv4): Promise<Heard | null> {
    return this.say('DHCPREQUEST', { requestedAddress: address, serverId });
  }

  reboot(address: Ipv4): Promise<Heard | null> {
    return this.say('DHCPREQUEST', { requestedAddress: address });
  }

  renew(address: Ipv4, server: Ipv4 = parseIpv4('10.255.0.1')): Promise<Heard | null> {
    return this.say('DHCPREQUEST', { ciaddr: address, destinationIp: server });
  }

  rebind(address: Ipv4): Promise<Heard | null> {
    return this.say('DHCPREQUEST', { ciaddr: address });
  }

  /** DISCOVER, OFFER, REQUEST, ACK; gives the ACK. */
  async lease(): Promise<Heard> {
    const offer = await this.discover();
    assert.equal(kindOf(offer), 'DHCPOFFER');
    const { yiaddr } = offer!.message;
    const ack = await this.select(yiaddr, serverIdOf(offer!));
    assert.equal(kindOf(ack), 'DHCPACK');
    assert.equal(ack!.message.yiaddr, yiaddr);
    return ack!;
  }
}

/** The message type of an answer; `silence` for none. */
export function kindOf(heard: Heard | null): DhcpMessageType | 'silence' | undefined {
  return heard === null ? 'silence' : heard.message.options.messageType;
}

export function serverIdOf(heard: Heard): Ipv4 {
  const id = heard.message.options.serverIdentifier;
  assert.ok(id !== undefined, 'an answer names its server');
  return id;
}

export function leaseTimesOf(heard: Heard): readonly (number | undefined)[] {
  const { leaseSeconds, renewalSeconds, rebindingSeconds } = heard.message.options;
  return [leaseSeconds, renewalSeconds, rebindingSeconds];
}

export function rawOption(
  heard: Heard,
  code: (typeof DhcpOption)[keyof typeof DhcpOption],
): string | undefined {
  const value = heard.message.options.get(code);
  return value === undefined ? undefined : Buffer.from(value).toString('hex');
}
