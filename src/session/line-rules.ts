/**
 * Who may be on a line: how many sessions and stations, what becomes of the session of a station when another comes to its
 * place, or when its MAC turns up on another line. Sessions that must go are ended in good order; nothing else is decided of them.
 */
import type { TerminateCause } from '../aaa/port.js';
import type { AccessLine } from '../model/access-line.js';
import { formatAttachment } from '../model/access-line.js';
import type { Clock } from '../model/clock.js';
import type { Mac } from '../model/mac.js';
import type { AddressProber } from './address-prober.js';
import { answers } from './address-prober.js';
import { boundedLine, identityOf } from './identity.js';
import type { LineCensus } from './line-census.js';
import type { LineMacs } from './line-macs.js';
import type { LineSettings, MovedMacRule } from './line-options.js';
import { holding, isServed } from './machine/build.js';
import type { SessionRecord } from './record.js';
import type { SessionRunner } from './runner.js';
import type { LineRefusal, Takeover } from './view.js';

export interface LineRulesOptions {
  /** Sessions of one line; null: as many as come. */
  readonly sessionLimit: number | null;
  readonly macs: LineMacs | null;
  readonly census: LineCensus | null;
  readonly movedMac: MovedMacRule;
  readonly prober: AddressProber | null;
  readonly settings: () => LineSettings;
  readonly trustOption82: boolean;
  readonly clock: Clock;
  readonly push: SessionRunner['push'];
  readonly trouble: (record: SessionRecord, reason: string) => void;
  readonly onBug: (error: unknown) => void;
}

/** Why a station cannot be taken in as it is. */
export type Obstacle =
  | { readonly kind: 'refused'; readonly reason: string }
  /** It may take the place of this session, as the rule for new MACs says. */
  | { readonly kind: 'occupied'; readonly occupant: SessionRecord };

/** A line's operator is told of refusals no more often than this. */
const TOLD_MS = 60_000;
/** A session without a lease gives way when nothing has become of it for so long: longer than a client waits for an answer. */
const STALLED_MS = 10_000;

const WORDS: Readonly<Record<LineRefusal, string>> = {
  'line-sessions': 'the line has as many sessions as it may',
  'line-macs': 'the line has as many stations as it may',
  'new-mac': 'another station has the line',
};

export class LineRules {
  readonly #o: LineRulesOptions;
  readonly #refused: Record<LineRefusal, number> = {
    'line-sessions': 0,
    'line-macs': 0,
    'new-mac': 0,
  };
  readonly #takeovers: Record<Takeover, number> = { 'new-mac': 0, 'moved-mac': 0 };
  readonly #toldMs = new WeakMap<SessionRecord, number>();
  /** Whose station is being asked, or whose end is awaited. */
  readonly #underWay = new Set<SessionRecord>();

  constructor(options: LineRulesOptions) {
    this.#o = options;
  }

  /** How many messages were refused, by why. */
  get refused(): Readonly<Record<LineRefusal, number>> {
    return { ...this.#refused };
  }

  get takeovers(): Readonly<Record<Takeover, number>> {
    return { ...this.#takeovers };
  }

  /** What is in the way of a station that asks for an address; null when nothing is. `known` is the session of its line. */
  obstacle(line: AccessLine, known: SessionRecord | null): Obstacle | null {
    const { macs } = this.#o;
    const station = known === null ? null : stationOf(known);
    const isAnothers = station !== null && station !== line.mac;
    const hasRoom = macs?.admit(this.#nameOf(line, known), line) ?? true;
    if (!hasRoom) {
      const there = isAnothers ? known : this.#anyAt(line);
      // The one station that a line may have is replaced as the rule says; of several nobody knows which.
      if (macs?.limit !== 1 || there === null) return this.refuse('line-macs', line, there);
      return { kind: 'occupied', occupant: there };
    }
    if (isAnothers && known !== null) return { kind: 'occupied', occupant: known };
    return this.#crowd(line, known);
  }

  /** Counts a refusal, and tells of it with a session of the line. */
  refuse(why: LineRefusal, line: AccessLine, record: SessionRecord | null): Obstacle {
    this.#refused[why] += 1;
    const reason = WORDS[why];
    if (record !== null) {
      const nowMs = this.#o.clock.monotonicMs();
      const toldMs = this.#toldMs.get(record) ?? -Infinity;
      if (nowMs - toldMs >= TOLD_MS) {
        this.#toldMs.set(record, nowMs);
        this.#o.trouble(record, `${formatAttachment(line)} was refused: ${reason}`);
      }
    }
    return { kind: 'refused', reason };
  }

  /**
   * Has the session end for a station that comes in its place, where the rule and its own station let it. Null when it is gone:
   * removed, reported and freed; else why not.
   */
  async makeWay(occupant: SessionRecord, newcomer: AccessLine): Promise<string | null> {
    if (this.#underWay.has(occupant)) return 'the station of the line is being asked';
    this.#underWay.add(occupant);
    try {
      const cause = await this.#mayGo(occupant);
      if (cause === null) {
        const refused = this.refuse('new-mac', newcomer, occupant);
        return refused.kind === 'refused' ? refused.reason : null;
      }
      return await this.#end(occupant, { cause, kind: 'new-mac', newcomer });
    } finally {
      this.#underWay.delete(occupant);
    }
  }

  /** A lease began: where the same MAC has others, on other lines, their stations are asked. */
  leaseBegan(record: SessionRecord, mac: Mac): void {
    const { census, movedMac, onBug } = this.#o;
    if (census === null || movedMac !== 'probe') return;
    for (const other of census.withMac(mac)) {
      if (other !== record && !this.#underWay.has(other)) this.#askMoved(other).catch(onBug);
    }
  }

  async #askMoved(record: SessionRecord): Promise<void> {
    this.#underWay.add(record);
    try {
      if (await this.#isSilent(record)) {
        await this.#end(record, { cause: 'Lost-Carrier', kind: 'moved-mac', newcomer: null });
      }
    } finally {
      this.#underWay.delete(record);
    }
  }

  /** Null when the station stays. */
  async #mayGo(record: SessionRecord): Promise<TerminateCause | null> {
    if (stationOf(record) === null) return 'Lost-Carrier';
    switch (this.#o.settings().newMac) {
      case 'replace':
        return 'NAS-Request';
      case 'refuse':
        return null;
      case 'probe':
        return (await this.#isSilent(record)) ? 'Lost-Carrier' : null;
    }
  }

  /** Whether the station that has the lease no longer answers, and has not done anything about its lease meanwhile. */
  async #isSilent(record: SessionRecord): Promise<boolean> {
    const { prober, settings } = this.#o;
    const { session } = record;
    const lease = isServed(session.state) ? holding(session.state) : null;
    if (lease === null || prober === null) return true;
    const { attachment, grant } = lease;
    const answered = await answers(prober, { address: grant.address, attachment }, settings().effort);
    return !answered && record.session === session;
  }

  async #end(
    record: SessionRecord,
    end: {
      readonly cause: TerminateCause;
      readonly kind: Takeover;
      readonly newcomer: AccessLine | null;
    },
  ): Promise<string | null> {
    const { cause, kind, newcomer } = end;
    const { macs, trustOption82 } = this.#o;
    const mac = stationOf(record);
    const { line } = record;
    const isSameLine =
      newcomer !== null && identityOf(newcomer, trustOption82).subscriberId === record.identity.subscriberId;
    // What comes after it must not begin as the station that has gone.
    record.successor = { line: isSameLine ? newcomer : null };
    await new Promise<void>((done) => this.#o.push(record, { event: { type: 'end', cause }, done }));
    if (record.session.state.name !== 'terminated') {
      record.successor = null;
      return 'the session of the station before it could not be closed';
    }
    this.#takeovers[kind] += 1;
    // The one place of a line goes to its successor; where there are several, who has gone still counts for a while.
    if (macs?.limit === 1 && mac !== null && line !== null) {
      macs.forget(boundedLine(record.identity, line), mac);
      if (newcomer !== null) macs.admit(this.#nameOf(newcomer, isSameLine ? record : null), newcomer);
    }
    return null;
  }

  /** Who is in the way of one more session on the line. */
  #crowd(line: AccessLine, known: SessionRecord | null): Obstacle | null {
    const { census, sessionLimit } = this.#o;
    if (census === null || sessionLimit === null) return null;
    const there = census.at(line);
    if (there.size < sessionLimit || (known !== null && there.has(known))) return null;
    const [only] = there;
    if (sessionLimit > 1 || only === undefined) return this.refuse('line-sessions', line, only ?? null);
    return this.#isStalledOrBound(only)
      ? { kind: 'occupied', occupant: only }
      : this.refuse('line-sessions', line, only);
  }

  /** A session that is just being set up is let go on. */
  #isStalledOrBound({ session: { state }, stateSinceMs }: SessionRecord): boolean {
    if (isServed(state) && (holding(state) !== null || state.lease.phase === 'none')) return true;
    return this.#o.clock.monotonicMs() - stateSinceMs >= STALLED_MS;
  }

  #nameOf(line: AccessLine, known: SessionRecord | null): string {
    return boundedLine(known?.identity ?? identityOf(line, this.#o.trustOption82), line);
  }

  #anyAt(line: AccessLine): SessionRecord | null {
    const [first] = this.#o.census?.at(line) ?? [];
    return first ?? null;
  }
}

/** The MAC that has the session's lease; null without one. */
function stationOf({ session: { state } }: SessionRecord): Mac | null {
  if (!isServed(state)) return null;
  return state.lease.phase === 'bound' ? state.lease.attachment.mac : (state.held?.attachment.mac ?? null);
}
