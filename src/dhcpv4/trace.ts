/**
 * What the DHCP inlet was asked and what it answered, told to operators who follow one line. Nothing may depend on it, and
 * while nobody follows it costs nothing. Knows no HTTP.
 */
import type { Attachment } from '../model/access-line.js';
import { formatIpv4 } from '../model/ipv4.js';
import type { Ipv4 } from '../model/ipv4.js';
import { formatMac } from '../model/mac.js';
import type { DhcpVerdict } from '../session/inlet.js';
import type { DhcpMessage } from '../wire/dhcpv4-message.js';

/** One punted message and what became of it. */
export interface DhcpExchange {
  readonly attachment: Attachment;
  readonly remoteId: string | null;
  readonly circuitId: string | null;
  /** The message decoded, and the answer, in words. */
  readonly message: string;
  readonly verdict: string;
}

export interface DhcpTraceSource {
  /** Returns the function that stops listening. */
  onExchange(listener: (exchange: DhcpExchange) => void): () => void;
}

export class DhcpTrace implements DhcpTraceSource {
  readonly #listeners = new Set<(exchange: DhcpExchange) => void>();

  /** False while telling would be for nobody. */
  get isFollowed(): boolean {
    return this.#listeners.size > 0;
  }

  onExchange(listener: (exchange: DhcpExchange) => void): () => void {
    // Its own function: the same listener may be given twice.
    const own = (exchange: DhcpExchange): void => listener(exchange);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  tell(exchange: DhcpExchange): void {
    for (const listener of this.#listeners) listener(exchange);
  }
}

/** Opaque bytes as text where all of them are printable, else in hexadecimal. */
export function opaqueText(bytes: Uint8Array | undefined): string | null {
  if (bytes === undefined) return null;
  const text = Buffer.from(bytes).toString('latin1');
  return /^[ -~]+$/.test(text) ? text : `0x${Buffer.from(bytes).toString('hex')}`;
}

/** The message in one line, such as `DHCPREQUEST xid 3903f326 from 02:00:00:00:00:01 for 10.0.0.9`. Throws `BNG_ERR_WIRE_*`. */
export function describeMessage(message: DhcpMessage, kind: string | null): string {
  const { options } = message;
  const fact = (name: string, value: string | number | null | undefined): string[] =>
    value === undefined || value === null || value === '' ? [] : [`${name} ${value}`];
  const address = (value: Ipv4 | undefined): string | null =>
    value === undefined || value === 0 ? null : formatIpv4(value);
  return [
    `${options.messageType ?? message.op}${kind === null ? '' : ` (${kind})`}`,
    ...fact('xid', message.xid.toString(16).padStart(8, '0')),
    ...fact('from', formatMac(message.chaddr)),
    ...fact('requested', address(options.requestedAddress)),
    ...fact('ciaddr', address(message.ciaddr)),
    ...fact('giaddr', address(message.giaddr)),
    ...fact('server', address(options.serverIdentifier)),
    ...fact('host', options.hostName),
    ...fact('vendor', options.vendorClass),
    ...fact('circuit-id', opaqueText(options.relayAgentInformation?.circuitId)),
    ...fact('remote-id', opaqueText(options.relayAgentInformation?.remoteId)),
  ].join(', ');
}

const SPOKEN = { offer: 'DHCPOFFER', ack: 'DHCPACK', inform: 'DHCPACK (inform)' } as const;

/** The answer in one line, such as `DHCPACK 10.0.0.9, lease 86400 s, pool isp-residential`. */
export function describeVerdict(verdict: DhcpVerdict): string {
  switch (verdict.kind) {
    case 'silence':
      return `no answer: ${verdict.reason}`;
    case 'nak':
      return `DHCPNAK: ${verdict.reason}, server ${formatIpv4(verdict.serverId)}`;
    case 'offer':
    case 'ack':
    case 'inform': {
      const { address, gateway, dns, leaseSeconds } = verdict.terms;
      return [
        `${SPOKEN[verdict.kind]} ${formatIpv4(address)}`,
        `lease ${leaseSeconds} s`,
        `gateway ${formatIpv4(gateway)}`,
        ...(dns.length === 0 ? [] : [`dns ${dns.map(formatIpv4).join(' ')}`]),
        `pool ${verdict.poolName}`,
      ].join(', ');
    }
  }
}
