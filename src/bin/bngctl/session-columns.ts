/** The columns that sessions can be listed and sorted by. */
import type { SessionAnswer } from './api-answers.js';
import { formatRate } from './rate.js';
import type { Column } from './table.js';
import type { Style } from './terminal.js';
import { shortInstant } from './time.js';

const STATE_STYLES: Readonly<Record<string, Style>> = {
  discovered: 'dim',
  wgar: 'yellow',
  activating: 'cyan',
  active: 'green',
  suspended: 'red',
  terminated: 'dim',
};

export const stateStyle = (state: string): Style | null => STATE_STYLES[state] ?? null;

/** `100.7`, `100` or `untagged`; `-` while nothing is known. */
export function lineText({ attachment }: SessionAnswer): string {
  if (attachment === null) return '-';
  if (attachment.s_vlan === 0) return 'untagged';
  return attachment.c_vlan === 0 ? String(attachment.s_vlan) : `${attachment.s_vlan}.${attachment.c_vlan}`;
}

export interface SessionColumn extends Column<SessionAnswer> {
  /** What it is sorted by; absent values come first. */
  readonly key: (session: SessionAnswer) => string | number;
}

const text = (title: string, of: (s: SessionAnswer) => string | null): SessionColumn => ({
  title,
  text: (s) => of(s) ?? '-',
  key: (s) => of(s) ?? '',
});

const rate = (title: string, of: (s: SessionAnswer) => number | null): SessionColumn => ({
  title,
  text: (s) => formatRate(of(s)),
  right: true,
  key: (s) => {
    const value = of(s);
    return value === null ? -1 : value === 0 ? Number.POSITIVE_INFINITY : value;
  },
});

const instant = (title: string, of: (s: SessionAnswer) => string | null): SessionColumn => ({
  title,
  text: (s) => {
    const at = of(s);
    return at === null ? '-' : shortInstant(at);
  },
  key: (s) => of(s) ?? '',
});

/** Dotted quads in the order of their numbers. */
function addressKey(address: string | null): number {
  return address === null ? -1 : address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
}

export const SESSION_COLUMNS = {
  ont: text('ONT', (s) => s.ont_serial),
  state: { ...text('STATE', (s) => s.state), style: (s: SessionAnswer) => stateStyle(s.state) },
  address: { ...text('ADDRESS', (s) => s.address), key: (s: SessionAnswer) => addressKey(s.address) },
  lease: text('LEASE', (s) => s.lease_phase),
  pool: text('POOL', (s) => s.pool),
  down: rate('DOWN', (s) => s.download_bps),
  up: rate('UP', (s) => s.upload_bps),
  line: {
    ...text('LINE', lineText),
    key: ({ attachment }: SessionAnswer) =>
      attachment === null ? -1 : attachment.s_vlan * 4096 + attachment.c_vlan,
  },
  since: instant('SINCE', (s) => s.state_since),
  mac: text('MAC', (s) => s.attachment?.mac ?? null),
  service: text('SERVICE', (s) => s.service_id),
  circuit: text('CIRCUIT-ID', (s) => s.circuit_id ?? s.circuit_id_hex),
  held: text('HELD', (s) => s.held_address),
  created: instant('CREATED', (s) => s.created_at),
  expires: instant('EXPIRES', (s) => s.lease_expires_at),
  id: text('ID', (s) => s.id),
} as const satisfies Record<string, SessionColumn>;

export type SessionColumnName = keyof typeof SESSION_COLUMNS;

export const DEFAULT_COLUMNS: readonly SessionColumnName[] = [
  'ont',
  'state',
  'address',
  'lease',
  'pool',
  'down',
  'up',
  'line',
  'since',
];

export const LEASE_COLUMNS: readonly SessionColumnName[] = [
  'address',
  'ont',
  'mac',
  'line',
  'pool',
  'expires',
  'state',
];

export function isColumnName(name: string): name is SessionColumnName {
  return Object.hasOwn(SESSION_COLUMNS, name);
}
