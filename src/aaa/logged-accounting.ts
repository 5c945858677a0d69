/**
 * Accounting as one record per start, interim and stop, for a log. Field names are those of the RADIUS attributes that carry
 * the same, so that whoever reads the log knows them; nothing here speaks RADIUS.
 */
import { attachmentKey } from '../model/access-line.js';
import { formatIpv4 } from '../model/ipv4.js';
import { formatMac } from '../model/mac.js';
import type { Accounting, AccountingSession, AccountingUsage } from './port.js';

/** A record as it is written: text and numbers only, so that any JSON writer takes it. */
export type AccountingRecord = Readonly<Record<string, string | number>>;

export type AccountingFinal = Parameters<Accounting['stop']>[1];

/** Hands each record to `write`; a record is written once and never changed. */
export class LoggedAccounting implements Accounting {
  readonly interimIntervalSeconds: number;
  readonly #write: (record: AccountingRecord) => void;

  constructor(options: {
    readonly write: (record: AccountingRecord) => void;
    readonly interimIntervalSeconds: number;
  }) {
    this.interimIntervalSeconds = options.interimIntervalSeconds;
    this.#write = options.write;
  }

  start(session: AccountingSession): void {
    this.#write({ 'Acct-Status-Type': 'Start', ...attributesOf(session, session.startedWallMs) });
  }

  interim(session: AccountingSession, usage: AccountingUsage): void {
    this.#write({ 'Acct-Status-Type': 'Interim-Update', ...usageOf(session, usage) });
  }

  stop(session: AccountingSession, final: AccountingFinal): void {
    this.#write({
      'Acct-Status-Type': 'Stop',
      ...usageOf(session, final),
      'Acct-Terminate-Cause': final.cause,
    });
  }
}

/**
 * Input is what the NAS receives from the subscriber: upstream (RFC 2866 §5.3). Octets are whole 64-bit numbers as
 * decimal text: the split into Gigawords (RFC 2869 §5.1) belongs to the 32-bit wire, and a JSON number is exact to 2^53
 * only.
 */
function usageOf(session: AccountingSession, { traffic, durationMs }: AccountingUsage): AccountingRecord {
  return {
    ...attributesOf(session, session.startedWallMs + durationMs),
    'Acct-Session-Time': Math.floor(durationMs / 1000),
    'Acct-Input-Octets': traffic.upstreamBytes.toString(),
    'Acct-Output-Octets': traffic.downstreamBytes.toString(),
    'Acct-Input-Packets': traffic.upstreamPackets.toString(),
    'Acct-Output-Packets': traffic.downstreamPackets.toString(),
  };
}

/** What start and stop have in common. `atWallMs` is when it happened, in ms since 1970. */
function attributesOf(session: AccountingSession, atWallMs: number): AccountingRecord {
  const { line, profile } = session;
  return {
    'Acct-Session-Id': session.accountingId,
    'Acct-Multi-Session-Id': session.multiSessionId,
    // Seconds since 1970 (RFC 2869 §5.3).
    'Event-Timestamp': Math.floor(atWallMs / 1000),
    'User-Name': session.terms.userName,
    'Framed-IP-Address': formatIpv4(session.address),
    // Upper case with dashes, as RFC 3580 §3.21 has it.
    'Calling-Station-Id': formatMac(line.mac).toUpperCase().replaceAll(':', '-'),
    'NAS-Port-Id': attachmentKey(line),
    'Framed-Pool': profile.poolName,
    'Bng-Service-Id': profile.serviceId,
    ...(session.ontSerial === null ? {} : { 'Bng-Ont-Serial': session.ontSerial }),
    // Opaque bytes (RFC 4679 §3.3.1, §3.3.2): hex, whatever they hold.
    ...(line.circuitId === undefined ? {} : { 'Agent-Circuit-Id': hex(line.circuitId) }),
    ...(line.remoteId === undefined ? {} : { 'Agent-Remote-Id': hex(line.remoteId) }),
  };
}

function hex(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes).toString('hex')}`;
}
