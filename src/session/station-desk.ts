/**
 * Stations that use an address without asking for it: finds or begins the session of the line where one is sighted, and queues the
 * event there. Whose address it is, and whether it may have it, AAA and the session say.
 */
import type { AccessLine } from '../model/access-line.js';
import type { Clock } from '../model/clock.js';
import type { Ipv4, Ipv4Prefix } from '../model/ipv4.js';
import { prefixContains } from '../model/ipv4.js';
import type { Admission } from './admission.js';
import { ontIdentity } from './identity.js';
import type { StationInlet } from './inlet.js';
import { lineNumber } from './line-census.js';
import type { LineRules } from './line-rules.js';
import { isServed } from './machine/build.js';
import type { SessionRecord } from './record.js';
import type { SessionRunner } from './runner.js';
import type { SessionTable } from './table.js';

export interface StationDeskOptions {
  readonly admission: Admission;
  readonly rules: LineRules;
  readonly table: SessionTable;
  readonly runner: SessionRunner;
  readonly clock: Clock;
  /** Addresses that are used without DHCP; no other is taken notice of. */
  readonly statics: readonly Ipv4Prefix[];
  readonly onBug: (error: unknown) => void;
}

export class StationDesk implements StationInlet {
  readonly #o: StationDeskOptions;

  constructor(options: StationDeskOptions) {
    this.#o = options;
  }

  sighted(line: AccessLine, address: Ipv4): void {
    const { admission, rules, statics, onBug } = this.#o;
    if (!statics.some((network) => prefixContains(network, address))) return;
    const holder = this.#holderOf(address);
    const known = holder ?? this.#sessionAt(line);
    if (known === 'unclear' || (holder !== null && !this.#isAt(holder, line))) {
      rules.refuse('static-elsewhere', line, holder);
      return;
    }
    const told = this.#asTold(line, known);
    const admitted = admission.admit(told, known);
    if (admitted instanceof Promise) {
      admitted.then((record) => this.#put(record, told, address), onBug);
      return;
    }
    this.#put(admitted, told, address);
  }

  #put(record: SessionRecord | string, line: AccessLine, address: Ipv4): void {
    if (typeof record === 'string') return;
    const { table, runner, clock } = this.#o;
    const nowMs = clock.monotonicMs();
    table.heardFrom(record, line);
    record.heard(nowMs);
    runner.push(record, { event: { type: 'sighted', address, attachment: line, nowMs } });
  }

  /** Of the one ONT that the access node has at these tags; where it has none, of the line itself. */
  #sessionAt(line: AccessLine): SessionRecord | 'unclear' | null {
    const { admission, table } = this.#o;
    const [ontSerial, ...others] = admission.ontsAt(line);
    if (ontSerial === undefined) return admission.sessionOf(line);
    if (others.length > 0) return 'unclear';
    return table.bySubscriber(ontIdentity(ontSerial).subscriberId) ?? 'unclear';
  }

  /** ARP says nothing of the line that an access node would; what it told of the ONT is as good. */
  #asTold(line: AccessLine, record: SessionRecord | null): AccessLine {
    const ontSerial = record?.identity.ontSerial ?? null;
    const ont = ontSerial === null ? null : this.#o.admission.announcementOf(ontSerial);
    if (ont === null) return line;
    const { circuitId, remoteId } = ont;
    return { ...line, circuitId, ...(remoteId === undefined ? {} : { remoteId }) };
  }

  /** The session that has it for a static address. */
  #holderOf(address: Ipv4): SessionRecord | null {
    const record = this.#o.table.byAddress(address);
    if (record === null) return null;
    const { state } = record.session;
    return isServed(state) && state.grant.isStatic === true && state.grant.address === address
      ? record
      : null;
  }

  /** By what the access node says of the line; where it says nothing, by where the session has been. */
  #isAt({ identity, line: last }: SessionRecord, line: AccessLine): boolean {
    const { ontSerial } = identity;
    const tags = ontSerial === null ? undefined : this.#o.admission.announcementOf(ontSerial)?.tags;
    if (tags !== undefined) return tags.sVlan === line.sVlan && tags.cVlan === line.cVlan;
    return last !== null && lineNumber(last) === lineNumber(line);
  }
}
