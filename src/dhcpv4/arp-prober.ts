/**
 * Asks by ARP whether somebody has an address (RFC 5227 §2.1.1): on the line of the one it is to be offered to and nowhere else,
 * since elsewhere the source guard keeps a second owner from doing harm; or of one station whether it is still there. The only
 * timers are of questions that are out.
 */
import type { PuntedFrame, PuntPath } from '../dataplane/port.js';
import type { Attachment } from '../model/access-line.js';
import type { Clock } from '../model/clock.js';
import type { Ipv4 } from '../model/ipv4.js';
import { IPV4_ANY } from '../model/ipv4.js';
import type { Mac } from '../model/mac.js';
import { MAC_BROADCAST } from '../model/mac.js';
import type { AddressProber } from '../session/address-prober.js';
import type { ArpPacket } from '../wire/arp.js';
import { encodeArp } from '../wire/arp.js';
import { ETHERTYPE_ARP, ethernetHeaderLength, writeEthernetHeader } from '../wire/ethernet.js';
import type { LineTpids } from './line-tags.js';
import { lineTags } from './line-tags.js';

export interface ArpProberOptions {
  readonly punts: PuntPath;
  readonly clock: Clock;
  readonly tpids: LineTpids;
}

type LinePlace = Omit<Attachment, 'mac'>;

interface Question {
  /** Whose answer settles it. */
  readonly isSettledBy: (mac: Mac) => boolean;
  /** Somebody answered, nobody did in time, or the question was given up. */
  readonly settle: (how: 'answered' | 'silent' | 'given-up') => void;
}

const NO_MAC = 0 as Mac;

export class ArpProber implements AddressProber {
  readonly #o: ArpProberOptions;
  /** By the kind of question, the line and the address. */
  readonly #questions = new Map<string, Question>();
  #waitMs: number | null = null;

  constructor(options: ArpProberOptions) {
    this.#o = options;
  }

  /** From the next question before an offer on; null asks nobody. */
  reconfigure(waitMs: number | null): void {
    this.#waitMs = waitMs;
  }

  get asks(): boolean {
    return this.#waitMs !== null;
  }

  async isInUse(address: Ipv4, station: Attachment): Promise<boolean> {
    const waitMs = this.#waitMs;
    if (waitMs === null || !this.#ask(address, station, MAC_BROADCAST)) return false;
    const key = questionKey('use', address, station);
    // The station may answer for itself: it has had the address before.
    return (await this.#answer(key, waitMs, (mac) => mac !== station.mac)) === 'answered';
  }

  async isThere(address: Ipv4, station: Attachment, waitMs: number): Promise<boolean> {
    if (!this.#ask(address, station, station.mac)) return true;
    const key = questionKey('there', address, station);
    return (await this.#answer(key, waitMs, (mac) => mac === station.mac)) !== 'silent';
  }

  lookFor(address: Ipv4, line: LinePlace): void {
    this.#ask(address, line, MAC_BROADCAST);
  }

  /** ARP that came in at `place`, from the station that it says it is from. */
  heard({ senderIp, senderMac }: ArpPacket, place: Omit<PuntedFrame, 'frame'>): void {
    for (const kind of ['use', 'there'] as const) {
      const question = this.#questions.get(questionKey(kind, senderIp, place));
      if (question?.isSettledBy(senderMac) === true) question.settle('answered');
    }
  }

  /** Nobody is asked any more before an offer, and what was asked is given up. */
  close(): void {
    this.#waitMs = null;
    for (const { settle } of [...this.#questions.values()]) settle('given-up');
  }

  #answer(
    key: string,
    waitMs: number,
    isSettledBy: Question['isSettledBy'],
  ): Promise<Parameters<Question['settle']>[0]> {
    return new Promise((resolve) => {
      const settle: Question['settle'] = (how) => {
        this.#questions.delete(key);
        timer.cancel();
        resolve(how);
      };
      const timer = this.#o.clock.after(waitMs, () => settle('silent'));
      this.#questions.get(key)?.settle('given-up');
      this.#questions.set(key, { isSettledBy, settle });
    });
  }

  #ask(address: Ipv4, line: LinePlace, destination: Mac): boolean {
    const { punts, tpids } = this.#o;
    const senderMac = punts.accessMac(line.ifindex);
    const header = { destination, source: senderMac, tags: lineTags(line, tpids), etherType: ETHERTYPE_ARP };
    const probe = encodeArp({
      operation: 'request',
      senderMac,
      senderIp: IPV4_ANY,
      targetMac: NO_MAC,
      targetIp: address,
    });
    const frame = new Uint8Array(ethernetHeaderLength(header) + probe.length);
    frame.set(probe, writeEthernetHeader(frame, header));
    return punts.transmit(line.ifindex, frame);
  }
}

function questionKey(
  kind: 'use' | 'there',
  address: Ipv4,
  { ifindex, sVlan, cVlan }: Omit<Attachment, 'mac'>,
): string {
  return `${kind}/${ifindex}/${sVlan}/${cVlan}/${address}`;
}
