/** What a change of pools asks of sessions: who is to leave a pool that is drained, and who would come back to one that goes. */
import type { AddressPools } from '../pool/port.js';
import { isServed } from './machine/build.js';
import type { SessionRunner } from './runner.js';
import type { SessionTable } from './table.js';

export interface PoolDeskOptions {
  readonly table: SessionTable;
  readonly runner: SessionRunner;
  readonly pools: Pick<AddressPools, 'isDraining'>;
}

export class PoolDesk {
  readonly #o: PoolDeskOptions;

  constructor(options: PoolDeskOptions) {
    this.#o = options;
  }

  /** To be called when other pools are drained: who has nothing of theirs in use leaves them, the rest is answered here. */
  changed(): void {
    const { table, runner, pools } = this.#o;
    if (!pools.isDraining) return;
    for (const record of table.all()) {
      runner.reviewPromise(record);
      runner.relocate(record, false);
    }
  }

  /** How many suspended subscribers get an address of this pool, and of no group, when they are resumed. */
  comingBackTo(poolName: string): number {
    let count = 0;
    for (const { session } of this.#o.table.all()) {
      if (isServed(session.state) && session.state.resumeTo?.poolName === poolName) count += 1;
    }
    return count;
  }
}
