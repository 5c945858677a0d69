/** Reading the address pools: terms from configuration and how full they are. */
import type { FastifyInstance } from 'fastify';
import { formatIpv4, formatPrefix } from '../model/ipv4.js';
import type { AddressPools, PoolTerms, PoolUsage } from '../pool/port.js';
import { addressSchema } from './field-schemas.js';
import { availableAddresses, groupFigures, poolState, utilization } from './pool-figures.js';

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
    held: { type: 'integer', description: 'addresses that somebody has, fixed ones in excluded ranges too' },
    drain: { type: 'string', enum: ['none', 'keep', 'move'], description: 'as configured' },
    state: {
      type: 'string',
      enum: ['open', 'draining', 'drained'],
      description: 'drained: nobody has an address of it, so a reload may take it out',
    },
    groups: { type: 'array', items: { type: 'string' }, description: 'the groups that it is in' },
  },
} as const;

const groupSchema = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    pools: { type: 'array', items: { type: 'string' }, description: 'in the order in which they are used' },
    available: { type: 'integer', description: 'addresses that could be given now, of all its pools' },
    utilization: { type: 'number', description: 'allocated share of the capacity of pools that are open' },
  },
} as const;

/** Every pool, in the order of the configuration. */
export function poolsJson(pools: Pick<AddressPools, 'usage' | 'terms' | 'groups'>) {
  const groups = pools.groups();
  return pools.usage().map((usage) => ({
    ...poolJson(usage, pools.terms(usage.name)),
    groups: groups.filter((group) => group.pools.includes(usage.name)).map(({ name }) => name),
  }));
}

/** Renders a pool; `terms` are null for one that configuration no longer has. */
function poolJson(usage: PoolUsage, terms: PoolTerms | null) {
  return {
    ...usage,
    network: terms === null ? null : formatPrefix(terms.network),
    gateway: terms === null ? null : formatIpv4(terms.gateway),
    dns: (terms?.dns ?? []).map(formatIpv4),
    lease_seconds: terms?.leaseSeconds ?? null,
    available: availableAddresses(usage),
    utilization: utilization(usage),
    state: poolState(usage),
  };
}

/** Adds `GET /api/v1/pools`. */
export function addPoolRoutes(app: FastifyInstance, pools: AddressPools): void {
  const schema = {
    summary: 'The address pools and the groups of them',
    response: {
      200: {
        type: 'object',
        properties: {
          pools: { type: 'array', items: poolSchema },
          groups: { type: 'array', items: groupSchema },
        },
      },
    },
  };
  app.get('/api/v1/pools', { schema }, (_request, reply) => {
    const usage = pools.usage();
    const groups = pools.groups().map((group) => ({ ...group, ...groupFigures(group, usage) }));
    return reply.send({ pools: poolsJson(pools), groups });
  });
}
