/**
 * Rows of the store about subscribers and addresses, both ways. Under its checksum a row may say anything: another hand may have
 * put it there (`bng store import`). Decides nothing.
 */
import type { Ipv4 } from '../model/ipv4.js';
import { formatIpv4, parseIpv4 } from '../model/ipv4.js';
import type { ServiceProfile } from '../model/service-profile.js';
import type { StoreChange, StoredEntry, StoreTable } from '../store/port.js';
import type { Instant, Instants } from './instants.js';

/** What was assigned to a subscriber by order, whether or not it has a session. */
export const ASSIGNMENT_TABLE: StoreTable = { name: 'assignment', schemaVersion: 1 };
/** Declined addresses and until when they are out of use. */
export const QUARANTINE_TABLE: StoreTable = { name: 'quarantine', schemaVersion: 1 };

export interface AssignmentRow {
  readonly profile: ServiceProfile;
  readonly resumeTo: ServiceProfile | null;
  readonly suspendedFor: string | null;
}

/** An address out of use. */
export interface Quarantine {
  readonly poolName: string;
  /** On whose account. */
  readonly line: string;
  /** Monotonic. */
  readonly untilMs: number;
}

export function putAssignment(subscriberId: string, row: AssignmentRow): StoreChange {
  return { op: 'put', table: ASSIGNMENT_TABLE.name, key: subscriberId, value: JSON.stringify(row) };
}

/** With the moment on both clocks, by which a start after a reboot knows what is left of it. */
export function putQuarantine(
  address: Ipv4,
  { poolName, line, untilMs }: Quarantine,
  instants: Instants,
): StoreChange {
  const row = { poolName, line, untilMs: instants.toBootMs(untilMs), at: instants.now() };
  return { op: 'put', table: QUARANTINE_TABLE.name, key: formatIpv4(address), value: JSON.stringify(row) };
}

/** Null for what is no assignment of ours. */
export function assignmentOf({ value }: Pick<StoredEntry, 'value'>): AssignmentRow | null {
  const row = recordOf(value);
  const { profile, resumeTo, suspendedFor } = row ?? {};
  if (!isProfile(profile) || (resumeTo !== null && !isProfile(resumeTo))) return null;
  return suspendedFor === null || typeof suspendedFor === 'string'
    ? { profile, resumeTo, suspendedFor }
    : null;
}

/** The address that is out of use, and until when by the clock of now; null for what is no quarantine of ours. */
export function quarantineOf(
  { key, value }: Pick<StoredEntry, 'key' | 'value'>,
  instants: Instants,
): { readonly address: Ipv4; readonly quarantine: Quarantine } | null {
  const { poolName, line = '', untilMs, at } = recordOf(value) ?? {};
  const address = addressOf(key);
  if (address === null || typeof poolName !== 'string' || typeof line !== 'string') return null;
  if (typeof untilMs !== 'number' || !isInstant(at)) return null;
  return { address, quarantine: { poolName, line, untilMs: instants.reader(at)(untilMs) } };
}

/** Whether a value of a row is a moment on both clocks. */
export function isInstant(value: unknown): value is Instant {
  const { bootId, bootMs, wallMs } = (value ?? {}) as Partial<Record<keyof Instant, unknown>>;
  return typeof bootId === 'string' && Number.isFinite(bootMs) && Number.isFinite(wallMs);
}

/** Whether a value of a row is a whole profile. */
export function isProfile(value: unknown): value is ServiceProfile {
  const profile = (value ?? {}) as Partial<Record<keyof ServiceProfile, unknown>>;
  return (
    typeof profile.serviceId === 'string' &&
    typeof profile.poolName === 'string' &&
    typeof profile.walled === 'boolean' &&
    typeof profile.downloadBitsPerSecond === 'number' &&
    typeof profile.uploadBitsPerSecond === 'number'
  );
}

function recordOf(value: StoredEntry['value']): Readonly<Record<string, unknown>> | null {
  if (typeof value !== 'string') return null;
  try {
    const row: unknown = JSON.parse(value);
    return typeof row === 'object' && row !== null ? (row as Readonly<Record<string, unknown>>) : null;
  } catch {
    return null;
  }
}

function addressOf(text: string): Ipv4 | null {
  try {
    return parseIpv4(text);
  } catch {
    return null;
  }
}
