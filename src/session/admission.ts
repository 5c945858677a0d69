/**
 * Which sessions there may be: finds or begins the session of a line or of an ONT, and says why none can begin now. Holds what
 * the access node has reported; decides nothing of a session that runs.
 */
import { randomUUID } from 'node:crypto';
import type { AccessLine } from '../model/access-line.js';
import { attachmentKey } from '../model/access-line.js';
import type { Clock } from '../model/clock.js';
import type { StoreFailure } from '../store/port.js';
import type { Identity } from './identity.js';
import { accessNodeIdentity, identityOf, lineIdentity, ontIdentity } from './identity.js';
import type { OntInlet, OntSighting } from './inlet.js';
import type { LifecycleEvent } from './lifecycle.js';
import type { LineRules } from './line-rules.js';
import { SessionRecord } from './record.js';
import { unkeptReason } from './replies.js';
import type { SessionRunner } from './runner.js';
import type { SessionTable } from './table.js';
import type { SessionView } from './view.js';

export interface AdmissionOptions {
  readonly table: SessionTable;
  readonly runner: SessionRunner;
  readonly clock: Clock;
  /** Believe option 82 of the access node. */
  readonly trustOption82: boolean;
  readonly maxSessions: number;
  /** What keeps the store from keeping sessions; null while it works, or where nothing outlives us. */
  readonly storeFailure: () => StoreFailure | null;
  readonly rules: LineRules;
  readonly tell: (event: LifecycleEvent) => void;
  readonly view: (record: SessionRecord) => SessionView;
}

type Seen = Pick<SessionRecord, 'line' | 'circuitId' | 'mayHoldLostLease'>;

export class Admission implements OntInlet {
  readonly #o: AdmissionOptions;
  readonly #onts = new Map<string, OntSighting>();
  #refused = 0;
  #closed = false;
  #draining = false;

  constructor(options: AdmissionOptions) {
    this.#o = options;
  }

  /** How many lines were refused a session because the store does not work. */
  get refusedSessions(): number {
    return this.#refused;
  }

  get isDraining(): boolean {
    return this.#draining;
  }

  /** Lines that the access node reported meanwhile get their sessions when the draining ends. */
  setDraining(draining: boolean): void {
    this.#draining = draining;
    if (!draining) for (const ont of this.#onts.values()) this.ontDetected(ont);
  }

  /** No session begins any more. */
  close(): void {
    this.#closed = true;
  }

  /** As the access node has the line now; null for one that it does not have. */
  announcementOf(ontSerial: string): OntSighting | null {
    return this.#onts.get(ontSerial) ?? null;
  }

  /**
   * The session of a line; null when there is none. The access node's word comes first. Without it (a renewal that an access node
   * did not touch) a known attachment still finds its session; only then is the line itself the identity.
   */
  sessionOf(line: AccessLine): SessionRecord | null {
    const { table, trustOption82 } = this.#o;
    const told = trustOption82 ? accessNodeIdentity(line) : null;
    const known =
      told === null ? table.byAttachment(attachmentKey(line)) : table.bySubscriber(told.subscriberId);
    return known ?? table.bySubscriber((told ?? lineIdentity(line)).subscriberId);
  }

  /**
   * The session of a station that asks for an address, a new one where it has none; or why there is none for it. A promise where
   * the station that had the line must be asked, or its session ended, first.
   */
  admit(line: AccessLine): SessionRecord | string | Promise<SessionRecord | string> {
    const known = this.sessionOf(line);
    const obstacle = this.#o.rules.obstacle(line, known);
    if (obstacle === null) return known ?? this.#create(line);
    return obstacle.kind === 'refused' ? obstacle.reason : this.#admitAfter(obstacle.occupant, line);
  }

  async #admitAfter(occupant: SessionRecord, line: AccessLine): Promise<SessionRecord | string> {
    const refusal = await this.#o.rules.makeWay(occupant, line);
    return refusal ?? this.sessionOf(line) ?? this.#create(line);
  }

  #create(line: AccessLine): SessionRecord | string {
    const { trustOption82, storeFailure } = this.#o;
    const failure = storeFailure();
    if (failure !== null) {
      this.#refused += 1;
      return unkeptReason(failure);
    }
    const identity = identityOf(line, trustOption82);
    return this.#begin(identity, { line, circuitId: line.circuitId ?? null, mayHoldLostLease: false });
  }

  ontDetected(ont: OntSighting): void {
    this.#onts.set(ont.ontSerial, ont);
    const identity = ontIdentity(ont.ontSerial);
    const known = this.#o.table.bySubscriber(identity.subscriberId);
    if (known !== null) {
      known.circuitId = ont.circuitId;
      if (known.mustReprovision) this.#o.runner.push(known, { event: { type: 'reprovision' } });
      return;
    }
    const mayHoldLostLease = ont.wasThere === true;
    this.#begin(identity, { line: null, circuitId: ont.circuitId, mayHoldLostLease });
  }

  ontDisconnected(ontSerial: string): void {
    this.#onts.delete(ontSerial);
    const record = this.#o.table.bySubscriber(ontIdentity(ontSerial).subscriberId);
    if (record !== null) this.#o.runner.push(record, { event: { type: 'end', cause: 'Lost-Carrier' } });
  }

  /** An ONT that is still there begins anew: what ended was its session, not its fibre. */
  ended({ identity, line, successor }: SessionRecord): void {
    const ont = identity.ontSerial === null ? undefined : this.#onts.get(identity.ontSerial);
    if (ont === undefined || this.#closed) return;
    const { circuitId } = ont;
    // Who has given way to another holds nothing that is lost.
    if (successor !== null) this.#begin(identity, { ...successor, circuitId, mayHoldLostLease: false });
    else this.#begin(identity, { line, circuitId, mayHoldLostLease: true });
  }

  #begin(identity: Identity, seen: Seen): SessionRecord | string {
    const { table, clock, runner, tell, view } = this.#o;
    if (this.#closed) return 'the BNG is stopping';
    if (this.#draining) return 'the BNG is draining';
    if (table.size >= this.#o.maxSessions) return 'the session table is full';
    const record = new SessionRecord({
      id: randomUUID(),
      identity,
      ...seen,
      nowMs: clock.monotonicMs(),
      wallMs: clock.wallMs(),
    });
    table.add(record);
    tell({ type: 'session-created', wallMs: record.createdWallMs, session: view(record) });
    runner.push(record, { event: { type: 'created' } });
    return record;
  }
}
