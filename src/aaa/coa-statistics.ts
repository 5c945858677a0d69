/** What the CoA server counts, as plain values for metrics and operators. Decides nothing. */
import type { Ipv4 } from '../model/ipv4.js';
import { RADIUS_REFUSALS } from '../wire/radius-verify.js';
import type { CoaKind, ErrorCauseName } from './coa-request.js';

export const COA_DROPS = [
  ...RADIUS_REFUSALS,
  'malformed',
  'unexpected-code',
  'stale-timestamp',
  'replayed',
  'closing',
] as const;

/** Why a datagram of a client was dropped without an answer. */
export type CoaDrop = (typeof COA_DROPS)[number];

export interface CoaAnswerCount {
  readonly request: CoaKind;
  /** Null counts the ACKs. */
  readonly errorCause: ErrorCauseName | null;
  readonly count: number;
}

export interface CoaClientStatistics {
  readonly address: Ipv4;
  /** Different requests; those under way are in no other count yet. */
  readonly requests: Readonly<Record<CoaKind, number>>;
  readonly underWay: number;
  /** Retransmissions of a request that was answered, or is under way. */
  readonly duplicates: number;
  readonly answers: readonly CoaAnswerCount[];
  readonly dropped: Readonly<Record<CoaDrop, number>>;
  /** Answers that the system did not take. */
  readonly sendErrors: number;
}

export interface CoaStatistics {
  /** Datagrams from addresses that are no client's. */
  readonly unknownClients: number;
  /** Receiving or sending failed in the system. */
  readonly socketErrors: number;
  readonly remembered: number;
  readonly clients: readonly CoaClientStatistics[];
}

/** The counters of one client. */
export class CoaClientCounters {
  readonly #requests: Record<CoaKind, number> = { CoA: 0, Disconnect: 0 };
  readonly #answers: Record<CoaKind, Map<ErrorCauseName | null, number>> = {
    CoA: new Map(),
    Disconnect: new Map(),
  };
  readonly #dropped = new Map<CoaDrop, number>();
  #underWay = 0;
  #duplicates = 0;
  #sendErrors = 0;

  get underWay(): number {
    return this.#underWay;
  }

  began(kind: CoaKind): void {
    this.#requests[kind] += 1;
    this.#underWay += 1;
  }

  answered(kind: CoaKind, errorCause: ErrorCauseName | null): void {
    this.#underWay -= 1;
    this.#answers[kind].set(errorCause, (this.#answers[kind].get(errorCause) ?? 0) + 1);
  }

  duplicate(): void {
    this.#duplicates += 1;
  }

  dropped(reason: CoaDrop): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + 1);
  }

  sendFailed(): void {
    this.#sendErrors += 1;
  }

  values(address: Ipv4): CoaClientStatistics {
    const answers = (['CoA', 'Disconnect'] as const).flatMap((request) =>
      [...this.#answers[request]].map(([errorCause, count]) => ({ request, errorCause, count })),
    );
    const dropped = Object.fromEntries(
      COA_DROPS.map((reason) => [reason, this.#dropped.get(reason) ?? 0]),
    ) as Record<CoaDrop, number>;
    return {
      address,
      requests: { ...this.#requests },
      underWay: this.#underWay,
      duplicates: this.#duplicates,
      answers,
      dropped,
      sendErrors: this.#sendErrors,
    };
  }
}
