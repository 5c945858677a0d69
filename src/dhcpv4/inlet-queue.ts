/**
 * Frames that came faster than they can be handled: one of each station, the last that it sent. Who has been made an offer is
 * handled before who begins, so that what was begun is finished; when too many wait, the oldest of those who begin is dropped, since
 * its client says it again. Holds copies; decides nothing about a message.
 */
import type { PuntedFrame } from '../dataplane/port.js';
import { peekDhcp } from '../wire/dhcpv4-peek.js';

/** `repeated`: the station has said something else since. `queue-full`: too many wait. */
export type QueueDrop = 'repeated' | 'queue-full';

/** Some 40 MB of frames at the most. */
export const MOST_WAITING = 65_536;

/** A frame that waits, and since when. */
export interface WaitingFrame {
  readonly punted: PuntedFrame;
  readonly arrivedMs: number;
}

export class InletQueue {
  /** In the order in which stations came, those that go on with what they began. */
  readonly #goOn = new Map<string, WaitingFrame>();
  readonly #begin = new Map<string, WaitingFrame>();
  readonly #most: number;
  readonly #dropped: (why: QueueDrop) => void;

  constructor(dropped: (why: QueueDrop) => void, most = MOST_WAITING) {
    this.#dropped = dropped;
    this.#most = most;
  }

  get size(): number {
    return this.#goOn.size + this.#begin.size;
  }

  /** Takes a copy: the frame's bytes are its owner's again. False for a farewell, which is to be handled at once. */
  add(punted: PuntedFrame, arrivedMs: number): boolean {
    const seen = peekDhcp(punted.frame);
    const { ifindex, sVlan, cVlan } = punted;
    const station = `${ifindex}/${sVlan}/${cVlan}/${seen?.sourceMac ?? 0}`;
    const type = seen?.messageType ?? null;
    if (type === 'DHCPRELEASE' || type === 'DHCPDECLINE') {
      // Said once and not repeated; what the station asked before it means nothing now.
      if (this.#goOn.delete(station) || this.#begin.delete(station)) this.#dropped('repeated');
      return false;
    }
    const [own, other] = type === 'DHCPREQUEST' ? [this.#goOn, this.#begin] : [this.#begin, this.#goOn];
    if (other.delete(station) || own.has(station)) this.#dropped('repeated');
    own.set(station, { punted: { ...punted, frame: punted.frame.slice() }, arrivedMs });
    if (this.size > this.#most) this.#dropOldest();
    return true;
  }

  /** The next to be handled; null when none waits. */
  take(): WaitingFrame | null {
    const from = this.#goOn.size > 0 ? this.#goOn : this.#begin;
    const [first] = from;
    if (first === undefined) return null;
    from.delete(first[0]);
    return first[1];
  }

  #dropOldest(): void {
    const from = this.#begin.size > 0 ? this.#begin : this.#goOn;
    const [oldest] = from.keys();
    if (oldest !== undefined && from.delete(oldest)) this.#dropped('queue-full');
  }
}
