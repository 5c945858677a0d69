/** How answers look to people. Takes what the API said, gives lines; asks nothing. */
import type {
  CheckAnswer,
  DropsAnswer,
  EventAnswer,
  PoolAnswer,
  SessionAnswer,
  SessionDetailAnswer,
} from './api-answers.js';
import { formatBytes, formatRate } from './rate.js';
import { table } from './table.js';
import { harmless, paint } from './terminal.js';
import type { Style, Terminal } from './terminal.js';

const STATE_STYLES: Readonly<Record<string, Style>> = {
  discovered: 'dim',
  wgar: 'yellow',
  activating: 'cyan',
  active: 'green',
  suspended: 'red',
  terminated: 'dim',
};

const stateStyle = (state: string): Style | null => STATE_STYLES[state] ?? null;

/** `2026-01-02T03:04:05.678Z` → `2026-01-02 03:04:05Z`. */
const shortInstant = (instant: string): string => instant.replace('T', ' ').replace(/\.[0-9]+Z$/, 'Z');

function lineText({ attachment }: SessionAnswer): string {
  if (attachment === null) return '-';
  if (attachment.s_vlan === 0) return 'untagged';
  return attachment.c_vlan === 0 ? String(attachment.s_vlan) : `${attachment.s_vlan}.${attachment.c_vlan}`;
}

export function sessionsView(terminal: Terminal, sessions: readonly SessionAnswer[]): string[] {
  if (sessions.length === 0) return ['no sessions'];
  const lines = table(
    terminal,
    [
      { title: 'ONT', text: (s: SessionAnswer) => s.ont_serial ?? '-' },
      { title: 'STATE', text: (s) => s.state, style: (s) => stateStyle(s.state) },
      { title: 'ADDRESS', text: (s) => s.address ?? '-' },
      { title: 'LEASE', text: (s) => s.lease_phase },
      { title: 'POOL', text: (s) => s.pool ?? '-' },
      { title: 'DOWN', text: (s) => formatRate(s.download_bps), right: true },
      { title: 'UP', text: (s) => formatRate(s.upload_bps), right: true },
      { title: 'LINE', text: lineText },
      { title: 'SINCE', text: (s) => shortInstant(s.state_since) },
    ],
    sessions,
  );
  return [...lines, `${sessions.length} ${sessions.length === 1 ? 'session' : 'sessions'}`];
}

export function sessionView(terminal: Terminal, session: SessionDetailAnswer): string[] {
  const { attachment, traffic } = session;
  const counted = (bytes: string, packets: string): string =>
    `${formatBytes(bytes)} (${bytes} bytes, ${packets} packets)`;
  const facts: readonly (readonly [string, string | null])[] = [
    ['id', session.id],
    ['ont', session.ont_serial],
    ['state', `${session.state} since ${shortInstant(session.state_since)}`],
    ...(session.state === 'suspended' ? [['suspended for', session.suspended_for] as const] : []),
    ['address', session.address === null ? null : `${session.address} (${session.lease_phase})`],
    ['held address', session.held_address],
    ['lease until', session.lease_expires_at === null ? null : shortInstant(session.lease_expires_at)],
    ['pool', session.pool],
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
  return facts.map(([name, value]) => {
    const text = harmless(value ?? '-');
    return `${name.padEnd(14)}${name === 'state' ? paint(terminal, stateStyle(session.state), text) : text}`;
  });
}

const BAR_CELLS = 20;

/** A bar of 20 cells; any use at all shows one, and only a full pool shows all. */
export function utilizationBar(utilization: number): string {
  const rounded = Math.round(utilization * BAR_CELLS);
  const least = utilization > 0 ? 1 : 0;
  const most = utilization < 1 ? BAR_CELLS - 1 : BAR_CELLS;
  const filled = Math.min(Math.max(rounded, least), most);
  return '█'.repeat(filled) + '░'.repeat(BAR_CELLS - filled);
}

export function poolsView(terminal: Terminal, pools: readonly PoolAnswer[]): string[] {
  const useStyle = ({ utilization }: PoolAnswer): Style =>
    utilization >= 0.95 ? 'red' : utilization >= 0.8 ? 'yellow' : 'green';
  return table(
    terminal,
    [
      { title: 'POOL', text: (pool: PoolAnswer) => pool.name },
      { title: 'NETWORK', text: (pool) => pool.network ?? '-' },
      { title: 'CAPACITY', text: (pool) => String(pool.capacity), right: true },
      { title: 'USED', text: (pool) => String(pool.allocated), right: true },
      { title: 'FREE', text: (pool) => String(pool.available), right: true },
      { title: 'QUARANTINED', text: (pool) => String(pool.quarantined), right: true },
      { title: 'USE', text: (pool) => `${(pool.utilization * 100).toFixed(1)}%`, right: true },
      { title: '', text: (pool) => utilizationBar(pool.utilization), style: useStyle },
    ],
    pools,
  );
}

export function dropsView(terminal: Terminal, answer: DropsAnswer): string[] {
  const part = (title: string, counters: Readonly<Record<string, string>>): string[] => {
    const rows = Object.entries(counters)
      .filter(([, count]) => count !== '0')
      .sort(([, a], [, b]) => (BigInt(a) < BigInt(b) ? 1 : -1));
    if (rows.length === 0) return [`${title}: none`];
    return table(
      terminal,
      [
        { title, text: ([name]: readonly [string, string]) => name },
        { title: 'FRAMES', text: ([, count]) => count, right: true },
      ],
      rows,
    );
  };
  return [...part('VERDICT', answer.verdicts), '', ...part('DROPPED BECAUSE', answer.drops)];
}

export function healthView(terminal: Terminal, checks: readonly CheckAnswer[]): string[] {
  const ready = checks.every((check) => check.ok);
  return [
    paint(terminal, ready ? 'green' : 'red', ready ? 'ready' : 'not ready'),
    ...table(
      terminal,
      [
        {
          title: 'CHECK',
          text: (check: CheckAnswer) => check.name,
        },
        {
          title: 'OK',
          text: (check) => (check.ok ? 'yes' : 'NO'),
          style: (check) => (check.ok ? 'green' : 'red'),
        },
        { title: 'DETAIL', text: (check) => check.detail },
      ],
      checks,
    ),
  ];
}

export function eventView(terminal: Terminal, event: EventAnswer): string {
  const { from, to, address, pool, order, reason, session } = event;
  const parts = [
    from === undefined || to === undefined ? '' : `${from} → ${to}`,
    order ?? '',
    address ?? '',
    pool ?? '',
    reason ?? '',
  ].filter((part) => part !== '');
  const text = `${event.type.padEnd(15)} ${(session.ont_serial ?? session.id).padEnd(16)} ${parts.join(' ')}`;
  return `${shortInstant(event.at)} ${paint(terminal, to === undefined ? null : stateStyle(to), harmless(text))}`;
}
