/** The last RADIUS exchanges of one session as others tell of them, and how they look in JSON. */
import { instantSchema, nullableTextSchema } from './field-schemas.js';

export interface RadiusPacketReport {
  /** As in the specifications: `Access-Request`. */
  readonly code: string;
  /** In their order on the wire, secrets left out. */
  readonly attributes: readonly { readonly name: string; readonly value: string }[];
}

export interface RadiusExchangeReport {
  readonly kind: 'authentication' | 'accounting' | 'order';
  readonly wallMs: number;
  readonly tookMs: number;
  /** Who answered; of an order who ordered. Null when nobody answered. */
  readonly peer: string | null;
  readonly request: RadiusPacketReport;
  readonly response: RadiusPacketReport | null;
}

export type ExchangeSource = (session: {
  readonly id: string;
  readonly subscriberId: string;
}) => readonly RadiusExchangeReport[];

const packetProperties = {
  code: { type: 'string' },
  attributes: {
    type: 'array',
    items: { type: 'object', properties: { name: { type: 'string' }, value: { type: 'string' } } },
  },
} as const;

export const radiusExchangesSchema = {
  type: 'array',
  description: 'the last exchange of each kind, as long as it is remembered; no secrets',
  items: {
    type: 'object',
    properties: {
      kind: { type: 'string', enum: ['authentication', 'accounting', 'order'] },
      at: instantSchema,
      took_ms: { type: 'number' },
      peer: nullableTextSchema,
      request: { type: 'object', properties: packetProperties },
      response: { type: ['object', 'null'], properties: packetProperties, description: 'null = no answer' },
    },
  },
} as const;

export function radiusExchangeJson({ wallMs, tookMs, ...exchange }: RadiusExchangeReport): object {
  return { ...exchange, at: new Date(wallMs).toISOString(), took_ms: Math.round(tookMs * 1000) / 1000 };
}
