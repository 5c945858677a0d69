/** Reading the kernel back: maps decoded by the ABI, installed subscribers, the nftables table. Changes nothing. */
import type { FastifyInstance } from 'fastify';
import type { MapInspection } from '../dataplane/map-inspection.js';
import type { NftListing } from '../dataplane/nft-listing.js';
import type { DataplaneInspection, DumpedSubscriber } from '../dataplane/port.js';
import type { Ipv4 } from '../model/ipv4.js';
import { formatIpv4 } from '../model/ipv4.js';
import { formatMac } from '../model/mac.js';
import { addressSchema, counterSchema, nullableTextSchema } from './field-schemas.js';
import { jsonListStream } from './json-stream.js';
import { sendProblem } from './problem.js';
import { trafficJson } from './session-json.js';

/** The firewall as it is in the kernel. */
export interface FirewallInspection {
  listing(members: boolean): Promise<NftListing>;
  /** Null when the kernel cannot be asked. */
  isGardenMember(address: Ipv4): Promise<boolean | null>;
}

export interface KernelRouteParts {
  readonly maps: MapInspection;
  readonly firewall: FirewallInspection;
  readonly dataplane: Pick<DataplaneInspection, 'dump'>;
}

const mapSchema = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    type: { type: 'string', description: 'as the kernel names it' },
    key: nullableTextSchema,
    value: nullableTextSchema,
    max_entries: { type: 'integer' },
  },
} as const;

const anything = { description: 'by the ABI: 64-bit numbers as decimal strings, addresses as text' } as const;

const entriesSchema = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    entries: { type: 'array', items: { type: 'object', properties: { key: anything, value: anything } } },
  },
} as const;

const subscribersSchema = {
  type: 'object',
  properties: {
    subscribers: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          address: addressSchema,
          interface_index: { type: 'integer' },
          s_vlan: { type: 'integer' },
          c_vlan: { type: 'integer' },
          mac: { type: 'string' },
          walled: { type: 'boolean' },
          garden_member: { type: 'boolean', description: 'in the set of nftables; equal to walled' },
          download_bps: { type: 'integer', description: '0 = unlimited' },
          upload_bps: { type: 'integer', description: '0 = unlimited' },
          slot: { type: 'integer' },
          upstream_packets: counterSchema,
          upstream_bytes: counterSchema,
          downstream_packets: counterSchema,
          downstream_bytes: counterSchema,
        },
      },
    },
  },
} as const;

/** One subscriber as it stands in the kernel. */
export function dumpedJson(entry: DumpedSubscriber): Record<string, unknown> {
  const { attachment } = entry;
  return {
    address: formatIpv4(entry.address),
    interface_index: attachment.ifindex,
    s_vlan: attachment.sVlan,
    c_vlan: attachment.cVlan,
    mac: formatMac(attachment.mac),
    walled: entry.walled,
    garden_member: entry.gardenMember,
    download_bps: entry.downloadBitsPerSecond,
    upload_bps: entry.uploadBitsPerSecond,
    slot: entry.slot,
    ...trafficJson(entry.traffic),
  };
}

function* dumpedList(entries: Iterable<DumpedSubscriber>): Iterable<object> {
  for (const entry of entries) yield dumpedJson(entry);
}

/** Adds `GET /api/v1/maps`, `/api/v1/maps/{name}`, `/api/v1/subscribers` and `/api/v1/nft`. */
export function addKernelRoutes(app: FastifyInstance, { maps, firewall, dataplane }: KernelRouteParts): void {
  const mapsSchema = {
    summary: 'The maps of the dataplane',
    response: { 200: { type: 'object', properties: { maps: { type: 'array', items: mapSchema } } } },
  };
  app.get('/api/v1/maps', { schema: mapsSchema }, (_request, reply) =>
    reply.send({
      maps: maps
        .mapSummaries()
        .map(({ maxEntries, ...summary }) => ({ ...summary, max_entries: maxEntries })),
    }),
  );
  const nameSchema = { type: 'string', pattern: '^[a-z0-9_]{1,63}$', description: 'the name of a map' };
  const entriesRoute = {
    summary: 'What a map holds, decoded; streamed',
    params: { type: 'object', properties: { name: nameSchema } },
    response: { 200: entriesSchema },
  };
  app.get<{ Params: { name: string } }>('/api/v1/maps/:name', { schema: entriesRoute }, (request, reply) => {
    const { name } = request.params;
    const entries = maps.mapEntries(name);
    if (entries === null) {
      const known = maps.mapSummaries().map((map) => map.name);
      return sendProblem(reply, 'unknown-map', {
        detail: `No map is ${name}; there are ${known.join(', ')}.`,
      });
    }
    return reply.type('application/json; charset=utf-8').send(jsonListStream({ name }, 'entries', entries));
  });
  const dumpSchema = {
    summary: 'Every subscriber as it stands in the kernel, read back; streamed',
    response: { 200: subscribersSchema },
  };
  app.get('/api/v1/subscribers', { schema: dumpSchema }, async (_request, reply) =>
    reply
      .type('application/json; charset=utf-8')
      .send(jsonListStream({}, 'subscribers', dumpedList(await dataplane.dump()))),
  );
  const nftSchema = {
    summary: 'The table of nftables as the kernel holds it',
    querystring: {
      type: 'object',
      additionalProperties: false,
      properties: {
        members: { type: 'string', enum: ['true', 'false'], description: 'true adds the elements of sets' },
      },
    },
    response: { 200: { type: 'object', properties: { text: { type: 'string' } } } },
  };
  app.get<{ Querystring: { members?: string } }>(
    '/api/v1/nft',
    { schema: nftSchema },
    async (request, reply) => {
      const listing = await firewall.listing(request.query.members === 'true');
      if (listing.ok) return reply.send({ text: listing.text });
      return sendProblem(reply, 'failed', { detail: listing.reason });
    },
  );
}
