/** Reading the address pools: terms from configuration and how full they are. */
import type { FastifyInstance } from 'fastify';
import { formatIpv4, formatPrefix } from '../model/ipv4.js';
import type { AddressPools, PoolTerms, PoolUsage } from '../pool/port.js';
import { addressSchema } from './field-schemas.js';
import { availableAddresses, utilization } from './pool-figures.js';

const poolSchema = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    network: { type: ['string', 'null'] },
    gateway: { type: ['string', 'null'] },
    dns: { type: 'array', items: addressSchema },
    lease_seconds: { type: ['integer', 'null'] },
    capacity: { type: 'integer', description: 'addresses that may be given' },
    allocated: { type: 'integer' },
    quarantined: { type: 'integer', description: 'out of use after a DHCPDECLINE' },
    available: { type: 'integer' },
    utilization: { type: 'number', description: 'allocated share of the capacity, 0 to 1' },
  },
} as const;

/** Renders a pool; `terms` are null for one that configuration no longer has. */
export function poolJson(usage: PoolUsage, terms: PoolTerms | null) {
  return {
    ...usage,
    network: terms === null ? null : formatPrefix(terms.network),
    gateway: terms === null ? null : formatIpv4(terms.gateway),
    dns: (terms?.dns ?? []).map(formatIpv4),
    lease_seconds: terms?.leaseSeconds ?? null,
    available: availableAddresses(usage),
    utilization: utilization(usage),
  };
}

/** Adds `GET /api/v1/pools`. */
export function addPoolRoutes(app: FastifyInstance, pools: AddressPools): void {
  const schema = {
    summary: 'The address pools',
    response: { 200: { type: 'object', properties: { pools: { type: 'array', items: poolSchema } } } },
  };
  app.get('/api/v1/pools', { schema }, (_request, reply) =>
    reply.send({ pools: pools.usage().map((usage) => poolJson(usage, pools.terms(usage.name))) }),
  );
}
