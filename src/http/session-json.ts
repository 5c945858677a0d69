/** How a session looks in JSON: schema and rendering side by side. Addresses, MACs and times become text here. */
import { formatIpv4 } from '../model/ipv4.js';
import type { Ipv4 } from '../model/ipv4.js';
import { formatMac } from '../model/mac.js';
import type { TrafficCounters } from '../model/traffic-counters.js';
import type { SessionView } from '../session/view.js';
import {
  addressSchema,
  counterSchema,
  instantSchema,
  nullableAddressSchema,
  nullableTextSchema,
  stateSchema,
} from './field-schemas.js';

export const sessionSchema = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    ont_serial: nullableTextSchema,
    circuit_id: { type: ['string', 'null'], description: 'null unless all of it is printable ASCII' },
    circuit_id_hex: nullableTextSchema,
    state: stateSchema,
    lease_phase: { type: 'string', enum: ['none', 'offered', 'bound'] },
    attachment: {
      type: ['object', 'null'],
      properties: {
        interface_index: { type: 'integer' },
        s_vlan: { type: 'integer', description: '0 = untagged' },
        c_vlan: { type: 'integer', description: '0 = no inner tag' },
        mac: { type: 'string' },
      },
    },
    service_id: nullableTextSchema,
    pool: nullableTextSchema,
    pool_group: nullableTextSchema,
    walled: { type: ['boolean', 'null'] },
    download_bps: { type: ['integer', 'null'], description: '0 = unlimited' },
    upload_bps: { type: ['integer', 'null'], description: '0 = unlimited' },
    address: nullableAddressSchema,
    held_address: { type: ['string', 'null'], description: 'what the client still holds after a move' },
    created_at: instantSchema,
    state_since: instantSchema,
    lease_expires_at: { type: ['string', 'null'], description: 'RFC 3339, UTC' },
    suspended_for: {
      type: ['string', 'null'],
      description: 'why it was suspended; null when it is not, or nobody said why',
    },
  },
} as const;

export const sessionDetailSchema = {
  ...sessionSchema,
  properties: {
    ...sessionSchema.properties,
    traffic: {
      type: ['object', 'null'],
      description:
        'what the kernel counted for the installed address since its install; null = not installed',
      properties: {
        address: addressSchema,
        upstream_packets: counterSchema,
        upstream_bytes: counterSchema,
        downstream_packets: counterSchema,
        downstream_bytes: counterSchema,
      },
    },
  },
} as const;

const addressText = (address: Ipv4 | null): string | null => (address === null ? null : formatIpv4(address));

const instantText = (wallMs: number): string => new Date(wallMs).toISOString();

function printableText(bytes: Uint8Array): string | null {
  const text = Buffer.from(bytes).toString('latin1');
  return /^[ -~]*$/.test(text) ? text : null;
}

/** Renders a session, its traffic apart. */
export function sessionJson(session: SessionView): Record<string, unknown> {
  const { attachment, circuitId, profile } = session;
  return {
    id: session.id,
    ont_serial: session.ontSerial,
    circuit_id: circuitId === null ? null : printableText(circuitId),
    circuit_id_hex: circuitId === null ? null : Buffer.from(circuitId).toString('hex'),
    state: session.state,
    lease_phase: session.leasePhase,
    attachment:
      attachment === null
        ? null
        : {
            interface_index: attachment.ifindex,
            s_vlan: attachment.sVlan,
            c_vlan: attachment.cVlan,
            mac: formatMac(attachment.mac),
          },
    service_id: profile?.serviceId ?? null,
    pool: session.poolName,
    pool_group: profile === null || profile.poolName === session.poolName ? null : profile.poolName,
    walled: profile?.walled ?? null,
    download_bps: profile?.downloadBitsPerSecond ?? null,
    upload_bps: profile?.uploadBitsPerSecond ?? null,
    address: addressText(session.address),
    held_address: addressText(session.heldAddress),
    created_at: instantText(session.createdWallMs),
    state_since: instantText(session.stateSinceWallMs),
    lease_expires_at: session.leaseExpiresWallMs === null ? null : instantText(session.leaseExpiresWallMs),
    suspended_for: session.suspendedFor,
  };
}

/** Renders the counters of one address, decimal strings all of them. */
export function trafficJson(traffic: TrafficCounters): Record<string, string> {
  return {
    upstream_packets: traffic.upstreamPackets.toString(),
    upstream_bytes: traffic.upstreamBytes.toString(),
    downstream_packets: traffic.downstreamPackets.toString(),
    downstream_bytes: traffic.downstreamBytes.toString(),
  };
}

/** Renders a session with the counters of the address that is installed: after a move that is the held one. */
export function sessionDetailJson(
  session: SessionView,
  trafficOf: (address: Ipv4) => TrafficCounters | null,
): Record<string, unknown> {
  for (const address of [session.address, session.heldAddress]) {
    const traffic = address === null ? null : trafficOf(address);
    if (address !== null && traffic !== null) {
      return { ...sessionJson(session), traffic: { address: formatIpv4(address), ...trafficJson(traffic) } };
    }
  }
  return { ...sessionJson(session), traffic: null };
}
