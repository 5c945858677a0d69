/**
 * The end of the story with RADIUS: what FreeRADIUS itself wrote down, held against what the subscribers' own equipment did.
 * The BNG is not asked.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { OntHost } from '../ont-host.js';
import type { DetailRecord, RadiusServer } from '../radius-server.js';
import { detailValue } from '../radius-server.js';
import type { Transfers } from './full-lifecycle.js';
import type { Narrator } from './narrator.js';

export interface RadiusBooksOptions {
  readonly server: RadiusServer;
  readonly narrator: Narrator;
  readonly hosts: readonly OntHost[];
  /** What each client moved, by ONT serial. */
  readonly transfers: Transfers;
  readonly signal: AbortSignal;
}

/** For the next interim record of everybody. */
const BOOKS_DEADLINE_MS = 15_000;
const POLL_MS = 200;
const GIGAWORD = 2n ** 32n;

/** Accepts each serial without a word about its pool, so into the garden, with a Class of its own. */
export function demoUsers(serials: readonly string[]): string {
  return serials.map((serial) => `${serial} Auth-Type := Accept\n  Class = ${classOf(serial)}\n`).join('\n');
}

function classOf(serial: string): string {
  return `0x${Buffer.from(`class of ${serial}`).toString('hex')}`;
}

export async function radiusBooks(options: RadiusBooksOptions): Promise<void> {
  const { server, narrator, hosts, transfers, signal } = options;
  const deadline = performance.now() + BOOKS_DEADLINE_MS;
  const isComplete = (): boolean =>
    hosts.every((host) => {
      const account = accountOf(server, host);
      return account.isBilled(transfers) && account.startsAgree;
    });
  while (!isComplete() && performance.now() < deadline) await sleep(POLL_MS, undefined, { signal });

  for (const host of hosts) {
    const account = accountOf(server, host);
    const { starts, leases, down, up } = account;
    narrator.check(
      'RADIUS',
      account.startsAgree,
      `${host.ontSerial} ${leases.length} leases (${leases.join(' ')}), FreeRADIUS logged ${starts.length} Starts (${starts.join(' ')})`,
      { ont: host.ontSerial, leases: leases.length, starts: starts.length },
    );
    const moved = transfers.get(host.ontSerial) ?? { down: 0, up: 0 };
    narrator.check(
      'RADIUS',
      account.isBilled(transfers),
      `${host.ontSerial} moved ${moved.down} B down and ${moved.up} B up, FreeRADIUS logged ${down} B and ${up} B`,
      { ont: host.ontSerial, loggedDown: Number(down), loggedUp: Number(up) },
    );
    narrator.check(
      'RADIUS',
      account.hasClass,
      `${host.ontSerial} its Class came back in each of ${account.records} records`,
      { ont: host.ontSerial, records: account.records },
    );
  }
  const asked = server.accessRequests();
  const serials = new Set(asked.map((record) => detailValue(record, 'User-Name')));
  narrator.check(
    'RADIUS',
    hosts.every(({ ontSerial }) => serials.has(ontSerial)),
    `${asked.length} Access-Requests for ${serials.size} ONTs`,
    { accessRequests: asked.length },
  );
}

interface Account {
  /** Addresses that its equipment had in turn, and those of the Starts; sorted. */
  readonly leases: readonly string[];
  readonly starts: readonly string[];
  readonly startsAgree: boolean;
  readonly down: bigint;
  readonly up: bigint;
  readonly records: number;
  readonly hasClass: boolean;
  readonly isBilled: (transfers: Transfers) => boolean;
}

function accountOf(server: RadiusServer, host: OntHost): Account {
  const records = server.accounting().filter((record) => detailValue(record, 'User-Name') === host.ontSerial);
  const starts = records
    .filter((record) => detailValue(record, 'Acct-Status-Type') === 'Start')
    .map((record) => detailValue(record, 'Framed-IP-Address') ?? 'none')
    .sort();
  const bound = host.leaseEvents.filter(({ event }) => event === 'bound').map(({ address }) => address);
  const leases = bound.filter((address, n) => address !== bound[n - 1]).sort();
  const down = total(records, 'Acct-Output');
  const up = total(records, 'Acct-Input');
  const wanted = classOf(host.ontSerial);
  return {
    leases,
    starts,
    startsAgree: starts.length > 0 && starts.join() === leases.join(),
    down,
    up,
    records: records.length,
    hasClass: records.length > 0 && records.every((record) => detailValue(record, 'Class') === wanted),
    isBilled: (transfers) => {
      const moved = transfers.get(host.ontSerial);
      return moved === undefined || (down >= BigInt(moved.down) && up >= BigInt(moved.up));
    },
  };
}

/** Counters of a session only grow, so its highest is its last; sessions add up. */
function total(records: readonly DetailRecord[], name: 'Acct-Input' | 'Acct-Output'): bigint {
  const highest = new Map<string, bigint>();
  for (const record of records) {
    const id = detailValue(record, 'Acct-Session-Id') ?? '';
    const words = BigInt(detailValue(record, `${name}-Gigawords`) ?? 0);
    const octets = words * GIGAWORD + BigInt(detailValue(record, `${name}-Octets`) ?? 0);
    if (octets > (highest.get(id) ?? 0n)) highest.set(id, octets);
  }
  return [...highest.values()].reduce((sum, octets) => sum + octets, 0n);
}
