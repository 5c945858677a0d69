/** How answers look to people. Takes what the API said, gives lines; asks nothing. */
import type {
  CheckAnswer,
  CountersAnswer,
  DropsAnswer,
  PoolAnswer,
  TalkerAnswer,
  TopAnswer,
} from './api-answers.js';
import { formatBytes, formatNumber } from './rate.js';
import { stateStyle } from './session-columns.js';
import { table } from './table.js';
import { paint } from './terminal.js';
import type { Style, Terminal } from './terminal.js';

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
  const stateStyle = ({ state }: PoolAnswer): Style => (state === 'open' ? 'green' : 'yellow');
  return table(
    terminal,
    [
      { title: 'POOL', text: (pool: PoolAnswer) => pool.name },
      { title: '', text: (pool) => utilizationBar(pool.utilization), style: useStyle },
      { title: 'USE', text: (pool) => `${(pool.utilization * 100).toFixed(1)}%`, right: true },
      { title: 'NETWORK', text: (pool) => pool.network ?? '-' },
      { title: 'CAPACITY', text: (pool) => String(pool.capacity), right: true },
      { title: 'USED', text: (pool) => String(pool.allocated), right: true },
      { title: 'FREE', text: (pool) => String(pool.available), right: true },
      { title: 'QUARANTINED', text: (pool) => String(pool.quarantined), right: true },
      ...(pools.some(({ groups }) => groups.length > 0)
        ? [{ title: 'GROUP', text: ({ groups }: PoolAnswer) => groups.join(',') || '-' }]
        : []),
      { title: 'STATE', text: ({ state }) => state, style: stateStyle },
    ],
    pools,
  );
}

export function dropsView(terminal: Terminal, answer: DropsAnswer): string[] {
  const part = (title: string, counters: Readonly<Record<string, string>>, counted = 'FRAMES'): string[] => {
    const rows = Object.entries(counters)
      .filter(([, count]) => count !== '0')
      .sort(([, a], [, b]) => (BigInt(a) < BigInt(b) ? 1 : -1));
    if (rows.length === 0) return [`${title}: none`];
    return table(
      terminal,
      [
        { title, text: ([name]: readonly [string, string]) => name },
        { title: counted, text: ([, count]) => count, right: true },
      ],
      rows,
    );
  };
  const { verdicts, drops, refusals } = answer;
  return [
    ...part('VERDICT', verdicts),
    '',
    ...part('DROPPED BECAUSE', drops),
    ...(refusals === undefined ? [] : ['', ...part('REFUSED BECAUSE', refusals, 'MESSAGES')]),
  ];
}

export function healthView(terminal: Terminal, checks: readonly CheckAnswer[]): string[] {
  const ready = checks.every((check) => check.ok);
  const degraded = checks.some((check) => check.degraded === true);
  const [word, style] = (
    !ready ? ['not ready', 'red'] : degraded ? ['ready, degraded', 'yellow'] : ['ready', 'green']
  ) satisfies readonly [string, Style];
  return [
    paint(terminal, style, word),
    ...table(
      terminal,
      [
        {
          title: 'CHECK',
          text: (check: CheckAnswer) => check.name,
        },
        {
          title: 'OK',
          text: (check) => (!check.ok ? 'NO' : check.degraded === true ? 'degraded' : 'yes'),
          style: (check) => (!check.ok ? 'red' : check.degraded === true ? 'yellow' : 'green'),
        },
        { title: 'DETAIL', text: (check) => check.detail },
      ],
      checks,
    ),
  ];
}

function amount(label: string, bytes: string, packets: string): string {
  return `${label.padEnd(14)}${formatBytes(bytes)} (${bytes} bytes, ${packets} packets)`;
}

export function countersView(terminal: Terminal, answer: CountersAnswer): string[] {
  const { sessions, traffic } = answer;
  return [
    ...table(
      terminal,
      [
        {
          title: 'SESSIONS',
          text: ([state]: readonly [string, number]) => state,
          style: ([state]) => stateStyle(state),
        },
        { title: 'COUNT', text: ([, count]) => String(count), right: true },
      ],
      Object.entries(sessions),
    ),
    '',
    `${'installed'.padEnd(14)}${answer.installed}`,
    amount('upstream', traffic.upstream_bytes, traffic.upstream_packets),
    amount('downstream', traffic.downstream_bytes, traffic.downstream_packets),
    '',
    ...dropsView(terminal, answer),
  ];
}

export function topView(terminal: Terminal, { talkers }: TopAnswer): string[] {
  if (talkers.length === 0) return ['no subscribers'];
  return table(
    terminal,
    [
      { title: 'ONT', text: (talker: TalkerAnswer) => talker.ont_serial ?? '-' },
      { title: 'ADDRESS', text: (talker) => talker.address },
      { title: 'IN bit/s', text: (talker) => formatNumber(talker.upstream_bps), right: true },
      { title: 'OUT bit/s', text: (talker) => formatNumber(talker.downstream_bps), right: true },
      { title: 'IN pkt/s', text: (talker) => formatNumber(talker.upstream_pps), right: true },
      { title: 'OUT pkt/s', text: (talker) => formatNumber(talker.downstream_pps), right: true },
      { title: 'BYTES IN', text: (talker) => formatBytes(talker.upstream_bytes), right: true },
      { title: 'BYTES OUT', text: (talker) => formatBytes(talker.downstream_bytes), right: true },
      { title: 'POOL', text: (talker) => talker.pool ?? '-' },
    ],
    talkers,
  );
}
