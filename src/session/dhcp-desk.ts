/** What DHCP asks of sessions: finds the session of the line that asks and queues the event there. Reads no message. */
import type { AnsweredLease } from '../dataplane/port.js';
import type { AccessLine } from '../model/access-line.js';
import type { Clock } from '../model/clock.js';
import type { Ipv4 } from '../model/ipv4.js';
import type { AddressPools } from '../pool/port.js';
import type { Admission } from './admission.js';
import type { DhcpInlet, DhcpRequestKind, DhcpVerdict } from './inlet.js';
import { isServed, poolNameOf } from './machine/build.js';
import type { DhcpEvent } from './machine/types.js';
import type { SessionRecord } from './record.js';
import type { SessionRunner } from './runner.js';
import type { SessionTable } from './table.js';

export interface DhcpDeskOptions {
  readonly admission: Admission;
  readonly table: SessionTable;
  readonly runner: SessionRunner;
  readonly pools: AddressPools;
  readonly clock: Clock;
}

export class DhcpDesk implements DhcpInlet {
  readonly #o: DhcpDeskOptions;
  readonly #serverIds = new Set<Ipv4>();

  constructor(options: DhcpDeskOptions) {
    this.#o = options;
    this.poolsChanged();
  }

  discover(line: AccessLine): Promise<DhcpVerdict> {
    const nowMs = this.#o.clock.monotonicMs();
    return this.#askFor(line, { type: 'discover', attachment: line, nowMs });
  }

  request(line: AccessLine, kind: DhcpRequestKind, address: Ipv4): Promise<DhcpVerdict> {
    const nowMs = this.#o.clock.monotonicMs();
    return this.#askFor(line, { type: 'request', kind, address, attachment: line, nowMs });
  }

  inform(line: AccessLine, address: Ipv4): Promise<DhcpVerdict> {
    return this.#ask(line, { type: 'inform', address, attachment: line });
  }

  async release(line: AccessLine, address: Ipv4): Promise<void> {
    await this.#ask(line, { type: 'release', address, attachment: line });
  }

  async decline(line: AccessLine, address: Ipv4): Promise<void> {
    await this.#ask(line, { type: 'decline', address, attachment: line });
  }

  answered({ answer, address, attachment, leaseSeconds, atMs }: AnsweredLease): string | null {
    const record = this.#o.table.byAddress(address);
    if (record === null) return null;
    const event = { type: 'answered', address, attachment, leaseSeconds, atMs } as const;
    if (answer === 'ack') this.#o.runner.push(record, { event });
    return poolOf(record, address);
  }

  isServerId(address: Ipv4): boolean {
    return this.#serverIds.has(address);
  }

  /** To be called when there are other pools. */
  poolsChanged(): void {
    const { pools } = this.#o;
    this.#serverIds.clear();
    for (const { name } of pools.usage()) {
      const terms = pools.terms(name);
      if (terms !== null) this.#serverIds.add(terms.gateway);
    }
  }

  /** To be called when services have other options: what the dataplane would say without them it must not say. */
  servicesChanged(): void {
    for (const record of this.#o.table.all()) this.#o.runner.reviewPromise(record);
  }

  /** A station that asks for an address may begin a session, and may have to wait for the one before it. */
  #askFor(line: AccessLine, event: DhcpEvent): Promise<DhcpVerdict> {
    const admitted = this.#o.admission.admit(line);
    if (admitted instanceof Promise) return admitted.then((record) => this.#put(record, line, event));
    return this.#put(admitted, line, event);
  }

  #ask(line: AccessLine, event: DhcpEvent): Promise<DhcpVerdict> {
    return this.#put(this.#o.admission.sessionOf(line) ?? 'no session on this line', line, event);
  }

  #put(record: SessionRecord | string, line: AccessLine, event: DhcpEvent): Promise<DhcpVerdict> {
    if (typeof record === 'string') return Promise.resolve({ kind: 'silence', reason: record });
    this.#o.table.heardFrom(record, line);
    record.heard(this.#o.clock.monotonicMs());
    if (line.circuitId !== undefined) record.circuitId = line.circuitId;
    if (event.type === 'discover' || event.type === 'request') {
      this.#o.runner.gate.heard(record);
      this.#o.runner.relocate(record, true);
    }
    return new Promise((reply) => this.#o.runner.pushRequest(record, { event, reply }));
  }
}

function poolOf({ session: { state } }: SessionRecord, address: Ipv4): string | null {
  if (!isServed(state)) return null;
  const grant = state.held?.grant.address === address ? state.held.grant : state.grant;
  return poolNameOf(grant);
}
