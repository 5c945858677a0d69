/** JSON schemas of the fields that several routes share. */
import { SESSION_STATES } from '../session/view.js';

export const ontSerialSchema = {
  type: 'string',
  pattern: '^[!-~]{1,64}$',
  description: '1 to 64 printable ASCII characters without spaces',
} as const;

export const stateSchema = { type: 'string', enum: SESSION_STATES } as const;

export const addressSchema = { type: 'string', format: 'ipv4' } as const;

export const nullableAddressSchema = { type: ['string', 'null'], description: 'IPv4 address' } as const;

export const nullableTextSchema = { type: ['string', 'null'] } as const;

export const instantSchema = { type: 'string', description: 'RFC 3339, UTC' } as const;

/** Counters are 64 bits wide in the kernel, more than a JSON number carries exactly: always decimal strings. */
export const counterSchema = {
  type: 'string',
  pattern: '^[0-9]+$',
  description: 'unsigned 64-bit counter as a decimal string',
} as const;

/** A map from names to counters. */
export const counterTableSchema = { type: 'object', additionalProperties: counterSchema } as const;
