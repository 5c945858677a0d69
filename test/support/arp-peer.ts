/** ARP as stations on access lines speak it, in front of the in-memory dataplane: what they are asked, and what they say. */
import type { MemoryDataplane } from '../../src/dataplane/memory-dataplane.js';
import type { Ipv4 } from '../../src/model/ipv4.js';
import { IPV4_ANY } from '../../src/model/ipv4.js';
import type { Mac } from '../../src/model/mac.js';
import type { ArpPacket } from '../../src/wire/arp.js';
import { decodeArp, encodeArp } from '../../src/wire/arp.js';
import type { VlanTag } from '../../src/wire/ethernet.js';
import { decodeEthernet, encodeEthernet, ETHERTYPE_ARP } from '../../src/wire/ethernet.js';

export interface Asked extends ArpPacket {
  readonly vlans: readonly number[];
  readonly to: Mac;
}

export interface Speaker {
  readonly address: Ipv4;
  readonly mac: Mac;
  readonly tags?: readonly VlanTag[];
  readonly ifindex?: number;
}

/** Outermost first: an S-tag, and a C-tag below it. */
export function tagsOf(...vlanIds: readonly number[]): readonly VlanTag[] {
  return vlanIds.map((vlanId, at) => ({
    tpid: at === 0 ? 0x88a8 : 0x8100,
    vlanId,
    priority: 0,
    dropEligible: false,
  }));
}

export class ArpPeer {
  readonly #dataplane: MemoryDataplane;
  #seen: number;

  constructor(dataplane: MemoryDataplane) {
    this.#dataplane = dataplane;
    this.#seen = dataplane.transmitted.length;
  }

  /** ARP that has left since the last look, with its tags and destination. */
  asked(): readonly Asked[] {
    const { transmitted } = this.#dataplane;
    const fresh = transmitted.slice(this.#seen);
    this.#seen = transmitted.length;
    return fresh.flatMap(({ frame }) => {
      const { etherType, payloadOffset, tags, destination } = decodeEthernet(frame);
      if (etherType !== ETHERTYPE_ARP) return [];
      return [
        { ...decodeArp(frame, payloadOffset), vlans: tags.map(({ vlanId }) => vlanId), to: destination },
      ];
    });
  }

  /** A station answers a question of ours that came from no address. `as` is what it writes into the packet. */
  answers({ address, mac, tags = [], ifindex = 3 }: Speaker, as: Mac = mac): void {
    const gateway = this.#dataplane.accessMac();
    const reply = encodeArp({
      ...{ operation: 'reply', senderMac: as, senderIp: address },
      ...{ targetMac: gateway, targetIp: IPV4_ANY },
    });
    const header = { destination: gateway, source: mac, tags, etherType: ETHERTYPE_ARP };
    const [outer, inner] = tags;
    this.#dataplane.punt({
      ...{ frame: encodeEthernet(header, reply), ifindex },
      ...{ sVlan: outer?.vlanId ?? 0, cVlan: inner?.vlanId ?? 0 },
      ...{ sTpid: outer?.tpid ?? 0, cTpid: inner?.tpid ?? 0 },
    });
  }
}
