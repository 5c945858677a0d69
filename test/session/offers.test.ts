/** What an OFFER waits for: the allocation that it tells of, and nothing else. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StoreChange } from '../../src/store/port.js';
import { kindOf } from '../support/dhcp-client.js';
import { World } from '../support/lives.js';

const ONT = { ontSerial: 'ONT1', circuitId: Buffer.from('agg-01|1/1/ONT1') };

async function announced(world: World): Promise<void> {
  const { life } = world;
  assert.ok(life !== null);
  life.manager.onts.ontDetected(ONT);
  await life.quiet();
  world.written.length = 0;
}

function sessionRows(written: readonly (readonly StoreChange[])[]): number {
  return written.flat().filter(({ table }) => table === 'session').length;
}

/** Writes wait until the given function is called. */
function holdWrites(world: World): () => void {
  let letThrough = (): void => {};
  world.storeWaits = new Promise((resolve) => (letThrough = resolve));
  return () => {
    world.storeWaits = null;
    letThrough();
  };
}

describe('an OFFER', () => {
  it('of an address that is stored leaves without a commit, and after a crash its REQUEST is acknowledged', async (t) => {
    const world = new World(t);
    await world.start();
    await announced(world);
    const client = world.ont(ONT.ontSerial);
    const offer = await client.discover();
    assert.equal(kindOf(offer), 'DHCPOFFER');
    assert.deepEqual(world.written, [], 'commits');
    await world.kill();

    const life = await world.start();
    const { yiaddr, options } = offer!.message;
    const ack = await client.select(yiaddr, options.serverIdentifier!);
    assert.equal(kindOf(ack), 'DHCPACK');
    assert.equal(ack?.message.yiaddr, yiaddr);
    assert.equal(life.manager.operator.sessionByOnt(ONT.ontSerial)?.leasePhase, 'bound');
    assert.notEqual(world.dataplane.installed(yiaddr), null);
  });

  it('of an address that is stored leaves while the disk is busy with others', async (t) => {
    const world = new World(t);
    const life = await world.start();
    await announced(world);
    const release = holdWrites(world);
    life.manager.onts.ontDetected({ ontSerial: 'ONT2', circuitId: Buffer.from('agg-01|1/1/ONT2') });
    await life.quiet();
    assert.equal(sessionRows(world.written), 1, 'a commit is under way');
    assert.equal(kindOf(await world.ont(ONT.ontSerial).discover()), 'DHCPOFFER');
    release();
    await life.quiet();
  });

  it('of an address that is not stored yet waits until it is', async (t) => {
    const world = new World(t);
    const life = await world.start();
    const release = holdWrites(world);
    life.manager.onts.ontDetected(ONT);
    await life.quiet();
    const client = world.ont(ONT.ontSerial);
    assert.equal(await client.discover(), null);
    release();
    await life.quiet();
    assert.deepEqual(client.heard().map(kindOf), ['DHCPOFFER']);
  });
});

describe('a set-up', () => {
  it('of an announced ONT writes its row twice: with its address, and with its lease', async (t) => {
    const world = new World(t);
    const life = await world.start();
    life.manager.onts.ontDetected(ONT);
    await life.quiet();
    const client = world.ont(ONT.ontSerial);
    await client.lease();
    await life.quiet();
    assert.equal(sessionRows(world.written), 2);
  });

  it('of a line that nobody has announced does so, too', async (t) => {
    const world = new World(t);
    const life = await world.start();
    const client = world.ont(ONT.ontSerial);
    await client.lease();
    await life.quiet();
    assert.equal(sessionRows(world.written), 2);
  });
});
