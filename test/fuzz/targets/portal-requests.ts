/** The portal: whatever a subscriber's browser is made to send, the answer is a page without a word of markup that came with it. */
import assert from 'node:assert/strict';
import { requestOf, requestText } from '../http-request.js';
import type { PortalWorld } from '../../portal/portal-peer.js';
import { fieldsOf, FORM, get, LINE, OWN, portalWorld } from '../../portal/portal-peer.js';
import type { FuzzTarget } from '../fuzz-target.js';

/** No page of ours has it. */
const MARK = '<fuzz';
const REQUESTS_OF_A_WORLD = 500;

let world: PortalWorld = portalWorld();
let requests = 0;
const token = fieldsOf((await get(world, '/')).body);

export const target: FuzzTarget = {
  seeds: () => [
    requestText('GET /', OWN),
    requestText('GET /state', OWN),
    requestText('GET /captive-portal/api', OWN),
    requestText('GET /?from=http://example.com/a', OWN),
    requestText('GET /generate_204', 'connectivitycheck.gstatic.com'),
    requestText('GET http://example.com/x?y', 'example.com'),
    requestText('POST /activate', OWN, FORM, new URLSearchParams({ ...token, offer: 'home-100' }).toString()),
    requestText('POST /activate', OWN, FORM, 'offer=home-100&token=abc'),
  ],
  words: [
    MARK,
    `${MARK} onload=x>`,
    '"',
    "'",
    '%22',
    '%3Cfuzz',
    'javascript:',
    'http://a@b/',
    ':80',
    '&lang=de',
    ...Object.keys(token),
  ],
  maxBytes: 1_000,
  boundedRuns: 3_000,
  run: async (input) => {
    const request = requestOf(input);
    if (request === null) return;
    if (requests++ === REQUESTS_OF_A_WORLD) {
      await world.app.close();
      world = portalWorld();
      requests = 0;
    }
    const { statusCode, headers, body } = await world.app.inject({ ...request, remoteAddress: LINE });
    assert.deepEqual(world.bugs, []);
    assert.notEqual(statusCode, 500, body);
    assert.ok(!body.includes(MARK), 'markup of the request came back');
    for (const value of Object.values(headers))
      assert.ok(!/[\r\n]/.test(String(value)), 'a header with a line break');
    const location = headers.location;
    if (location !== undefined) assert.match(String(location), /^(https?:\/\/|\/)/);
  },
};
