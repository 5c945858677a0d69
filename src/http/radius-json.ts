/** How AAA looks in JSON: schema and rendering side by side. */
import type {
  AccountingQueueReport,
  CoaClientReport,
  CoaReport,
  RadiusAuthenticatorReport,
  RadiusReport,
  RadiusServerReport,
} from './radius-report.js';
import { meanMs, quantileMs } from './radius-round-trip.js';

const count = { type: 'integer', minimum: 0 } as const;
const countTable = { type: 'object', additionalProperties: count } as const;
const milliseconds = {
  type: ['number', 'null'],
  description: 'milliseconds; null before the first',
} as const;
const role = { type: 'string', enum: ['auth', 'acct'] } as const;

/** Closed to what is named, and all of it is always there. */
function whole<P extends Readonly<Record<string, object>>>(properties: P) {
  return {
    type: 'object',
    required: Object.keys(properties),
    additionalProperties: false,
    properties,
  } as const;
}

function orNull<S extends { readonly type: string }>(schema: S, description: string) {
  return { ...schema, type: [schema.type, 'null'], description } as const;
}

const serverSchema = whole({
  name: { type: 'string', description: 'host:port' },
  role,
  state: { type: 'string', enum: ['alive', 'dead', 'probing'] },
  in_flight: count,
  sockets: count,
  requests: count,
  outcomes: { ...countTable, description: 'how requests ended here; no-answer went elsewhere or ran out' },
  retransmissions: count,
  ignored: {
    type: 'array',
    description: 'datagrams that were not taken for an answer, by reason; reasons that were met only',
    items: whole({ reason: { type: 'string' }, count, explanation: { type: 'string' } }),
  },
  socket_errors: count,
  round_trip: whole({
    count,
    mean_ms: milliseconds,
    p50_ms: { ...milliseconds, description: 'estimated from buckets; null before the first' },
    p99_ms: { ...milliseconds, description: 'estimated from buckets; null before the first' },
    last_ms: milliseconds,
    smoothed_ms: milliseconds,
  }),
});

const authenticatorSchema = whole({
  accepted: count,
  rejected: count,
  timeouts: count,
  malformed: count,
  unsupported: count,
  unknown_attributes: count,
  raised_interims: count,
});

const accountingSchema = whole({
  length: count,
  unsaved: { ...count, description: 'of those, not in the store: lost if the process dies now' },
  in_flight: count,
  oldest_age_seconds: { type: 'number' },
  delivered: count,
  retried: count,
  dropped: whole({ superseded_interim: count, unsendable: count, damaged: count }),
  outage: { type: 'boolean', description: 'nobody answers: one try at a time' },
  store_failure: { type: ['string', 'null'], description: 'why the store takes nothing at the moment' },
});

const coaSchema = whole({
  unknown_clients: count,
  socket_errors: count,
  clients: {
    type: 'array',
    items: whole({
      address: { type: 'string' },
      under_way: count,
      duplicates: count,
      send_errors: count,
      requests: {
        type: 'array',
        items: whole({
          code: { type: 'string', enum: ['CoA-Request', 'Disconnect-Request'] },
          received: count,
          answers: { ...countTable, description: 'ack, or the Error-Cause of a NAK' },
        }),
      },
      dropped: { ...countTable, description: 'by reason; reasons that were met only' },
    }),
  },
});

export const radiusSchema = whole({
  auth_mode: { type: 'string', enum: ['local', 'radius'] },
  accounting_mode: { type: 'string', enum: ['radius', 'log', 'none'] },
  servers: { type: 'array', items: serverSchema },
  clients: { type: 'array', items: whole({ role, queued: count, overloaded: count, timeouts: count }) },
  authenticator: orNull(authenticatorSchema, 'null in local mode'),
  accounting: orNull(accountingSchema, 'null where there is no durable queue'),
  coa: orNull(coaSchema, 'null where no CoA server listens'),
});

function serverJson(server: RadiusServerReport): Record<string, unknown> {
  const { roundTrip } = server;
  return {
    name: server.name,
    role: server.role,
    state: server.state,
    in_flight: server.inFlight,
    sockets: server.sockets,
    requests: server.requests,
    outcomes: server.outcomes,
    retransmissions: server.retransmissions,
    ignored: server.ignored.filter((ignored) => ignored.count > 0),
    socket_errors: server.socketErrors,
    round_trip: {
      count: roundTrip.count,
      mean_ms: meanMs(roundTrip),
      p50_ms: quantileMs(roundTrip, 0.5),
      p99_ms: quantileMs(roundTrip, 0.99),
      last_ms: roundTrip.lastMs,
      smoothed_ms: roundTrip.smoothedMs,
    },
  };
}

function authenticatorJson(counts: RadiusAuthenticatorReport): Record<string, unknown> {
  const { unknownAttributes, raisedInterims, ...others } = counts;
  return { ...others, unknown_attributes: unknownAttributes, raised_interims: raisedInterims };
}

function accountingJson(queue: AccountingQueueReport): Record<string, unknown> {
  return {
    length: queue.length,
    unsaved: queue.unsaved,
    in_flight: queue.inFlight,
    oldest_age_seconds: queue.oldestAgeMs / 1000,
    delivered: queue.delivered,
    retried: queue.retried,
    dropped: {
      superseded_interim: queue.dropped.supersededInterim,
      unsendable: queue.dropped.unsendable,
      damaged: queue.dropped.damaged,
    },
    outage: queue.outage,
    store_failure: queue.storeFailure,
  };
}

function coaClientJson(client: CoaClientReport): Record<string, unknown> {
  return {
    address: client.address,
    under_way: client.underWay,
    duplicates: client.duplicates,
    send_errors: client.sendErrors,
    requests: client.requests,
    dropped: Object.fromEntries(Object.entries(client.dropped).filter(([, dropped]) => dropped > 0)),
  };
}

function coaJson({ unknownClients, socketErrors, clients }: CoaReport): Record<string, unknown> {
  return {
    unknown_clients: unknownClients,
    socket_errors: socketErrors,
    clients: clients.map(coaClientJson),
  };
}

/** Renders the report; times in the units of their names. */
export function radiusJson(report: RadiusReport): Record<string, unknown> {
  const { authenticator, accounting, coa } = report;
  return {
    auth_mode: report.authMode,
    accounting_mode: report.accountingMode,
    servers: report.servers.map(serverJson),
    clients: report.clients,
    authenticator: authenticator === null ? null : authenticatorJson(authenticator),
    accounting: accounting === null ? null : accountingJson(accounting),
    coa: coa === null ? null : coaJson(coa),
  };
}
