/** What became of one traced frame: in one line for people, and as JSON. */
import type { TracedFrame } from '../dataplane/port.js';
import { formatIpv4 } from '../model/ipv4.js';

const ETHER_TYPES: ReadonlyMap<number, string> = new Map([
  [0x0800, 'IPv4'],
  [0x0806, 'ARP'],
  [0x86dd, 'IPv6'],
  [0x8863, 'PPPoE discovery'],
  [0x8864, 'PPPoE session'],
]);

const PROTOCOLS: ReadonlyMap<number, string> = new Map([
  [1, 'ICMP'],
  [2, 'IGMP'],
  [6, 'TCP'],
  [17, 'UDP'],
  [47, 'GRE'],
  [50, 'ESP'],
  [132, 'SCTP'],
]);

export const tracedFrameSchema = {
  type: 'object',
  properties: {
    direction: { type: 'string', enum: ['upstream', 'downstream'] },
    verdict: { type: 'string', description: 'as in /api/v1/drops' },
    reason: { type: ['string', 'null'], description: 'why it was dropped; null = it was not' },
    frame_bytes: { type: 'integer' },
    ether_type: { type: 'string' },
    ip_bytes: { type: ['integer', 'null'], description: 'null = not IPv4, or malformed' },
    protocol: { type: ['string', 'null'] },
    source: { type: ['string', 'null'] },
    destination: { type: ['string', 'null'] },
    source_port: { type: ['integer', 'null'] },
    destination_port: { type: ['integer', 'null'] },
    untold: { type: 'integer', description: 'frames of the line left out before this one' },
  },
} as const;

export type TracedFrameJson = ReturnType<typeof tracedFrameJson>;

export function tracedFrameJson(frame: TracedFrame) {
  const { ip } = frame;
  const hasAddresses = ip !== null || frame.source !== 0 || frame.destination !== 0;
  const hasPorts = frame.sourcePort !== 0 || frame.destinationPort !== 0;
  return {
    direction: frame.direction,
    verdict: frame.verdict,
    reason: frame.dropReason,
    frame_bytes: frame.frameBytes,
    ether_type: ETHER_TYPES.get(frame.etherType) ?? `0x${frame.etherType.toString(16).padStart(4, '0')}`,
    ip_bytes: ip === null ? null : ip.bytes,
    protocol: ip === null ? null : (PROTOCOLS.get(ip.protocol) ?? `protocol ${ip.protocol}`),
    source: hasAddresses ? formatIpv4(frame.source) : null,
    destination: hasAddresses ? formatIpv4(frame.destination) : null,
    source_port: hasPorts ? frame.sourcePort : null,
    destination_port: hasPorts ? frame.destinationPort : null,
    untold: Number(frame.untold),
  };
}

/** Such as `upstream TCP 10.0.0.9:4711 > 198.51.100.7:80, 1500 bytes: drop, policed_up (37 frames not shown)`. */
export function tracedFrameText(frame: TracedFrameJson): string {
  const place = (address: string | null, port: number | null): string =>
    port === null ? (address ?? '') : `${address}:${port}`;
  const path =
    frame.source === null
      ? ''
      : ` ${place(frame.source, frame.source_port)} > ${place(frame.destination, frame.destination_port)}`;
  const what = `${frame.direction} ${frame.protocol ?? frame.ether_type}${path}`;
  const outcome = frame.reason === null ? frame.verdict : `${frame.verdict}, ${frame.reason}`;
  const untold = frame.untold === 0 ? '' : ` (${frame.untold} frames before it not shown)`;
  return `${what}, ${frame.ip_bytes ?? frame.frame_bytes} bytes: ${outcome}${untold}`;
}
