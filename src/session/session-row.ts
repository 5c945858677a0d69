/**
 * One session as a row of the store: JSON that an operator can read, and back. Addresses and MACs are text, bytes are
 * hexadecimal, counters decimal text, times those of the boot (see Instants). What is null, false or said elsewhere in the row is
 * left out. Decides nothing.
 */
import type { AccessLine } from '../model/access-line.js';
import { isSameLine } from '../model/access-line.js';
import type { Ipv4 } from '../model/ipv4.js';
import type { StoreTable, StoreValue } from '../store/port.js';
import type { Instant, Instants } from './instants.js';
import { isInstant } from './kept-rows.js';
import type { SavedUse } from './ledger.js';
import { holding, isServed } from './machine/build.js';
import type { Lease, Served, Step } from './machine/types.js';
import type { SessionRecord } from './record.js';
import type { GrantRow, LineRow, Named, PortNames, TrafficRow } from './row-parts.js';
import {
  attachmentRow,
  bytesOf,
  grantOf,
  grantRow,
  hex,
  isNoTraffic,
  lineOf,
  lineRow,
  number,
  profileOf,
  profileRow,
  text,
  trafficOf,
  trafficRow,
} from './row-parts.js';

/**
 * Rows of version 1 say each line and all counters in full, those of version 2 what is null or false, too; all are read alike.
 */
export const SESSION_TABLE: StoreTable = { name: 'session', schemaVersion: 3 };

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

/** The line that the session itself was last seen on; left out, the same. */
const SAME_LINE = 'same';
type OtherLine = LineRow | typeof SAME_LINE | undefined;

interface UseRow {
  readonly accountingId: string;
  readonly startedMs: number;
  readonly startedWallMs: number;
  /** Left out where it is the start. */
  readonly activeMs?: number;
  readonly line?: OtherLine;
  /** Not there when there was none. */
  readonly base?: TrafficRow;
  readonly known?: TrafficRow;
}

interface SessionRow {
  readonly subscriber: string;
  readonly ont?: string | null;
  readonly state: Served['name'];
  readonly grant: GrantRow;
  /** Without `expiresMs` a bound lease has no end: a static subscriber's. */
  readonly lease: { readonly phase: Lease['phase']; readonly line?: OtherLine; readonly expiresMs?: number };
  readonly held?: { readonly grant: GrantRow; readonly line: LineRow; readonly expiresMs: number } | null;
  readonly resumeTo?: GrantRow['profile'] | null;
  readonly suspendedFor?: string | null;
  readonly step?: ({ readonly kind: RemovalStep['kind'] } & Readonly<Record<string, unknown>>) | null;
  readonly mustReprovision?: boolean;
  readonly line?: LineRow | null;
  /** Left out, that of the line. */
  readonly circuitId?: string | null;
  readonly mayHoldLostLease?: boolean;
  readonly createdWallMs: number;
  readonly stateSinceMs: number;
  readonly stateSinceWallMs: number;
  readonly use?: UseRow | null;
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
    const { identity, line, circuitId } = record;
    const { held, resumeTo } = state;
    const removal = stepRow(step);
    const mustReprovision =
      record.mustReprovision ||
      step?.kind === 'provisioning' ||
      step?.kind === 'reconfiguring' ||
      step?.kind === 'opening';
    const row: SessionRow = {
      subscriber: identity.subscriberId,
      ...(identity.ontSerial === null ? {} : { ont: identity.ontSerial }),
      state: state.name,
      grant: grantRow(state.grant, identity),
      lease: this.#leaseRow(state.lease, line),
      ...(held === null
        ? {}
        : {
            held: {
              grant: grantRow(held.grant, identity),
              line: attachmentRow(held.attachment, this.#ports),
              expiresMs: this.#instants.toBootMs(held.expiresAtMs),
            },
          }),
      ...(resumeTo === null ? {} : { resumeTo: profileRow(resumeTo) }),
      ...(record.suspendedFor === null ? {} : { suspendedFor: record.suspendedFor }),
      ...(removal === null ? {} : { step: removal }),
      ...(mustReprovision ? { mustReprovision } : {}),
      ...(line === null ? {} : { line: lineRow(line, this.#ports) }),
      ...(isSameBytes(circuitId, line?.circuitId ?? null)
        ? {}
        : { circuitId: circuitId === null ? null : hex(circuitId) }),
      ...(record.mayHoldLostLease ? { mayHoldLostLease: true } : {}),
      createdWallMs: Math.round(record.createdWallMs),
      stateSinceMs: this.#instants.toBootMs(record.stateSinceMs),
      stateSinceWallMs: Math.round(record.stateSinceWallMs),
      ...(use === null ? {} : { use: this.#useRow(use, line) }),
      at,
    };
    return JSON.stringify(row);
  }

  #leaseRow(lease: Lease, line: AccessLine | null): SessionRow['lease'] {
    if (lease.phase === 'none') return { phase: 'none' };
    const at = this.#otherLine(lease.attachment, line);
    if (lease.phase === 'offered' || lease.expiresAtMs === Infinity) return { phase: lease.phase, ...at };
    return { phase: 'bound', ...at, expiresMs: this.#instants.toBootMs(lease.expiresAtMs) };
  }

  #useRow(use: SavedUse, line: AccessLine | null): UseRow {
    const { accountingId, startedMs, startedWallMs, activeMs, base, known } = use;
    return {
      accountingId,
      startedMs: this.#instants.toBootMs(startedMs),
      startedWallMs: Math.round(startedWallMs),
      ...(activeMs === startedMs ? {} : { activeMs: this.#instants.toBootMs(activeMs) }),
      ...this.#otherLine(use.line, line),
      ...(isNoTraffic(base) ? {} : { base: trafficRow(base) }),
      ...(isNoTraffic(known) ? {} : { known: trafficRow(known) }),
    };
  }

  #otherLine(other: AccessLine, line: AccessLine | null): { readonly line?: LineRow } {
    const isSame = line !== null && (other === line || isSameLine(other, line));
    return isSame ? {} : { line: lineRow(other, this.#ports) };
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
    if (!STATES.has(row.state)) throw new TypeError('expected a state with a grant');
    const time = this.#instants.reader(row.at);
    const named: Named = { subscriberId: text(row.subscriber), ontSerial: row.ont ?? null };
    const line = row.line === null || row.line === undefined ? null : lineOf(row.line, this.#ports);
    // One object for all that say the same: there are very many of them.
    const other = (said: OtherLine): AccessLine => {
      const made = said === undefined || said === SAME_LINE ? line : lineOf(said, this.#ports);
      if (made === null) throw new TypeError('expected a line');
      return line !== null && isSameLine(made, line) ? line : made;
    };
    const grant = grantOf(row.grant, named);
    const held = row.held ?? null;
    const use = row.use ?? null;
    const state: Served = {
      name: row.state,
      grant,
      lease: leaseOf(row.lease, { other, time, isStatic: grant.isStatic === true }),
      held:
        held === null
          ? null
          : {
              grant: grantOf(held.grant, named),
              attachment: other(held.line),
              expiresAtMs: time(number(held.expiresMs)),
            },
      resumeTo: row.resumeTo === null || row.resumeTo === undefined ? null : profileOf(row.resumeTo),
    };
    return {
      id,
      ...named,
      line,
      circuitId: circuitIdOf(row.circuitId, line),
      mayHoldLostLease: row.mayHoldLostLease ?? false,
      suspendedFor: row.suspendedFor ?? null,
      createdWallMs: number(row.createdWallMs),
      stateSinceMs: time(number(row.stateSinceMs)),
      stateSinceWallMs: number(row.stateSinceWallMs),
      writtenMs: time(number(row.at.bootMs)),
      state,
      step: stepOf(row.step ?? null, state),
      mustReprovision: row.mustReprovision ?? false,
      use: use === null ? null : useOf(use, other(use.line), time),
      isPortGone: this.#isPortGone(row),
    };
  }

  #isPortGone({ line, lease, held, use }: SessionRow): boolean {
    const isGone = (other: OtherLine | null): boolean => {
      const said = other === undefined || other === SAME_LINE ? line : other;
      return said !== null && said !== undefined && this.#ports.indexOf(said.port) === null;
    };
    return (
      (lease.phase !== 'none' && isGone(lease.line)) ||
      (held !== null && held !== undefined && isGone(held.line)) ||
      (use !== null && use !== undefined && isGone(use.line))
    );
  }
}

interface LeaseReader {
  readonly other: (said: OtherLine) => AccessLine;
  readonly time: (bootMs: number) => number;
  readonly isStatic: boolean;
}

function leaseOf({ phase, line, expiresMs }: SessionRow['lease'], read: LeaseReader): Lease {
  if (phase === 'none') return { phase };
  const attachment = read.other(line);
  if (phase === 'offered') return { phase, attachment };
  const isEndless = read.isStatic && expiresMs === undefined;
  return { phase: 'bound', attachment, expiresAtMs: isEndless ? Infinity : read.time(number(expiresMs)) };
}

function useOf(row: UseRow, line: AccessLine, time: (bootMs: number) => number): SavedUse {
  return {
    accountingId: text(row.accountingId),
    startedMs: time(number(row.startedMs)),
    startedWallMs: number(row.startedWallMs),
    activeMs: time(number(row.activeMs ?? row.startedMs)),
    line,
    base: trafficOf(row.base),
    known: trafficOf(row.known),
  };
}

/** The bytes that are there already, when they are the same. */
function circuitIdOf(said: SessionRow['circuitId'], line: AccessLine | null): Uint8Array | null {
  const there = line?.circuitId ?? null;
  if (said === undefined || said === null) return said === undefined ? there : null;
  const bytes = bytesOf(said);
  return isSameBytes(bytes, there) ? there : bytes;
}

function isSameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === b || (a !== null && b !== null && Buffer.compare(a, b) === 0);
}

const STATES: ReadonlySet<string> = new Set(['wgar', 'activating', 'active', 'suspended']);

/** Only removals: of every other step the session is what it was before, see restore.ts. */
function stepRow(step: Step | null): NonNullable<SessionRow['step']> | null {
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

function stepOf(row: SessionRow['step'] | null, state: Served): RemovalStep | null {
  if (row === null || row === undefined) return null;
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
