/**
 * Asks by ARP whether somebody has an address (RFC 5227 §2.1.1), on the line of the one it is to be offered to and nowhere else:
 * elsewhere the source guard keeps a second owner from doing harm. The only timers are of questions that are out.
 */
import type { PuntedFrame, PuntPath } from '../dataplane/port.js';
import type { Attachment } from '../model/access-line.js';
import type { Clock } from '../model/clock.js';
import type { Ipv4 } from '../model/ipv4.js';
import { IPV4_ANY } from '../model/ipv4.js';
import type { Mac } from '../model/mac.js';
import { MAC_BROADCAST } from '../model/mac.js';
import type { AddressProber } from '../session/address-prober.js';
import { decodeArp, encodeArp } from '../wire/arp.js';
import {
  decodeEthernet,
  ETHERTYPE_ARP,
  ethernetHeaderLength,
  writeEthernetHeader,
} from '../wire/ethernet.js';
import type { LineTpids } from './line-tags.js';
import { lineTags } from './line-tags.js';

export interface ArpProberOptions {
  readonly punts: PuntPath;
  readonly clock: Clock;
  readonly tpids: LineTpids;
}

interface Question {
  readonly station: Mac;
  readonly answered: (isInUse: boolean) => void;
}

const NO_MAC = 0 as Mac;

export class ArpProber implements AddressProber {
  readonly #o: ArpProberOptions;
  readonly #questions = new Map<string, Question>();
  #waitMs: number | null = null;

  constructor(options: ArpProberOptions) {
    this.#o = options;
  }

  /** From the next question on; null asks nobody. */
  reconfigure(waitMs: number | null): void {
    this.#waitMs = waitMs;
  }

  get asks(): boolean {
    return this.#waitMs !== null;
  }

  isInUse(address: Ipv4, station: Attachment): Promise<boolean> {
    const waitMs = this.#waitMs;
    if (waitMs === null || !this.#ask(address, station)) return Promise.resolve(false);
    const key = questionKey(address, station);
    return new Promise((resolve) => {
      const answered = (isInUse: boolean): void => {
        this.#questions.delete(key);
        timer.cancel();
        resolve(isInUse);
      };
      const timer = this.#o.clock.after(waitMs, () => answered(false));
      this.#questions.get(key)?.answered(false);
      this.#questions.set(key, { station: station.mac, answered });
    });
  }

  /** A punted ARP frame. The station may answer for itself: it has had the address before. Throws `BNG_ERR_WIRE_*`. */
  heard(punted: PuntedFrame): void {
    const { senderIp, senderMac } = decodeArp(punted.frame, decodeEthernet(punted.frame).payloadOffset);
    const question = this.#questions.get(questionKey(senderIp, punted));
    if (question !== undefined && question.station !== senderMac) question.answered(true);
  }

  /** What was asked is answered: nobody has been heard. */
  close(): void {
    this.#waitMs = null;
    for (const { answered } of [...this.#questions.values()]) answered(false);
  }

  #ask(address: Ipv4, station: Attachment): boolean {
    const { punts, tpids } = this.#o;
    const senderMac = punts.accessMac(station.ifindex);
    const header = {
      destination: MAC_BROADCAST,
      source: senderMac,
      tags: lineTags(station, tpids),
      etherType: ETHERTYPE_ARP,
    };
    const probe = encodeArp({
      operation: 'request',
      senderMac,
      senderIp: IPV4_ANY,
      targetMac: NO_MAC,
      targetIp: address,
    });
    const frame = new Uint8Array(ethernetHeaderLength(header) + probe.length);
    frame.set(probe, writeEthernetHeader(frame, header));
    return punts.transmit(station.ifindex, frame);
  }
}

function questionKey(address: Ipv4, { ifindex, sVlan, cVlan }: Omit<Attachment, 'mac'>): string {
  return `${ifindex}/${sVlan}/${cVlan}/${address}`;
}
