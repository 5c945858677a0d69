/**
 * Every event that the log of the BNG can hold, in one closed list: the compiler refuses any other name. docs/logs.md is made of
 * it. Names are stable: who watches the log may rely on them. Secrets never get here, and are cut out should one.
 */
import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import { LogLines } from './log-lines.js';

interface EventNote {
  readonly level: 'info' | 'warn' | 'error' | 'fatal';
  readonly meaning: string;
  /** What stands beside the name; fields of every line are not repeated. */
  readonly fields: readonly string[];
}

/** Ids that follow a subscriber through the log. */
const IDS = ['session', 'ont', 'state', 'line'] as const;

export const LOG_EVENTS = {
  started: { level: 'info', meaning: 'The BNG serves.', fields: ['ports'] },
  reloaded: {
    level: 'info',
    meaning: 'The configuration was read again and is in force.',
    fields: ['changes'],
  },
  'reload-refused': {
    level: 'error',
    meaning: 'The configuration was read again and cannot be in force; nothing changed.',
    fields: ['problems'],
  },
  stopping: { level: 'info', meaning: 'A signal to stop has come.', fields: [] },
  stopped: { level: 'info', meaning: 'Everything is closed in order.', fields: [] },
  bug: {
    level: 'fatal',
    meaning: 'A defect of the BNG; the process ends, the kernel keeps what it has.',
    fields: ['err'],
  },
  'service-manager-unreachable': {
    level: 'warn',
    meaning: 'systemd was not told how the BNG is; everything goes on.',
    fields: ['reason'],
  },
  'garden-dns-failed': {
    level: 'warn',
    meaning: 'An allowed name of the walled garden has no answer.',
    fields: ['reason'],
  },
  'session-created': { level: 'info', meaning: 'A line was seen for the first time.', fields: IDS },
  'state-changed': {
    level: 'info',
    meaning: 'A session went from one state to another.',
    fields: [...IDS, 'from', 'to', 'durationMs', 'reason'],
  },
  'lease-bound': { level: 'info', meaning: 'A client has its address.', fields: [...IDS, 'address', 'pool'] },
  'lease-renewed': {
    level: 'info',
    meaning: 'A client has it for longer.',
    fields: [...IDS, 'address', 'pool'],
  },
  'lease-ended': {
    level: 'info',
    meaning: 'An address is no longer served; its traffic in all.',
    fields: [...IDS, 'address', 'pool', 'upstreamBytes', 'downstreamBytes'],
  },
  'order-refused': {
    level: 'warn',
    meaning: 'The world or the state refused an order.',
    fields: [...IDS, 'order', 'reason'],
  },
  trouble: {
    level: 'warn',
    meaning: 'Something about a session did not work; it goes on.',
    fields: [...IDS, 'reason'],
  },
  accounting: {
    level: 'info',
    meaning: 'An accounting record, where the log is where they go.',
    fields: ['Acct-Status-Type', '…'],
  },
  'accounting-outage-began': {
    level: 'warn',
    meaning: 'No accounting server answers; records wait in the store.',
    fields: ['length'],
  },
  'accounting-outage-ended': { level: 'warn', meaning: 'One answers again.', fields: ['length'] },
  'accounting-store-failed': {
    level: 'warn',
    meaning: 'The store refused accounting records.',
    fields: ['failure'],
  },
  'accounting-refused': {
    level: 'warn',
    meaning: 'A record cannot be sent and is given up.',
    fields: ['key', 'reason'],
  },
  'accounting-recovered': {
    level: 'warn',
    meaning: 'Records of an earlier run are sent.',
    fields: ['length'],
  },
  'accounting-lost-sessions-closed': {
    level: 'warn',
    meaning: 'Sessions of an earlier run that are gone got their Stop.',
    fields: ['count'],
  },
  'accounting-begun-anew': {
    level: 'info',
    meaning: 'After a boot of the machine: sessions that go on have their Stop and a new Start.',
    fields: ['sessions'],
  },
  'accounting-not-resumed': {
    level: 'error',
    meaning: 'The store does not give what an earlier run accounted for: the next start tries again.',
    fields: ['path', 'kind', 'reason'],
  },
  'accounting-not-stored': {
    level: 'error',
    meaning: 'Records were lost when the BNG stopped.',
    fields: ['kind', 'reason'],
  },
  'radius-dead': {
    level: 'warn',
    meaning: 'A server does not answer; the next is asked.',
    fields: ['role', 'server'],
  },
  'radius-alive': { level: 'warn', meaning: 'It answers again.', fields: ['role', 'server'] },
  'radius-ignored': {
    level: 'warn',
    meaning: 'An answer was not believed; told once for each reason.',
    fields: ['role', 'server', 'reason', 'explanation'],
  },
  'radius-socket-error': {
    level: 'warn',
    meaning: 'The system refused to send or receive.',
    fields: ['role', 'server', 'error'],
  },
  'coa-answered': {
    level: 'info',
    meaning: 'An order of an AAA server was answered.',
    fields: ['client', 'request', 'session', 'ont', 'errorCause', 'reason'],
  },
  'store-damaged': {
    level: 'error',
    meaning: 'The store was damaged; what could be read of it is kept.',
    fields: ['…'],
  },
  'store-failed': {
    level: 'error',
    meaning: 'The store takes nothing; no new sessions.',
    fields: ['kind', 'reason'],
  },
  'store-works-again': { level: 'warn', meaning: 'It takes what is written again.', fields: [] },
  'not-stored': {
    level: 'error',
    meaning: 'Changes were lost when the BNG stopped.',
    fields: ['kind', 'reason'],
  },
  'nothing-outlives-this-process': { level: 'warn', meaning: 'store.mode is memory.', fields: ['because'] },
  'sessions-restored': {
    level: 'info',
    meaning: 'Sessions of an earlier run go on.',
    fields: ['sessions', 'accounting', 'kept', 'missing', 'stale', 'foreign'],
  },
  'session-not-served': { level: 'error', meaning: 'A stored session cannot be served.', fields: ['reason'] },
  'dataplane-entry-of-no-session': {
    level: 'warn',
    meaning: 'The kernel forwarded for an address that no session has; it was removed.',
    fields: ['address', 'upstreamBytes', 'downstreamBytes'],
  },
  'dataplane-warning': {
    level: 'warn',
    meaning: 'The dataplane works, but not as it should.',
    fields: ['warning'],
  },
  'machine-changed': {
    level: 'info',
    meaning:
      'A setting of this machine was changed for the dataplane; `undo` takes it back, as a teardown does.',
    fields: ['change', 'undo'],
  },
  'torn-down': {
    level: 'info',
    meaning: 'What an earlier run left in the kernel was removed.',
    fields: ['pinPath', 'found'],
  },
  'access-node-event': {
    level: 'info',
    meaning: 'The access node reports an ONT.',
    fields: ['type', 'ontSerial', '…'],
  },
  'access-node-up': { level: 'warn', meaning: 'The access node can be reached.', fields: ['reason'] },
  'access-node-down': { level: 'warn', meaning: 'It cannot.', fields: ['reason'] },
  'event-client-dropped': { level: 'warn', meaning: 'A client of the live events was too slow.', fields: [] },
  'http-request-failed': {
    level: 'error',
    meaning: 'A defect: a request was answered with 500.',
    fields: ['err'],
  },
  'audit-not-written': {
    level: 'error',
    meaning: 'An entry of the audit log could not be written.',
    fields: ['reason'],
  },
} as const satisfies Readonly<Record<string, EventNote>>;

export type LogEvent = keyof typeof LOG_EVENTS;

/** Keys whose values are cut out wherever they stand, three levels deep. Nobody logs them on purpose. */
const SECRET_KEYS: ReadonlySet<string> = new Set(['secret', 'token', 'password', 'authorization']);
const SECRET_DEPTH = 3;

/** The log: JSON lines on standard output, or where the caller wants them. */
export function openLog(level: string, to: DestinationStream = new LogLines()): Logger {
  const options = {
    name: 'bng',
    level,
    formatters: { log: (fields: Record<string, unknown>) => withoutSecrets(fields) },
  };
  return pino(options, to);
}

/** Writes one line, at the level of its event. */
export function logEvent(logger: Logger, event: LogEvent, fields: object = {}): void {
  logger[LOG_EVENTS[event].level]({ ...fields, event });
}

/** Pino's own `redact` walks every path in every line, which took more time than all the rest of a line. */
function withoutSecrets<T extends object>(fields: T, depth = SECRET_DEPTH): T {
  let clean: T | null = null;
  for (const [key, value] of Object.entries(fields) as [keyof T & string, unknown][]) {
    const kept = SECRET_KEYS.has(key)
      ? '[secret]'
      : depth > 1 && isObject(value)
        ? withoutSecrets(value, depth - 1)
        : value;
    if (kept === value) continue;
    clean ??= copyOf(fields);
    Object.defineProperty(clean, key, { value: kept, enumerable: true });
  }
  return clean ?? fields;
}

/** Of the same kind: an error without its message and stack would be none. */
function copyOf<T extends object>(value: T): T {
  if (Array.isArray(value)) return [...(value as readonly unknown[])] as unknown as T;
  const properties = Object.getOwnPropertyDescriptors(value);
  const copy = Object.create(Object.getPrototypeOf(value) as object, properties) as T;
  // From Node.js 22 on it is read by a getter, which tells a real error's alone.
  if (value instanceof Error) Object.defineProperty(copy, 'stack', { value: value.stack });
  return copy;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
