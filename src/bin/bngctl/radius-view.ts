/** How AAA looks to people. Takes what the API said, gives lines; asks nothing. */
import type {
  AccountingAnswer,
  CoaClientAnswer,
  RadiusAnswer,
  RadiusClientAnswer,
  RadiusServerAnswer,
} from './radius-answers.js';
import { table } from './table.js';
import { harmless, paint } from './terminal.js';
import type { Style, Terminal } from './terminal.js';

const STATE_STYLES: Readonly<Record<string, Style>> = { alive: 'green', dead: 'red', probing: 'yellow' };

export function radiusView(terminal: Terminal, answer: RadiusAnswer): string[] {
  const { auth_mode: auth, accounting_mode: accounting, servers, authenticator, coa } = answer;
  const sections = [
    [harmless(`authentication: ${auth}, accounting: ${accounting}`)],
    servers.length === 0 ? ['no RADIUS server is in use'] : serversView(terminal, servers),
    ignoredView(servers),
    answer.clients.length === 0 ? [] : clientsView(terminal, answer.clients),
    authenticator === null ? [] : countsView(terminal, 'AUTHENTICATION', authenticator),
    queueView(terminal, answer.accounting),
    coa === null ? [] : coaView(terminal, coa),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .flatMap((lines, index) => (index === 0 ? lines : ['', ...lines]));
}

function serversView(terminal: Terminal, servers: readonly RadiusServerAnswer[]): string[] {
  return table(
    terminal,
    [
      { title: 'SERVER', text: (server: RadiusServerAnswer) => server.name },
      { title: 'ROLE', text: (server) => server.role },
      {
        title: 'STATE',
        text: (server) => server.state,
        style: (server) => STATE_STYLES[server.state] ?? null,
      },
      { title: 'IN FLIGHT', text: (server) => String(server.in_flight), right: true },
      { title: 'REQUESTS', text: (server) => String(server.requests), right: true },
      { title: 'RESENT', text: (server) => String(server.retransmissions), right: true },
      { title: 'MEAN', text: (server) => duration(server.round_trip.mean_ms), right: true },
      { title: 'P50', text: (server) => duration(server.round_trip.p50_ms), right: true },
      { title: 'P99', text: (server) => duration(server.round_trip.p99_ms), right: true },
      { title: 'OUTCOMES', text: (server) => counts(server.outcomes) },
    ],
    servers,
  );
}

/** Each with what to do about it, in full: a table would cut it short. */
function ignoredView(servers: readonly RadiusServerAnswer[]): string[] {
  return servers.flatMap(({ name, ignored }) =>
    ignored.map(({ reason, count, explanation }) =>
      harmless(`ignored from ${name}: ${count} × ${reason}: ${explanation}`),
    ),
  );
}

function clientsView(terminal: Terminal, clients: readonly RadiusClientAnswer[]): string[] {
  return table(
    terminal,
    [
      { title: 'ROLE', text: (client: RadiusClientAnswer) => client.role },
      { title: 'QUEUED', text: (client) => String(client.queued), right: true },
      { title: 'OVERLOADED', text: (client) => String(client.overloaded), right: true },
      { title: 'TIMEOUTS', text: (client) => String(client.timeouts), right: true },
    ],
    clients,
  );
}

function countsView(terminal: Terminal, title: string, values: Readonly<Record<string, number>>): string[] {
  return table(
    terminal,
    [
      { title, text: ([name]: readonly [string, number]) => name.replaceAll('_', ' ') },
      { title: 'COUNT', text: ([, count]) => String(count), right: true },
    ],
    Object.entries(values),
  );
}

function queueView(terminal: Terminal, queue: AccountingAnswer | null): string[] {
  if (queue === null) return ['accounting queue: none'];
  const { dropped } = queue;
  const alarms = [
    ...(queue.outage ? ['no accounting server answers'] : []),
    ...(queue.store_failure === null ? [] : [`the store takes nothing: ${queue.store_failure}`]),
  ];
  const facts: readonly (readonly [string, string])[] = [
    ['waiting', `${queue.length} (${queue.in_flight} in flight, ${queue.unsaved} not in the store yet)`],
    ['oldest', queue.length === 0 ? '-' : `${queue.oldest_age_seconds.toFixed(1)} s`],
    ['delivered', String(queue.delivered)],
    ['retried', String(queue.retried)],
    [
      'dropped',
      `${dropped.superseded_interim} superseded interims, ${dropped.unsendable} unsendable, ${dropped.damaged} damaged`,
    ],
  ];
  return [
    paint(terminal, 'bold', 'ACCOUNTING QUEUE'),
    ...facts.map(([name, value]) => `${name.padEnd(11)}${value}`),
    ...alarms.map((alarm) => paint(terminal, 'red', harmless(`ALARM: ${alarm}`))),
  ];
}

interface CoaRow {
  readonly client: CoaClientAnswer;
  readonly request: CoaClientAnswer['requests'][number];
}

function coaView(terminal: Terminal, coa: NonNullable<RadiusAnswer['coa']>): string[] {
  const rows = coa.clients.flatMap((client) =>
    client.requests.map((request): CoaRow => ({ client, request })),
  );
  return [
    ...table(
      terminal,
      [
        { title: 'COA CLIENT', text: ({ client }: CoaRow) => client.address },
        { title: 'CODE', text: ({ request }) => request.code },
        { title: 'RECEIVED', text: ({ request }) => String(request.received), right: true },
        { title: 'ANSWERS', text: ({ request }) => counts(request.answers) },
      ],
      rows,
    ),
    ...coa.clients
      .filter(({ dropped }) => Object.keys(dropped).length > 0)
      .map(({ address, dropped }) => harmless(`dropped from ${address}: ${counts(dropped)}`)),
    ...(coa.unknown_clients === 0 ? [] : [`from addresses of no client: ${coa.unknown_clients} datagrams`]),
  ];
}

/** `access-accept 12, no-answer 1`; those that were met only. */
function counts(values: Readonly<Record<string, number>>): string {
  const met = Object.entries(values).filter(([, count]) => count > 0);
  return met.length === 0 ? '-' : met.map(([name, count]) => `${name} ${count}`).join(', ');
}

function duration(ms: number | null): string {
  if (ms === null) return '-';
  return ms < 1000 ? `${ms.toFixed(1)}ms` : `${(ms / 1000).toFixed(2)}s`;
}
