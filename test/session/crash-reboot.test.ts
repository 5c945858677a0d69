/** The machine is booted anew, and while accounting begins anew the BNG is killed at each point: nothing is lost, nothing told twice. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { Player } from '../support/cut-everywhere.js';
import { World } from '../support/lives.js';

async function use(player: Player, bytes: bigint): Promise<void> {
  for (const { address } of player.subscribers) {
    if (address !== null && player.world.dataplane.installed(address) !== null) player.use(address, bytes);
  }
}

/** Two subscribers, a boot of the machine, a start that is cut after `cutAfter` things have passed, another start, and the end. */
async function reboot(
  t: TestContext,
  cutAfter: number,
): Promise<{ readonly passed: number; readonly isCut: boolean }> {
  const world = new World(t);
  const player = new Player(world);
  await world.start();
  for (const subscriber of player.subscribers) {
    await subscriber.lease();
    await subscriber.use(100n);
    // What is used is known: a boot takes the kernel's counters away.
    await subscriber.renew();
  }
  await world.kill();
  await world.reboot(60_000);
  world.passed = 0;
  world.cutAfter = cutAfter;
  // One that is cut off ends as what it asks of the store is refused, when the next begins.
  const start = { isOver: false, error: null as unknown };
  world
    .start()
    .catch((error: unknown) => (start.error = error))
    .finally(() => (start.isOver = true));
  while (!start.isOver && world.life?.isDead !== true) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(start.error, null);
  if (world.life?.isDead !== true) await world.life?.quiet();
  const isCut = world.life?.isDead === true;
  const { passed } = world;
  await use(player, 11n);
  if (isCut) await player.comeBack();
  world.cutAfter = Infinity;
  await use(player, 7n);
  for (const subscriber of player.subscribers) await subscriber.renew();
  assert.deepEqual(world.life?.bugs, []);
  await world.stop('end');
  player.checkBooks();
  return { passed, isCut };
}

describe('kill -9 while accounting begins anew after a boot', () => {
  it('at any point loses no session, no octet and no Stop, and tells none twice', async (t) => {
    const { passed: points } = await reboot(t, Infinity);
    let cuts = 0;
    for (let point = 0; point < points; point += 1) {
      try {
        cuts += (await reboot(t, point)).isCut ? 1 : 0;
      } catch (error) {
        if (error instanceof Error) error.message = `cut after ${point} of ${points}: ${error.message}`;
        throw error;
      }
    }
    assert.ok(points > 5 && cuts >= points * 0.8, `${cuts} cuts at ${points} points`);
  });
});
