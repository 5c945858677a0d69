/**
 * The parts of a session's row: lines, grants, counters as JSON that an operator can read, and back. What goes without saying is
 * left out: a row beyond a quarter of a page of SQLite takes a whole one for itself. Decides nothing.
 */
import type { AccessLine, Attachment } from '../model/access-line.js';
import { accessLine } from '../model/access-line.js';
import { formatIpv4, parseIpv4 } from '../model/ipv4.js';
import { formatMac, parseMac } from '../model/mac.js';
import type { ServiceProfile } from '../model/service-profile.js';
import type { SessionTerms } from '../model/session-terms.js';
import type { TrafficCounters } from '../model/traffic-counters.js';
import { NO_TRAFFIC } from '../model/traffic-counters.js';
import { isProfile } from './kept-rows.js';
import type { Grant } from './machine/types.js';

/** Access interfaces keep their names over a restart, not their indexes. */
export interface PortNames {
  nameOf(ifindex: number): string | null;
  /** Null for an interface that is not there, or no longer ours. */
  indexOf(name: string): number | null;
}

/** In hexadecimal; or where they are in the line's option 82: offset and length. */
type BytesRow = string | readonly [offset: number, length: number];

export interface LineRow {
  readonly port: string;
  readonly sVlan: number;
  readonly cVlan: number;
  readonly mac: string;
  readonly sTpid?: number;
  readonly cTpid?: number;
  readonly circuitId?: BytesRow;
  readonly remoteId?: BytesRow;
  /** The whole option, by which the dataplane knows the client's renewal again. */
  readonly option82?: string;
  readonly isSteered?: true;
  readonly clientId?: string;
}

/** Left out: what a profile without limits has, and a pool of the service's own name. */
type ProfileRow = Pick<ServiceProfile, 'serviceId'> & Partial<ServiceProfile>;

type TermsRow = Partial<Omit<SessionTerms, 'fixedAddress' | 'fixedMac' | 'classes'>> & {
  readonly fixedMac?: string;
  readonly fixedAddress?: string | null;
  readonly classes?: readonly string[];
};

export interface GrantRow {
  readonly profile: ProfileRow;
  readonly poolName?: string;
  readonly address: string;
  readonly leaseSeconds: number;
  readonly isStatic?: true;
  /** Left out where AAA had nothing to say. */
  readonly terms?: TermsRow;
}

/** Packets and bytes upstream, then downstream; until version 2 an object of the same names. */
export type TrafficRow =
  | readonly [string, string, string, string]
  | Readonly<Record<keyof TrafficCounters, string>>;

/** Who a row is about: what names its terms may leave out. */
export interface Named {
  readonly subscriberId: string;
  readonly ontSerial: string | null;
}

export function attachmentRow(
  { ifindex, sVlan, cVlan, mac, sTpid, cTpid }: Attachment,
  ports: PortNames,
): LineRow {
  return {
    port: ports.nameOf(ifindex) ?? `#${ifindex}`,
    sVlan,
    cVlan,
    mac: formatMac(mac),
    ...(sTpid === undefined ? {} : { sTpid }),
    ...(cTpid === undefined ? {} : { cTpid }),
  };
}

export function lineRow(line: AccessLine, ports: PortNames): LineRow {
  const { circuitId, remoteId, option82, isSteered, clientId } = line;
  return {
    ...attachmentRow(line, ports),
    ...(circuitId === undefined ? {} : { circuitId: bytesRow(circuitId, option82) }),
    ...(remoteId === undefined ? {} : { remoteId: bytesRow(remoteId, option82) }),
    ...(option82 === undefined ? {} : { option82: hex(option82) }),
    ...(isSteered === true ? { isSteered } : {}),
    ...(clientId === undefined ? {} : { clientId: hex(clientId) }),
  };
}

export function lineOf(row: LineRow, ports: PortNames): AccessLine {
  const option82 = row.option82 === undefined ? undefined : bytesOf(row.option82);
  return accessLine({
    ifindex: ports.indexOf(row.port) ?? 0,
    sVlan: number(row.sVlan),
    cVlan: number(row.cVlan),
    mac: parseMac(row.mac),
    sTpid: row.sTpid,
    cTpid: row.cTpid,
    clientId: row.clientId === undefined ? undefined : bytesOf(row.clientId),
    option82,
    circuitId: row.circuitId === undefined ? undefined : bytesAt(row.circuitId, option82),
    remoteId: row.remoteId === undefined ? undefined : bytesAt(row.remoteId, option82),
    isSteered: row.isSteered,
  });
}

export function grantRow(
  { profile, poolName, address, leaseSeconds, isStatic, terms }: Grant,
  named: Named,
): GrantRow {
  const said = termsRow(terms, named);
  return {
    profile: profileRow(profile),
    ...(poolName === undefined ? {} : { poolName }),
    address: formatIpv4(address),
    leaseSeconds,
    ...(isStatic === true ? { isStatic } : {}),
    ...(said === null ? {} : { terms: said }),
  };
}

export function grantOf(row: GrantRow, named: Named): Grant {
  const { profile, poolName, address, leaseSeconds, isStatic, terms } = row;
  return {
    profile: profileOf(profile),
    ...(poolName === undefined ? {} : { poolName: text(poolName) }),
    address: parseIpv4(address),
    leaseSeconds: number(leaseSeconds),
    ...(isStatic === true ? { isStatic } : {}),
    terms: termsOf(terms ?? {}, named),
  };
}

export function profileRow(profile: ServiceProfile): ProfileRow {
  const { serviceId, poolName, walled, downloadBitsPerSecond, uploadBitsPerSecond } = profile;
  return {
    serviceId,
    ...(poolName === serviceId ? {} : { poolName }),
    ...(walled ? { walled } : {}),
    ...(downloadBitsPerSecond === 0 ? {} : { downloadBitsPerSecond }),
    ...(uploadBitsPerSecond === 0 ? {} : { uploadBitsPerSecond }),
  };
}

const MOST_SHARED_PROFILES = 1_000;
/** By service: few of one service differ. */
const PROFILES = new Map<string, ServiceProfile[]>();

/** One object for all who have the same profile, as far as there are few of them. */
export function profileOf(row: ProfileRow): ServiceProfile {
  const { serviceId, poolName = serviceId, walled = false } = row;
  const { downloadBitsPerSecond = 0, uploadBitsPerSecond = 0 } = row;
  const known = PROFILES.get(serviceId);
  const same = known?.find(
    (other) =>
      other.poolName === poolName &&
      other.walled === walled &&
      other.downloadBitsPerSecond === downloadBitsPerSecond &&
      other.uploadBitsPerSecond === uploadBitsPerSecond,
  );
  if (same !== undefined) return same;
  const profile = { serviceId, poolName, walled, downloadBitsPerSecond, uploadBitsPerSecond };
  if (!isProfile(profile)) throw new TypeError('expected a profile');
  if (known === undefined && PROFILES.size < MOST_SHARED_PROFILES) PROFILES.set(serviceId, [profile]);
  else if (known !== undefined && known.length < MOST_OF_ONE_SERVICE) known.push(profile);
  return profile;
}

const MOST_OF_ONE_SERVICE = 16;
const NO_CLASSES: readonly Uint8Array[] = [];

/** Null where they are plain. */
function termsRow(terms: SessionTerms, named: Named): TermsRow | null {
  const { userName, fixedAddress, fixedMac, classes } = terms;
  const { sessionTimeoutSeconds, idleTimeoutSeconds, interimIntervalSeconds } = terms;
  const row: TermsRow = {
    ...(userName === plainName(named) ? {} : { userName }),
    ...(fixedAddress === null ? {} : { fixedAddress: formatIpv4(fixedAddress) }),
    ...(fixedMac === undefined ? {} : { fixedMac: formatMac(fixedMac) }),
    ...(sessionTimeoutSeconds === null ? {} : { sessionTimeoutSeconds }),
    ...(idleTimeoutSeconds === null ? {} : { idleTimeoutSeconds }),
    ...(interimIntervalSeconds === null ? {} : { interimIntervalSeconds }),
    ...(classes.length === 0 ? {} : { classes: classes.map(hex) }),
  };
  return Object.keys(row).length === 0 ? null : row;
}

function termsOf(row: TermsRow, named: Named): SessionTerms {
  const { subscriberId, ontSerial } = named;
  const { userName = plainName(named), fixedAddress = null, fixedMac, classes = [] } = row;
  return {
    // The session's own text, of the same letters: there are very many of them.
    userName: userName === subscriberId ? subscriberId : userName === ontSerial ? ontSerial : text(userName),
    ...(fixedMac === undefined ? {} : { fixedMac: parseMac(fixedMac) }),
    fixedAddress: fixedAddress === null ? null : parseIpv4(fixedAddress),
    sessionTimeoutSeconds: row.sessionTimeoutSeconds ?? null,
    idleTimeoutSeconds: row.idleTimeoutSeconds ?? null,
    interimIntervalSeconds: row.interimIntervalSeconds ?? null,
    classes: classes.length === 0 ? NO_CLASSES : classes.map(bytesOf),
  };
}

/** As authenticators name a subscriber, unless they are told otherwise. */
function plainName({ subscriberId, ontSerial }: Named): string {
  return ontSerial ?? subscriberId;
}

export function trafficRow(traffic: TrafficCounters): TrafficRow {
  return [
    traffic.upstreamPackets.toString(),
    traffic.upstreamBytes.toString(),
    traffic.downstreamPackets.toString(),
    traffic.downstreamBytes.toString(),
  ];
}

export function isNoTraffic({ upstreamPackets, downstreamPackets }: TrafficCounters): boolean {
  return upstreamPackets === 0n && downstreamPackets === 0n;
}

export function trafficOf(row: TrafficRow | undefined): TrafficCounters {
  if (row === undefined) return NO_TRAFFIC;
  const [upstreamPackets, upstreamBytes, downstreamPackets, downstreamBytes] = isList(row)
    ? row
    : [row.upstreamPackets, row.upstreamBytes, row.downstreamPackets, row.downstreamBytes];
  if (upstreamPackets === '0' && downstreamPackets === '0') return NO_TRAFFIC;
  return {
    upstreamPackets: BigInt(upstreamPackets),
    upstreamBytes: BigInt(upstreamBytes),
    downstreamPackets: BigInt(downstreamPackets),
    downstreamBytes: BigInt(downstreamBytes),
  };
}

function isList<T extends readonly unknown[]>(row: T | object): row is T {
  return Array.isArray(row);
}

function bytesRow(bytes: Uint8Array, option82: Uint8Array | undefined): BytesRow {
  const offset = option82 === undefined || bytes.length === 0 ? -1 : asBuffer(option82).indexOf(bytes);
  return offset < 0 ? hex(bytes) : [offset, bytes.length];
}

function bytesAt(row: BytesRow, option82: Uint8Array | undefined): Uint8Array {
  if (typeof row === 'string') return bytesOf(row);
  const [offset, length] = row;
  const bytes = option82?.subarray(number(offset), offset + number(length));
  if (bytes?.length !== length) throw new TypeError('expected bytes of option 82');
  return bytes;
}

export function hex(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('hex');
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, 'hex');
}

export function number(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new TypeError('expected a number');
  return value;
}

export function text(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('expected text');
  return value;
}
