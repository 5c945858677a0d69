/**
 * One session as a row of the store: JSON that an operator can read, and back. Addresses and MACs are text, bytes are
 * hexadecimal, counters decimal text, times those of the boot (see Instants). Decides nothing.
 */
import type { AccessLine, Attachment } from '../model/access-line.js';
import type { Ipv4 } from '../model/ipv4.js';
import { formatIpv4, parseIpv4 } from '../model/ipv4.js';
import { formatMac, parseMac } from '../model/mac.js';
import type { ServiceProfile } from '../model/service-profile.js';
import type { TrafficCounters } from '../model/traffic-counters.js';
import type { StoreTable, StoreValue } from '../store/port.js';
import type { Instant, Instants } from './instants.js';
import { isInstant, isProfile } from './kept-rows.js';
import type { SavedUse } from './ledger.js';
import { holding, isServed } from './machine/build.js';
import type { Grant, Held, Lease, Served, Step } from './machine/types.js';
import type { SessionRecord } from './record.js';

export const SESSION_TABLE: StoreTable = { name: 'session', schemaVersion: 1 };

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
  readonly line: LineRow;
  readonly base: TrafficRow;
  readonly known: TrafficRow;
}

interface SessionRow {
  readonly subscriber: string;
  readonly ont: string | null;
  readonly state: Served['name'];
  readonly grant: GrantRow;
  readonly lease: { readonly phase: Lease['phase']; readonly line?: LineRow; readonly expiresMs?: number };
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
    const row: SessionRow = {
      subscriber: record.identity.subscriberId,
      ont: record.identity.ontSerial,
      state: state.name,
      grant: grantRow(state.grant),
      lease:
        lease.phase === 'none'
          ? { phase: 'none' }
          : lease.phase === 'offered'
            ? { phase: 'offered', line: this.#lineRow(lease.attachment) }
            : {
                phase: 'bound',
                line: this.#lineRow(lease.attachment),
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
      line: record.line === null ? null : this.#lineRow(record.line),
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
              line: this.#lineRow(use.line),
              base: trafficRow(use.base),
              known: trafficRow(use.known),
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
    const isPortGone = [row.lease.line, row.held?.line, row.use?.line].some(
      (line) => line !== undefined && this.#ports.indexOf(line.port) === null,
    );
    const held: Held | null =
      row.held === null
        ? null
        : {
            grant: grantOf(row.held.grant),
            attachment: this.#attachmentOf(row.held.line),
            expiresAtMs: time(number(row.held.expiresMs)),
          };
    const grant = grantOf(row.grant);
    const lease = this.#leaseOf(row.lease, time);
    const state: Served = { name: row.state, grant, lease, held, resumeTo: row.resumeTo };
    if (!STATES.has(row.state)) throw new TypeError('expected a state with a grant');
    return {
      id,
      subscriberId: text(row.subscriber),
      ontSerial: row.ont,
      line: row.line === null ? null : this.#lineOf(row.line),
      circuitId: row.circuitId === null ? null : bytesOf(row.circuitId),
      mayHoldLostLease: row.mayHoldLostLease,
      suspendedFor: row.suspendedFor,
      createdWallMs: number(row.createdWallMs),
      stateSinceMs: time(number(row.stateSinceMs)),
      stateSinceWallMs: number(row.stateSinceWallMs),
      writtenMs: time(number(row.at.bootMs)),
      state,
      step: stepOf(row.step, state),
      mustReprovision: row.mustReprovision,
      use: row.use === null ? null : this.#useOf(row.use, time),
      isPortGone,
    };
  }

  #leaseOf(row: SessionRow['lease'], time: (bootMs: number) => number): Lease {
    if (row.phase === 'none' || row.line === undefined) return { phase: 'none' };
    const attachment = this.#attachmentOf(row.line);
    if (row.phase === 'offered') return { phase: 'offered', attachment };
    return { phase: 'bound', attachment, expiresAtMs: time(number(row.expiresMs)) };
  }

  #useOf(row: UseRow, time: (bootMs: number) => number): SavedUse {
    return {
      accountingId: text(row.accountingId),
      startedMs: time(number(row.startedMs)),
      startedWallMs: number(row.startedWallMs),
      activeMs: time(number(row.activeMs)),
      line: this.#lineOf(row.line),
      base: trafficOf(row.base),
      known: trafficOf(row.known),
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

  #attachmentOf(row: LineRow): Attachment {
    return {
      ifindex: this.#ports.indexOf(row.port) ?? 0,
      sVlan: number(row.sVlan),
      cVlan: number(row.cVlan),
      mac: parseMac(row.mac),
      ...(row.sTpid === undefined ? {} : { sTpid: row.sTpid }),
      ...(row.cTpid === undefined ? {} : { cTpid: row.cTpid }),
    };
  }

  #lineOf(row: LineRow): AccessLine {
    return {
      ...this.#attachmentOf(row),
      ...(row.circuitId === undefined ? {} : { circuitId: bytesOf(row.circuitId) }),
      ...(row.remoteId === undefined ? {} : { remoteId: bytesOf(row.remoteId) }),
      ...(row.option82 === undefined ? {} : { option82: bytesOf(row.option82) }),
      ...(row.isSteered === true ? { isSteered: true } : {}),
      ...(row.clientId === undefined ? {} : { clientId: bytesOf(row.clientId) }),
    };
  }
}

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

function grantOf({ profile, poolName, address, leaseSeconds, terms }: GrantRow): Grant {
  if (!isProfile(profile)) throw new TypeError('expected a profile');
  return {
    profile,
    ...(poolName === undefined ? {} : { poolName: text(poolName) }),
    address: parseIpv4(address),
    leaseSeconds: number(leaseSeconds),
    terms: {
      ...terms,
      fixedAddress: terms.fixedAddress === null ? null : parseIpv4(terms.fixedAddress),
      classes: terms.classes.map(bytesOf),
    },
  };
}

function trafficRow(traffic: TrafficCounters): TrafficRow {
  return {
    upstreamPackets: traffic.upstreamPackets.toString(),
    upstreamBytes: traffic.upstreamBytes.toString(),
    downstreamPackets: traffic.downstreamPackets.toString(),
    downstreamBytes: traffic.downstreamBytes.toString(),
  };
}

function trafficOf(row: TrafficRow): TrafficCounters {
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

function number(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new TypeError('expected a number');
  return value;
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('expected text');
  return value;
}
