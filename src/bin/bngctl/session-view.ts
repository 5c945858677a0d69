/** How one session looks to people: its picture, AAA, the kernel's entries as dumped, the last events. */
import type { RadiusExchangeAnswer, RadiusPacketAnswer, SessionDetailAnswer } from './api-answers.js';
import { eventView } from './event-view.js';
import { flatten } from './map-view.js';
import { formatBytes, formatRate } from './rate.js';
import { lineText, stateStyle } from './session-columns.js';
import { harmless, paint } from './terminal.js';
import type { Terminal } from './terminal.js';
import { shortInstant } from './time.js';

const NAME_WIDTH = 14;

type Fact = readonly [name: string, value: string | null];

function counted(bytes: string, packets: string): string {
  return `${formatBytes(bytes)} (${bytes} bytes, ${packets} packets)`;
}

function facts(session: SessionDetailAnswer): readonly Fact[] {
  const { attachment, traffic } = session;
  return [
    ['id', session.id],
    ['ont', session.ont_serial],
    ['state', `${session.state} since ${shortInstant(session.state_since)}`],
    ...(session.state === 'suspended' ? [['suspended for', session.suspended_for] as const] : []),
    ['address', session.address === null ? null : `${session.address} (${session.lease_phase})`],
    ['held address', session.held_address],
    ['lease until', session.lease_expires_at === null ? null : shortInstant(session.lease_expires_at)],
    ['pool', session.pool_group === null ? session.pool : `${session.pool} of ${session.pool_group}`],
    ['service', session.service_id],
    ['walled garden', session.walled === null ? null : session.walled ? 'yes' : 'no'],
    ['rates', `${formatRate(session.download_bps)} down, ${formatRate(session.upload_bps)} up`],
    ['line', lineText(session)],
    ['mac', attachment?.mac ?? null],
    ['circuit-id', session.circuit_id ?? session.circuit_id_hex],
    ['upstream', traffic === null ? null : counted(traffic.upstream_bytes, traffic.upstream_packets)],
    ['downstream', traffic === null ? null : counted(traffic.downstream_bytes, traffic.downstream_packets)],
    ['created', shortInstant(session.created_at)],
  ];
}

function seconds(value: number | null): string {
  return value === null ? 'none' : `${value} s`;
}

function aaaFacts({ authentication, terms, accounting }: SessionDetailAnswer): readonly Fact[] {
  const answered =
    authentication === null
      ? 'not answered yet'
      : `${authentication.outcome} at ${shortInstant(authentication.at)} after ${authentication.took_ms} ms` +
        (authentication.reason === null ? '' : `: ${authentication.reason}`);
  return [
    ['authentication', answered],
    ['user name', terms?.user_name ?? null],
    ...(terms === null
      ? []
      : ([
          ['fixed address', terms.fixed_address],
          [
            'timeouts',
            `session ${seconds(terms.session_timeout_seconds)}, idle ${seconds(terms.idle_timeout_seconds)}`,
          ],
          [
            'interim',
            terms.interim_interval_seconds === null ? 'the default' : seconds(terms.interim_interval_seconds),
          ],
          ...terms.classes.map((bytes): Fact => ['class', `0x${bytes}`]),
        ] as const)),
    [
      'accounting',
      accounting === null ? null : `${accounting.session_id} since ${shortInstant(accounting.started_at)}`,
    ],
  ];
}

function kernelFacts({ kernel }: SessionDetailAnswer): readonly Fact[] {
  if (kernel === null) return [['kernel', 'not installed']];
  const member = kernel.garden_member;
  return [
    ...Object.entries(kernel.maps).map(
      ([map, value]): Fact => [
        map,
        flatten(value)
          .map(([name, text]) => (name === '' ? text : `${name} ${text}`))
          .join(', '),
      ],
    ),
    ['nftables', member === null ? 'nft cannot say' : member ? 'garden member' : 'no garden member'],
  ];
}

/** The packets one after the other, an attribute a line. */
function exchangeLines({ at, took_ms, peer, request, response }: RadiusExchangeAnswer): string[] {
  const packet = ({ code, attributes }: RadiusPacketAnswer, when: string): string[] => [
    `${code} ${when}`,
    ...attributes.map(({ name, value }) => `  ${name} = ${value}`),
  ];
  const answered = `after ${took_ms} ms${peer === null ? '' : `, ${peer}`}`;
  return [
    ...packet(request, `until ${shortInstant(at)}`),
    ...(response === null ? [`no answer ${answered}`] : packet(response, answered)),
  ].map(harmless);
}

export function sessionView(terminal: Terminal, session: SessionDetailAnswer): string[] {
  const line = ([name, value]: Fact): string => {
    const text = harmless(value ?? '-');
    const style = name === 'state' ? stateStyle(session.state) : null;
    return `${name.padEnd(NAME_WIDTH)}${name.length < NAME_WIDTH ? '' : ' '}${paint(terminal, style, text)}`;
  };
  const part = (title: string, list: readonly Fact[]): string[] => [
    '',
    paint(terminal, 'bold', title),
    ...list.map(line),
  ];
  return [
    ...facts(session).map(line),
    ...part('AAA', aaaFacts(session)),
    ...session.radius_exchanges.flatMap((exchange) => [
      '',
      paint(terminal, 'bold', `RADIUS ${exchange.kind.toUpperCase()}`),
      ...exchangeLines(exchange),
    ]),
    ...part('KERNEL', kernelFacts(session)),
    '',
    paint(terminal, 'bold', 'LAST EVENTS'),
    ...(session.events.length === 0 ? ['none'] : session.events.map((event) => eventView(terminal, event))),
  ];
}
