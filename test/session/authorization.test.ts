/** The AAA server's orders where they meet others: each is laid over what the session has when its turn comes. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Ipv4 } from '../../src/model/ipv4.js';
import type { DhcpClient } from '../support/dhcp-client.js';
import { kindOf } from '../support/dhcp-client.js';
import { settled } from '../support/fake-clock.js';
import { InnerBng, orderFor } from '../support/inner-bng.js';

const ONT1 = { userName: 'ONT1' };

let bng: InnerBng;
let client: DhcpClient;
let garden: Ipv4;

beforeEach(async () => {
  bng = new InnerBng();
  await bng.detect('ONT1');
  client = bng.ont('ONT1');
  garden = (await client.lease()).message.yiaddr;
});
afterEach(() => assert.deepEqual(bng.bugs, []));

describe('orders of the AAA server', () => {
  it('that come together are all done, one after the other', async () => {
    const desk = bng.manager.authorization;
    const outcomes = await Promise.all([
      desk.changeAuthorization(ONT1, { downloadBitsPerSecond: 1_000 }),
      desk.changeAuthorization(ONT1, { uploadBitsPerSecond: 2_000 }),
      desk.changeAuthorization(ONT1, { serviceId: 'three' }),
    ]);
    assert.ok(outcomes.every(({ ok }) => ok));
    const { profile } = bng.manager.operator.sessionByOnt('ONT1')!;
    assert.deepEqual(
      [profile?.downloadBitsPerSecond, profile?.uploadBitsPerSecond, profile?.serviceId],
      [1_000, 2_000, 'three'],
    );
  });

  it('find no session when it ended before their turn', async () => {
    const desk = bng.manager.authorization;
    const [ended, changed] = await Promise.all([
      desk.disconnect(ONT1),
      desk.changeAuthorization(ONT1, { downloadBitsPerSecond: 1_000 }),
    ]);
    assert.equal(ended.ok, true);
    assert.ok(!changed.ok);
    assert.equal(changed.kind, 'no-session');
  });

  it('do not undo what the operator did while they waited', async () => {
    const desk = bng.manager.authorization;
    const activation = bng.manager.operator.activate(orderFor('ONT1'));
    const change = desk.changeAuthorization(ONT1, { downloadBitsPerSecond: 5_000 });
    assert.ok((await activation).ok);
    assert.ok((await change).ok);
    assert.equal(bng.stateOf('ONT1'), 'activating');
    assert.equal(kindOf(await client.renew(garden)), 'DHCPNAK');
    const home = (await client.lease()).message.yiaddr;
    const entry = bng.dataplane.installed(home)!;
    assert.deepEqual([entry.downloadBitsPerSecond, entry.uploadBitsPerSecond], [5_000, 2e7]);
  });

  it('name nobody when they name nothing, and nobody who has no grant', async () => {
    const desk = bng.manager.authorization;
    const nothing = await desk.disconnect({});
    assert.ok(!nothing.ok && nothing.kind === 'no-session');
    const stranger = await desk.disconnect({ userName: 'ONT9' });
    assert.ok(!stranger.ok && stranger.kind === 'no-session');
  });

  it('reach a session that has no lease yet', async () => {
    await bng.detect('ONT2');
    const outcome = await bng.manager.authorization.changeAuthorization(
      { userName: 'ONT2' },
      { uploadBitsPerSecond: 7 },
    );
    assert.equal(outcome.ok, true);
    await settled();
    assert.equal(bng.manager.operator.sessionByOnt('ONT2')?.profile?.uploadBitsPerSecond, 7);
  });
});
