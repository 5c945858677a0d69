/** The portal before a fake BNG, and requests as a subscriber's devices send them. */
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import { parseIpv4 } from '../../src/model/ipv4.js';
import type { Offer } from '../../src/portal/offer.js';
import { buildPortal } from '../../src/portal/portal.js';
import type { PortalOptions } from '../../src/portal/portal.js';
import { FakeBng, FakeClock, makeLogger, makeSession } from '../http/fake-bng.js';

/** The source address of the session that `makeSession` makes, and one of nobody. */
export const LINE = '10.255.0.10';
export const STRANGER = '10.255.0.11';
export const OWN = '10.255.0.1';
export const FORM = 'application/x-www-form-urlencoded';

export const HOME: Offer = {
  serviceId: 'home-100',
  poolName: 'isp-residential',
  downloadBitsPerSecond: 100_000_000,
  uploadBitsPerSecond: 0,
  name: { en: 'Home 100', de: 'Zuhause 100' },
  description: { en: 'For <everybody>', de: 'Für <alle>' },
};

export interface PortalWorld {
  readonly bng: FakeBng;
  readonly clock: FakeClock;
  readonly app: FastifyInstance;
  readonly bugs: unknown[];
}

export function portalWorld(
  session: Parameters<typeof makeSession>[0] | null = {},
  changes: Partial<PortalOptions> = {},
): PortalWorld {
  const bng = new FakeBng();
  const clock = new FakeClock();
  const bugs: unknown[] = [];
  if (session !== null) bng.list.push(makeSession(session));
  const app = buildPortal({
    operator: bng,
    clock,
    logger: makeLogger().logger,
    endpoint: { address: parseIpv4(OWN), port: 80 },
    offers: [HOME],
    provider: 'Example & Net',
    contact: { en: 'Call 0800 1', de: 'Rufen Sie 0800 1 an' },
    templates: {},
    tls: null,
    onBug: (error) => bugs.push(error),
    ...changes,
  });
  return { bng, clock, app, bugs };
}

export function get(
  { app }: PortalWorld,
  url: string,
  headers: Record<string, string> = {},
  remoteAddress = LINE,
): Promise<LightMyRequestResponse> {
  return app.inject({ url, remoteAddress, headers: { host: OWN, ...headers } });
}

/** The hidden fields of the form on a page. */
export function fieldsOf(body: string): Record<string, string> {
  const fields = [...body.matchAll(/<input type="hidden" name="([a-z]+)" value="([^"]*)">/g)];
  return Object.fromEntries(fields.map(([, name = '', value = '']): [string, string] => [name, value]));
}

export interface Sending {
  readonly headers?: Record<string, string>;
  readonly remoteAddress?: string;
}

export function post(
  { app }: PortalWorld,
  fields: Record<string, string> | string,
  { headers = {}, remoteAddress = LINE }: Sending = {},
): Promise<LightMyRequestResponse> {
  return app.inject({
    method: 'POST',
    url: '/activate',
    remoteAddress,
    headers: { host: OWN, 'content-type': FORM, ...headers },
    payload: typeof fields === 'string' ? fields : new URLSearchParams(fields).toString(),
  });
}
