/** Leases that the dataplane has renewed by itself while nobody listened: they last as long as their clients were told. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { AnsweredLease } from '../../src/dataplane/port.js';
import { kindOf } from '../support/dhcp-client.js';
import { GARDEN } from '../support/inner-bng.js';
import { World } from '../support/lives.js';

const LEASE_MS = GARDEN.leaseSeconds * 1000;

/** What the dataplane says when it renews the only lease it may, at a time of the boot. */
function renewal(world: World, atMs: number): AnsweredLease {
  const [promise] = world.dataplane.standing();
  assert.ok(promise !== undefined);
  const { address, attachment } = promise;
  return { answer: 'ack', address, attachment, leaseSeconds: GARDEN.leaseSeconds, atMs };
}

/** How long the lease of the only session lasts yet. */
function leftMs(world: World): number {
  const sessions = [...(world.life?.manager.operator.sessions() ?? [])];
  assert.equal(sessions.length, 1);
  return (sessions[0]?.leaseExpiresWallMs ?? 0) - (world.life?.clock.wallMs() ?? 0);
}

/** False when it is cut off on the way. */
async function starts(world: World): Promise<boolean> {
  let started = false;
  void world.start().then(() => (started = true));
  while (!started) {
    if (world.life?.isDead === true) return false;
    await turn();
  }
  return true;
}

describe('a lease that the dataplane renewed while there was no process', () => {
  it('is not promised again before all is read that was handed up meanwhile', async (t) => {
    const world = new World(t);
    await world.start();
    const client = world.ont('ONT1');
    const { yiaddr } = (await client.lease()).message;
    await world.kill();
    const released = client.frame('DHCPRELEASE', { ciaddr: yiaddr });
    // What waits in the ring is read when it is opened; until then the dataplane must not answer for the lease.
    const early: unknown[] = [];
    world.dataplane.backlogRead = async () => {
      early.push(...world.dataplane.standing());
      client.punt(released);
    };
    const life = await world.start();
    await life.quiet();
    assert.deepEqual(early, []);
    assert.deepEqual(world.dataplane.standing(), []);
    assert.equal(life.manager.operator.sessionByAddress(yiaddr)?.leasePhase, 'none');
    assert.deepEqual(life.bugs, []);
  });

  it('is served again when its client was told so after it had given it up', async (t) => {
    const world = new World(t);
    const life = await world.start();
    const client = world.ont('ONT1');
    const { yiaddr } = (await client.lease()).message;
    const told = renewal(world, world.bootMs);
    // Both were there before any of them was read.
    client.punt(client.frame('DHCPRELEASE', { ciaddr: yiaddr }));
    world.dataplane.answer(told);
    await life.quiet();
    assert.notEqual(world.dataplane.installed(yiaddr), null);
    assert.equal(leftMs(world), LEASE_MS);
    const kinds = world.records.map((record) => record['Acct-Status-Type']).slice(1);
    assert.deepEqual(kinds, ['Start', 'Stop', 'Start']);
    assert.deepEqual(life.bugs, []);
  });

  it('lives on after the end that the store knew', async (t) => {
    const world = new World(t);
    await world.start();
    const client = world.ont('ONT1');
    const address = (await client.lease()).message.yiaddr;
    await world.kill();
    world.passes(LEASE_MS / 2);
    world.dataplane.answer(renewal(world, world.bootMs), 'untold');
    world.passes(LEASE_MS * 0.75);

    const life = await world.start();
    assert.equal(leftMs(world), LEASE_MS / 4);
    await life.advance(LEASE_MS / 8);
    assert.equal(kindOf(await client.renew(address)), 'DHCPACK');
    assert.deepEqual(
      world.records.filter((record) => record['Acct-Status-Type'] === 'Stop'),
      [],
    );
    assert.deepEqual(life.bugs, []);
  });

  it('is stored before the promise is taken back: the start may die as well, at any point', async (t) => {
    for (let cut = 0; ; cut += 1) {
      const world = new World(t);
      await world.start();
      await world.ont('ONT1').lease();
      await world.kill();
      world.passes(LEASE_MS / 2);
      world.dataplane.answer(renewal(world, world.bootMs), 'untold');
      world.cutAfter = world.passed + cut;
      const isDead = !(await starts(world));
      await world.kill();
      world.passes(LEASE_MS * 0.75);
      await world.start();
      assert.equal(leftMs(world), LEASE_MS / 4, `cut after ${cut}`);
      await world.kill();
      if (!isDead) return;
    }
  });

  it('has ended when its renewal has run out too, and its account says when', async (t) => {
    const world = new World(t);
    await world.start();
    await world.ont('ONT1').lease();
    await world.kill();
    world.passes(LEASE_MS / 2);
    world.dataplane.answer(renewal(world, world.bootMs), 'untold');
    world.passes(2 * LEASE_MS);
    const life = await world.start();
    await life.advance(1);
    await world.stop('end');
    const stop = world.records.find((record) => record['Acct-Status-Type'] === 'Stop');
    assert.ok(stop?.['Acct-Status-Type'] === 'Stop');
    assert.equal(stop['Acct-Session-Time'], (LEASE_MS * 1.5) / 1000);
  });

  it('is of no consequence when the store knows no session of it', async (t) => {
    const world = new World(t);
    await world.start();
    await world.ont('ONT1').lease();
    const answer = renewal(world, world.bootMs);
    await world.kill();
    rmSync(world.folder, { recursive: true });
    const life = await world.start();
    assert.deepEqual(world.dataplane.standing(), []);
    world.dataplane.answer(answer);
    await life.quiet();
    assert.equal([...life.manager.operator.sessions()].length, 0);
    assert.deepEqual(life.bugs, []);
  });
});

describe('a lease that the dataplane renewed a moment ago', () => {
  it('does not end where its session believes, which has not heard of it yet', async (t) => {
    const world = new World(t);
    const life = await world.start();
    await world.ont('ONT1').lease();
    await life.advance(LEASE_MS - 10);
    const told = renewal(world, world.bootMs + LEASE_MS - 10);
    world.dataplane.answer(told, 'untold');
    await life.advance(20);
    assert.deepEqual(
      world.records.filter((record) => record['Acct-Status-Type'] === 'Stop'),
      [],
    );
    world.dataplane.answer(told);
    await life.quiet();
    assert.equal(leftMs(world), LEASE_MS - 20);
    await life.advance(LEASE_MS);
    assert.equal(world.records.filter((record) => record['Acct-Status-Type'] === 'Stop').length, 1);
    assert.deepEqual(life.bugs, []);
  });
});
