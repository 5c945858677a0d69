/** The operators' API: any request gets an answer of its own making, an error as a problem document, and none is a defect. */
import assert from 'node:assert/strict';
import { buildApi } from '../../../src/http/api.js';
import { apiOptions, FakeBng, makeLogger, makeSession } from '../../http/fake-bng.js';
import { checkProblemText } from '../../http/problem-check.js';
import { requestOf, requestText } from '../http-request.js';
import type { FuzzTarget } from '../fuzz-target.js';

const HOST = '127.0.0.1:8080';
const JSON_TYPE = 'application/json';
const ORDER =
  '{"ont_serial":"SIMU00000001","service_id":"s","pool":"isp-residential","qos_download_bps":1,"qos_upload_bps":0}';
/** Answers that end when whoever asked goes away, or when time has passed, which stands still here. */
const ENDLESS = /^\/api\/v1\/(events|overview|trace|top)/;
const REQUESTS_OF_A_WORLD = 1_000;

function makeWorld(): { readonly app: ReturnType<typeof buildApi>; readonly errors: readonly unknown[] } {
  const bng = new FakeBng();
  bng.list.push(makeSession());
  const { logger, errors } = makeLogger();
  // Of requests there are more than anybody may send.
  const limits = { ...apiOptions(bng).limits, ordersPerSecond: 1e9 };
  return { app: buildApi(apiOptions(bng, { logger, limits })), errors };
}

let world = makeWorld();
let requests = 0;

export const target: FuzzTarget = {
  seeds: () => [
    requestText('POST /api/v1/activate', HOST, JSON_TYPE, ORDER),
    ...['suspend', 'resume', 'terminate'].map((name) =>
      requestText(`POST /api/v1/${name}`, HOST, JSON_TYPE, '{"ont_serial":"SIMU00000001","reason":"unpaid"}'),
    ),
    requestText('POST /api/v1/drain', HOST, JSON_TYPE, '{"draining":true}'),
    requestText('GET /api/v1/sessions?state=wgar&limit=2&cursor=abc', HOST),
    ...[
      'sessions/02:00:00:00:00:01',
      'sessions/10.255.0.10',
      'sessions/session-1',
      'counters',
      'pools',
      'drops',
      'radius',
      'maps',
    ].map((path) => requestText(`GET /api/v1/${path}`, HOST)),
    requestText('GET /api/v1/maps/bng_garden', HOST),
    requestText('GET /api/v1/subscribers', HOST),
    requestText('GET /health', HOST),
  ],
  words: [
    'null',
    '{}',
    '[]',
    '%00',
    '%',
    '/../',
    '?limit=',
    '"__proto__":{}',
    '1e400',
    '-1',
    '"\\ud800"',
    'HEAD',
    'text/plain',
  ],
  maxBytes: 1_500,
  boundedRuns: 3_000,
  run: async (input) => {
    const request = requestOf(input);
    if (request === null || ENDLESS.test(request.url)) return;
    if (requests++ === REQUESTS_OF_A_WORLD) {
      await world.app.close();
      world = makeWorld();
      requests = 0;
    }
    const { statusCode, headers, body } = await world.app.inject(request);
    assert.notEqual(statusCode, 500, body);
    assert.deepEqual(world.errors, []);
    if (statusCode >= 400 && request.method !== 'HEAD')
      checkProblemText(statusCode, String(headers['content-type']), body);
  },
};
