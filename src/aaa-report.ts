/** Maps what AAA counts to what operators are told of it: the part of the composition root between aaa and http. */
import type { AaaInspection } from './aaa-parts.js';
import type { AccountingQueueFigures } from './aaa/accounting-queue-options.js';
import type { CoaServer } from './aaa/coa-server.js';
import type { CoaClientStatistics, CoaStatistics } from './aaa/coa-statistics.js';
import type { RadiusClient } from './aaa/radius-client.js';
import { ACCESS_OUTCOMES, ACCOUNTING_OUTCOMES } from './aaa/radius-link.js';
import type { RadiusServerStatistics } from './aaa/radius-statistics.js';
import {
  RADIUS_IGNORED_EXPLANATION,
  RADIUS_IGNORED_REASONS,
  RTT_BOUNDS_MS,
} from './aaa/radius-statistics.js';
import type { Config } from './config/config.js';
import type {
  AccountingQueueReport,
  CoaClientReport,
  CoaReport,
  RadiusClientReport,
  RadiusReport,
  RadiusRole,
  RadiusServerReport,
} from './http/radius-report.js';
import { formatIpv4 } from './model/ipv4.js';

const OUTCOMES = {
  auth: [...ACCESS_OUTCOMES.values(), 'no-answer'],
  acct: [...ACCOUNTING_OUTCOMES.values(), 'no-answer'],
} as const;

const COA_KINDS = ['CoA', 'Disconnect'] as const;

/** Reads everything once; `coa` is null where no CoA server listens (yet). */
export function aaaReport(
  config: Pick<Config, 'auth' | 'accounting'>,
  inspection: AaaInspection,
  coa: Pick<CoaServer, 'statistics'> | null,
): RadiusReport {
  const roles: readonly (readonly [RadiusRole, RadiusClient | null])[] = [
    ['auth', inspection.authentication],
    ['acct', inspection.accounting],
  ];
  const clients = roles.flatMap(([role, client]) =>
    client === null ? [] : [{ role, statistics: client.statistics() }],
  );
  const figures = inspection.queue?.figures() ?? null;
  return {
    authMode: config.auth.mode,
    accountingMode: config.accounting.mode,
    servers: clients.flatMap(({ role, statistics }) =>
      statistics.servers.map((server) => serverReport(role, server)),
    ),
    clients: clients.map(({ role, statistics }): RadiusClientReport => {
      const { queued, overloaded, timeouts } = statistics;
      return { role, queued, overloaded, timeouts };
    }),
    authenticator: inspection.authenticator?.statistics() ?? null,
    accounting: figures === null ? null : queueReport(figures),
    coa: coa === null ? null : coaReport(coa.statistics()),
  };
}

function serverReport(role: RadiusRole, server: RadiusServerStatistics): RadiusServerReport {
  const { name, state, inFlight, sockets, requests, retransmissions, socketErrors, rtt } = server;
  const { buckets, ...sums } = rtt;
  return {
    name,
    role,
    state,
    inFlight,
    sockets,
    requests,
    outcomes: Object.fromEntries(OUTCOMES[role].map((outcome) => [outcome, server.outcomes[outcome]])),
    retransmissions,
    ignored: RADIUS_IGNORED_REASONS.map((reason) => ({
      reason,
      count: server.ignored[reason],
      explanation: RADIUS_IGNORED_EXPLANATION[reason],
    })),
    socketErrors,
    roundTrip: { ...sums, boundsMs: RTT_BOUNDS_MS, buckets },
  };
}

function queueReport({ store, ...figures }: AccountingQueueFigures): AccountingQueueReport {
  return { ...figures, storeFailure: store === null ? null : `${store.kind}: ${store.reason}` };
}

function coaReport({ unknownClients, socketErrors, clients }: CoaStatistics): CoaReport {
  return { unknownClients, socketErrors, clients: clients.map(coaClientReport) };
}

function coaClientReport(client: CoaClientStatistics): CoaClientReport {
  const { underWay, duplicates, sendErrors, dropped } = client;
  const answersTo = (kind: (typeof COA_KINDS)[number]): Record<string, number> =>
    Object.fromEntries(
      client.answers
        .filter(({ request }) => request === kind)
        .map(({ errorCause, count }) => [errorCause ?? 'ack', count]),
    );
  return {
    address: formatIpv4(client.address),
    underWay,
    duplicates,
    sendErrors,
    requests: COA_KINDS.map((kind) => ({
      code: `${kind}-Request` as const,
      received: client.requests[kind],
      answers: answersTo(kind),
    })),
    dropped,
  };
}
