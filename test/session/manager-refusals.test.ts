/** Orders that cannot be carried out: what the operator is told, and that nothing else has changed. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Ipv4 } from '../../src/model/ipv4.js';
import type { Mac } from '../../src/model/mac.js';
import type { OperatorResult } from '../../src/session/inlet.js';
import type { SessionView } from '../../src/session/view.js';
import type { DhcpClient } from '../support/dhcp-client.js';
import { kindOf } from '../support/dhcp-client.js';
import { InnerBng, orderFor } from '../support/inner-bng.js';

let bng: InnerBng;
let client: DhcpClient;
let address: Ipv4;

beforeEach(async () => {
  bng = new InnerBng();
  await bng.detect('ONT1');
  client = bng.ont('ONT1');
  address = (await client.lease()).message.yiaddr;
});
afterEach(() => assert.deepEqual(bng.bugs, []));

/** Everything that an order could have changed. */
async function world(): Promise<unknown> {
  const { stateSinceWallMs: _since, ...view } = bng.manager.operator.sessionByOnt('ONT1') as SessionView;
  return {
    view,
    dump: await bng.dataplane.dump(),
    pools: bng.pools.usage(),
    accounted: bng.accounted.length,
  };
}

/** Runs an order that must be refused with `kind`, changing nothing. */
async function refused(kind: string, order: () => Promise<OperatorResult>): Promise<OperatorResult> {
  const before = await world();
  const result = await order();
  assert.equal(result.ok ? 'ok' : result.kind, kind);
  assert.deepEqual(await world(), before);
  assert.equal(kindOf(await client.renew(bng.manager.operator.sessionByOnt('ONT1')!.address!)), 'DHCPACK');
  return result;
}

async function activate(): Promise<void> {
  await bng.manager.operator.activate(orderFor('ONT1'));
  await client.renew(address);
  await client.lease();
}

describe('an order is refused', () => {
  it('unknown-ont: for an ONT that nobody has seen', async () => {
    for (const result of [
      await bng.manager.operator.activate(orderFor('ONT9')),
      await bng.manager.operator.suspend('ONT9', 'unpaid'),
      await bng.manager.operator.resume('ONT9'),
      await bng.manager.operator.terminate('ONT9'),
    ]) {
      assert.deepEqual(result, { ok: false, kind: 'unknown-ont' });
    }
  });

  it('invalid: for a pool that configuration does not have, and for the garden', async () => {
    for (const pool of ['nowhere', 'wgar', '']) {
      const result = await refused('invalid', () => bng.manager.operator.activate(orderFor('ONT1', pool)));
      assert.equal('field' in result && result.field, 'pool');
    }
  });

  it('conflict: suspension and resumption of a subscriber who was never activated', async () => {
    await refused('conflict', () => bng.manager.operator.suspend('ONT1', 'unpaid'));
    await refused('conflict', () => bng.manager.operator.resume('ONT1'));
  });

  it('conflict: activation of a suspended subscriber, with the present state', async () => {
    await activate();
    await bng.manager.operator.suspend('ONT1', 'unpaid');
    const result = await bng.manager.operator.activate(orderFor('ONT1'));
    assert.deepEqual(result, {
      ok: false,
      kind: 'conflict',
      state: 'suspended',
      reason: 'the subscriber is suspended: resume it',
    });
  });

  it('failed: activation into an exhausted pool', async () => {
    const mac = (client.mac + 1) as Mac;
    await bng.ont('ONT2', { mac }).lease();
    assert.equal((await bng.manager.operator.activate(orderFor('ONT2', 'tiny'))).ok, true);
    await refused('failed', () => bng.manager.operator.activate(orderFor('ONT1', 'tiny')));
    assert.equal(
      bng.reconfigured.some(({ profile, ontSerial }) => ontSerial === 'ONT1' && !profile.walled),
      false,
    );
  });

  it('failed: activation that the access node refuses; the new address goes back, and the order can be repeated', async () => {
    bng.accessNodeSays = () => ({ ok: false, reason: 'no such VLAN' });
    const result = await refused('failed', () => bng.manager.operator.activate(orderFor('ONT1')));
    assert.equal('reason' in result && result.reason, 'no such VLAN');
    assert.equal(bng.allocated('isp'), 0);
    bng.accessNodeSays = () => ({ ok: true });
    assert.equal((await bng.manager.operator.activate(orderFor('ONT1'))).ok, true);
  });

  it('failed: resumption that the access node refuses leaves the subscriber suspended', async () => {
    await activate();
    await bng.manager.operator.suspend('ONT1', 'unpaid');
    await client.lease();
    bng.accessNodeSays = () => ({ ok: false, reason: 'busy' });
    await refused('failed', () => bng.manager.operator.resume('ONT1'));
    assert.deepEqual([bng.stateOf('ONT1'), bng.allocated('isp')], ['suspended', 0]);
  });

  it('failed: resumption before the move that the dataplane refuses leaves the subscriber suspended, to be resumed again', async () => {
    await activate();
    await bng.manager.operator.suspend('ONT1', 'unpaid');
    const held = bng.manager.operator.sessionByOnt('ONT1')!.heldAddress!;
    bng.dataplane.refuseNext('busy');
    const result = await bng.manager.operator.resume('ONT1');
    assert.deepEqual(result, { ok: false, kind: 'failed', reason: 'busy' });
    assert.deepEqual([bng.stateOf('ONT1'), bng.dataplane.installed(held)?.walled], ['suspended', true]);
    assert.equal((await bng.manager.operator.resume('ONT1')).ok, true);
    assert.deepEqual([bng.stateOf('ONT1'), bng.dataplane.installed(held)?.walled], ['active', false]);
  });

  it('failed: suspension that the dataplane refuses to wall leaves the subscriber active', async () => {
    await activate();
    bng.dataplane.refuseNext('map is gone');
    await refused('failed', () => bng.manager.operator.suspend('ONT1', 'unpaid'));
    assert.deepEqual([bng.stateOf('ONT1'), bng.allocated('wgar')], ['active', 0]);
  });

  it('failed: termination that the dataplane refuses keeps the address from others', async () => {
    bng.dataplane.refuseNext('busy');
    await refused('failed', () => bng.manager.operator.terminate('ONT1'));
    assert.equal(bng.allocated('wgar'), 1);
  });

  it('and the refusal is told to onlookers', async () => {
    await bng.manager.operator.suspend('ONT1', 'unpaid');
    const told = bng.lifecycle.filter((event) => event.type === 'order-refused');
    assert.deepEqual(
      told.map((event) => [event.order, event.session.ontSerial]),
      [['suspend', 'ONT1']],
    );
  });

  it('an order waits for its turn: a termination behind an activation ends what was activated', async () => {
    const [first, second, third] = await Promise.all([
      bng.manager.operator.activate(orderFor('ONT1')),
      bng.manager.operator.terminate('ONT1'),
      bng.manager.operator.activate(orderFor('ONT1')),
    ]);
    assert.deepEqual([first.ok, second.ok], [true, true]);
    assert.equal(third.ok ? 'ok' : third.kind, 'conflict');
    assert.deepEqual(await bng.dataplane.dump(), []);
    assert.equal(bng.allocated('isp'), 0);
  });
});
