/** Reading sessions: the paged list and the single one with everything known of it. Changes nothing. */
import type { FastifyInstance } from 'fastify';
import type { MapInspection } from '../dataplane/map-inspection.js';
import type { Dataplane } from '../dataplane/port.js';
import { formatIpv4 } from '../model/ipv4.js';
import { formatMac } from '../model/mac.js';
import type { OperatorInlet, SessionQuery } from '../session/inlet.js';
import type { SessionStateName, SessionView } from '../session/view.js';
import type { EventHistory } from './event-history.js';
import { nullableTextSchema, stateSchema } from './field-schemas.js';
import { jsonListStream } from './json-stream.js';
import type { FirewallInspection } from './kernel-routes.js';
import { sendProblem } from './problem.js';
import type { ExchangeSource } from './radius-exchange-json.js';
import { radiusExchangeJson, radiusExchangesSchema } from './radius-exchange-json.js';
import { detailsJson, detailsProperties } from './session-details-json.js';
import type { KernelEntry } from './session-details-json.js';
import { findSession, sessionKeySchema } from './session-finder.js';
import { sessionDetailJson, sessionDetailSchema, sessionJson, sessionSchema } from './session-json.js';
import { TimeSlices } from './time-slice.js';

const DEFAULT_LIMIT = '100';
/** So many that a filter that leaves few costs few requests; they are looked at in slices. */
const MOST_LOOKED_AT = 5_000;
const EVENTS_SHOWN = 20;
const JSON_TYPE = 'application/json; charset=utf-8';

const wholeSessionSchema = {
  ...sessionDetailSchema,
  properties: {
    ...sessionDetailSchema.properties,
    ...detailsProperties,
    radius_exchanges: radiusExchangesSchema,
  },
} as const;

interface ListQuery {
  readonly limit?: string;
  readonly cursor?: string;
  readonly state?: SessionStateName;
  readonly pool?: string;
  readonly match?: string;
}

// Query values are text: the schema checks them as such, so that nothing in a body is ever converted silently.
const listQuerySchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    limit: {
      type: 'string',
      pattern: '^([1-9][0-9]{0,2}|1000)$',
      description: 'a number from 1 to 1000 (default 100)',
    },
    cursor: {
      type: 'string',
      pattern: '^[0-9]{1,15}\\.[!-~]{1,128}$',
      description: 'next_cursor of the page before',
    },
    state: stateSchema,
    pool: {
      type: 'string',
      pattern: '^[!-~]{1,64}$',
      description: 'the name of a pool, or of a group of pools',
    },
    match: {
      type: 'string',
      pattern: '^[ -~]{1,128}$',
      description: 'text in the ONT serial, an address, the MAC, the circuit-id or the id',
    },
  },
} as const;

const listSchema = {
  type: 'object',
  required: ['sessions', 'next_cursor'],
  properties: { sessions: { type: 'array', items: sessionSchema }, next_cursor: nullableTextSchema },
} as const;

const CURSOR_DOT = '.';

/** `createdWallMs.id` of the last session seen. */
function cursorOf({ createdWallMs, id }: SessionView): string {
  return `${createdWallMs}${CURSOR_DOT}${id}`;
}

function afterOf(cursor: string | undefined): SessionQuery {
  if (cursor === undefined) return {};
  const dot = cursor.indexOf(CURSOR_DOT);
  return { after: { createdWallMs: Number(cursor.slice(0, dot)), id: cursor.slice(dot + 1) } };
}

/** Whether `text` is in what names the session. */
function mentions(session: SessionView, text: string): boolean {
  const { ontSerial, address, heldAddress, attachment, circuitId, id } = session;
  return [
    ontSerial ?? '',
    address === null ? '' : formatIpv4(address),
    heldAddress === null ? '' : formatIpv4(heldAddress),
    attachment === null ? '' : formatMac(attachment.mac),
    circuitId === null ? '' : Buffer.from(circuitId).toString('latin1'),
    id,
  ].some((name) => name.toLowerCase().includes(text));
}

interface Page {
  readonly sessions: readonly SessionView[];
  readonly nextCursor: string | null;
}

/**
 * Looks at a bounded number of sessions, whatever is asked for: a page may hold fewer than its limit, even none, and still have a next.
 */
async function page(operator: OperatorInlet, query: ListQuery): Promise<Page> {
  const limit = Number(query.limit ?? DEFAULT_LIMIT);
  const text = query.match?.toLowerCase();
  const sessions: SessionView[] = [];
  const slices = new TimeSlices();
  let last: SessionView | null = null;
  let looked = 0;
  const wanted: SessionQuery = {
    ...afterOf(query.cursor),
    ...(query.state === undefined ? {} : { state: query.state }),
  };
  for (const session of operator.sessions(wanted)) {
    if (last !== null && (sessions.length === limit || looked === MOST_LOOKED_AT)) {
      return { sessions, nextCursor: cursorOf(last) };
    }
    last = session;
    looked += 1;
    if (slices.isOver) await slices.pause();
    if (query.pool !== undefined && !isOf(session, query.pool)) continue;
    if (text !== undefined && !mentions(session, text)) continue;
    sessions.push(session);
  }
  return { sessions, nextCursor: null };
}

/** By the pool of its address, or by the group that it was granted. */
function isOf({ poolName, profile }: SessionView, name: string): boolean {
  return poolName === name || profile?.poolName === name;
}

/** Each is rendered when its turn has come. */
function* sessionsJson(sessions: readonly SessionView[]): Iterable<object> {
  for (const session of sessions) yield sessionJson(session);
}

export interface SessionRouteParts {
  readonly operator: OperatorInlet;
  readonly dataplane: Pick<Dataplane, 'traffic'>;
  readonly maps: MapInspection;
  readonly firewall: Pick<FirewallInspection, 'isGardenMember'>;
  readonly history: EventHistory;
  readonly exchanges: ExchangeSource;
}

/** Null when neither the address nor the one that is still held is installed. */
async function kernelEntry(session: SessionView, parts: SessionRouteParts): Promise<KernelEntry | null> {
  for (const address of [session.address, session.heldAddress]) {
    const maps = address === null ? {} : parts.maps.subscriberInMaps(address);
    if (address === null || Object.keys(maps).length === 0) continue;
    return { maps, garden_member: await parts.firewall.isGardenMember(address) };
  }
  return null;
}

/** Adds the list and the single session, found by all that names it. */
export function addSessionRoutes(app: FastifyInstance, parts: SessionRouteParts): void {
  const { operator, dataplane, history, exchanges } = parts;
  app.get<{ Querystring: ListQuery }>(
    '/api/v1/sessions',
    {
      schema: {
        summary: 'Lists sessions in order of creation, terminated ones apart',
        querystring: listQuerySchema,
        response: { 200: listSchema },
      },
    },
    async (request, reply) => {
      const { sessions, nextCursor } = await page(operator, request.query);
      const head = { next_cursor: nextCursor };
      return reply.type(JSON_TYPE).send(jsonListStream(head, 'sessions', sessionsJson(sessions)));
    },
  );
  app.get<{ Params: { key: string } }>(
    '/api/v1/sessions/:key',
    {
      schema: {
        summary: 'One session with everything that is known of it',
        params: { type: 'object', properties: { key: sessionKeySchema } },
        response: { 200: wholeSessionSchema },
      },
    },
    async (request, reply) => {
      const { key } = request.params;
      const session = findSession(operator, key);
      if (session === null) {
        return sendProblem(reply, 'unknown-session', {
          detail: `No ONT, address, MAC, circuit-id or session id is ${key}.`,
        });
      }
      const details = operator.sessionDetails(session.id);
      const exchanged = details === null ? [] : exchanges({ ...details, id: session.id });
      return reply.send({
        ...sessionDetailJson(session, (address) => dataplane.traffic(address)),
        ...detailsJson(details),
        radius_exchanges: exchanged.map(radiusExchangeJson),
        kernel: await kernelEntry(session, parts),
        events: history.last(EVENTS_SHOWN, session.id),
      });
    },
  );
}
