/**
 * One accounting record as it is stored, logged and sent: names of RADIUS attributes, values that JSON holds without loss.
 * What changes with each try (Acct-Delay-Time) and what belongs to the NAS is not in it.
 */

import { formatIpv4 } from '../model/ipv4.js';
import { nasPortIdText } from './radius-nas-attributes.js';
import type { RadiusNas } from './radius-nas-attributes.js';
import { macText } from './radius-user-name.js';
import type { AccountingSession, AccountingUsage, TerminateCause } from './port.js';

/** NAS-Reboot is ours alone: the stop of a session that a crash ended (RFC 2866 §5.10). */
export type RecordedCause = TerminateCause | 'NAS-Reboot';

/** What start, interim and stop of one accounting session have in common. Bytes are `0x…`. */
export interface SessionAttributes {
  readonly 'Acct-Session-Id': string;
  readonly 'Acct-Multi-Session-Id': string;
  readonly 'User-Name': string;
  readonly 'Framed-IP-Address': string;
  readonly 'Calling-Station-Id': string;
  readonly 'NAS-Port-Id': string;
  readonly 'Framed-Pool': string;
  readonly 'Bng-Service-Id': string;
  readonly 'Bng-Subscriber-Id': string;
  readonly 'Bng-Ont-Serial'?: string;
  readonly 'ADSL-Agent-Circuit-Id'?: string;
  readonly 'ADSL-Agent-Remote-Id'?: string;
  readonly Class?: readonly string[];
}

/** Counters are whole 64-bit numbers as decimal text: the split into Gigawords belongs to the 32-bit wire. */
export interface UsageAttributes {
  readonly 'Acct-Session-Time': number;
  readonly 'Acct-Input-Octets': string;
  readonly 'Acct-Output-Octets': string;
  readonly 'Acct-Input-Packets': string;
  readonly 'Acct-Output-Packets': string;
}

/** Seconds since 1970 (RFC 2869 §5.3): when it happened, not when it was sent. */
interface Dated {
  readonly 'Event-Timestamp': number;
}

export type AccountingRecord =
  | ({ readonly 'Acct-Status-Type': 'Start' } & Dated & SessionAttributes)
  | ({ readonly 'Acct-Status-Type': 'Interim-Update' } & Dated & SessionAttributes & UsageAttributes)
  | ({ readonly 'Acct-Status-Type': 'Stop'; readonly 'Acct-Terminate-Cause': RecordedCause } & Dated &
      SessionAttributes &
      UsageAttributes)
  | ({
      readonly 'Acct-Status-Type': 'Accounting-On' | 'Accounting-Off';
      /** Required in every request (RFC 2866 §5.5): of the NAS's own run. */
      readonly 'Acct-Session-Id': string;
    } & Dated);

const STATUSES: ReadonlySet<unknown> = new Set<AccountingRecord['Acct-Status-Type']>([
  'Start',
  'Interim-Update',
  'Stop',
  'Accounting-On',
  'Accounting-Off',
]);
const SESSION_TEXTS = [
  'Acct-Multi-Session-Id',
  'User-Name',
  'Framed-IP-Address',
  'Calling-Station-Id',
  'NAS-Port-Id',
  'Framed-Pool',
  'Bng-Service-Id',
  'Bng-Subscriber-Id',
] as const satisfies readonly (keyof SessionAttributes)[];
const OPTIONAL_TEXTS = ['Bng-Ont-Serial', 'ADSL-Agent-Circuit-Id', 'ADSL-Agent-Remote-Id'] as const;
const COUNTS = [
  'Acct-Input-Octets',
  'Acct-Output-Octets',
  'Acct-Input-Packets',
  'Acct-Output-Packets',
] as const satisfies readonly (keyof UsageAttributes)[];
/** 64 bits in decimal text. */
const COUNT = /^[0-9]{1,20}$/;

/** Whether a value that was stored has every attribute of its kind of record. What they hold is judged where they are sent. */
export function isAccountingRecord(value: unknown): value is AccountingRecord {
  if (typeof value !== 'object' || value === null) return false;
  const record = value as Readonly<Record<string, unknown>>;
  const isText = (name: string): boolean => typeof record[name] === 'string';
  const status = record['Acct-Status-Type'];
  if (!STATUSES.has(status) || !isText('Acct-Session-Id') || typeof record['Event-Timestamp'] !== 'number')
    return false;
  if (status === 'Accounting-On' || status === 'Accounting-Off') return true;
  const { Class: classes = [] } = record;
  const isSession =
    SESSION_TEXTS.every(isText) &&
    OPTIONAL_TEXTS.every((name) => record[name] === undefined || isText(name)) &&
    Array.isArray(classes) &&
    classes.every((text) => typeof text === 'string');
  if (!isSession || status === 'Start') return isSession;
  const isUsage =
    typeof record['Acct-Session-Time'] === 'number' &&
    COUNTS.every((name) => COUNT.test(String(record[name])));
  return isUsage && (status !== 'Stop' || isText('Acct-Terminate-Cause'));
}

export function sessionAttributes(session: AccountingSession, nas: RadiusNas): SessionAttributes {
  const { line, profile, terms } = session;
  return {
    'Acct-Session-Id': session.accountingId,
    'Acct-Multi-Session-Id': session.multiSessionId,
    'User-Name': terms.userName,
    'Framed-IP-Address': formatIpv4(session.address),
    'Calling-Station-Id': macText(line.mac),
    'NAS-Port-Id': nasPortIdText(nas.interfaceName(line.ifindex), line),
    'Framed-Pool': profile.poolName,
    'Bng-Service-Id': profile.serviceId,
    'Bng-Subscriber-Id': session.subscriberId,
    ...(session.ontSerial === null ? {} : { 'Bng-Ont-Serial': session.ontSerial }),
    ...(line.circuitId === undefined ? {} : { 'ADSL-Agent-Circuit-Id': hex(line.circuitId) }),
    ...(line.remoteId === undefined ? {} : { 'ADSL-Agent-Remote-Id': hex(line.remoteId) }),
    ...(terms.classes.length === 0 ? {} : { Class: terms.classes.map(hex) }),
  };
}

/** Input is what the NAS receives from the subscriber: upstream (RFC 2866 §5.3). */
export function usageAttributes({ traffic, durationMs }: AccountingUsage): UsageAttributes {
  return {
    'Acct-Session-Time': Math.floor(durationMs / 1000),
    'Acct-Input-Octets': traffic.upstreamBytes.toString(),
    'Acct-Output-Octets': traffic.downstreamBytes.toString(),
    'Acct-Input-Packets': traffic.upstreamPackets.toString(),
    'Acct-Output-Packets': traffic.downstreamPackets.toString(),
  };
}

function hex(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes).toString('hex')}`;
}
