/**
 * How many sessions are let in at a time, and whose turn it is: after a power cut a whole town asks at once, and AAA, store and
 * dataplane do the more for each, the fewer they are asked together. One place for each session, however often its client asks.
 *
 * - Of those whose clients listen, who has waited longest since its first message comes first. A client that has not asked again
 *   for `patienceMs` no longer listens: an answer would be lost on it, and only speeds its next try. Such lines, and those of
 *   which the access node alone has told, have one in each `unaskedShare` turns, and all that nobody else needs.
 * - When more wait than may, the one that has been silent longest is dropped. Whoever comes again stands where its first message
 *   put it, so nobody is passed by for ever.
 * - The window grows while answers come fast and shrinks when they take long, or do not come.
 */
import type { Clock } from '../model/clock.js';
import { Heap, type HeapItem } from '../model/heap.js';
import type { SessionRecord } from './record.js';

export interface GateLimits {
  /** Sessions that are being let in at a time: at first, at least and at most. */
  readonly startWindow: number;
  readonly leastWindow: number;
  readonly mostWindow: number;
  /** AAA that takes longer, and longer than twice its fastest, has more to do than it can. */
  readonly slowMs: number;
  readonly patienceMs: number;
  readonly mostWaiting: number;
  readonly unaskedShare: number;
}

/** RFC 2131 §4.1: clients repeat themselves after 4 s, then 8 s, each a second more or less. */
export const GATE_LIMITS: GateLimits = {
  startWindow: 256,
  leastWindow: 16,
  mostWindow: 4096,
  slowMs: 1_000,
  patienceMs: 10_000,
  mostWaiting: 131_072,
  unaskedShare: 8,
};

/** How long the window stays as it is after it has shrunk: what was asked before says nothing of the new one. */
const SHRINK_PAUSE_MS = 1_000;
const SHRINK = 0.7;
const MOMENT_MS = 1e-6;

/** `dropped`: too many wait. */
export type Turn = 'in' | 'dropped';

export interface GateFigures {
  readonly window: number;
  readonly inProgress: number;
  readonly waiting: number;
  readonly dropped: number;
}

interface Place extends HeapItem {
  readonly record: SessionRecord;
  readonly sinceMs: number;
  /** Null where no client waits. */
  heardMs: number | null;
  readonly turn: (turn: Turn) => void;
}

export class AdmissionGate {
  readonly #clock: Clock;
  readonly #limits: GateLimits;
  #window: number;
  #inProgress = 0;
  /** Whose clients listen, in the order in which they were heard last. */
  readonly #asked = new Map<SessionRecord, Place>();
  /** Where nobody listens, in the order in which that began. */
  readonly #unasked = new Map<SessionRecord, Place>();
  /** The same places, who has waited longest first. */
  readonly #bySeniority = new Heap<Place>(({ sinceMs }) => sinceMs);
  #dropped = 0;
  #turns = 0;
  #lastMs = 0;
  #fastestMs = Infinity;
  #shrunkMs = -Infinity;
  /** Until the window has shrunk for the first time it doubles with each round of answers. */
  #isFindingOut = true;

  constructor(clock: Clock, limits: Partial<GateLimits> = {}) {
    this.#clock = clock;
    this.#limits = { ...GATE_LIMITS, ...limits };
    this.#window = this.#limits.startWindow;
  }

  figures(): GateFigures {
    return {
      window: Math.floor(this.#window),
      inProgress: this.#inProgress,
      waiting: this.#waiting,
      dropped: this.#dropped,
    };
  }

  /** At once where there is room, else when its turn has come. Whoever is in has to say `left`. */
  enter(record: SessionRecord): Turn | Promise<Turn> {
    const nowMs = this.#clock.monotonicMs();
    const sinceMs = (record.waitsSinceMs ??= this.#moment(nowMs));
    if (this.#hasRoom && this.#waiting === 0) return this.#letIn();
    const { state } = record.session;
    const isAsked = state.name === 'discovered' && state.waiting !== null;
    // Before the newcomer has its place: a new session's client is not yet known to listen.
    if (this.#waiting >= this.#limits.mostWaiting) this.#makeRoom();
    return new Promise((turn) => {
      const place: Place = { record, sinceMs, heardMs: isAsked ? nowMs : null, turn, at: 0 };
      if (isAsked) this.#asks(place);
      else this.#unasked.set(record, place);
      this.#next();
    });
  }

  /** The client has asked again, or for the first time. */
  heard(record: SessionRecord): void {
    if (this.#waiting === 0) return;
    const place = this.#asked.get(record) ?? this.#unasked.get(record);
    if (place === undefined) return;
    place.heardMs = this.#clock.monotonicMs();
    this.#remove(place);
    this.#asks(place);
  }

  /** What came of the question of a session that is in. Without an answer it stands where it stood when it comes again. */
  answered(
    record: SessionRecord,
    { tookMs, isAnswer }: { readonly tookMs: number; readonly isAnswer: boolean },
  ): void {
    const { leastWindow, mostWindow, slowMs } = this.#limits;
    if (isAnswer) record.waitsSinceMs = null;
    this.#fastestMs = Math.min(this.#fastestMs, tookMs);
    const isSlow = !isAnswer || (tookMs > slowMs && tookMs > 2 * this.#fastestMs);
    const nowMs = this.#clock.monotonicMs();
    if (isSlow) {
      this.#isFindingOut = false;
      if (nowMs - this.#shrunkMs < SHRINK_PAUSE_MS) return;
      this.#shrunkMs = nowMs;
      this.#window = Math.max(leastWindow, this.#window * SHRINK);
    } else if (this.#inProgress >= Math.floor(this.#window)) {
      this.#window = Math.min(mostWindow, this.#window + (this.#isFindingOut ? 1 : 1 / this.#window));
    }
  }

  /** Something that was begun counts like whoever is let in, and waits for nobody; ends with `left`. */
  began(): void {
    this.#inProgress += 1;
  }

  /** The session has its first answer, or none will come. */
  left(): void {
    this.#inProgress -= 1;
    this.#next();
  }

  /** Its own for everybody, so that who came first is first. */
  #moment(nowMs: number): number {
    this.#lastMs = Math.max(nowMs, this.#lastMs + MOMENT_MS);
    return this.#lastMs;
  }

  get #waiting(): number {
    return this.#asked.size + this.#unasked.size;
  }

  get #hasRoom(): boolean {
    return this.#inProgress < Math.floor(this.#window);
  }

  #letIn(): Turn {
    this.#inProgress += 1;
    return 'in';
  }

  #next(): void {
    while (this.#hasRoom) {
      const place = this.#oldest();
      if (place === null) return;
      this.#remove(place);
      // A session that has ended meanwhile needs nothing.
      place.turn(place.record.session.state.name === 'discovered' ? this.#letIn() : 'dropped');
    }
  }

  #oldest(): Place | null {
    this.#turns += 1;
    this.#setAsideSilent();
    const [unasked = null] = this.#unasked.values();
    if (unasked !== null && this.#turns % this.#limits.unaskedShare === 0) return unasked;
    return this.#bySeniority.first ?? unasked;
  }

  #setAsideSilent(): void {
    const sinceMs = this.#clock.monotonicMs() - this.#limits.patienceMs;
    for (const [record, place] of this.#asked) {
      if (place.heardMs === null || place.heardMs >= sinceMs) return;
      this.#remove(place);
      this.#unasked.set(record, place);
    }
  }

  #makeRoom(): void {
    this.#setAsideSilent();
    const [least] = this.#unasked.size > 0 ? this.#unasked.values() : this.#asked.values();
    if (least === undefined) return;
    this.#remove(least);
    this.#dropped += 1;
    least.turn('dropped');
  }

  #asks(place: Place): void {
    this.#asked.set(place.record, place);
    this.#bySeniority.add(place);
  }

  #remove(place: Place): void {
    this.#unasked.delete(place.record);
    if (this.#asked.delete(place.record)) this.#bySeniority.remove(place);
  }
}
