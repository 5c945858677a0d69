/** What an operator orders, and what is shown of sessions. Queues orders at the session they name; decides none. */
import type { Ipv4 } from '../model/ipv4.js';
import type { Mac } from '../model/mac.js';
import type { ServiceProfile } from '../model/service-profile.js';
import type { AddressPools } from '../pool/port.js';
import type { Admission } from './admission.js';
import { ontIdentity } from './identity.js';
import type { ActivationOrder, OperatorInlet, OperatorResult, SessionQuery } from './inlet.js';
import { detailsOf, recordByCircuitId, recordByMac, recordsOf } from './inspection.js';
import type { AccountingLedger } from './ledger.js';
import type { OrderEvent } from './machine/types.js';
import type { SessionRecord } from './record.js';
import type { SessionRunner } from './runner.js';
import type { SessionTable } from './table.js';
import type { SessionDetails, SessionStateName, SessionView } from './view.js';

export interface OperatorDeskOptions {
  readonly admission: Admission;
  readonly table: SessionTable;
  readonly ledger: AccountingLedger;
  readonly runner: SessionRunner;
  readonly pools: AddressPools;
  readonly gardenProfile: ServiceProfile;
  /** Why no order can be taken at the moment; null when it can. */
  readonly refusal: () => string | null;
  readonly view: (record: SessionRecord) => SessionView;
}

export class OperatorDesk implements OperatorInlet {
  readonly #o: OperatorDeskOptions;

  constructor(options: OperatorDeskOptions) {
    this.#o = options;
  }

  activate(order: ActivationOrder): Promise<OperatorResult> {
    const { ontSerial, poolName, ...rest } = order;
    const invalid = this.#invalidPool(poolName);
    if (invalid !== null) return Promise.resolve(invalid);
    const profile: ServiceProfile = { ...rest, poolName, walled: false };
    return this.#order(ontSerial, { type: 'activate', profile });
  }

  suspend(ontSerial: string, reason: string): Promise<OperatorResult> {
    return this.#order(ontSerial, { type: 'suspend', profile: this.#o.gardenProfile, reason });
  }

  resume(ontSerial: string): Promise<OperatorResult> {
    return this.#order(ontSerial, { type: 'resume' });
  }

  terminate(ontSerial: string): Promise<OperatorResult> {
    return this.#order(ontSerial, { type: 'terminate' });
  }

  get isDraining(): boolean {
    return this.#o.admission.isDraining;
  }

  setDraining(draining: boolean): void {
    this.#o.admission.setDraining(draining);
  }

  *sessions(query: SessionQuery = {}): Iterable<SessionView> {
    for (const record of recordsOf(this.#o.table, query)) yield this.#o.view(record);
  }

  sessionDetails(id: string): SessionDetails | null {
    const record = this.#o.table.byId(id);
    return record === null ? null : detailsOf(record, this.#o.ledger);
  }

  sessionByOnt(ontSerial: string): SessionView | null {
    return this.#viewOrNull(this.#byOnt(ontSerial));
  }

  sessionByAddress(address: Ipv4): SessionView | null {
    return this.#viewOrNull(this.#o.table.byAddress(address));
  }

  sessionById(id: string): SessionView | null {
    return this.#viewOrNull(this.#o.table.byId(id));
  }

  sessionByMac(mac: Mac): SessionView | null {
    return this.#viewOrNull(recordByMac(this.#o.table, mac));
  }

  sessionByCircuitId(circuitId: Uint8Array): SessionView | null {
    return this.#viewOrNull(recordByCircuitId(this.#o.table, circuitId));
  }

  stateCounts(): Readonly<Record<SessionStateName, number>> {
    return this.#o.table.counts();
  }

  #invalidPool(poolName: string): OperatorResult | null {
    if (!this.#o.pools.names().includes(poolName)) {
      return { ok: false, kind: 'invalid', field: 'pool', reason: `there is no pool ${poolName}` };
    }
    if (poolName !== this.#o.gardenProfile.poolName) return null;
    return { ok: false, kind: 'invalid', field: 'pool', reason: `${poolName} is the walled garden's pool` };
  }

  #order(ontSerial: string, event: OrderEvent): Promise<OperatorResult> {
    const record = this.#byOnt(ontSerial);
    if (record === null) return Promise.resolve({ ok: false, kind: 'unknown-ont' });
    const refusal = this.#o.refusal();
    if (refusal !== null) return Promise.resolve({ ok: false, kind: 'failed', reason: refusal });
    return new Promise((order) => this.#o.runner.push(record, { event, order }));
  }

  #byOnt(ontSerial: string): SessionRecord | null {
    return this.#o.table.bySubscriber(ontIdentity(ontSerial).subscriberId);
  }

  #viewOrNull(record: SessionRecord | null): SessionView | null {
    return record === null ? null : this.#o.view(record);
  }
}
