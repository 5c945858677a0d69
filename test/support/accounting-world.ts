/** What accounting tests share: sessions, a real store in a folder of its own, and a server's view of what arrived. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { AccountingSession } from '../../src/aaa/port.js';
import { ACCOUNTING_TABLES } from '../../src/aaa/radius-accounting.js';
import type { RadiusNas } from '../../src/aaa/radius-nas-attributes.js';
import { parseIpv4 } from '../../src/model/ipv4.js';
import { parseMac } from '../../src/model/mac.js';
import { plainTerms } from '../../src/model/session-terms.js';
import { SqliteStore } from '../../src/store/sqlite-store.js';
import type { PeerRequest } from './radius-peer.js';
import { attributeOf } from './radius-peer.js';

export const NAS: RadiusNas = {
  identifier: 'bng-1',
  address: parseIpv4('192.0.2.1'),
  interfaceName: () => 'access0',
  soleInterface: 'access0',
};

export function accountingSession(accountingId: string, startedWallMs: number): AccountingSession {
  return {
    accountingId,
    multiSessionId: `multi-${accountingId}`,
    subscriberId: `ont:${accountingId}`,
    ontSerial: accountingId,
    line: {
      ifindex: 3,
      sVlan: 100,
      cVlan: 7,
      mac: parseMac('02:00:00:aa:bb:0c'),
      circuitId: Buffer.from('agg-01|1/1/1'),
      remoteId: Uint8Array.of(0, 255),
    },
    address: parseIpv4('10.0.0.7'),
    profile: {
      serviceId: 'gold',
      poolName: 'isp',
      walled: false,
      downloadBitsPerSecond: 0,
      uploadBitsPerSecond: 0,
    },
    terms: { ...plainTerms(accountingId), classes: [Uint8Array.of(1, 0, 255), Uint8Array.of(7)] },
    startedWallMs,
  };
}

export function traffic(bytes: bigint): {
  readonly upstreamPackets: bigint;
  readonly upstreamBytes: bigint;
  readonly downstreamPackets: bigint;
  readonly downstreamBytes: bigint;
} {
  return {
    upstreamPackets: bytes / 100n,
    upstreamBytes: bytes,
    downstreamPackets: bytes / 50n,
    downstreamBytes: bytes * 2n,
  };
}

/** Where nobody waits for a disk: for tests that open hundreds of stores and lose processes, not power. */
export function memoryFolder(t: Pick<TestContext, 'after'>): string {
  return temporaryFolder(t, existsSync('/dev/shm') ? '/dev/shm' : tmpdir());
}

export function temporaryFolder(t: Pick<TestContext, 'after'>, under = tmpdir()): string {
  const path = mkdtempSync(join(under, 'bng-acct-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export async function openStore(path: string): Promise<SqliteStore> {
  const opened = await SqliteStore.open({ path, tables: ACCOUNTING_TABLES, wallMs: Date.now() });
  assert.ok(opened.ok, opened.ok ? '' : opened.failure.reason);
  return opened.value;
}

export const STATUS_NAMES = new Map([
  [1, 'Start'],
  [2, 'Stop'],
  [3, 'Interim-Update'],
  [7, 'Accounting-On'],
  [8, 'Accounting-Off'],
]);

/** A record as a server sees it. `same` is equal for repetitions of one record: everything but Acct-Delay-Time. */
export interface ArrivedRecord {
  readonly sessionId: string;
  readonly status: string;
  readonly cause: number | null;
  readonly inputOctets: bigint;
  readonly delaySeconds: number;
  readonly same: string;
}

export function arrived(request: PeerRequest): ArrivedRecord {
  const u32 = (type: number): number | null => attributeOf(request, type)?.readUInt32BE() ?? null;
  return {
    sessionId: String(attributeOf(request, 44)),
    status: STATUS_NAMES.get(u32(40) ?? 0) ?? 'unknown',
    cause: u32(49),
    inputOctets: (BigInt(u32(52) ?? 0) << 32n) | BigInt(u32(42) ?? 0),
    delaySeconds: u32(41) ?? -1,
    same: request.attributes
      .filter(([type]) => type !== 41)
      .map(([type, value]) => `${type}=${value.toString('hex')}`)
      .join(' '),
  };
}

/** Waits until `holds`, at most `deadlineMs`. */
export async function until(holds: () => boolean, deadlineMs: number, what: string): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!holds()) {
    assert.ok(performance.now() < end, `expected within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
