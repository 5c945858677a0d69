/** More messages than a turn of the loop has time for: they wait, each once, and are all answered. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Mac } from '../../src/model/mac.js';
import { kindOf } from '../support/dhcp-client.js';
import { settled } from '../support/fake-clock.js';
import { InnerBng, GARDEN } from '../support/inner-bng.js';

const HANDLING_MS = 2;

/** A BNG that a message costs time. */
function busyBng(): { readonly bng: InnerBng; readonly handled: string[] } {
  const bng = new InnerBng();
  const standing = bng.clock.monotonicMs.bind(bng.clock);
  const handled: string[] = [];
  bng.clock.monotonicMs = () => standing() + handled.length * HANDLING_MS;
  const { discover, request } = bng.inlet;
  bng.inlet.discover = (line) => {
    handled.push('discover');
    return discover(line);
  };
  bng.inlet.request = (line, kind, address) => {
    handled.push('request');
    return request(line, kind, address);
  };
  return { bng, handled };
}

it('what a turn has no time for waits for the next ones, requests before discovers, and everyone is answered', async () => {
  const { bng, handled } = busyBng();
  const clients = Array.from({ length: 12 }, (_, n) =>
    bng.ont(`ONT${n}`, { mac: (0x02_00_00_00_01_00 + n) as Mac }),
  );
  const [first, ...others] = clients;
  const offer = await first!.discover();
  assert.equal(kindOf(offer), 'DHCPOFFER');
  handled.length = 0;
  for (const client of others) client.punt(client.frame('DHCPDISCOVER'));
  const requestedAddress = offer!.message.yiaddr;
  first!.punt(first!.frame('DHCPREQUEST', { requestedAddress, serverId: GARDEN.gateway }));
  // Said again: one of them is enough.
  for (const client of others.slice(4)) client.punt(client.frame('DHCPDISCOVER'));
  assert.deepEqual(handled, ['discover', 'discover']);
  for (let turn = 0; turn < 20; turn++) await settled();
  assert.equal(handled.length, clients.length);
  assert.equal(handled.indexOf('request'), 2);
  assert.deepEqual(first!.heard().map(kindOf), ['DHCPACK']);
  for (const client of others) assert.deepEqual(client.heard().map(kindOf), ['DHCPOFFER']);
  assert.equal(bng.server.drops().get('repeated'), 7);
  assert.deepEqual(bng.bugs, []);
});
