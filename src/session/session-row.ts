/**
 * One session as a row of the store: JSON that an operator can read, and back. Addresses and MACs are text, bytes are
 * hexadecimal, counters decimal text, times those of the boot (see Instants). Decides nothing.
 */
import type { AccessLine } from '../model/access-line.js';
import { accessLine, isSameLine } from '../model/access-line.js';
import type { Ipv4 } from '../model/ipv4.js';
import { formatIpv4, parseIpv4 } from '../model/ipv4.js';
import { formatMac, parseMac } from '../model/mac.js';
import type { ServiceProfile } from '../model/service-profile.js';
import type { TrafficCounters } from '../model/traffic-counters.js';
import { NO_TRAFFIC } from '../model/traffic-counters.js';
import type { StoreTable, StoreValue } from '../store/port.js';
import type { Instant, Instants } from './instants.js';
import { isInstant, isProfile } from './kept-rows.js';
import type { SavedUse } from './ledger.js';
import { holding, isServed } from './machine/build.js';
import type { Grant, Held, Lease, Served, Step } from './machine/types.js';
import type { SessionRecord } from './record.js';

/** Rows of version 1 say each line and all counters in full; both are read alike. */
export const SESSION_TABLE: StoreTable = { name: 'session', schemaVersion: 2 };

/** Access interfaces keep their names over a restart, not their indexes. */
export interface PortNames {
  nameOf(ifindex: number): string | null;
  /** Null for an interface that is not there, or no longer ours. */
  indexOf(name: string): number | null;
}

/** A session as it was when its row was written; times are monotonic again. */
export interface SavedSession {
  readonly id: string;
  readonly subscriberId: string;
  readonly ontSerial: string | null;
  readonly line: AccessLine | null;
  readonly circuitId: Uint8Array | null;
  readonly mayHoldLostLease: boolean;
  readonly suspendedFor: string | null;
  readonly createdWallMs: number;
  readonly stateSinceMs: number;
  readonly stateSinceWallMs: number;
  readonly writtenMs: number;
  readonly state: Served;
  /** A removal that was ordered and whose end nobody has seen. */
  readonly step: RemovalStep | null;
  /** The access node may have been given what the session is not. */
  readonly mustReprovision: boolean;
  readonly use: SavedUse | null;
  /** Nobody knows the access interface any more. */
  readonly isPortGone: boolean;
}

export type RemovalStep = Extract<Step, { kind: 'releasing' | 'dropping-held' | 'declining' | 'closing' }>;

interface LineRow {
  readonly port: string;
  readonly sVlan: number;
  readonly cVlan: number;
  readonly mac: string;
  readonly sTpid?: number;
  readonly cTpid?: number;
  readonly circuitId?: string;
  readonly remoteId?: string;
  /** The whole option, by which the dataplane knows the client's renewal again. */
  readonly option82?: string;
  readonly isSteered?: true;
  readonly clientId?: string;
}

/** The line that the session itself was last seen on. */
const SAME_LINE = 'same';
type SameLine = typeof SAME_LINE;

interface GrantRow {
  readonly profile: ServiceProfile;
  readonly poolName?: string;
  readonly address: string;
  readonly leaseSeconds: number;
  readonly terms: Omit<Grant['terms'], 'fixedAddress' | 'classes'> & {
    readonly fixedAddress: string | null;
    readonly classes: readonly string[];
  };
}

interface TrafficRow {
  readonly upstreamPackets: string;
  readonly upstreamBytes: string;
  readonly downstreamPackets: string;
  readonly downstreamBytes: string;
}

interface UseRow {
  readonly accountingId: string;
  readonly startedMs: number;
  readonly startedWallMs: number;
  readonly activeMs: number;
  readonly line: LineRow | SameLine;
  /** Not there when there was none. */
  readonly base?: TrafficRow;
  readonly known?: TrafficRow;
}

interface SessionRow {
  readonly subscriber: string;
  readonly ont: string | null;
  readonly state: Served['name'];
  readonly grant: GrantRow;
  readonly lease: {
    readonly phase: Lease['phase'];
    readonly line?: LineRow | SameLine;
    readonly expiresMs?: number;
  };
  readonly held: { readonly grant: GrantRow; readonly line: LineRow; readonly expiresMs: number } | null;
  readonly resumeTo: ServiceProfile | null;
  readonly suspendedFor: string | null;
  readonly step: ({ readonly kind: RemovalStep['kind'] } & Readonly<Record<string, unknown>>) | null;
  readonly mustReprovision: boolean;
  readonly line: LineRow | null;
  readonly circuitId: string | null;
  readonly mayHoldLostLease: boolean;
  readonly createdWallMs: number;
  readonly stateSinceMs: number;
  readonly stateSinceWallMs: number;
  readonly use: UseRow | null;
  readonly at: Instant;
}

export class SessionRows {
  readonly #instants: Instants;
  readonly #ports: PortNames;

  constructor(instants: Instants, ports: PortNames) {
    this.#instants = instants;
    this.#ports = ports;
  }

  /** Null for a session that nothing has been promised yet: it has no grant, or nobody has been told of it. */
  encode(record: SessionRecord, use: SavedUse | null, at: Instant): string | null {
    const { state, step } = record.session;
    if (!isServed(state) || (step?.kind === 'provisioning' && !record.hasRow)) return null;
    const { lease, held } = state;
    const { line } = record;
    const seenOn = (other: AccessLine): LineRow | SameLine =>
      line !== null && (other === line || isSameLine(other, line)) ? SAME_LINE : this.#lineRow(other);
    const row: SessionRow = {
      subscriber: record.identity.subscriberId,
      ont: record.identity.ontSerial,
      state: state.name,
      grant: grantRow(state.grant),
      lease:
        lease.phase === 'none'
          ? { phase: 'none' }
          : lease.phase === 'offered'
            ? { phase: 'offered', line: seenOn(lease.attachment) }
            : {
                phase: 'bound',
                line: seenOn(lease.attachment),
                expiresMs: this.#instants.toBootMs(lease.expiresAtMs),
              },
      held:
        held === null
          ? null
          : {
              grant: grantRow(held.grant),
              line: this.#lineRow(held.attachment),
              expiresMs: this.#instants.toBootMs(held.expiresAtMs),
            },
      resumeTo: state.resumeTo,
      suspendedFor: record.suspendedFor,
      step: stepRow(step),
      mustReprovision:
        record.mustReprovision ||
        step?.kind === 'provisioning' ||
        step?.kind === 'reconfiguring' ||
        step?.kind === 'opening',
      line: line === null ? null : this.#lineRow(line),
      circuitId: record.circuitId === null ? null : hex(record.circuitId),
      mayHoldLostLease: record.mayHoldLostLease,
      createdWallMs: Math.round(record.createdWallMs),
      stateSinceMs: this.#instants.toBootMs(record.stateSinceMs),
      stateSinceWallMs: Math.round(record.stateSinceWallMs),
      use:
        use === null
          ? null
          : {
              accountingId: use.accountingId,
              startedMs: this.#instants.toBootMs(use.startedMs),
              startedWallMs: Math.round(use.startedWallMs),
              activeMs: this.#instants.toBootMs(use.activeMs),
              line: seenOn(use.line),
              ...(isNoTraffic(use.base) ? {} : { base: trafficRow(use.base) }),
              ...(isNoTraffic(use.known) ? {} : { known: trafficRow(use.known) }),
            },
      at,
    };
    return JSON.stringify(row);
  }

  /** Null for what is no session of ours: under its checksum only what another hand has put there. */
  decode(id: string, value: StoreValue): SavedSession | null {
    if (typeof value !== 'string') return null;
    try {
      return this.#decode(id, JSON.parse(value) as SessionRow);
    } catch {
      return null;
    }
  }

  #decode(id: string, row: SessionRow): SavedSession {
    if (!isInstant(row.at)) throw new TypeError('expected a moment on both clocks');
    const time = this.#instants.reader(row.at);
    const subscriberId = text(row.subscriber);
    const line = row.line === null ? null : this.#lineOf(row.line);
    // One object for all that say the same: there are very many of them.
    const lineOf = (other: LineRow | SameLine): AccessLine => {
      const made = other === SAME_LINE ? line : this.#lineOf(other);
      if (made === null) throw new TypeError('expected a line');
      return line !== null && isSameLine(made, line) ? line : made;
    };
    const isGone = (other: LineRow | SameLine | undefined): boolean => {
      const port = other === SAME_LINE ? row.line?.port : other?.port;
      return port !== undefined && this.#ports.indexOf(port) === null;
    };
    const isPortGone = isGone(row.lease.line) || isGone(row.held?.line) || isGone(row.use?.line);
    const held: Held | null =
      row.held === null
        ? null
        : {
            grant: grantOf(row.held.grant, subscriberId, row.ont),
            attachment: lineOf(row.held.line),
            expiresAtMs: time(number(row.held.expiresMs)),
          };
    const grant = grantOf(row.grant, subscriberId, row.ont);
    const lease = leaseOf(row.lease, lineOf, time);
    const state: Served = { name: row.state, grant, lease, held, resumeTo: row.resumeTo };
    if (!STATES.has(row.state)) throw new TypeError('expected a state with a grant');
    return {
      id,
      subscriberId,
      ontSerial: row.ont,
      line,
      circuitId: row.circuitId === null ? null : sameBytes(bytesOf(row.circuitId), line?.circuitId),
      mayHoldLostLease: row.mayHoldLostLease,
      suspendedFor: row.suspendedFor,
      createdWallMs: number(row.createdWallMs),
      stateSinceMs: time(number(row.stateSinceMs)),
      stateSinceWallMs: number(row.stateSinceWallMs),
      writtenMs: time(number(row.at.bootMs)),
      state,
      step: stepOf(row.step, state),
      mustReprovision: row.mustReprovision,
      use: row.use === null ? null : useOf(row.use, lineOf(row.use.line), time),
      isPortGone,
    };
  }

  #lineRow(line: AccessLine): LineRow {
    return {
      port: this.#ports.nameOf(line.ifindex) ?? `#${line.ifindex}`,
      sVlan: line.sVlan,
      cVlan: line.cVlan,
      mac: formatMac(line.mac),
      ...(line.sTpid === undefined ? {} : { sTpid: line.sTpid }),
      ...(line.cTpid === undefined ? {} : { cTpid: line.cTpid }),
      ...(line.circuitId === undefined ? {} : { circuitId: hex(line.circuitId) }),
      ...(line.remoteId === undefined ? {} : { remoteId: hex(line.remoteId) }),
      ...(line.option82 === undefined ? {} : { option82: hex(line.option82) }),
      ...(line.isSteered === true ? { isSteered: true } : {}),
      ...(line.clientId === undefined ? {} : { clientId: hex(line.clientId) }),
    };
  }

  #lineOf(row: LineRow): AccessLine {
    return accessLine({
      ifindex: this.#ports.indexOf(row.port) ?? 0,
      sVlan: number(row.sVlan),
      cVlan: number(row.cVlan),
      mac: parseMac(row.mac),
      sTpid: row.sTpid,
      cTpid: row.cTpid,
      clientId: row.clientId === undefined ? undefined : bytesOf(row.clientId),
      option82: row.option82 === undefined ? undefined : bytesOf(row.option82),
      circuitId: row.circuitId === undefined ? undefined : bytesOf(row.circuitId),
      remoteId: row.remoteId === undefined ? undefined : bytesOf(row.remoteId),
      isSteered: row.isSteered,
    });
  }
}

function leaseOf(
  row: SessionRow['lease'],
  lineOf: (row: LineRow | SameLine) => AccessLine,
  time: (bootMs: number) => number,
): Lease {
  if (row.phase === 'none' || row.line === undefined) return { phase: 'none' };
  const attachment = lineOf(row.line);
  if (row.phase === 'offered') return { phase: 'offered', attachment };
  return { phase: 'bound', attachment, expiresAtMs: time(number(row.expiresMs)) };
}

function useOf(row: UseRow, line: AccessLine, time: (bootMs: number) => number): SavedUse {
  return {
    accountingId: text(row.accountingId),
    startedMs: time(number(row.startedMs)),
    startedWallMs: number(row.startedWallMs),
    activeMs: time(number(row.activeMs)),
    line,
    base: trafficOf(row.base),
    known: trafficOf(row.known),
  };
}

const MOST_SHARED_PROFILES = 1_000;
const PROFILES = new Map<string, ServiceProfile>();
const NO_CLASSES: readonly Uint8Array[] = [];
const STATES: ReadonlySet<string> = new Set(['wgar', 'activating', 'active', 'suspended']);

/** Only removals: of every other step the session is what it was before, see restore.ts. */
function stepRow(step: Step | null): SessionRow['step'] {
  switch (step?.kind) {
    // Whoever asked has heard nothing and asks again; until then there is nobody to move.
    case 'moving':
      return { kind: 'dropping-held', cause: 'NAS-Request' };
    case 'releasing':
      return { kind: 'releasing' };
    case 'dropping-held':
      return { kind: 'dropping-held', cause: step.cause };
    case 'declining':
      return { kind: 'declining' };
    case 'closing':
      return { kind: 'closing', cause: step.cause, ordered: step.ordered };
    default:
      return null;
  }
}

function stepOf(row: SessionRow['step'], state: Served): RemovalStep | null {
  if (row === null) return null;
  const cause = row['cause'] as Extract<RemovalStep, { kind: 'closing' }>['cause'];
  switch (row.kind) {
    case 'releasing':
      return { kind: 'releasing' };
    case 'dropping-held':
      return { kind: 'dropping-held', cause };
    case 'declining':
      return { kind: 'declining', quarantine: state.grant };
    case 'closing':
      return { kind: 'closing', cause, ordered: row['ordered'] === true };
  }
}

/** The address that a removal is about; null when nothing was installed. */
export function removedAddress(state: Served, step: RemovalStep): Ipv4 | null {
  if (step.kind === 'declining') return state.grant.address;
  return holding(state)?.grant.address ?? null;
}

function grantRow({ profile, poolName, address, leaseSeconds, terms }: Grant): GrantRow {
  const { fixedAddress, classes, ...plain } = terms;
  return {
    profile,
    ...(poolName === undefined ? {} : { poolName }),
    address: formatIpv4(address),
    leaseSeconds,
    terms: {
      ...plain,
      fixedAddress: fixedAddress === null ? null : formatIpv4(fixedAddress),
      classes: classes.map(hex),
    },
  };
}

function grantOf(row: GrantRow, subscriberId: string, ontSerial: string | null): Grant {
  const { profile, poolName, address, leaseSeconds, terms } = row;
  if (!isProfile(profile)) throw new TypeError('expected a profile');
  const { userName } = terms;
  return {
    profile: sharedProfile(profile),
    ...(poolName === undefined ? {} : { poolName: text(poolName) }),
    address: parseIpv4(address),
    leaseSeconds: number(leaseSeconds),
    terms: {
      userName: userName === subscriberId ? subscriberId : userName === ontSerial ? ontSerial : userName,
      fixedAddress: terms.fixedAddress === null ? null : parseIpv4(terms.fixedAddress),
      sessionTimeoutSeconds: terms.sessionTimeoutSeconds,
      idleTimeoutSeconds: terms.idleTimeoutSeconds,
      interimIntervalSeconds: terms.interimIntervalSeconds,
      classes: terms.classes.length === 0 ? NO_CLASSES : terms.classes.map(bytesOf),
    },
  };
}

/** One object for all who have the same profile, as far as there are few of them. */
function sharedProfile(profile: ServiceProfile): ServiceProfile {
  const key = JSON.stringify(profile);
  const known = PROFILES.get(key);
  if (known !== undefined) return known;
  if (PROFILES.size < MOST_SHARED_PROFILES) PROFILES.set(key, profile);
  return profile;
}

function trafficRow(traffic: TrafficCounters): TrafficRow {
  return {
    upstreamPackets: traffic.upstreamPackets.toString(),
    upstreamBytes: traffic.upstreamBytes.toString(),
    downstreamPackets: traffic.downstreamPackets.toString(),
    downstreamBytes: traffic.downstreamBytes.toString(),
  };
}

function isNoTraffic({ upstreamPackets, downstreamPackets }: TrafficCounters): boolean {
  return upstreamPackets === 0n && downstreamPackets === 0n;
}

function trafficOf(row: TrafficRow | undefined): TrafficCounters {
  if (row === undefined || (row.upstreamPackets === '0' && row.downstreamPackets === '0')) return NO_TRAFFIC;
  return {
    upstreamPackets: BigInt(row.upstreamPackets),
    upstreamBytes: BigInt(row.upstreamBytes),
    downstreamPackets: BigInt(row.downstreamPackets),
    downstreamBytes: BigInt(row.downstreamBytes),
  };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, 'hex');
}

/** The bytes that are there already, when they are the same. */
function sameBytes(bytes: Uint8Array, there: Uint8Array | undefined): Uint8Array {
  return there !== undefined && Buffer.compare(bytes, there) === 0 ? there : bytes;
}

function number(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new TypeError('expected a number');
  return value;
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('expected text');
  return value;
}
