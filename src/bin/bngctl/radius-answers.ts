/** The answer of `GET /api/v1/radius` as bngctl shows it, as types. The API's own schema is the authority. */

export interface RadiusServerAnswer {
  readonly name: string;
  readonly role: string;
  readonly state: string;
  readonly in_flight: number;
  readonly sockets: number;
  readonly requests: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly retransmissions: number;
  readonly ignored: readonly {
    readonly reason: string;
    readonly count: number;
    readonly explanation: string;
  }[];
  readonly socket_errors: number;
  readonly round_trip: {
    readonly count: number;
    readonly mean_ms: number | null;
    readonly p50_ms: number | null;
    readonly p99_ms: number | null;
  };
}

export interface RadiusClientAnswer {
  readonly role: string;
  readonly queued: number;
  readonly overloaded: number;
  readonly timeouts: number;
}

export interface AccountingAnswer {
  readonly length: number;
  readonly unsaved: number;
  readonly in_flight: number;
  readonly oldest_age_seconds: number;
  readonly delivered: number;
  readonly retried: number;
  readonly dropped: {
    readonly superseded_interim: number;
    readonly unsendable: number;
    readonly damaged: number;
  };
  readonly outage: boolean;
  readonly store_failure: string | null;
}

export interface CoaClientAnswer {
  readonly address: string;
  readonly under_way: number;
  readonly duplicates: number;
  readonly requests: readonly {
    readonly code: string;
    readonly received: number;
    readonly answers: Readonly<Record<string, number>>;
  }[];
  readonly dropped: Readonly<Record<string, number>>;
}

export interface RadiusAnswer {
  readonly auth_mode: string;
  readonly accounting_mode: string;
  readonly servers: readonly RadiusServerAnswer[];
  readonly clients: readonly RadiusClientAnswer[];
  readonly authenticator: Readonly<Record<string, number>> | null;
  readonly accounting: AccountingAnswer | null;
  readonly coa: {
    readonly unknown_clients: number;
    readonly clients: readonly CoaClientAnswer[];
  } | null;
}
