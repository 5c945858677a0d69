/** Reading what is carried: totals of everything installed, and the busiest subscribers. */
import type { FastifyInstance } from 'fastify';
import type { DataplaneInspection } from '../dataplane/port.js';
import type { Clock } from '../model/clock.js';
import { formatIpv4 } from '../model/ipv4.js';
import { addTraffic, NO_TRAFFIC } from '../model/traffic-counters.js';
import type { OperatorInlet } from '../session/inlet.js';
import { counterTable } from './drop-routes.js';
import { addressSchema, counterSchema, counterTableSchema, nullableTextSchema } from './field-schemas.js';
import { readTraffic } from './read-traffic.js';
import { trafficJson } from './session-json.js';
import { TopTalkers } from './top-talkers.js';

const trafficProperties = {
  upstream_packets: counterSchema,
  upstream_bytes: counterSchema,
  downstream_packets: counterSchema,
  downstream_bytes: counterSchema,
} as const;

const rate = { type: 'integer', minimum: 0 } as const;

const talkerSchema = {
  type: 'object',
  properties: {
    ont_serial: nullableTextSchema,
    address: addressSchema,
    pool: nullableTextSchema,
    upstream_bps: rate,
    downstream_bps: rate,
    upstream_pps: rate,
    downstream_pps: rate,
    ...trafficProperties,
  },
} as const;

const countersSchema = {
  type: 'object',
  properties: {
    sessions: { type: 'object', additionalProperties: { type: 'integer' }, description: 'by state' },
    installed: { type: 'integer', description: 'subscribers in the dataplane' },
    traffic: {
      type: 'object',
      description: 'of the subscribers that are installed now, since their install',
      properties: trafficProperties,
    },
    verdicts: counterTableSchema,
    drops: counterTableSchema,
  },
} as const;

export interface TrafficRouteParts {
  readonly operator: OperatorInlet;
  readonly dataplane: Pick<DataplaneInspection, 'trafficInPortions' | 'verdicts' | 'drops'>;
  readonly clock: Clock;
}

/** Adds `GET /api/v1/counters` and `GET /api/v1/top`. */
export function addTrafficRoutes(app: FastifyInstance, parts: TrafficRouteParts): void {
  const { operator, dataplane, clock } = parts;
  const schema = {
    summary: 'Sessions by state, traffic in total, frames by verdict and by drop reason',
    response: { 200: countersSchema },
  };
  app.get('/api/v1/counters', { schema }, async (_request, reply) => {
    const reading = await readTraffic(dataplane);
    let total = NO_TRAFFIC;
    for (const traffic of reading.values()) total = addTraffic(total, traffic);
    return reply.send({
      sessions: operator.stateCounts(),
      installed: reading.size,
      traffic: trafficJson(total),
      verdicts: counterTable(dataplane.verdicts()),
      drops: counterTable(dataplane.drops()),
    });
  });
  const talkers = new TopTalkers(dataplane, clock);
  const topSchema = {
    summary: 'The busiest subscribers over one second; the answer takes that long',
    querystring: {
      type: 'object',
      additionalProperties: false,
      properties: {
        limit: {
          type: 'string',
          pattern: '^([1-9][0-9]?|100)$',
          description: 'a number from 1 to 100 (default 20)',
        },
      },
    },
    response: { 200: { type: 'object', properties: { talkers: { type: 'array', items: talkerSchema } } } },
  };
  app.get<{ Querystring: { limit?: string } }>(
    '/api/v1/top',
    { schema: topSchema },
    async (request, reply) => {
      const busiest = (await talkers.measure()).slice(0, Number(request.query.limit ?? '20'));
      return reply.send({
        talkers: busiest.map((talker) => {
          const session = operator.sessionByAddress(talker.address);
          return {
            ont_serial: session?.ontSerial ?? null,
            address: formatIpv4(talker.address),
            pool: session?.poolName ?? null,
            upstream_bps: Math.round(talker.upstreamBitsPerSecond),
            downstream_bps: Math.round(talker.downstreamBitsPerSecond),
            upstream_pps: Math.round(talker.upstreamPacketsPerSecond),
            downstream_pps: Math.round(talker.downstreamPacketsPerSecond),
            ...trafficJson(talker.traffic),
          };
        }),
      });
    },
  );
}
