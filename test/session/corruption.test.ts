/** Bytes of the store are changed or cut off at random: what a start makes of it is what was, or it names the damage. */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { isBngError } from '../../src/model/bng-error.js';
import type { Ipv4 } from '../../src/model/ipv4.js';
import { formatIpv4 } from '../../src/model/ipv4.js';
import { parseMac } from '../../src/model/mac.js';
import type { DhcpClient } from '../support/dhcp-client.js';
import { World } from '../support/lives.js';
import { seededRandom } from '../support/seeded-random.js';

const SESSIONS = 30;
const CASES = 40;
const FILES = ['bng.db', 'bng.db-wal'] as const;

const client = (world: World, n: number): DhcpClient =>
  world.ont(`ONT${n}`, { mac: parseMac(`02:00:00:00:00:${(16 + n).toString(16)}`) });

type Picture = ReadonlyMap<string, string>;

function picture(world: World): Picture {
  return new Map(
    [...(world.life?.manager.operator.sessions() ?? [])].map((session) => [
      session.ontSerial ?? '',
      `${session.id} ${formatIpv4(session.address ?? (0 as Ipv4))} ${session.state} ${session.leasePhase}`,
    ]),
  );
}

/** A store with every session in it, some of them in the log only; and what a start must find. */
async function original(t: TestContext): Promise<{ readonly world: World; readonly sessions: Picture }> {
  const world = new World(t);
  const life = await world.start();
  for (let n = 0; n < SESSIONS; n++) await client(world, n).lease();
  await life.quiet();
  return { world, sessions: picture(world) };
}

/** Changes up to three bytes of one file, or cuts its end off. Says what. */
function damage(folder: string, random: () => number): string {
  const there = FILES.filter((name) => existsSync(join(folder, name)));
  const name = there[Math.floor(random() * there.length)] ?? FILES[0];
  const path = join(folder, name);
  const bytes = readFileSync(path);
  if (random() < 0.25) {
    const length = Math.floor(random() * bytes.length);
    writeFileSync(path, bytes.subarray(0, length));
    return `${name} cut to ${length} of ${bytes.length}`;
  }
  const places = Array.from({ length: 1 + Math.floor(random() * 3) }, () =>
    Math.floor(random() * bytes.length),
  );
  for (const at of places) bytes[at] = (bytes[at] ?? 0) ^ (1 + Math.floor(random() * 255));
  writeFileSync(path, bytes);
  return `${name} changed at ${places.join(', ')}`;
}

test(`a store damaged at random in ${CASES} ways gives every session, or names the damage and gives those that are whole`, async (t) => {
  const { world: before, sessions } = await original(t);
  const files = readdirSync(before.folder).filter((name) => FILES.some((known) => known === name));
  assert.equal(files.length, FILES.length, 'there is a log beside the database');
  const random = seededRandom(20261123);
  let named = 0;
  let refused = 0;
  for (let n = 0; n < CASES; n++) {
    const world = new World(t);
    for (const name of files) copyFileSync(join(before.folder, name), join(world.folder, name));
    const what = damage(world.folder, random);
    try {
      const life = await world.start();
      await life.quiet();
      const found = picture(world);
      // An earlier moment of a session may be found: its id and its address are those that it was given all the same.
      for (const [ont, one] of found) {
        assert.deepEqual(
          one.split(' ').slice(0, 2),
          sessions.get(ont)?.split(' ').slice(0, 2),
          `${what}: ${ont}`,
        );
      }
      if (life.damage === null) {
        // A log that ends behind a whole commit is what a BNG leaves that died then: nobody can tell.
        if (!what.startsWith('bng.db-wal cut')) assert.deepEqual(found, sessions, what);
      } else {
        named += 1;
        assert.ok(life.damage.problem.length > 0 && life.damage.keptAt.length > 0, what);
      }
      assert.deepEqual(life.bugs, [], what);
      // It goes on: a new subscriber is served.
      await client(world, SESSIONS).lease();
    } catch (error) {
      if (!isBngError(error, 'BNG_ERR_STORE')) throw new Error(what, { cause: error });
      refused += 1;
    }
    await world.kill();
  }
  t.diagnostic(`${named} named, ${refused} refused, ${CASES - named - refused} whole`);
  assert.ok(named > CASES / 4);
  assert.equal(refused, 0);
});
