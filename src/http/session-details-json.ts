/** What is known of one session beside its picture, in JSON: AAA, accounting, the kernel's entries, the last events. */
import type { DecodedValue } from '../dataplane/abi-decode.js';
import { formatIpv4 } from '../model/ipv4.js';
import type { SessionDetails } from '../session/view.js';
import { pastEventSchema } from './event-routes.js';
import { instantSchema, nullableTextSchema } from './field-schemas.js';

const seconds = {
  type: ['integer', 'null'],
  description: 'seconds; null = no limit, or the default',
} as const;

export const detailsProperties = {
  subscriber_id: { type: 'string' },
  authentication: {
    type: ['object', 'null'],
    description: 'the last question to AAA; null while the first is out',
    properties: {
      at: instantSchema,
      took_ms: { type: 'number' },
      outcome: { type: 'string', enum: ['accepted', 'rejected', 'unreachable'] },
      reason: nullableTextSchema,
    },
  },
  terms: {
    type: ['object', 'null'],
    description: 'what AAA said beside the profile',
    properties: {
      user_name: { type: 'string' },
      fixed_address: nullableTextSchema,
      session_timeout_seconds: seconds,
      idle_timeout_seconds: seconds,
      interim_interval_seconds: seconds,
      classes: { type: 'array', items: { type: 'string', description: 'hexadecimal' } },
    },
  },
  accounting: {
    type: ['object', 'null'],
    properties: { session_id: { type: 'string', description: 'Acct-Session-Id' }, started_at: instantSchema },
  },
  kernel: {
    type: ['object', 'null'],
    description:
      'what the kernel holds of the installed address, read back and decoded; null = not installed',
    properties: {
      maps: { type: 'object', additionalProperties: true, description: 'by name of the map' },
      garden_member: {
        type: ['boolean', 'null'],
        description: 'in the set of nftables; null = nft cannot say',
      },
    },
  },
  events: { type: 'array', items: pastEventSchema, description: 'the last of this session, oldest first' },
} as const;

/** What the kernel holds of one address. */
export interface KernelEntry {
  readonly maps: Readonly<Record<string, DecodedValue>>;
  readonly garden_member: boolean | null;
}

/** Renders AAA's part. */
export function detailsJson(details: SessionDetails | null): Record<string, unknown> {
  if (details === null) return {};
  const { authentication, terms, accounting } = details;
  return {
    subscriber_id: details.subscriberId,
    authentication:
      authentication === null
        ? null
        : {
            at: new Date(authentication.wallMs).toISOString(),
            took_ms: Math.round(authentication.tookMs * 1000) / 1000,
            outcome: authentication.outcome,
            reason: authentication.reason,
          },
    terms:
      terms === null
        ? null
        : {
            user_name: terms.userName,
            fixed_address: terms.fixedAddress === null ? null : formatIpv4(terms.fixedAddress),
            session_timeout_seconds: terms.sessionTimeoutSeconds,
            idle_timeout_seconds: terms.idleTimeoutSeconds,
            interim_interval_seconds: terms.interimIntervalSeconds,
            classes: terms.classes.map((bytes) => Buffer.from(bytes).toString('hex')),
          },
    accounting:
      accounting === null
        ? null
        : {
            session_id: accounting.accountingId,
            started_at: new Date(accounting.startedWallMs).toISOString(),
          },
  };
}
