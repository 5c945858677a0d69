/**
 * The DHCPv4 inlet: punted frame → classified message → session → frame or silence. It reads what was allocated and never
 * allocates; it has no timers.
 */
import type { PuntedFrame, PuntPath } from '../dataplane/port.js';
import { isBngError, isWireError } from '../model/bng-error.js';
import type { Clock } from '../model/clock.js';
import { IPV4_ANY, type Ipv4 } from '../model/ipv4.js';
import type { Mac } from '../model/mac.js';
import type { DhcpInlet, DhcpVerdict, LeaseInspection, StationInlet } from '../session/inlet.js';
import { decodeArp } from '../wire/arp.js';
import { decodeDhcpFrame } from '../wire/dhcpv4-frame.js';
import type { DhcpFrame } from '../wire/dhcpv4-frame.js';
import { decodeIpv4Source } from '../wire/ipv4-udp.js';
import { decodeEthernet, ETHERTYPE_ARP, typeAt, typeOffset } from '../wire/ethernet.js';
import type { ArpProber } from './arp-prober.js';
import type { ClassifiedMessage, ClientMessage, DhcpRules, IgnoreReason } from './classify.js';
import { classify } from './classify.js';
import { attachmentOf } from './line-tags.js';
import { leasequeryReply } from './leasequery.js';
import type { QueueDrop } from './inlet-queue.js';
import { InletQueue } from './inlet-queue.js';
import { goodOn, linkOf, refusalOf, WRONG_LINK } from './link.js';
import type { Nonces } from './nonces.js';
import { replyFrame } from './reply.js';
import type { DhcpTrace } from './trace.js';
import { describeMessage, describeVerdict, opaqueText } from './trace.js';

export interface DhcpServerOptions {
  readonly inlet: DhcpInlet;
  readonly punts: PuntPath;
  readonly leases: LeaseInspection;
  readonly rules: DhcpRules;
  readonly nonces: Nonces;
  /** Hears the answers to ARP. */
  readonly prober?: Pick<ArpProber, 'heard'>;
  /** Told of stations that use an address without asking. */
  readonly stations?: StationInlet;
  readonly clock: Clock;
  readonly observer: DhcpServerObserver;
  /** Told of every message while somebody follows a line. */
  readonly trace?: DhcpTrace;
  readonly onBug: (error: unknown) => void;
}

/** Told what became of every message. */
export interface DhcpServerObserver {
  /** Silence is a decision too; `poolName` is null for it. */
  decided(kind: DhcpVerdict['kind'], poolName: string | null): void;
  /** Its answer is on its way; the time is from the message's arrival. */
  answered(kind: Exclude<DhcpVerdict['kind'], 'silence'>, durationMs: number): void;
  /** No answer because of what the message was, or because it could not be sent. */
  dropped(reason: DhcpDropReason): void;
}

/** Where a frame came from; outlives the frame's bytes. */
type Place = Pick<PuntedFrame, 'ifindex' | 'sVlan' | 'cVlan'>;

export type DhcpDropReason =
  | IgnoreReason
  | QueueDrop
  | 'malformed'
  | 'reply-too-long'
  | 'transmit-queue-full';

/**
 * How long messages are handled in one turn of the loop, and how many: most of what they cost comes behind, when the turn is over.
 * Reading, commits and timers have their turns in between.
 */
const TURN_MS = 3;
const MOST_OF_TURN = 64;

export class DhcpServer {
  readonly #o: DhcpServerOptions;
  readonly #drops = new Map<DhcpDropReason, number>();
  readonly #inFlight = new Set<Promise<void>>();
  /** What came when this turn's time was used up. */
  readonly #queue = new InletQueue((why) => this.#drop(why));
  #turnEndsMs: number | null = null;
  #takenInTurn = 0;
  #rules: DhcpRules;
  #open = false;

  constructor(options: DhcpServerOptions) {
    this.#o = options;
    this.#rules = options.rules;
  }

  /** From the next message on. */
  reconfigure(rules: DhcpRules): void {
    this.#rules = rules;
  }

  /** Opens the punt path. */
  start(): void {
    const { inlet, punts, observer } = this.#o;
    this.#open = true;
    // Also when no more messages are taken: the client counts on what it was told.
    punts.onAnswered((answered) => observer.decided(answered.answer, inlet.answered(answered)));
    this.#o.punts.onPunt((punted) => this.#receive(punted));
  }

  /** Takes no more messages and waits for the answers under way. */
  async close(): Promise<void> {
    this.#open = false;
    await Promise.all(this.#inFlight);
  }

  /** Messages that got no answer because of what they were, by reason. */
  drops(): ReadonlyMap<DhcpDropReason, number> {
    return this.#drops;
  }

  #receive(punted: PuntedFrame): void {
    if (!this.#open) return;
    if (punted.isSighting === true || typeAt(punted.frame, typeOffset(punted.frame)) === ETHERTYPE_ARP) {
      this.#receiveStation(punted);
      return;
    }
    const nowMs = this.#o.clock.monotonicMs();
    if (this.#isTurnOver(nowMs) && this.#queue.add(punted, nowMs)) return;
    this.#take(punted, nowMs);
  }

  /** Also while others wait: who comes now is not handled before them. */
  #isTurnOver(nowMs: number): boolean {
    if (this.#turnEndsMs === null) {
      this.#turnEndsMs = nowMs + TURN_MS;
      this.#takenInTurn = 0;
      setImmediate(() => this.#nextTurn());
    }
    return nowMs >= this.#turnEndsMs || this.#takenInTurn >= MOST_OF_TURN || this.#queue.size > 0;
  }

  #nextTurn(): void {
    const endsMs = this.#o.clock.monotonicMs() + TURN_MS;
    this.#turnEndsMs = null;
    this.#takenInTurn = 0;
    while (this.#open && this.#takenInTurn < MOST_OF_TURN && this.#o.clock.monotonicMs() < endsMs) {
      const next = this.#queue.take();
      if (next === null) return;
      this.#take(next.punted, next.arrivedMs);
    }
    if (!this.#open || this.#queue.size === 0) return;
    this.#turnEndsMs = endsMs;
    setImmediate(() => this.#nextTurn());
  }

  #take(punted: PuntedFrame, arrivedMs: number): void {
    this.#takenInTurn += 1;
    let frame: DhcpFrame;
    let message: ClassifiedMessage;
    try {
      frame = decodeDhcpFrame(punted.frame);
      message = classify(frame, punted, {
        ...this.#rules,
        isServerId: (address) => this.#o.inlet.isServerId(address),
      });
    } catch (error) {
      if (!isWireError(error)) throw error;
      this.#drop('malformed');
      return;
    }
    if (message.type === 'ignore') {
      this.#drop(message.reason);
      this.#trace(frame, punted, { kind: null, verdict: () => `ignored: ${message.reason}` });
      return;
    }
    if (message.type === 'leasequery') {
      this.#answerQuery(frame, punted);
      return;
    }
    const handling = this.#handle(frame, message, { ...placeOf(punted), arrivedMs }).catch(this.#o.onBug);
    this.#inFlight.add(handling);
    void handling.finally(() => this.#inFlight.delete(handling));
  }

  async #handle(
    frame: DhcpFrame,
    message: ClientMessage,
    { arrivedMs, ...place }: Place & { readonly arrivedMs: number },
  ): Promise<void> {
    const { inlet, leases, punts, clock, observer } = this.#o;
    const link = linkOf(message.way, { leases, relays: this.#rules.relays });
    const verdict = refusalOf(message, link) ?? goodOn(link, message, await ask(inlet, message));
    observer.decided(verdict.kind, verdict.kind === 'silence' ? null : verdict.poolName);
    const kind = message.type === 'request' ? message.kind : null;
    this.#trace(frame, place, { kind, verdict: () => describeVerdict(verdict) });
    if (verdict.kind === 'silence') {
      if (verdict === WRONG_LINK) this.#drop('wrong-link');
      return;
    }
    let reply: Uint8Array;
    try {
      reply = replyFrame(frame, verdict, {
        accessMac: punts.accessMac(place.ifindex),
        serverId: message.way.serverId ?? undefined,
        forceRenew: this.#rules.forceRenew
          ? this.#o.nonces.optionFor(frame.message, message, verdict)
          : undefined,
        echoesOption82: message.way.hasOption82,
      });
    } catch (error) {
      // A client can make what we must echo (options 61 and 82) longer than what it says it can receive.
      if (!isBngError(error, 'BNG_ERR_VALUE')) throw error;
      this.#drop('reply-too-long');
      return;
    }
    if (!punts.transmit(place.ifindex, reply)) {
      this.#drop('transmit-queue-full');
      return;
    }
    observer.answered(verdict.kind, clock.monotonicMs() - arrivedMs);
  }

  /** What a station sent that asked for nothing: it has an address, or answers for one. */
  #receiveStation(punted: PuntedFrame): void {
    try {
      const { payloadOffset, source, etherType } = decodeEthernet(punted.frame);
      if (etherType === ETHERTYPE_ARP) {
        const arp = decodeArp(punted.frame, payloadOffset);
        // The source guard goes by the frame's MAC; what stands in the packet anybody can write.
        if (arp.senderMac !== source) this.#drop('inconsistent');
        else {
          this.#o.prober?.heard(arp, punted);
          this.#sighted(punted, source, arp.senderIp);
        }
      } else this.#sighted(punted, source, decodeIpv4Source(punted.frame, payloadOffset));
    } catch (error) {
      if (!isWireError(error)) throw error;
      this.#drop('malformed');
    }
  }

  #sighted(punted: PuntedFrame, mac: Mac, address: Ipv4): void {
    // What only wants to know whether it may have an address has none.
    if (address !== IPV4_ANY) this.#o.stations?.sighted(attachmentOf(punted, mac), address);
  }

  #answerQuery(frame: DhcpFrame, { ifindex }: Place): void {
    const { leases, punts } = this.#o;
    let answer: Uint8Array | null;
    try {
      answer = leasequeryReply(frame, leases, punts.accessMac(ifindex));
    } catch (error) {
      // A client's identifier may be longer than what a relay must take.
      if (!isBngError(error, 'BNG_ERR_VALUE')) throw error;
      this.#drop('reply-too-long');
      return;
    }
    if (answer === null) this.#drop('inconsistent');
    else if (!punts.transmit(ifindex, answer)) this.#drop('transmit-queue-full');
  }

  #trace(
    frame: DhcpFrame,
    place: Place,
    told: { readonly kind: string | null; readonly verdict: () => string },
  ): void {
    const { trace } = this.#o;
    if (trace?.isFollowed !== true) return;
    const { message } = frame;
    const { ifindex, sVlan, cVlan } = place;
    try {
      const option82 = message.options.relayAgentInformation;
      trace.tell({
        attachment: { ifindex, sVlan, cVlan, mac: message.chaddr },
        remoteId: opaqueText(option82?.remoteId),
        circuitId: opaqueText(option82?.circuitId),
        message: describeMessage(message, told.kind),
        verdict: told.verdict(),
      });
    } catch (error) {
      // An option that only the trace reads may be malformed: the message was handled all the same.
      if (!isWireError(error)) throw error;
    }
  }

  #drop(reason: DhcpDropReason): void {
    this.#drops.set(reason, (this.#drops.get(reason) ?? 0) + 1);
    this.#o.observer.dropped(reason);
  }
}

function placeOf({ ifindex, sVlan, cVlan }: PuntedFrame): Place {
  return { ifindex, sVlan, cVlan };
}

async function ask(inlet: DhcpInlet, message: ClientMessage): Promise<DhcpVerdict> {
  switch (message.type) {
    case 'discover':
      return inlet.discover(message.line);
    case 'request':
      return inlet.request(message.line, message.kind, message.address);
    case 'inform':
      return inlet.inform(message.line, message.address);
    case 'release':
      await inlet.release(message.line, message.address);
      return { kind: 'silence', reason: 'a release has no answer' };
    case 'decline':
      await inlet.decline(message.line, message.address);
      return { kind: 'silence', reason: 'a decline has no answer' };
  }
}
